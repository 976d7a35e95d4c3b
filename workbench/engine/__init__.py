"""The engine: models, cache and device behind one interface, for any number of callers at the same time.

Every tab, audit and command opens a session and uses it in place of the model itself.
"""

from __future__ import annotations

from workbench.engine.engine import Engine
from workbench.engine.loaders import Loader
from workbench.engine.session import Session
from workbench.engine.task import Task
from workbench.engine.tasks import Remote
from workbench.model_cache import ModelRef

__all__ = ["Engine", "Loader", "ModelRef", "Remote", "Session", "Task"]

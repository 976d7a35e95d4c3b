"""The engine: models, cache and device behind one door, for any number of visitors at the same time.

Knows no screen. Every tab, audit and command opens a session and takes it for the model itself.
"""

from __future__ import annotations

from workbench.engine.embed_call import Remote
from workbench.engine.engine import Engine
from workbench.engine.session import Session

__all__ = ["Engine", "Remote", "Session"]

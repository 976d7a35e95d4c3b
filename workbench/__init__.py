"""The library: CLIP-style models and the mathematics around them. No screen, no printing.

Names are imported when first used, so that `import workbench` is quick and torch loads late.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.errors import WorkbenchError
    from workbench.loading import load
    from workbench.zeroshot import classify, contrast

__all__ = ["WorkbenchError", "classify", "contrast", "load"]

_HOMES = {
    "WorkbenchError": "workbench.errors",
    "classify": "workbench.zeroshot",
    "contrast": "workbench.zeroshot",
    "load": "workbench.loading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)

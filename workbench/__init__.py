"""Look inside CLIP-style image-text models, from a script or a notebook. No screen, no printing.

    import workbench as wb
    model = wb.load("pocket")
    model.classify("cat.jpg", ["cat", "dog"])

Names are imported when first used, so that `import workbench` is quick and torch loads late.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.errors import BadInput, WorkbenchError
    from workbench.index import Index
    from workbench.model import Model
    from workbench.model_check import check_model
    from workbench.pictures import sample, sample_path
    from workbench.surface import catalogue, classify, evaluate, load, probe

__all__ = [
    "BadInput",
    "Index",
    "Model",
    "WorkbenchError",
    "catalogue",
    "check_model",
    "classify",
    "evaluate",
    "load",
    "probe",
    "sample",
    "sample_path",
]

_HOMES = {
    "workbench.errors": ("BadInput", "WorkbenchError"),
    "workbench.index": ("Index",),
    "workbench.model": ("Model",),
    "workbench.model_check": ("check_model",),
    "workbench.pictures": ("sample", "sample_path"),
    "workbench.surface": ("catalogue", "classify", "evaluate", "load", "probe"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

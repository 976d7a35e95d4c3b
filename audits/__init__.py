"""Questions about a model, asked as a script and answered with intervals.

Imports `workbench` and never `apps`: an audit knows no screen. Each name is imported when first used, so that a command
that runs no audit starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audits.audit_run import open_run
    from audits.comparing import compare, gate
    from audits.frame import AuditFrame
    from audits.reporting import write as report
    from audits.run_directory.frames import metrics_df, runs_df, samples_df
    from audits.running.api import resume, run, score
    from audits.running.suites import run_suite
    from audits.running.validating import check

__all__ = [
    "AuditFrame",
    "check",
    "compare",
    "gate",
    "metrics_df",
    "open_run",
    "report",
    "resume",
    "run",
    "run_suite",
    "runs_df",
    "samples_df",
    "score",
]
_PLACES = {
    "audits.audit_run": ("open_run",),
    "audits.comparing": ("compare", "gate"),
    "audits.frame": ("AuditFrame",),
    "audits.reporting": ("report",),
    "audits.run_directory.frames": ("metrics_df", "runs_df", "samples_df"),
    "audits.running.api": ("resume", "run", "score"),
    "audits.running.suites": ("run_suite",),
    "audits.running.validating": ("check",),
}


def __getattr__(name: str) -> Any:
    for module, names in _PLACES.items():
        if name in names:
            return getattr(importlib.import_module(module), {"report": "write"}.get(name, name))
    raise AttributeError(f"module 'audits' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

"""Questions about a model, asked as a script and answered with intervals.

Imports `workbench` and never `apps`: an audit knows no screen. `AuditFrame` is imported when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from audits.comparing import compare, gate
from audits.reporting import write as report
from audits.run_directory.frames import metrics_df, runs_df, samples_df
from audits.run_directory.reader import open_run
from audits.running.api import resume, run, score
from audits.running.suites import run_suite

if TYPE_CHECKING:
    from audits.frame import AuditFrame

__all__ = [
    "AuditFrame",
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


def __getattr__(name: str) -> Any:
    if name != "AuditFrame":
        raise AttributeError(f"module 'audits' has no attribute {name!r}")
    return importlib.import_module("audits.frame").AuditFrame

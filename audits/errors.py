"""Errors that only audits have, and what each means for a script.

`audit_code` is the exit code of `python -m audits`; errors without one keep the meaning that the shell gives them.
"""

from __future__ import annotations

from workbench.errors import WorkbenchError


class NothingMeasured(WorkbenchError):
    """A data set without a picture that can be used, or an audit that found nothing to measure."""

    exit_code = audit_code = 7


class NotComparable(WorkbenchError):
    """Two runs that differ in what must agree: protocol, data, or their being whole."""

    exit_code = audit_code = 5


class Tampered(WorkbenchError):
    """A run whose files are not those that were written, or a repetition that gives other numbers."""

    exit_code = audit_code = 6

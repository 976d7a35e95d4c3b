"""Errors that only audits have; `exit_code` is what `python -m audits` leaves with."""

from __future__ import annotations

from workbench.errors import WorkbenchError


class NothingMeasured(WorkbenchError):
    """A data set without a picture that can be used, or an audit that found nothing to measure."""

    exit_code = 7


class Tampered(WorkbenchError):
    """A run whose files are not those that were written, or a repetition that gives other numbers."""

    exit_code = 6

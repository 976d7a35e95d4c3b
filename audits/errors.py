"""Errors that only audits have."""

from __future__ import annotations

from workbench.errors import ALTERED, NOTHING_MEASURED, WorkbenchError


class NothingMeasured(WorkbenchError):
    """A data set without a usable image, or an audit that found nothing to measure."""

    exit_code = NOTHING_MEASURED


class Tampered(WorkbenchError):
    """A run whose files are not those that were written, or a repetition that gives other numbers."""

    exit_code = ALTERED

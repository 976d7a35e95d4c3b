"""Errors that a user can fix: each message says what is wrong, what would be right, and what was given.

The browser shows the message; the shell prints it and exits with `exit_code`, one of the constants below.

    WorkbenchError
    ├── BadInput            an image, a label, a text or an option that cannot be used
    │   ├── BadPicture      corrupt, too large, or of an unsupported format
    │   ├── TooCostly       more work than a file of this size may cause
    │   └── UnknownName     no such model, method, template set, column
    ├── Unsupported         a method that this model does not offer
    ├── WeightsMissing      the checkpoint is not on this machine
    ├── WeightsRefused      the checkpoint is not what was recorded, or is not safetensors
    ├── OutOfResources      not enough memory, disk space or device
    │   └── DeviceLost      the device failed while it computed
    ├── Busy                too many waiting jobs
    ├── DeadlinePassed      time limit reached
    └── Cancelled           stopped on request
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

DONE, FAILED, UNUSABLE, INCOMPLETE, INCONCLUSIVE, NOT_COMPARABLE = range(6)  # exit codes of all commands
ALTERED, NOTHING_MEASURED, WEIGHTS, RESOURCES, DEADLINE, INTERRUPTED = 6, 7, 8, 9, 10, 130


class WorkbenchError(Exception):
    """An error that the user can fix; its message is shown as it is.

    Example:
        >>> import workbench as wb
        >>> try:
        ...     wb.load("no such model")
        ... except wb.WorkbenchError as error:
        ...     type(error).__name__, error.exit_code
        ('UnknownName', 2)
    """

    exit_code = FAILED  # of the shell command that met it


class BadInput(WorkbenchError):
    """An image, label, text or option that cannot be used.

    Example:
        >>> import workbench as wb
        >>> try:
        ...     wb.classify("fake", "missing.jpg", ["red", "blue"])
        ... except wb.BadInput as error:
        ...     print(error)
        There is no image file 'missing.jpg'.
    """

    exit_code = UNUSABLE


class BadPicture(BadInput):
    """A file that is no usable image: corrupt, too large, or of an unsupported format."""


class TooCostly(BadInput):
    """More work than a file of this size may cause; what was done by then is kept."""


class UnknownName(BadInput):
    """A name that is not in the table."""


class Unsupported(WorkbenchError):
    """A method that this model does not offer."""

    exit_code = UNUSABLE


class WeightsMissing(WorkbenchError):
    """A checkpoint that is not on this machine."""

    exit_code = WEIGHTS


class WeightsRefused(WorkbenchError):
    """A checkpoint that is not what was recorded, or is not safetensors."""

    exit_code = WEIGHTS


class Damaged(WorkbenchError):
    """A file that is not what was written."""

    exit_code = ALTERED


class OutOfResources(WorkbenchError):
    """Not enough memory, disk space or device."""

    exit_code = RESOURCES


class DeviceLost(OutOfResources):
    """The device failed while it computed; models are loaded anew for the next request."""


class Busy(WorkbenchError):
    """Too many waiting jobs, of one visitor or in all."""

    exit_code = RESOURCES


class DeadlinePassed(WorkbenchError):
    """A job that reached its time limit."""

    exit_code = DEADLINE


class Cancelled(WorkbenchError):
    """A job that was stopped on request."""

    exit_code = INTERRUPTED


def unknown_name(kind: str, given: str, known: Iterable[str]) -> UnknownName:
    """Return the error for an unknown name, with near matches first."""
    names = list(known)
    near = difflib.get_close_matches(given, names, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    return UnknownName(f"No {kind} is called {given[:80]!r}.{hint} Known: {', '.join(names)}.")

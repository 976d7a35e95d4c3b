"""What a user can mend: every error here says what is wrong, what would be right, and what was given.

Knows nothing of screens: the browser shows the message, the shell prints it and leaves with `exit_code`.

    WorkbenchError
    ├── BadInput            a picture, a label, a text or an option that cannot be used
    │   ├── BadPicture      corrupt, too large, of a kind that is not opened
    │   └── UnknownName     no such model, method, template set, column
    ├── Unsupported         a method that this model cannot serve
    ├── WeightsMissing      the checkpoint is not on this machine
    ├── WeightsRefused      the checkpoint is not what was recorded, or is not safetensors
    ├── OutOfResources      memory, disk space or device not sufficient
    ├── Busy                too many waiting jobs
    ├── DeadlinePassed      the job took longer than it may
    └── Cancelled           stopped on request
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WorkbenchError(Exception):
    """Something that the user can mend; its message is shown as it is."""

    exit_code = 1  # of the shell command that met it


class BadInput(WorkbenchError):
    """A picture, label, text or option that cannot be used."""

    exit_code = 2


class BadPicture(BadInput):
    """A file that is not opened as a picture: corrupt, too large, or of another kind."""


class UnknownName(BadInput):
    """A name that is in no table here."""


class Unsupported(WorkbenchError):
    """Something that this model cannot serve."""

    exit_code = 2


class WeightsMissing(WorkbenchError):
    """A checkpoint that is not on this machine."""

    exit_code = 4


class WeightsRefused(WorkbenchError):
    """A checkpoint that is not what was recorded, or is not safetensors."""

    exit_code = 4


class OutOfResources(WorkbenchError):
    """Memory, disk space or a device that does not suffice."""

    exit_code = 5


class Busy(WorkbenchError):
    """More waiting jobs than one visitor or the server may hold."""

    exit_code = 5


class DeadlinePassed(WorkbenchError):
    """A job that took longer than it may."""

    exit_code = 6


class Cancelled(WorkbenchError):
    """A job that was stopped on request."""

    exit_code = 130


def unknown_name(kind: str, given: str, known: Iterable[str]) -> UnknownName:
    """Return the error for a name that is in no table, with near matches first."""
    names = list(known)
    near = difflib.get_close_matches(given, names, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    return UnknownName(f"No {kind} is called {given[:80]!r}.{hint} Known: {', '.join(names)}.")

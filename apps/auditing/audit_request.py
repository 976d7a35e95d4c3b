"""What a visitor asks for, read from the form into jobs; and what must be said before a job is begun.

Knows no widget. What becomes of uploads stands in `own_pictures`.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.auditing.own_pictures import from_files, from_folder
from apps.auditing.rules import chosen_protocol, edited, warnings
from audits.protocol import Protocol
from audits.running.jobs import AuditJob, make
from workbench.errors import BadInput

BUILTIN, UPLOAD, FOLDER = "built-in", "mine", "folder"


@dataclass(frozen=True)
class AuditRequest:
    """The form, as it was filled in."""

    audits: tuple[str, ...]
    models: tuple[str, ...]
    data: str = BUILTIN  # or UPLOAD, or FOLDER
    files: tuple[str, ...] = ()  # of UPLOAD
    table: str = ""  # a CSV that says what the files show
    folder: tuple[tuple[str, str], ...] = ()  # of FOLDER: uploaded file, its path in the folder
    protocol: str = ""  # name of a shipped one; "" for each audit's first
    text: str = ""  # the protocol as edited; "" where it was not
    seed: int = 0
    limit: int = 0  # pictures; 0 for all
    read: bool = False  # the content warning was confirmed


def jobs(request: AuditRequest) -> list[AuditJob]:
    """Return the jobs that a form stands for.

    Raises:
        BadInput: nothing chosen, a warning not confirmed, a protocol or data that cannot be used.
    """
    if not request.audits or not request.models:
        raise BadInput("Choose at least one audit and one model.")
    rules = {key: _rules(key, request) for key in request.audits}
    if (warning := warnings(list(rules.values()))) and not request.read:
        raise BadInput(f"Please read the warning, and tick that you have: {warning}")
    reference = _reference(request)
    return [
        make(key, model, reference, rules=rules[key], options={"seed": request.seed, "limit": request.limit or None})
        for key in request.audits
        for model in request.models
    ]


def _reference(request: AuditRequest) -> str | None:
    """Return the reference of the pictures; None for each audit's own."""
    if request.data == FOLDER:
        return from_folder(request.folder)
    return from_files(request.files, request.table) if request.data == UPLOAD else None


def _rules(audit: str, request: AuditRequest) -> Protocol:
    original = chosen_protocol([audit], request.protocol if len(request.audits) == 1 else "")
    if original is None:
        raise BadInput("Choose at least one audit.")
    return edited(request.text, audit, original) if request.text.strip() and len(request.audits) == 1 else original

"""An audit request, read from the form into jobs. Does not know about widgets."""

from __future__ import annotations

from dataclasses import dataclass

from apps.auditing.own_images import from_collected, from_files, from_folder
from apps.auditing.protocols import chosen_protocol, edited, warnings
from audits.protocol import Protocol
from audits.running.jobs import AuditJob, make
from workbench.errors import BadInput

BUILTIN, UPLOAD, FOLDER, COLLECTED = "built-in", "mine", "folder", "collected"


@dataclass(frozen=True)
class AuditRequest:
    """The form, as it was filled in."""

    audits: tuple[str, ...]
    models: tuple[str, ...]
    data: str = BUILTIN  # or UPLOAD, FOLDER, COLLECTED
    files: tuple[str, ...] = ()  # of UPLOAD
    table: str = ""  # a CSV with the true labels of the files
    folder: tuple[tuple[str, str], ...] = ()  # of FOLDER: uploaded file, its path in the folder
    collected: tuple[tuple[str, str], ...] = ()  # of COLLECTED: image file, what it shows
    protocol: str = ""  # name of a shipped one; "" for each audit's first
    text: str = ""  # the protocol as edited; "" where it was not
    seed: int = 0
    limit: int = 0  # images; 0 for all
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
        raise BadInput(f"Read the warning and tick the box below it first: {warning}")
    reference = _reference(request)
    return [
        make(key, model, reference, rules=rules[key], options={"seed": request.seed, "limit": request.limit or None})
        for key in request.audits
        for model in request.models
    ]


def _reference(request: AuditRequest) -> str | None:
    """Return the reference of the images; None for each audit's own."""
    if request.data == FOLDER:
        return from_folder(request.folder)
    if request.data == COLLECTED:
        return from_collected(request.collected)
    return from_files(request.files, request.table) if request.data == UPLOAD else None


def _rules(audit: str, request: AuditRequest) -> Protocol:
    original = chosen_protocol([audit], request.protocol if len(request.audits) == 1 else "")
    if original is None:
        raise BadInput("Choose at least one audit.")
    return edited(request.text, audit, original) if request.text.strip() and len(request.audits) == 1 else original

"""The table of audits, and their protocols. An audit's row and its protocols lie in its own package.

Other packages add audits through entry points: see `workbench.plugins` and docs/plugins/audits.md.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from audits.contracts import Audit
from audits.protocol import Protocol, read_file
from workbench.errors import unknown_name
from workbench.plugins import Table

AUDITS: Table[Audit] = Table(
    "audits",
    Audit,
    (
        "audits.bias.face_attributes:AUDIT",
        "audits.bias.denigration:AUDIT",
        "audits.bias.label_design:AUDIT",
        "audits.bias.retrieval_skew:AUDIT",
        "audits.bias.association:AUDIT",
        "audits.bias.occupations:AUDIT",
        "audits.bias.mitigation:AUDIT",
        "audits.surveillance.scenes:AUDIT",
        "audits.surveillance.identity:AUDIT",
        "audits.typographic.overlay:AUDIT",
        "audits.shift.natural:AUDIT",
        "audits.robustness.corruptions:AUDIT",
        "audits.adversarial.lp:AUDIT",
        "audits.limits.counting:AUDIT",
        "audits.limits.composition:AUDIT",
        "audits.limits.negation:AUDIT",
        "audits.limits.hubness_and_gap:AUDIT",
        "audits.limits.ood:AUDIT",
        "audits.limits.prompts:AUDIT",
        "audits.accuracy:AUDIT",
        "audits.calibration:AUDIT",
    ),
)


def find(key: str) -> Audit:
    """Return the audit of a key.

    Raises:
        UnknownName: no audit has that key.
    """
    return AUDITS.find(key, "audit")


def protocol_names(audit: str | Audit) -> tuple[str, ...]:
    """Return the names of the protocols in an audit's package."""
    return tuple(sorted(path.stem for path in _folder(find(audit) if isinstance(audit, str) else audit).glob("*.yaml")))


def read_protocol(audit: str | Audit, name: str) -> Protocol:
    """Return a protocol of an audit's package by its name, or the one in a file (a name that ends in .yaml or .yml).

    Raises:
        UnknownName: no such protocol.
        BadInput: a file that is no protocol, or one of another audit.
    """
    row = find(audit) if isinstance(audit, str) else audit
    if name.endswith((".yaml", ".yml")):
        return read_file(Path(name), row.key)
    if name not in (known := protocol_names(row)):
        raise unknown_name(f"protocol of {row.key}", name, known)
    return read_file(_folder(row) / f"{name}.yaml", row.key)


def _folder(audit: Audit) -> Path:
    """Return where an audit's protocols lie: beside its code, which is not imported for that."""
    place = find_spec(audit.module)
    return Path(place.origin if place and place.origin else "").parent / "protocols"

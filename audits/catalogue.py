"""The table of audits, `catalogue.yaml`: their questions, and what they need."""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from audits.contracts import Audit
from workbench.errors import unknown_name
from workbench.yaml_file import load

FILE = Path(__file__).with_suffix(".yaml")
AUDITS = TypeAdapter(tuple[Audit, ...], config=ConfigDict(extra="forbid")).validate_python(load(FILE, "catalogue"))


def find(key: str) -> Audit:
    """Return the audit of a key.

    Raises:
        UnknownName: no audit has that key.
    """
    rows = {audit.key: audit for audit in AUDITS}
    if key not in rows:
        raise unknown_name("audit", key, rows)
    return rows[key]

"""The table of audits: what can be asked, and where each answer is worked out.

Knows no runner; a key that is not here is an error, never an empty result.
"""

from __future__ import annotations

from audits.contracts import Audit
from workbench.errors import unknown_name

AUDITS: tuple[Audit, ...] = ()


def find(key: str) -> Audit:
    """Return the audit of a key.

    Raises:
        UnknownName: no audit has that key.
    """
    rows = {audit.key: audit for audit in AUDITS}
    if key not in rows:
        raise unknown_name("audit", key, rows)
    return rows[key]

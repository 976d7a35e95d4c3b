"""`audit …`: the audits' own command line, the same program as `python -m audits`.

Knows nothing of it but its name.
"""

from __future__ import annotations

from audits.shell import audit

__all__ = ["audit"]

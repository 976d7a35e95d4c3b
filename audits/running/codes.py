"""Hashes of what stages are made from: an audit's version and source, and everything that came before."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from audits.contracts import Audit, Stages


def change_code(audit: Audit, module: Stages, texts: Sequence[str]) -> str:
    """Hash what changed forms depend on beside their recipes: version and code, and for attacks the texts."""
    attacked = hasattr(module, "attack")
    maker = getattr(module, "attack", None) or getattr(module, "change", None)
    source = inspect.getsourcefile(maker) if inspect.isroutine(maker) else None
    code = Path(source).read_bytes() if source else b""
    return _hash(
        [audit.key, str(audit.version), hashlib.sha256(code).hexdigest(), *(sorted(set(texts)) if attacked else ())]
    )


def audit_code(audit: Audit, module: Stages) -> str:
    """Hash an audit's version and the source of its room, so that a stage is not taken for that of other code."""
    source = getattr(module, "__file__", None)
    files = sorted(Path(source).parent.glob("*.py")) if source else []
    return _hash([audit.key, str(audit.version), *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)])


def combined(*parts: str | Mapping[str, str]) -> str:
    """Return one hash, 64 hexadecimal digits, over the hashes of what a stage is made from."""
    return _hash([part if isinstance(part, str) else json.dumps(part, sort_keys=True) for part in parts])


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()

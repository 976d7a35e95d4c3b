"""JSON that every reader takes: ASCII, no NaN, no types of NumPy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return a value as strict JSON has it: NaN and infinity become null, NumPy's types become Python's."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if value is None or str(value) == "<NA>":
        return None
    return value if isinstance(value, str | int | bool) else str(value)


def strict_json(content: Any, *, indent: int | None = None) -> str:
    """Return JSON in ASCII, which every terminal and locale carries; NaN becomes null."""
    return json.dumps(plain(content), indent=indent, allow_nan=False)

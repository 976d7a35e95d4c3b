"""Rows of a metrics table as plain values: what is missing is None, a slice is a mapping."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame


def rows(metrics: DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table: None where a value is missing."""
    for row in metrics.to_dict("records"):
        yield {str(key): None if missing(value) else value for key, value in row.items()}


def missing(value: object) -> bool:
    """Whether a cell holds nothing: None, NaN, pandas' NA or NaT."""
    return value is None or (isinstance(value, float) and value != value) or str(value) in ("<NA>", "NaT")


def known(value: object) -> float | None:
    """Return a finite number, or None for everything else: null, NaN, infinity, text."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def slice_of(value: object) -> dict[str, str]:
    """Read a slice of the metrics table: canonical JSON, a mapping, or nothing for the whole."""
    if isinstance(value, Mapping):
        return {str(key): str(part) for key, part in value.items()}
    if not isinstance(value, str) or not value.strip():
        return {}
    content: Any = json.loads(value)
    return {str(key): str(part) for key, part in content.items()} if isinstance(content, dict) else {}

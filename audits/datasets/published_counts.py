"""How many images published data sets hold, by group, beside those of a copy: is it whole?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from audits.datasets.dataset import Dataset
from workbench.yaml_file import load


@dataclass(frozen=True)
class PublishedCounts:
    """What the authors' release holds."""

    source: str
    counts: Mapping[str, int]  # "race=White" -> images; "" for all
    within: Mapping[str, str] = field(default_factory=dict)  # rows that are counted: column -> value


COUNTS = TypeAdapter(dict[str, PublishedCounts]).validate_python(  # kind of reader -> its data set
    load(Path(__file__).with_suffix(".yaml"), "published counts")
)


def beside_published(data: Dataset) -> dict[str, Any] | None:
    """Return how many counts of a copy agree with the published ones, and those that do not; None where none are known.

    Images that cannot be used count as missing.
    """
    published = COUNTS.get(data.key.partition(":")[0])
    if published is None:
        return None
    rows = data.table
    for column, value in published.within.items():
        rows = rows[rows[column] == value]
    differ = []
    for group, number in published.counts.items():
        column, _, value = group.partition("=")
        here = int((rows[column] == value).sum()) if column else len(rows)
        if here != number:
            differ.append(f"{group or 'images'}: {here}, published {number}")
    return {
        "agree": len(published.counts) - len(differ),
        "of": len(published.counts),
        "differ": differ,
        "source": published.source,
    }

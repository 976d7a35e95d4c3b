"""How many images published data sets hold, by group, beside those of a copy: is it whole?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audits.datasets.dataset import Dataset


@dataclass(frozen=True)
class PublishedCounts:
    """What the authors' release holds."""

    source: str
    counts: Mapping[str, int]  # "race=White" -> images; "" for all
    within: Mapping[str, str] = field(default_factory=dict)  # rows that are counted: column -> value


COUNTS: dict[str, PublishedCounts] = {  # kind of reader -> its data set
    "fairface": PublishedCounts(
        "the validation labels released with Karkkainen and Joo 2021, WACV",
        {
            "": 10_954,
            "race=White": 2085,
            "race=Black": 1556,
            "race=Latino_Hispanic": 1623,
            "race=East Asian": 1550,
            "race=Southeast Asian": 1415,
            "race=Indian": 1516,
            "race=Middle Eastern": 1209,
            "gender=Male": 5792,
            "gender=Female": 5162,
            "age=0-2": 199,
            "age=3-9": 1356,
            "age=10-19": 1181,
            "age=20-29": 3300,
            "age=30-39": 2330,
            "age=40-49": 1353,
            "age=50-59": 796,
            "age=60-69": 321,
            "age=more than 70": 118,
        },
        {"split": "test"},
    ),
    "scam": PublishedCounts("Westerhoff et al. 2025, arXiv:2504.04893", {"": 1162}, {"form": "word"}),
    "rta-100": PublishedCounts("Azuma and Matsui 2023, ICCV Workshops", {"": 1000}),
}


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

"""What each group could have shown: the smallest difference that would have been found four times out of five.

Knows no audit. A gap below this was not ruled out; it was out of reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from audits.contracts import OUTCOME
from audits.rates import selected
from audits.statistics.power import minimum_detectable_difference

if TYPE_CHECKING:
    from pandas import DataFrame


def detectable(samples: DataFrame, metric: str, where: Mapping[str, str], *, by: str) -> DataFrame:
    """Return a row a group: its rows, its clusters, and the detectable rise and fall from the rate of all others.

    Args:
        samples: the rows.
        metric: name of a yes/no outcome.
        where: the slice that is looked at.
        by: the column of the groups. Clusters are what is counted: several pictures of one are not independent.
    """
    import pandas as pd

    inside = selected(samples, where, metric)
    rows = []
    for value in sorted(set(inside[by])):
        own = inside[by] == value
        base = float(inside.loc[~own, f"{OUTCOME}{metric}"].mean()) if not own.all() else 0.0
        units, others = (int(inside.loc[part, "cluster"].nunique()) for part in (own, ~own))
        found = minimum_detectable_difference(units, base, others=others)
        rows.append((value, int(own.sum()), units, found.up, found.down))
    return pd.DataFrame(rows, columns=[by, "n", "clusters", "detectable rise", "detectable fall"])

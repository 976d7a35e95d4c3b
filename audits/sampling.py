"""Random images of a data set, and the columns that every audit's samples begin with."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pandas import DataFrame

from audits.contracts import Embedded
from audits.datasets.dataset import Dataset
from audits.seeds import generator


def described(embedded: Embedded, *, split: bool = False) -> DataFrame:
    """Return one row an item: sample_id, variant, cluster (the image itself where none is known), attributes, y_true.

    `split` asks for that column, too. The column `label` of the data set is called `y_true`.
    """
    dataset = embedded.dataset
    further = [name for name in dataset.attributes if name != "label"]
    columns = ["sample_id", "cluster", *(["split"] if split else []), "label", *further]
    table = dataset.table[columns].set_index("sample_id", drop=False)
    rows = table.loc[[item.sample_id for item in embedded.items]].reset_index(drop=True)
    rows = rows.rename(columns={"label": "y_true"})
    rows["cluster"] = rows["cluster"].where(rows["cluster"] != "", rows["sample_id"])
    rows.insert(1, "variant", pd.Series([item.variant for item in embedded.items], dtype=str))
    return rows


def some(dataset: Dataset, ids: Sequence[str], *, count: int, seed: int) -> list[str]:
    """Draw `count` of the images (0: all) at random, one of each cluster before a second of any; sorted."""
    if not 0 < count < len(ids):
        return sorted(ids)
    clusters = dict(zip(dataset.table["sample_id"], dataset.table["cluster"], strict=True))
    order = [sorted(ids)[at] for at in generator(seed, "some").permutation(len(ids))]
    taken: dict[str, int] = {}
    ranks = []
    for sample in order:
        cluster = clusters[sample] or sample
        ranks.append(taken.get(cluster, 0))
        taken[cluster] = taken.get(cluster, 0) + 1
    return sorted(order[at] for at in sorted(range(len(order)), key=lambda at: ranks[at])[:count])

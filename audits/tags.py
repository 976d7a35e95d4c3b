"""What is in an image, by the tags of a data set; and pairs of tags of which some images have both and some one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

import pandas as pd
from pandas import DataFrame

from audits.datasets.dataset import Dataset
from audits.seeds import generator
from workbench.errors import BadInput


def tags_of(dataset: Dataset, most: int) -> dict[str, frozenset[str]]:
    """Return the tags of each image: the column `tags` (split at ; and ,) or else its label, the most frequent only."""
    table = dataset.table
    cells = table["tags"] if "tags" in table.columns else table["label"]
    every = {
        sample: [part.strip() for part in re.split(r"[;,]", cell) if part.strip()]
        for sample, cell in zip(table["sample_id"], cells, strict=True)
    }
    counts = Counter(tag for tags in every.values() for tag in dict.fromkeys(tags))
    kept = {tag for tag, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]}
    return {sample: frozenset(tags) & kept for sample, tags in every.items()}


def vocabulary(tags: Mapping[str, Collection[str]]) -> list[str]:
    """Return all tags, sorted.

    Raises:
        BadInput: fewer than two, so that nothing is absent.
    """
    names = sorted(set().union(*tags.values()))
    if len(names) < 2:
        raise BadInput(
            "The audit of negation needs a column `tags` (or labels) with two tags or more, or the columns `caption` "
            f"and `negative` of NegBench; got {len(names)} tag(s)."
        )
    return names


def searches(tags: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    """Yield (x, y) for which some image has both and some image x alone."""
    names = vocabulary(tags)
    for x in names:
        with_x = [present for present in tags.values() if x in present]
        yield from ((x, y) for y in names if y != x and 0 < sum(y in present for present in with_x) < len(with_x))


def multiple_choice(tags: dict[str, frozenset[str]], say: Callable[..., str]) -> DataFrame:
    """Return three questions for each image with a tag: one true sentence of each kind, against three false ones.

    `say` fills the sentence of a kind (positive, negative or hybrid) with x, what is there, and y, what is not.
    Columns: sample_id, kind, caption, negative, negative_2, negative_3.

    Source:
        Alhamoud et al. 2025, arXiv:2501.09425, section 3.2 (affirmation, negation and hybrid).
    """
    names, rows = vocabulary(tags), []
    for sample, present in sorted(tags.items()):
        absent = [name for name in names if name not in present]
        if not present or not absent:
            continue
        rng = generator(0, "negation", sample)
        x, y = (options[int(rng.integers(len(options)))] for options in (sorted(present), absent))
        false = [say(kind, x=y, y=x) for kind in ("positive", "negative", "hybrid")]
        rows += [(sample, kind, say(kind, x=x, y=y), *false) for kind in ("positive", "negative", "hybrid")]
    return pd.DataFrame(rows, columns=["sample_id", "kind", "caption", "negative", "negative_2", "negative_3"])

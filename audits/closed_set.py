"""Images named with one of a closed set of labels: which labels, which images, which choices.

The label sets are the protocol's; without any, the labels of the data set are the one set.
"""

from __future__ import annotations

from collections.abc import Sequence

from audits.answers import prompts
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from workbench.errors import BadInput
from workbench.labels import check_labels


def label_sets(dataset: Dataset, rules: Rules) -> dict[str, tuple[str, ...]]:
    """Return the label sets by name: the protocol's, or the data set's own labels in alphabetical order.

    Raises:
        BadInput: a set has fewer than two labels, or the data set has too many.
    """
    sets = {name: entry.labels for name, entry in rules.label_sets.items()}
    if not sets:
        sets = {"labels of the data set": tuple(sorted({label for label in dataset.table["label"] if label}))}
    return {name: check_labels(labels, at_least=2) for name, labels in sets.items()}


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all labels of all sets in all templates."""
    return [prompt for labels in label_sets(dataset, rules).values() for prompt in prompts(labels, rules.templates)]


def labelled(dataset: Dataset, rules: Rules) -> list[str]:
    """Return the ids of the images whose true label is in one of the sets, sorted.

    Raises:
        BadInput: there is none.
    """
    known = {label for labels in label_sets(dataset, rules).values() for label in labels}
    table = dataset.table
    ids = sorted(table.loc[table["label"].isin(known), "sample_id"])
    if not ids:
        raise BadInput(
            f"No image of {dataset.about.title!r} has a label of the protocol {rules.name!r}; "
            f"its labels are {', '.join(sorted(known)[:8])} …"
        )
    return ids


def choices(labels: Sequence[str], truth: str, *, size: int, seed: int, sample_id: str) -> list[int]:
    """Draw the places of `size` labels, the true one among them, from the image's own generator; sorted.

    With `size` 0, or one that the labels do not fill, all are taken.
    """
    if not 0 < size < len(labels):
        return list(range(len(labels)))
    place = list(labels).index(truth)
    others = [at for at in range(len(labels)) if at != place]
    drawn = generator(seed, sample_id, "choices", size).permutation(len(others))[: size - 1]
    return sorted([place, *(others[at] for at in drawn)])

"""Which images are references and which are probes, and how a probe fares in galleries of every size.

No name leaves this module: subjects and images are numbered in a seeded order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audits.datasets.dataset import Dataset
from workbench.errors import BadInput

GALLERY = "gallery"  # the value of the column `split` of a reference image


@dataclass(frozen=True)
class Split:
    """Rows of the data set's table: references and probes."""

    subjects: tuple[str, ...]  # sorted labels
    gallery: dict[str, list[int]]  # subject -> rows; empty where subjects are compared by name
    probes: list[int]


def split(dataset: Dataset, mode: Literal["reference", "name"]) -> Split:
    """Divide the images: the gallery is the split “gallery”, and the first image of each subject that has none there.

    Raises:
        BadInput: an image has no label, or there are no probes.
    """
    table = dataset.table
    labels = [str(label) for label in table["label"]]
    if "" in labels:
        raise BadInput("Every image of an identity audit needs a label: the id of its subject. At least one has none.")
    subjects = tuple(sorted(set(labels)))
    if mode == "name":
        return Split(subjects, {}, list(range(len(labels))))
    gallery: dict[str, list[int]] = {}
    for row, part in enumerate(table["split"]):
        if part == GALLERY:
            gallery.setdefault(labels[row], []).append(row)
    for row, label in enumerate(labels):
        gallery.setdefault(label, [row])
    references = {row for rows in gallery.values() for row in rows}
    probes = [row for row in range(len(labels)) if row not in references]
    if not probes or len(gallery) < 2:
        raise BadInput(
            "An identity audit needs at least two subjects, and a second image of at least one of them; "
            f"got {len(gallery)} subject(s) and {len(probes)} probe(s)."
        )
    return Split(tuple(sorted(gallery)), gallery, probes)


def numbers(n: int, seed: int, letter: str) -> list[str]:
    """Return n ids in a seeded order, such as s0007; without the data set's table they cannot be traced back."""
    order = np.random.default_rng([seed, ord(letter)]).permutation(n)
    return [f"{letter}{place:05d}" for place in order]


def sweep(step: float) -> NDArray[np.float64]:
    """Return the thresholds (cosines) from -1 to one step above 1, which no score reaches."""
    return np.round(np.arange(-1.0, 1.0 + 1.5 * step, step), 6)


def expected_top1(beaten_by: NDArray[np.int64], subjects: int, size: int) -> NDArray[np.float64]:
    """Return the probability that a probe's own subject ranks first in a random gallery of a size.

    Args:
        beaten_by: (n,) how many of the other subjects score at least as high as the probe's own.
        subjects: of the whole gallery, N.
        size: of the drawn gallery, the own subject included; at most N.

    Returns:
        (n,) in 0..1: C(N - 1 - b, size - 1) / C(N - 1, size - 1), the probability that none of the b is drawn.
    """
    from scipy.stats import hypergeom

    chances: NDArray[np.float64] = hypergeom.pmf(0, subjects - 1, beaten_by, size - 1)
    return np.round(chances, 12)


def drawn_top1(table: NDArray[np.float64], own: NDArray[np.int64], size: int, *, draws: int, seed: int) -> list[float]:
    """Return the accuracy of each of many drawn galleries, over the probes of the subjects in it.

    Args:
        table: (n, N) scores of probes against subjects.
        own: (n,) column of each probe's own subject.
        size: subjects of a gallery.
        draws: number of galleries.
        seed: random seed.
    """
    rng = np.random.default_rng([seed, size])
    others = table.copy()
    genuine = np.take_along_axis(table, own[:, None], axis=1)[:, 0]
    np.put_along_axis(others, own[:, None], -np.inf, axis=1)
    shares = []
    for _ in range(draws):
        chosen = rng.choice(table.shape[1], size=size, replace=False)
        inside = np.isin(own, chosen)
        if inside.any():
            shares.append(float((genuine[inside] > others[np.ix_(inside, chosen)].max(axis=1)).mean()))
    return shares

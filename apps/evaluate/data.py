"""How the table is asked for: the ways of measuring, and the images of the chosen classes."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import BadInput
from workbench.probes.evaluation import Ways
from workbench.probes.table import EmbeddedImages, only_classes


def ways_of(shots: Sequence[int], seeds: float, seed: float | None) -> Ways:
    """Return the ways of asking that the settings mean.

    Raises:
        BadInput: the random seed is no whole number from 0 on.
    """
    if seed is None or seed != int(seed) or seed < 0:
        raise BadInput(f"The random seed is a whole number from 0 on; got {seed}.")
    return Ways(tuple(sorted(int(one) for one in shots)), int(seeds), int(seed))


def of_classes(known: EmbeddedImages, classes: Sequence[str]) -> EmbeddedImages:
    """Return what was embedded of the images of the chosen classes.

    Raises:
        BadInput: fewer than two classes.
    """
    if set(classes) == set(known.images.classes):
        return known
    return only_classes(known, classes)

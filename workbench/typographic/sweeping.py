"""Maps of success: the same word in many places, sizes, contrasts and opacities, and where it wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import unknown_name
from workbench.prompts import DEFAULT
from workbench.typographic.comparing import canvas
from workbench.typographic.lettering import Label, colour
from workbench.typographic.writing import checked, write
from workbench.zeroshot import classify

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.backend import ClipBackend

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
SIZES = (0.06, 0.1, 0.14, 0.2, 0.28)
SWEEPS: Mapping[str, tuple[tuple[str, Sequence[float]], tuple[str, Sequence[float]]]] = {
    "place": (("y", SHARES), ("x", SHARES)),  # rows, columns
    "size and place": (("size", SIZES), ("y", SHARES)),
    "contrast and opacity": (("contrast", (0.05, 0.15, 0.3, 0.6, 1.0)), ("opacity", (0.1, 0.3, 0.5, 0.75, 1.0))),
}


@dataclass(frozen=True)
class SuccessMap:
    """What a word does, by two properties of its label."""

    rows: tuple[str, tuple[float, ...]]  # property, values
    columns: tuple[str, tuple[float, ...]]
    probability: NDArray[np.float64]  # (rows, columns), of the word among all names
    wins: NDArray[np.bool_]  # (rows, columns)


def sweep(backend: ClipBackend, picture: Image.Image, label: Label, *, kind: str, names: Sequence[str]) -> SuccessMap:
    """Write a word in 25 ways and ask each time; the word is one of the names.

    Raises:
        UnknownName: no such kind, or the word is no name.
    """
    if kind not in SWEEPS:
        raise unknown_name("map", kind, SWEEPS)
    label, base = checked(label), canvas(picture)
    if label.text not in names:
        raise unknown_name("label", label.text, names)
    (row, rows), (column, columns) = SWEEPS[kind]
    labels = [_with(_with(label, row, first), column, second) for first in rows for second in columns]
    answers = classify(backend, [write(base, [one]) for one in labels], names, templates=(DEFAULT,))
    at, shape = answers.labels.index(label.text), (len(rows), len(columns))
    return SuccessMap(
        (row, tuple(rows)),
        (column, tuple(columns)),
        answers.probabilities[:, at].double().numpy().reshape(shape),
        (answers.cosines.argmax(dim=1) == at).numpy().reshape(shape),
    )


def _with(label: Label, name: str, value: float) -> Label:
    """Change one property; contrast moves the ink towards the paper, or towards grey where there is none."""
    if name != "contrast":
        return replace(label, **{name: value})  # type: ignore[arg-type]
    ground = colour(label.paper or "#808080", "paper")
    mixed = (round(back + value * (ink - back)) for ink, back in zip(colour(label.ink, "ink"), ground, strict=True))
    return replace(label, ink="#{:02x}{:02x}{:02x}".format(*mixed))

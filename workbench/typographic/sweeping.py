"""Maps of success: the same word in many places, sizes, contrasts and opacities, and how often it wins there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput, unknown_name
from workbench.labels import meant
from workbench.prompts import DEFAULT
from workbench.statistics.intervals import Share, proportion
from workbench.typographic.comparing import canvas
from workbench.typographic.lettering import FONTS, Label, colour
from workbench.typographic.writing import checked, write
from workbench.zeroshot import classify

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.backend import ClipBackend

MOST_WAYS = 16
MOVED, TURNED = 0.03, 6.0  # share of the side, degrees: how far a further way of a cell is from the first
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
    probability: NDArray[np.float64]  # (rows, columns), of the word among all names; mean over the ways of a cell
    won: NDArray[np.intp]  # (rows, columns) ways in which the word is the answer
    ways: int  # of each cell

    @property
    def shares(self) -> list[list[Share]]:
        """Share of each cell's ways in which the word is the answer, with its interval."""
        return [[proportion(int(won), self.ways) for won in row] for row in self.won]


def sweep(
    backend: ClipBackend,
    picture: Image.Image,
    label: Label,
    *,
    kind: str,
    names: Sequence[str],
    ways: int = 1,
) -> SuccessMap:
    """Write a word in 25 conditions, once or in several ways each, and ask every time; the word is one of the names.

    Args:
        backend: the model.
        picture: upright RGB.
        label: what is written; its first way in each cell.
        kind: one of `SWEEPS`.
        names: what the model chooses from.
        ways: of each cell, 1 to 16: the fonts in turn, moved by up to 0.03 of the side and turned by up to 6 degrees.

    Raises:
        UnknownName: no such kind, or the word is no name.
        BadInput: too many ways.
    """
    if not 1 <= ways <= MOST_WAYS:
        raise BadInput(f"A cell is written in 1 to {MOST_WAYS} ways; got {ways}.")
    if kind not in SWEEPS:
        raise unknown_name("map", kind, SWEEPS)
    label, base = checked(label), canvas(picture)
    if (name := meant(label.text, names)) not in names:
        raise unknown_name("label", label.text, names)
    (row, rows), (column, columns) = SWEEPS[kind]
    labels = [
        way
        for first in rows
        for second in columns
        for way in _ways(_with(_with(label, row, first), column, second), ways)
    ]
    answers = classify(backend, [write(base, [one]) for one in labels], names, templates=(DEFAULT,))
    at, shape = answers.labels.index(name), (len(rows), len(columns), ways)
    wins = (answers.cosines.argmax(dim=1) == at).numpy().reshape(shape)
    return SuccessMap(
        (row, tuple(rows)),
        (column, tuple(columns)),
        answers.probabilities[:, at].double().numpy().reshape(shape).mean(axis=2),
        wins.sum(axis=2),
        ways,
    )


def _ways(label: Label, count: int) -> list[Label]:
    """Return the label, then the same in other fonts, moved and turned a little; every cell has the same variations."""
    rng, fonts = np.random.default_rng(0), list(FONTS)
    start, varied = fonts.index(label.font), [label]
    for number in range(1, count):
        (dx, dy), turn = rng.uniform(-MOVED, MOVED, 2), rng.uniform(-TURNED, TURNED)
        font = fonts[(start + number) % len(fonts)]
        varied.append(
            replace(label, font=font, x=label.x + float(dx), y=label.y + float(dy), angle=label.angle + float(turn))
        )
    return varied


def _with(label: Label, name: str, value: float) -> Label:
    """Change one property; contrast moves the ink towards the paper, or towards grey where there is none."""
    if name != "contrast":
        return replace(label, **{name: value})  # type: ignore[arg-type]
    ground = colour(label.paper or "#808080", "paper")
    mixed = (round(back + value * (ink - back)) for ink, back in zip(colour(label.ink, "ink"), ground, strict=True))
    return replace(label, ink="#{:02x}{:02x}{:02x}".format(*mixed))

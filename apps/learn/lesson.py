"""What the Learn view shows of a training run: text, tables and figures made from its moments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.learn.figures import curves, matrix
from workbench.errors import BadInput
from workbench.training.lesson import CHECK, LessonSettings, Moment, watched
from workbench.training.shapes import COLOURS, SHAPES, Drawing, held_out

LEARNED = "learned"
TEMPERATURES = [
    ("Learned, as in CLIP (starts at 14.3)", LEARNED),
    ("Fixed at 1", "1"),
    ("Fixed at 10", "10"),
    ("Fixed at 100", "100"),
]
SHOWN_EVERY = 2 * CHECK  # steps between two drawings of the matrix
ROWS = 10  # of the table of the course, about

CURVE_HEADERS = ["step", "loss", "accuracy on held-out pairs", "scale"]
MATRIX_HEADERS = ["drawing (* held out)", "own", "closest other sentence", "other", "right"]

_PAIRS = len(SHAPES) * len(COLOURS)
_HELD_OUT = sum(held_out(shape, colour) for shape in SHAPES for colour in COLOURS)
LEAD = (
    "Watch a model learn, from random weights, which sentence belongs to which drawing. On the diagonal of the matrix "
    "each drawing meets its own sentence: it brightens while the rest darkens."
)
EXPLAINED = f"""
**What happens here.** Two small networks start from random numbers. One turns a drawing into 64 numbers, the other a
sentence. In each step they see a batch of drawings with their sentences and learn one thing only: which belong
together. Each drawing is pulled towards its own sentence and pushed away from all the others. Nothing tells them what
“red” or “circle” means.

**The matrix** compares twelve fixed drawings (rows) with their twelve sentences (columns). Bright is similar, dark is
not. On the **diagonal**, from top left to bottom right, each drawing meets its own sentence. At first the matrix is one
colour: everything resembles everything. When only the diagonal is bright, the networks know which belongs to which.
Cells that stay half bright have something in common: the same colour, the same shape.

**The temperature.** Similarities lie between −1 and 1, and are multiplied by a *scale* before they compete. With a
scale of 1 even a perfect match hardly stands out, so there is little to learn from. With 100 the closest rival decides
everything, and early mistakes cost a lot. CLIP learns the scale, up to 100. A large scale is a low temperature.

**Held-out pairs.** {_HELD_OUT} of the {_PAIRS} pairs of shape and colour are never drawn for training. The second
curve counts how often such a drawing gets the right name among all {_PAIRS}: a share with its 95 % interval. Guessing
would get {100 / _PAIRS:.0f} %.
"""


@dataclass(frozen=True)
class Screen:
    """What the view shows at one moment; None leaves a widget as it is."""

    status: str
    matrix: Any = None
    pairs: list[list[str]] | None = None
    curves: Any = None
    course: list[list[str]] | None = None
    done: bool = False


def read_lesson(steps: float, batch: float, seed: float, *, temperature: str) -> LessonSettings:
    """Turn the chosen settings into a lesson.

    Raises:
        BadInput: a number out of its bounds or no whole number, or no such temperature.
    """
    for what, value in (("Steps", steps), ("The batch size", batch), ("The seed", seed)):
        if value is None or not math.isfinite(value) or value != int(value):
            raise BadInput(f"{what} is a whole number; got {value}.")
    known = [key for _, key in TEMPERATURES]
    if temperature not in known:
        raise BadInput(f"The temperature is one of {', '.join(known)}; got {str(temperature)[:40]!r}.")
    return LessonSettings(int(steps), int(batch), int(seed), None if temperature == LEARNED else float(temperature))


def screens(moments: Iterator[Moment], lesson: LessonSettings) -> Iterator[Screen]:
    """Yield what to show: words after each step, figures every few steps and at the end."""
    course: list[Moment] = []
    for moment in moments:
        if moment.similarity is None:
            course.append(moment)
            yield Screen(_status(moment))
            continue
        course.append(moment)
        last = moment.step == moment.steps
        if not last and moment.step % SHOWN_EVERY:
            yield Screen(_status(moment))
            continue
        yield Screen(
            verdict(moment, lesson) if last else _status(moment),
            matrix(moment.similarity),
            pair_rows(moment.similarity),
            curves(course, lesson),
            course_rows(course),
            last,
        )


def _status(moment: Moment) -> str:
    """Say how far the training is."""
    return f"Step {moment.step} of {moment.steps}, loss {moment.loss:.2f}, scale {moment.scale:.1f}."


def verdict(moment: Moment, lesson: LessonSettings) -> str:
    """Say how it ended, in one sentence per figure."""
    own = 0 if moment.similarity is None else sum(row[-1] == "yes" for row in pair_rows(moment.similarity))
    blind = math.log(lesson.batch)
    return (
        f"**{own} of {len(watched())} drawings are closest to their own sentence** after {moment.step} steps. Accuracy "
        f"on held-out pairs: {moment.unseen}. The loss is {moment.loss:.2f}; guessing gives {blind:.2f}. Scale "
        f"{moment.scale:.1f}, seed {lesson.seed}."
    )


def pair_rows(similarity: np.ndarray) -> list[list[str]]:
    """Return the matrix as a table: each drawing's own sentence and its closest rival."""
    rows = []
    for number, one in enumerate(watched()):
        others = np.where(np.arange(similarity.shape[1]) == number, -np.inf, similarity[number])
        rival = int(others.argmax())
        own, other = float(similarity[number, number]), float(others[rival])
        mark = " *" if held_out(one.shape, one.colour) else ""
        rows.append(
            [_short(one) + mark, f"{own:.2f}", _short(watched()[rival]), f"{other:.2f}", "yes" if own > other else "no"]
        )
    return rows


def course_rows(course: Sequence[Moment]) -> list[list[str]]:
    """Return the curves as a table of about ten rows, the last one included."""
    measured = [moment for moment in course if moment.unseen is not None]
    every = max(1, math.ceil(len(measured) / ROWS))
    kept = [*measured[every - 1 :: every]]
    if measured and kept[-1:] != measured[-1:]:
        kept.append(measured[-1])
    return [
        [
            str(one.step),
            f"{one.loss:.3f}",
            "{:.0f} % ({:.0f} to {:.0f} %)".format(
                *(100 * (number or 0.0) for number in (one.unseen.value, one.unseen.low, one.unseen.high))
            ),
            f"{one.scale:.1f}",
        ]
        for one in kept
        if one.unseen is not None
    ]


def _short(one: Drawing) -> str:
    return one.caption.removeprefix("a ")

"""A visitor's zero-shot question and its answer, as plain values that a page may keep.

Knows no widget: the views read what a visitor typed into a `Setup`, and show an `Answer`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apps._widgets import literal, said
from workbench.errors import BadInput
from workbench.images import safe_open
from workbench.labels import check_labels, parse_labels
from workbench.notes import notes
from workbench.reproduce import OWN, Setup
from workbench.zeroshot import classify

if TYPE_CHECKING:
    from workbench.engine import Engine, Session

SHOWN = 20  # bars in a chart; the table holds all labels


@dataclass(frozen=True)
class Asked:
    """What was asked last, for the views that look closer at it."""

    setup: Setup
    picture: str  # the visitor's file, on this machine only
    ranked: tuple[str, ...] = ()  # labels, likeliest first


@dataclass(frozen=True)
class Answer:
    """What a model said about one picture."""

    ranked: list[tuple[str, float, float]]  # label, probability, cosine; likeliest first
    logit_scale: float
    logit_bias: float
    notes: list[str]
    provenance: str  # Markdown

    def rows(self) -> list[list[str | float]]:
        """Table rows: label, probability, cosine, and the logit that the probability is made of."""
        return [
            [label, round(chance, 5), round(cosine, 4), round(cosine * self.logit_scale + self.logit_bias, 2)]
            for label, chance, cosine in self.ranked
        ]

    def verdict(self) -> str:
        """One line of Markdown: the likeliest label and its probability."""
        label, chance, _ = self.ranked[0]
        return f"**{literal(label)}**, {percent(chance)}"


def read_setup(labels: str, templates: str, own: str, *, none_of_these: bool, model: str) -> Setup:
    """Turn what was typed and chosen into settings.

    Raises:
        BadInput: no label, too many, or an own template list with nothing usable in it.
    """
    if not labels or not labels.strip():
        raise BadInput("Type at least one label, for example: cat, dog, coffee cup.")
    names = check_labels(parse_labels(labels))
    setup = Setup(model, names, templates, tuple(own.splitlines()) if templates == OWN else (), bool(none_of_these))
    _ = setup.prompts  # refuses an unusable list here, before a model is asked
    return setup


def answer(session: Session, picture: str | None, setup: Setup, *, place: str) -> Answer:
    """Ask the model; `place` says in words where it runs.

    Raises:
        BadInput: no picture, or one that is not opened.
    """
    began = time.perf_counter()
    if not picture:
        raise BadInput("Choose a picture first: drop a file, or take one of the examples.")
    opened = safe_open(Path(picture))
    result = classify(session, [opened], setup.labels, templates=setup.prompts, none_of_these=setup.none_of_these)
    remarks = notes(session, result, setup.prompts)
    return Answer(
        result.ranked(0),
        session.logit_scale,
        session.logit_bias,
        remarks,
        provenance(session, place, time.perf_counter() - began),
    )


def provenance(session: Session, place: str, seconds: float) -> str:
    """Return the line that says who answered: model, training, input size, place, time."""
    return (
        f"Answered by {said(session.spec)}; sees {session.image_size} × {session.image_size} pixels; "
        f"{literal(place)}; logit scale {session.logit_scale:.2f}; {seconds:.2f} s."
    )


def numbers(engine: Engine) -> tuple[str, str]:
    """Return dtype and device that the engine computes with, by name."""
    import torch

    from workbench.loading.device import choose_dtype

    device = engine.status()["device"]
    return str(choose_dtype(engine.dtype, torch.device(device))).removeprefix("torch."), device


def percent(chance: float) -> str:
    """Return a probability as a reader wants it, without calling a near certainty certain."""
    if 0.9995 <= chance < 1:
        return "over 99.9 %"
    return "under 0.1 %" if 0 < chance < 0.0005 else f"{100 * chance:.1f} %"

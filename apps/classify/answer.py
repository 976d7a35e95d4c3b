"""A zero-shot query about one image and its answer, as plain values that a page may keep."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.shared.markdown import literal
from apps.shared.query import percent, provenance
from workbench.errors import BadInput
from workbench.model import Model
from workbench.taught.words import MARKS

if TYPE_CHECKING:
    from workbench.engine import Engine, Session
    from workbench.reproduce import Setup
    from workbench.taught.words import Taught

SHOWN = 20  # bars in a chart; the table holds all labels


@dataclass(frozen=True)
class Query:
    """The last query that was answered, for the views that look closer at it."""

    setup: Setup
    image: str  # the visitor's file, on this machine only
    ranked: tuple[str, ...] = ()  # labels, likeliest first


@dataclass(frozen=True)
class Answer:
    """A model's answer about one image."""

    ranked: list[tuple[str, float, float]]  # label, probability, cosine; likeliest first
    logit_scale: float
    logit_bias: float
    notes: tuple[str, ...]
    provenance: str  # Markdown
    taught: Mapping[str, Taught]  # what each label is known from; empty where that is not known

    def rows(self) -> list[list[str | float]]:
        """Table rows: label with its mark, probability, cosine, and the logit that the probability is made of."""
        scale, bias = self.logit_scale, self.logit_bias
        return [
            [self.marked(label), round(chance, 5), round(cosine, 4), round(cosine * scale + bias, 2)]
            for label, chance, cosine in self.ranked
        ]

    def marked(self, label: str) -> str:
        """Return a label, with a mark where the model was not taught it, or from drawings alone."""
        return label + MARKS.get(self.taught.get(label, "photos"), "")

    def verdict(self) -> str:
        """One line of Markdown: the likeliest label and its probability."""
        label, chance, _ = self.ranked[0]
        return f"**{literal(self.marked(label))}**, {percent(chance)}"

    def plain(self) -> list[dict[str, Any]]:
        """The answer as JSON: one row per label, likeliest first."""
        return [
            {"label": label, "probability": chance, "cosine": cosine, "taught": self.taught.get(label)}
            for label, chance, cosine in self.ranked
        ]


def answer(session: Session, image: str | None, setup: Setup, *, engine: Engine) -> Answer:
    """Classify one image.

    Raises:
        BadInput: no image, or one that is not opened.
    """
    began = time.perf_counter()
    if not image:
        raise BadInput("Choose an image first: drop a file, or send one here from another view.")
    result = Model(session).classify(
        Path(image), setup.labels, templates=setup.prompts, none_of_these=setup.none_of_these, progress=False
    )
    return Answer(
        result.ranked(),
        session.logit_scale,
        session.logit_bias,
        tuple(result.remarks),
        provenance(session, engine, time.perf_counter() - began),
        result.taught,
    )

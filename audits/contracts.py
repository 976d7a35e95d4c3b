"""What an audit consists of: a question, what it needs, and three stages that a runner drives: embed, score, analyse.

    audit x model x data set x protocol
        plan, texts  ->  embed    vectors of images, of their changed forms, and of texts
                     ->  score    one row an image and form: what the model answered
                     ->  analyse  measures with intervals, findings, figures; never needs the model

An audit is a package whose modules define what `Stages` asks for, with its row `AUDIT` and its `protocols/`:
`score.py` (settings, plan, texts, score), `analyse.py`, `text.py`, and `change.py` or `attack.py` where it alters
images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audits.analysis import Analysis
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from workbench.backend import WhiteBox

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import Tensor


CLEAN = "clean"  # the name of the image itself, among its forms
OUTCOME = "outcome:"  # a column of the samples that begins so holds 0..1 a row; its mean is the metric named behind
DRAWS = "draws"  # a column of the samples: the outcome "accuracy" in each drawing of few labelled images


@dataclass(frozen=True)
class Audit:
    """One question about a model: a row of the catalogue."""

    key: str  # "bias/denigration"
    title: str
    question: str  # one sentence, ends with a question mark
    protocols: tuple[str, ...]  # names of files in the folder `protocols` beside the code; the first is the default
    builtin: str  # key of the data set that is there without any download
    module: str  # dotted name of what fulfils `Stages`: a package or one module; imported when the audit runs
    version: int = 1  # rises when equal inputs would give other numbers
    needs: tuple[str, ...] = ()  # columns that a data set must have: "label", or attributes such as "race"
    tags: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()  # shipped suites that run it, with its first protocol and built-in data set
    source: str = ""  # paper and section
    people: bool = False  # images show people: thumbnails are off by default
    white_box: bool = False  # needs gradients: not every model has them
    intended_use: str = ""  # limits that are shown before the audit starts


@dataclass(frozen=True)
class Item:
    """One image of the data set in one form."""

    sample_id: str
    variant: str = CLEAN
    recipe: str = ""  # canonical JSON of everything that `change` or `attack` needs; empty for the image itself


@dataclass(frozen=True)
class ModelFacts:
    """What the score and analyse stages know about a model, without the model."""

    key: str
    title: str
    fingerprint: str  # of weights, preprocessing and dtype
    score: str  # "softmax" or "sigmoid"
    logit_scale: float
    logit_bias: float
    dim: int
    dtype: str
    device: str
    trained_on: str = ""


@dataclass(frozen=True)
class Embedded:
    """Result of the embed stage."""

    model: ModelFacts
    dataset: Dataset
    items: tuple[Item, ...]  # n
    images: NDArray[np.float32]  # (n, dim), unit rows, in the order of `items`
    texts: Mapping[str, NDArray[np.float32]]  # text -> (dim,), unit length


class Stages(Protocol):
    """The functions and texts of an audit's package. `change` and `attack` exist where recipes are not empty.

    `settings` of the protocol are read with the package's own pydantic model `Settings`, so that a wrong file is
    refused before anything runs. Every function is deterministic: the same arguments give the same answer.
    """

    Settings: type[Any]  # pydantic model of `Rules.settings`
    HOW_TO_READ: str  # Markdown, for the report
    LIMITS: str  # Markdown: what the numbers do not show

    def plan(self, dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
        """Return which images are embedded, in which forms."""

    def texts(self, dataset: Dataset, rules: Rules) -> list[str]:
        """Return which texts are embedded: prompts, filled in."""

    def change(self, picture: Image.Image, item: Item) -> Image.Image:
        """Return the changed form of an upright RGB image; called for items with a recipe, in any process."""

    def attack(
        self, box: WhiteBox, pixels: Tensor, items: Sequence[Item], *, texts: Mapping[str, NDArray[np.float32]]
    ) -> Tensor:
        """(n, 3, size, size) in 0..1 -> the same shape, changed with gradients; white-box audits only."""

    def score(self, embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
        """Return the samples: one row an image, form and label set (or query).

        Columns: sample_id, variant, label_set; cluster and every attribute of the data set; `outcome:METRIC` in 0..1
        (or null where not defined) for what is compared image by image between runs; and what this audit needs,
        such as y_true, y_pred, rank_true, topk, scores.
        """

    def analyse(self, samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
        """Return measures, findings and figures from the samples alone."""

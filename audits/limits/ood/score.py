"""How high each image scores as a known one, and which digit is read."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field

from audits import closed_set
from audits.answers import classifier, cosines, probabilities, prompts
from audits.contracts import Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.strict import Strict

Score = Literal["msp", "max_logit", "energy", "mcm"]
DIGITS = tuple("0123456789")


class Settings(Strict):
    """Settings of `limits/ood`."""

    column: str = "origin"  # of the data set: the kind of each image
    known: str = "known"  # its value for images of the labels
    scores: tuple[Score, ...] = Field(("msp", "max_logit", "energy", "mcm"), min_length=1)
    mcm_temperature: float = Field(1.0, gt=0)  # of the softmax over plain cosines
    digit_templates: tuple[str, ...] = ('a photo of the number: "{}".',)  # for the images labelled 0 to 9


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return all images that have an origin, as they are.

    Raises:
        BadInput: no image is known, or none is unknown.
    """
    settings = rules.settings_as(Settings)
    dataset.require((settings.column,), rules.audit)
    table = dataset.table[dataset.table[settings.column] != ""]
    known = int((table[settings.column] == settings.known).sum())
    if not 0 < known < len(table):
        origins = ", ".join(sorted(set(table[settings.column])))
        raise BadInput(
            f"Known and unknown images are needed: {settings.column!r} must be {settings.known!r} for some and "
            f"something else for others; {dataset.about.title!r} has: {origins or 'nothing'}."
        )
    return [Item(sample) for sample in sorted(table["sample_id"])]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return the known labels in all templates, and the digits in theirs."""
    settings = rules.settings_as(Settings)
    known = prompts(_labels(dataset, rules, settings), rules.templates)
    return [*known, *prompts(DIGITS, settings.digit_templates)]


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image: each score, high where it looks known, and the digit read."""
    settings = rules.settings_as(Settings)
    labels = _labels(embedded.dataset, rules, settings)
    values = cosines(embedded.images, classifier(embedded.texts, labels, rules.templates))
    rows = described(embedded).rename(columns={settings.column: "origin"})
    rows["label_set"] = f"{len(labels)} labels"
    rows["known"] = rows["origin"] == settings.known
    rows["y_pred"] = [labels[at] for at in values.argmax(axis=1)]
    right = (rows["y_pred"] == rows["y_true"]).astype(float)
    rows["outcome:accuracy"] = right.where(rows["known"] & rows["y_true"].isin(labels))
    logits = values * embedded.model.logit_scale + embedded.model.logit_bias
    scored = {
        "msp": msp(probabilities(embedded.model.score, logits)),
        "max_logit": logits.max(axis=1),
        "energy": energy(logits),
        "mcm": mcm(values, settings.mcm_temperature),
    }
    for name in settings.scores:
        rows[f"score:{name}"] = scored[name]
    digits = cosines(embedded.images, classifier(embedded.texts, DIGITS, settings.digit_templates))
    is_digit = rows["y_true"].isin(DIGITS)
    rows["digit"] = [DIGITS[at] for at in digits.argmax(axis=1)]
    rows["outcome:digit_accuracy"] = (rows["digit"] == rows["y_true"]).astype(float).where(is_digit)
    return rows


def msp(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest probability, (n, k) -> (n,).

    Source:
        Hendrycks and Gimpel 2017, arXiv:1610.02136, section 2.
    """
    return np.asarray(chances.max(axis=1))


def energy(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the negative free energy at temperature 1, the log of the sum of exponentials; (n, k) -> (n,).

    Source:
        Liu et al. 2020, arXiv:2010.03759, equation 4.
    """
    from scipy.special import logsumexp

    return np.asarray(logsumexp(logits, axis=1))


def mcm(values: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Maximum concept matching: the largest of a softmax over cosines that are not scaled up; (n, k) -> (n,).

    Source:
        Ming et al. 2022, arXiv:2211.13445, equation 2.
    """
    from scipy.special import softmax

    return np.asarray(softmax(values / temperature, axis=1).max(axis=1))


def _labels(dataset: Dataset, rules: Rules, settings: Settings) -> tuple[str, ...]:
    """Return the protocol's labels, or those of the known images."""
    if rules.label_sets:
        return tuple(dict.fromkeys(one for labels in closed_set.label_sets(dataset, rules).values() for one in labels))
    table = dataset.table
    return tuple(sorted({label for label in table.loc[table[settings.column] == settings.known, "label"] if label}))

"""Which labels of a data set are probably wrong, before it is audited: a wrong label counts as a model's mistake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.datasets.dataset import Dataset
from workbench.datasets import ImageSample
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.probes.embedding import ImageFeatures, embed_images
from workbench.probes.label_errors import FOLDS, NamedSuspect, named, out_of_sample, suspects
from workbench.progress import Progress

if TYPE_CHECKING:
    from pandas import DataFrame


LEAST = 2  # images of a class; one alone cannot be judged by a probe that never saw it
HOW_TO_READ = (
    "A suspect is an image whose given label is less likely than its class allows, by a probe that never saw the image "
    "(confident learning, arXiv:1911.00068). Look at each before you change it."
)
LIMITS = (
    "What the model cannot tell apart looks like a wrong label; errors that nearly all images of a class share, and "
    "errors copied to a near-duplicate, are not noticed. No suspect does not mean that all labels are right."
)


@dataclass(frozen=True)
class LabelCheck:
    """What a look at the labels of one column showed."""

    model: str  # title of the model whose features were used
    column: str
    seed: int  # of the folds
    folds: int
    penalty: float  # of the probe
    checked: int  # images
    classes: int
    left_out: tuple[tuple[str, str], ...]  # (path, reason) of images that were not checked
    suspects: tuple[NamedSuspect, ...]  # the likeliest error first
    how_to_read: str = HOW_TO_READ
    limits: str = LIMITS


def label_errors(
    dataset: Dataset, session: Session, *, column: str = "label", seed: int = 0
) -> Iterator[Progress | LabelCheck]:
    """Embed the labelled images and look for probable label errors; the last item is the result.

    Args:
        dataset: images with labels.
        session: of the model whose features are used.
        column: `label`, or an attribute such as race.
        seed: of the folds.

    Raises:
        BadInput: no such column, or fewer than two classes of two images or more.
        Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
    """
    rows, left_out = _usable(dataset, column)
    samples = [ImageSample(path, dataset.file(path)) for path in rows["path"]]
    for step in embed_images(session, samples):
        if isinstance(step, ImageFeatures):
            made = step
        else:
            yield step
    stays = np.setdiff1d(np.arange(len(samples)), list(made.failed))
    left_out += [(samples[number].name, reason) for number, reason in made.failed.items()]
    labels = rows[column].to_numpy(str)[stays]
    classes, y = np.unique(labels, return_inverse=True)
    yield Progress(0, 0, "probes", "fit")
    began = time.perf_counter()
    probabilities, penalty = out_of_sample(made.features[stays], y, seed=seed)
    yield Progress.timed(1, 1, "probes", seconds=time.perf_counter() - began, computed=1, stage="fit")
    names = [samples[number].name for number in stays]
    suspected = named(suspects(probabilities, y), names, [str(one) for one in classes])
    folds = min(FOLDS, int(np.bincount(y).min()))
    yield LabelCheck(
        session.spec.title,
        column,
        seed,
        folds,
        penalty,
        len(y),
        len(classes),
        tuple(sorted(left_out)),
        tuple(suspected),
    )


def _usable(dataset: Dataset, column: str) -> tuple[DataFrame, list[tuple[str, str]]]:
    """Return the rows of classes with enough images, and (path, reason) of the others."""
    known = ["label", *dataset.attributes]
    if column not in known:
        raise BadInput(f"{dataset.about.title!r} has no column {column[:40]!r}; it has: {', '.join(known)[:300]}.")
    table = dataset.table
    counts = table[column].map(table[column].value_counts())
    blank, small = table[column] == "", counts < LEAST
    left_out = [(path, f"it has no {column}") for path in table["path"][blank]]
    left_out += [(path, f"the only image of its {column}") for path in table["path"][small & ~blank]]
    rows = table[~blank & ~small]
    if rows[column].nunique() < 2:
        raise BadInput(
            f"Label errors are looked for among two classes or more, of {LEAST} images each; in the column {column!r} "
            f"of {dataset.about.title!r} there are {rows[column].nunique()}. Another column: {', '.join(known)[:200]}."
        )
    return rows, left_out

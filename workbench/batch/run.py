"""Classify many uploaded images, a few at a time; an image that cannot be read becomes a row that gives the reason.

A generator: close it to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from workbench.datasets import ImageSample
from workbench.errors import BadPicture
from workbench.labels import check_labels
from workbench.prompts import DEFAULT, check_templates
from workbench.zeroshot import Classification, classify

if TYPE_CHECKING:
    from workbench.backend import ClipBackend

AT_ONCE = 16  # images between two steps


@dataclass(frozen=True)
class Row:
    """What a model answered for one image, or why it could not."""

    file: str
    ranked: tuple[tuple[str, float, float], ...] = ()  # label, probability, cosine; likeliest first
    error: str = ""  # empty where all went well
    folder: str = ""  # of the zip in which the image is
    unlike: str = ""  # a sentence, where the image is unlike what the model has seen


@dataclass(frozen=True)
class BatchStep:
    """Progress of a batch."""

    done: int
    total: int
    rows: tuple[Row, ...]  # new since the last step


def classify_samples(
    backend: ClipBackend,
    samples: Sequence[ImageSample],
    labels: Sequence[str],
    *,
    templates: Sequence[str] = (DEFAULT,),
    none_of_these: bool = False,
) -> Iterator[BatchStep]:
    """Yield the rows of all images in order, at most 16 a step.

    Raises:
        BadInput: no usable label or template.
    """
    names, prompts = check_labels(labels), check_templates(templates)

    def answer(paths: Sequence[Path]) -> Classification:
        return classify(backend, paths, names, templates=prompts, none_of_these=none_of_these)

    for start in range(0, len(samples), AT_ONCE):
        some = samples[start : start + AT_ONCE]
        yield BatchStep(start + len(some), len(samples), _rows(answer, some))


def _rows(answer: Callable[[Sequence[Path]], Classification], some: Sequence[ImageSample]) -> tuple[Row, ...]:
    """Classify several images together; where one cannot be read, in halves."""
    folders = [PurePosixPath(sample.name).parent.name for sample in some]
    try:
        with ExitStack() as files:
            answers = answer([files.enter_context(sample.file()) for sample in some])
    except BadPicture as error:
        if len(some) == 1:
            return (Row(some[0].name, error=str(error), folder=folders[0]),)
        half = len(some) // 2  # what was embedded already is in the engine's cache
        return _rows(answer, some[:half]) + _rows(answer, some[half:])
    return tuple(
        Row(sample.name, tuple(answers.ranked(at)), folder=folder, unlike=answers.unlike[at])
        for at, (sample, folder) in enumerate(zip(some, folders, strict=True))
    )

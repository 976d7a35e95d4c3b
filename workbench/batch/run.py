"""Classify the pictures of a bundle, a few at a time; a picture that cannot be read becomes a row that says why.

Knows no screen: who wants to show progress or to stop iterates, and stops iterating.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.batch.sources import Bundle, Entry
from workbench.errors import BadPicture
from workbench.labels import check_labels
from workbench.prompts import DEFAULT, check_templates
from workbench.zeroshot import Classification, classify

if TYPE_CHECKING:
    from workbench.backend import ClipBackend

AT_ONCE = 16  # pictures between two looks at whether to go on


@dataclass(frozen=True)
class Row:
    """What a model said about one picture, or why it could not."""

    file: str
    ranked: tuple[tuple[str, float, float], ...] = ()  # label, probability, cosine; likeliest first
    error: str = ""  # empty where all went well
    folder: str = ""  # of the zip that the picture lay in


@dataclass(frozen=True)
class Step:
    """How far the work is."""

    done: int
    total: int
    rows: tuple[Row, ...]  # new since the last step


def classify_bundle(
    backend: ClipBackend,
    bundle: Bundle,
    labels: Sequence[str],
    *,
    templates: Sequence[str] = (DEFAULT,),
    none_of_these: bool = False,
) -> Iterator[Step]:
    """Yield the rows of a bundle's pictures in order, at most 16 a step; close the generator to stop.

    Raises:
        BadInput: no usable label or template.
    """
    names, prompts = check_labels(labels), check_templates(templates)

    def ask(paths: Sequence[Path]) -> Classification:
        return classify(backend, paths, names, templates=prompts, none_of_these=none_of_these)

    total = len(bundle.entries)
    for start in range(0, total, AT_ONCE):
        some = bundle.entries[start : start + AT_ONCE]
        yield Step(start + len(some), total, _rows(ask, bundle, some))


def _rows(ask: Callable[[Sequence[Path]], Classification], bundle: Bundle, some: Sequence[Entry]) -> tuple[Row, ...]:
    """Ask about several pictures together, and one by one where one of them spoils that."""
    try:
        with ExitStack() as files:
            answer = ask([files.enter_context(bundle.file(entry)) for entry in some])
    except BadPicture as error:
        if len(some) == 1:
            return (Row(some[0].name, error=str(error), folder=some[0].folder),)
        half = len(some) // 2  # what was embedded already is in the engine's cache
        return _rows(ask, bundle, some[:half]) + _rows(ask, bundle, some[half:])
    return tuple(Row(entry.name, tuple(answer.ranked(at)), folder=entry.folder) for at, entry in enumerate(some))

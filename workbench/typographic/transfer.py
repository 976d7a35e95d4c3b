"""The same words on the same image, asked of other models: does what fools one fool them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.prompts import DEFAULT
from workbench.typographic.comparing import compare

if TYPE_CHECKING:
    from PIL import Image

    from workbench.backend import ClipBackend
    from workbench.typographic.lettering import Label


@dataclass(frozen=True)
class Transfer:
    """What one model answers, clean and written on."""

    model: str  # its key
    title: str
    before: str  # answer to the clean image
    answer: str  # answer to the image with words
    probability: float  # of that answer, 0..1
    target: float  # probability of the target, 0..1
    success: bool  # the target is the answer, and was not before


def transferred(
    backend: ClipBackend,
    picture: Image.Image,
    labels: Sequence[Label],
    *,
    names: Sequence[str],
    target: str,
    templates: Sequence[str] = (DEFAULT,),
) -> Transfer:
    """Ask one model about an image that was written on to fool another.

    Args:
        backend: the model.
        picture: upright RGB, clean.
        labels: what is written on it.
        names: what the model chooses from.
        target: the name that the words are meant to make the answer.
        templates: prompts with `{}`.

    Raises:
        BadInput, UnknownName: a label, name or template that cannot be used.
    """
    result = compare(backend, picture, labels, names=names, templates=templates)
    answer, probability, _ = result.answers.ranked(1)[0]
    chances = {name: chance for name, chance, _ in result.answers.ranked(1)}
    spec = backend.spec
    return Transfer(
        spec.key, spec.title, result.top(0), answer, probability, chances.get(target, 0.0), result.success(target)
    )

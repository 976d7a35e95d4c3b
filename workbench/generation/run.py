"""From settings to an image: texts are embedded, a device optimises, and the whole result is looked at once more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.engine.loaders import PRIOR
from workbench.engine.tasks import GENERATE
from workbench.errors import BadInput, Unsupported
from workbench.generation.painting import CanvasJob, Painting
from workbench.generation.prompts import WeightedText, parse_prompt
from workbench.generation.settings import Settings
from workbench.model_cache import ModelRef

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.engine import Session
    from workbench.progress import Progress

EDITABLE = ("fourier", "pixels")  # methods whose canvas can begin with any image
WORDED = 'the word "{}", written'
SHOWN = "a drawing of {}"


@dataclass(frozen=True, eq=False)
class Generated:
    """An image with what is known of it."""

    painting: Painting
    similarity: float  # mean of the prompt's cosines by their weights, of the whole image; -1..1
    text_leak: float  # 0..1: how much more it looks like the prompt written than like the prompt drawn
    fingerprint: str  # of the model that steered


def needed(settings: Settings) -> tuple[ModelRef, ...]:
    """The further models that a session needs beside the one that steers."""
    return (PRIOR,) if settings.method == "prior" else ()


def start_pixels(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """The middle square of an image, (side, side, 3)."""
    from PIL import ImageOps

    return np.array(ImageOps.fit(image.convert("RGB"), (side, side)))


def generate(
    session: Session, settings: Settings, start: NDArray[np.uint8] | None = None
) -> Iterator[Progress | Generated]:
    """Yield progress with previews, and the image at the end.

    Args:
        session: with the model that steers; it has to be the one that the settings name.
        settings: of the image.
        start: (side, side, 3), where an image is edited; see `start_pixels`.

    Raises:
        BadInput: a prompt that cannot be read, or a start image that is missing or another one than the settings name.
        Unsupported: the model has no gradients, or the canvas cannot begin with an image.
        Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
    """
    parts = parse_prompt(settings.prompt)
    settings = _checked(session, settings, start)
    words = [part.text for part in parts]
    rows = session.embed_texts([*words, *([settings.neutral] if settings.neutral else [])]).numpy()
    weights = tuple(part.weight for part in parts)
    neutral = rows[-1] if settings.neutral else None
    job = CanvasJob(settings, rows[: len(words)], weights, neutral, start)
    for step in session.stream(GENERATE, job):
        if not isinstance(step, Painting):
            yield step
            continue
        similarity, leak = judge(session, step.pixels, parts)
        yield Generated(step, similarity, leak, session.fingerprint)


def judge(session: Session, pixels: NDArray[np.uint8], parts: Sequence[WeightedText]) -> tuple[float, float]:
    """Similarity of a whole image with a prompt, and how far it is a picture of writing.

    The text leak is the softmax share of "the word X, written" against "a drawing of X", X being the heaviest part.
    """
    import torch
    from PIL import Image

    row = session.embed_images([Image.fromarray(pixels)])[0]
    cosines = session.embed_texts([part.text for part in parts]) @ row
    weights = torch.tensor([part.weight for part in parts])
    heaviest = max(parts, key=lambda part: part.weight).text
    both = session.embed_texts([WORDED.format(heaviest), SHOWN.format(heaviest)]) @ row
    leak = torch.softmax(session.logit_scale * both, dim=0)[0]
    return float((weights * cosines).sum() / weights.abs().sum()), float(leak)


def _checked(session: Session, settings: Settings, start: NDArray[np.uint8] | None) -> Settings:
    """Refuse what cannot work before anything is computed; the start image's hash goes into the settings."""
    if settings.method == "prior" and not session.others:
        raise Unsupported("The prior's drawings need a session with the prior; see `needed`.")
    if settings.method == "prior" and session.spec.key != session.others[0].record["model"]:
        raise Unsupported(
            f"The prior draws from the embeddings of {session.others[0].record['model']}; {session.spec.title} needs "
            "another style, such as Fourier."
        )
    if session.spec.loader == "fake":
        raise Unsupported(f"{session.spec.title} has no gradients to follow; choose a real model, such as pocket.")
    if settings.neutral and start is None:
        raise BadInput("A neutral sentence belongs to an edit: give a start image too.")
    if start is None:
        if settings.start_image:
            raise BadInput("These settings edit an image; give the same start image again.")
        return settings
    if settings.method not in EDITABLE or settings.palette != "free":
        raise Unsupported(f"An edit needs the method {' or '.join(EDITABLE)}, with free colours.")
    digest = hashlib.sha256(np.ascontiguousarray(start).tobytes()).hexdigest()
    if settings.start_image not in ("", digest):
        raise BadInput("These settings were made with another start image.")
    return settings.model_copy(update={"start_image": digest})


def finished_early(
    session: Session,
    settings: Settings,
    pixels: NDArray[np.uint8],
    *,
    values: Sequence[float],
    seconds: float,
) -> Generated:
    """Make what `generate` ends with of the best preview, where somebody stopped it after `len(values)` steps."""
    from PIL import Image

    side = settings.side
    if pixels.shape[0] != side:
        pixels = np.array(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))
    note = f"Stopped after {len(values)} steps; this is the best image so far."
    settings = settings.model_copy(update={"steps": len(values)})
    similarity, leak = judge(session, pixels, parse_prompt(settings.prompt))
    return Generated(Painting(pixels, settings, tuple(values), seconds, note), similarity, leak, session.fingerprint)

"""From settings to an image: texts are embedded, a device optimises, and the whole result is looked at once more."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.engine.tasks import GENERATE
from workbench.errors import BadInput, Unsupported
from workbench.generation.judging import Generated, Wanted, looked_at
from workbench.generation.models import judge_key, needed
from workbench.generation.painting import Aim, Best, CanvasJob, Painting
from workbench.generation.previews import painted_strokes
from workbench.generation.prompts import parse_facets, parse_prompt
from workbench.generation.settings import Settings, editable
from workbench.neurons.facets import learn_facet
from workbench.neurons.layers import layer_name
from workbench.neurons.visualisation import Facet
from workbench.objectives import Direction, Manner, Objective
from workbench.objectives.units import Place

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.engine import Session
    from workbench.progress import Progress


def start_pixels(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """The middle square of an image, (side, side, 3)."""
    from PIL import ImageOps

    return np.array(ImageOps.fit(image.convert("RGB"), (side, side)))


def generate(
    session: Session,
    settings: Settings,
    start: NDArray[np.uint8] | None = None,
    *,
    images: Sequence[Image.Image] = (),
) -> Iterator[Progress | Generated]:
    """Yield progress with previews, and the image at the end.

    Args:
        session: with the model that steers, which has to be the one that the settings name, and those of `needed`.
        settings: of the image.
        start: (side, side, 3), where it begins with an image; see `start_pixels`.
        images: image prompts, one for each of the settings' `image_weights`.

    Raises:
        BadInput: a prompt that cannot be read, or an image that is missing or another one than the settings name.
        Unsupported: the model has no gradients, or the canvas cannot begin with an image.
        Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
    """
    parts = parse_prompt(settings.prompt)
    settings = checked(session, settings, start, images=images)
    wanted = Wanted(parts, tuple(images), settings.image_weights)
    words = [*(part.text for part in parts), *([settings.neutral] if settings.neutral else [])]
    aims = []
    for one in (session, *session.others[: len(settings.also)]):
        rows = one.embed_texts(words).numpy()
        neutral = rows[-1] if settings.neutral else None
        rows = rows[: len(parts)]
        if images:
            rows = np.concatenate([rows, one.embed_images(list(images)).numpy()])
        aims.append(Aim(rows, neutral))
    facets = yield from _facets(session, settings)
    job = CanvasJob(settings, aims[0].rows, wanted.weights, aims[0].neutral, start, tuple(aims[1:]), facets)
    for step in session.stream(GENERATE, job):
        yield looked_at(session, step, wanted) if isinstance(step, Painting) else step


def _facets(session: Session, settings: Settings) -> Generator[Progress, None, tuple[Objective, ...]]:
    """Learn the facets that the prompt names, always from the same images."""
    import torch

    terms = []
    for wanted in parse_facets(settings.prompt):
        for step in learn_facet(session, wanted.text, layer_name(session.anatomy, "last")):
            if isinstance(step, Facet):
                place: Place = "first" if session.anatomy.prefix_tokens else "mean"
                along = Direction(step.layer, torch.from_numpy(step.weights), place, name=step.name)
                terms.append(wanted.weight * Manner(along, step.middle, step.reach))
            else:
                yield step
    return tuple(terms)


def checked(
    session: Session, settings: Settings, start: NDArray[np.uint8] | None, *, images: Sequence[Image.Image] = ()
) -> Settings:
    """Refuse what cannot work before anything is computed; hashes of the given images go into the settings.

    Raises:
        BadInput, Unsupported: see `generate`.
    """
    if settings.judge in (settings.model, *settings.also):
        raise BadInput(f"A judge has to be another model than those that steer; {settings.judge!r} steers.")
    for one in (session, *session.others[: len(settings.also)]):
        if one.spec.loader == "fake":
            raise Unsupported(f"{one.spec.title} has no gradients to follow; choose a real model, such as pocket.")
    lacking = len(needed(settings)) - len(session.others)
    if lacking > (judge_key(settings) != settings.judge):  # the shipped judge may be absent
        raise Unsupported("These settings need a session with further models; see `needed`.")
    if settings.method == "prior":
        trained = session.others[len(settings.also)].record["model"]
        if session.spec.key != trained:
            raise Unsupported(
                f"The prior draws from the embeddings of {trained}; {session.spec.title} needs another style, such as "
                "Fourier."
            )
    settings = _with_images(settings, images)
    if settings.method in ("prior", "diffusion"):
        given = float(settings.method == "prior") if settings.push is None else settings.push
        given = 0.0 if settings.neutral else given  # an edit of strength 0 gives the image back
        settings = settings.model_copy(update={"push": given})
    if settings.neutral and start is None and settings.method != "latents":
        raise BadInput("A neutral sentence belongs to an edit: give a start image too.")
    if start is None:
        if settings.start_image:
            raise BadInput("These settings edit an image; give the same start image again.")
        return settings
    if settings.method not in (ways := editable()) or settings.palette != "free":
        raise Unsupported(f"A start image needs the method {', '.join(ways[:-1])} or {ways[-1]}.")
    digest = hashlib.sha256(np.ascontiguousarray(start).tobytes()).hexdigest()
    if settings.start_image not in ("", digest):
        raise BadInput("These settings were made with another start image.")
    return settings.model_copy(update={"start_image": digest})


def _with_images(settings: Settings, images: Sequence[Image.Image]) -> Settings:
    """Settings with the hashes of the image prompts, which have to be those that are named already."""
    if len(images) != len(settings.image_weights):
        raise BadInput(
            f"Each image prompt has a weight: the settings name {len(settings.image_weights)} and {len(images)} images "
            "were given."
        )
    digests = tuple(hashlib.sha256(image.convert("RGB").tobytes()).hexdigest() for image in images)
    if settings.image_prompts not in ((), digests):
        raise BadInput("The image prompts are others than these settings were made with.")
    return settings.model_copy(update={"image_prompts": digests})


def finished_early(session: Session, settings: Settings, best: Best, *, wanted: Wanted) -> Generated:
    """Make what `generate` ends with of the best preview, where somebody stopped it."""
    from PIL import Image

    side, pixels, svg = settings.side, best.pixels, ""
    if best.strokes is not None:
        pixels, svg = painted_strokes(settings, best.strokes)
    elif pixels.shape[0] != side:
        pixels = np.array(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))
    count, word = len(best.values), "round" if settings.method in ("prior", "diffusion") else "step"
    which = "best image so far" if count else "image on its way, which no setting gives again"
    note = f"Stopped after {count} {word}{'' if count == 1 else 's'}; this is the {which}."
    settings = settings.model_copy(update={"steps": len(best.values)})
    painting = Painting(pixels, settings, tuple(best.values), best.seconds, note, svg)
    return looked_at(session, painting, wanted)

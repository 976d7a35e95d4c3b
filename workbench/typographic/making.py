"""Make a defended model: learn what has to be learned, on the session's device, and write its folder."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.checkpoints.edit import Edit, is_edit, write_edit
from workbench.places import home
from workbench.progress import Progress
from workbench.typographic.defences import DEFENCES, applied, check_defence

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.engine import Session
    from workbench.typographic.head_learning import HeadLesson
    from workbench.typographic.learned import Learned
    from workbench.typographic.learning import DefenceLesson
    from workbench.typographic.measuring import AttackedSet

CHUNK = 32  # images between two reports


def made(
    session: Session,
    key: str,
    images: Callable[[tuple[str, ...]], AttackedSet],
    *,
    seed: int,
    names: Sequence[str] = (),
    again: bool = False,
) -> Iterator[Progress | Path]:
    """Write a defence of the session's model among this machine's edited models, learning it first where it must be.

    What was learned before, from the same weights, seed and names, is taken as it is. The last item is the folder.

    Args:
        session: with the model that is defended.
        key: of DEFENCES.
        images: makes the images to learn from, with these names written on them; called where something is learned.
        seed: of the learning.
        names: what the model will be asked for; of use to a defence that learns names, and left out for others.
        again: learn anew in any case.

    Raises:
        UnknownName, Unsupported, OutOfResources, Cancelled, DeadlinePassed, Busy: see `check_defence` and `scheduler`.
    """
    from workbench.typographic.learned import Learned

    defence = check_defence(key, session.spec.key)
    if defence.quick:
        yield applied(key, session.spec.key)
        return
    own_names = tuple(sorted(set(names))) if defence.for_names else ()
    given = "\n".join([session.spec.key, session.fingerprint, str(seed), *own_names])
    digest = hashlib.sha256(given.encode()).hexdigest()[:12]
    folder = home() / "edits" / f"{key}-{digest}"
    if is_edit(folder) and not again:
        yield folder
        return
    for step in learning(session, images(own_names), key, seed=seed):
        if isinstance(step, Learned):
            yield write_edit(folder, edit_of(key, session.spec.key, step), tensors_of(step))
        else:
            yield step


def learning(session: Session, images: AttackedSet, key: str, *, seed: int) -> Iterator[Progress | Learned]:
    """Embed the images, and learn a defence from them on the session's device; the last item is what was learned."""
    from workbench.engine.tasks import LEARN_DEFENCE
    from workbench.typographic.head_learning import HeadLesson
    from workbench.typographic.learning import DefenceLesson

    steps = read_head_lesson(session, images) if key == "heads" else read_lesson(session, images, key, seed=seed)
    for step in steps:
        if isinstance(step, DefenceLesson | HeadLesson):
            yield from session.stream(LEARN_DEFENCE, step)
        else:
            yield step


def read_lesson(session: Session, images: AttackedSet, method: str, *, seed: int) -> Iterator[Progress | DefenceLesson]:
    """Embed pairs of images, chunk by chunk; the last item is the lesson."""
    from workbench.typographic.learning import DefenceLesson

    embedded, done, total, began = [], 0, 2 * len(images.truth), time.monotonic()
    for pictures in images.chunks():
        embedded.append([one.numpy() for one in session.embed_features(pictures)])
        done += len(pictures)
        seconds = time.monotonic() - began
        yield Progress.timed(done, total, "images", seconds=seconds, computed=done, stage="embed")
    rows, features = (np.concatenate(part) for part in zip(*embedded, strict=True))
    half, place = len(images.clean), {name: at for at, name in enumerate(images.names)}
    truth, words = (np.array([place[one] for one in row]) for row in (images.truth, images.words))
    yield DefenceLesson(
        method, rows[:half], rows[half:], features[:half], features[half:], truth, words, images.names, seed
    )  # fmt: skip


def read_head_lesson(session: Session, images: AttackedSet) -> Iterator[Progress | HeadLesson]:
    """Prepare pairs of images, evenly taken from all; the last item is the lesson.

    Raises:
        Unsupported: no ViT with a class token.
    """
    from workbench.neurons.head_passes import token_head
    from workbench.typographic.head_learning import IMAGES, HeadLesson

    token_head(session.anatomy)
    places = np.linspace(0, len(images.truth) - 1, min(IMAGES, len(images.truth))).round().astype(int).tolist()
    began, clean, written = time.monotonic(), [], []
    for done, place in enumerate(places, 1):
        clean.append(session.prepare(images.clean[place]).numpy())
        written.append(session.prepare(images.written[place]).numpy())
        if done % CHUNK == 0 or done == len(places):
            seconds = time.monotonic() - began
            yield Progress.timed(done, len(places), "images", seconds=seconds, computed=done, stage="prepare")
    truth = np.array([images.names.index(images.truth[place]) for place in places])
    yield HeadLesson(np.stack(clean), np.stack(written), truth, images.names)


def edit_of(key: str, base: str, learned: Learned) -> Edit:
    """Describe an edited model that was learned."""
    return Edit(base=base, kind=DEFENCES[key].kind, settings=learned.settings, title=DEFENCES[key].title)


def tensors_of(learned: Learned) -> dict[str, Tensor]:
    """Return what an edited model's folder holds beside its settings."""
    import torch

    return {name: torch.from_numpy(one) for name, one in learned.tensors.items()}

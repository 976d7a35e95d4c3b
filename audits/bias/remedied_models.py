"""Make a remedied model: embed images of two groups, fit the remedy to them, and write the edited model's folder."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audits import catalogue
from audits.bias.mitigation.score import Settings, plan
from audits.datasets import readers
from audits.protocol import Protocol as Rules
from workbench.checkpoints.edit import check_place, is_edit, write_edit
from workbench.errors import Unsupported, unknown_name
from workbench.places import home
from workbench.progress import Progress
from workbench.remedies import REMEDIES, edit_of, learned

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUDIT = "bias/mitigation"
CHUNK = 32  # images between two reports


def check_remedy(key: str, protocol: str, folder: Path | None = None) -> Rules:
    """Return the protocol of a remedy, before anything is loaded.

    Raises:
        UnknownName: no such remedy or protocol.
        BadInput: the folder holds something else.
    """
    if key not in REMEDIES:
        raise unknown_name("remedy", key, REMEDIES)
    if folder is not None:
        check_place(folder)
    return catalogue.read_protocol(AUDIT, protocol)


def made(
    model: Any, key: str, *, protocol: str = "gender", data: str = "", folder: Path | None = None
) -> Iterator[Progress | Path]:
    """Write a remedied model; the last item is its folder.

    Args:
        model: a session of the engine, or a loaded model.
        key: of `workbench.remedies.REMEDIES`.
        protocol: of `bias/mitigation`, by its name or file: which groups, and how they are named.
        data: reference of the images; empty for the built-in ones. All of them are used.
        folder: where; without one among this machine's edited models, where it is made only once.

    Raises:
        UnknownName, BadInput: see `check_remedy`; data that the protocol does not fit.
        Unsupported: the model has this remedy for these groups already.
        Cancelled, DeadlinePassed, Busy: see `scheduler`.
    """
    rules = check_remedy(key, protocol, folder)
    settings = rules.settings_as(Settings)
    wording = settings.wording(rules)
    about = " and ".join(wording.words)
    if f"{REMEDIES[key].title}: {about}" in model.spec.title:
        raise Unsupported(f"{model.spec.title} has this remedy already.")
    dataset = readers.read(data or catalogue.find(AUDIT).builtin)
    chosen = {item.sample_id for item in plan(dataset, rules, seed=0)}
    table = dataset.table[dataset.table["sample_id"].isin(chosen)]
    table = table[settings.side(table) >= 0]
    given = "\n".join([model.spec.key, model.fingerprint, rules.hash, dataset.hash])
    place = folder or home() / "edits" / f"{key}-{hashlib.sha256(given.encode()).hexdigest()[:12]}"
    if folder is None and is_edit(place):
        yield place
        return
    rows, began = list[Any](), time.monotonic()
    for at in range(0, len(table), CHUNK):
        rows.append(model.embed_images([dataset.file(path) for path in table["path"].iloc[at : at + CHUNK]]).numpy())
        done = min(at + CHUNK, len(table))
        yield Progress.timed(done, len(table), "images", seconds=time.monotonic() - began, computed=done, stage="embed")

    def vectors(sentences: Sequence[str]) -> NDArray[np.float64]:
        return np.asarray(model.embed_texts(list(sentences)).numpy(), np.float64)

    images = np.concatenate(rows) if rows else np.zeros((0, model.dim))
    result = learned(key, wording.lesson(images, settings.side(table), vectors))
    import torch

    tensors = {name: torch.from_numpy(one) for name, one in result.tensors.items()}
    yield write_edit(place, edit_of(key, model.spec.key, result, about), tensors)

"""Edited models: a base and one change of its towers, loaded as any other model.

Each kind of change is a row of `KINDS`. An edited model has a fingerprint of its own, so that its embeddings and
reports are never taken for the base's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.checkpoints.edit import SETTINGS, TENSORS, read_edit
from workbench.errors import WeightsRefused, unknown_name
from workbench.loading.hashes import check_header, sha256_of

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.loading.torch_backend import TorchBackend, TowerParts

    Change = Callable[[TorchBackend, Mapping[str, Any], Mapping[str, Tensor]], TowerParts]


def _typographic(name: str) -> Change:
    """A change that the typographic room makes."""

    def change(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
        from workbench.typographic import edits

        made: TowerParts = getattr(edits, name)(base, settings, tensors)
        return made

    return change


def _units(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Units off, held or moved; see `neurons.edits`."""
    from workbench.neurons.edits import change_units

    return change_units(base, settings, tensors)


def _linear(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Images, texts or both mapped linearly; see `remedies.edits`."""
    from workbench.remedies.edits import linear

    return linear(base, settings, tensors)


KINDS: dict[str, Change] = {  # kind -> (base, settings, tensors of edit.safetensors) -> the changed towers
    "paint over": _typographic("paint_over"),
    "prompts": _typographic("name_the_text"),
    "prefix": _typographic("prefix"),
    "projection": _typographic("projection"),
    "interpolation": _typographic("interpolation"),
    "heads": _typographic("heads_off"),
    "units": _units,
    "linear": _linear,
}


def apply(base: TorchBackend, folder: Path) -> TorchBackend:
    """Return the edited model of a folder, made from its loaded base; the base stays as it is.

    Raises:
        UnknownName: a kind that is not in `KINDS`.
        WeightsRefused: tensors that cannot be read.
        WorkbenchError: settings or tensors that do not fit the base.
    """
    from workbench.loading.torch_backend import TorchBackend
    from workbench.models import folder_spec

    edit = read_edit(folder)
    if edit.kind not in KINDS:
        raise unknown_name("kind of edit", edit.kind, KINDS)
    towers = KINDS[edit.kind](base, edit.settings, _tensors(folder))
    spec = replace(folder_spec(folder), score=base.spec.score)
    compiled = None if base.compiled is None else base.compiled.around(towers.image)
    return TorchBackend(spec, towers, fingerprint_of(base.fingerprint, folder), compiled=compiled)


def fingerprint_of(base: str, folder: Path) -> str:
    """Return the fingerprint of an edited model: the base's, and the hashes of the edit's files."""
    edit = read_edit(folder)
    digest = hashlib.sha256(f"{base}\nedit 1\n{edit.model_dump_json(include={'kind', 'settings'})}".encode())
    if (folder / TENSORS).is_file():
        digest.update(sha256_of(folder / TENSORS).encode())
    return digest.hexdigest()[:32]


def _tensors(folder: Path) -> dict[str, Tensor]:
    file = folder / TENSORS
    if not file.is_file():
        return {}
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    check_header(file)
    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise WeightsRefused(f"{TENSORS} beside {SETTINGS} cannot be read: {str(error)[:200]}") from None

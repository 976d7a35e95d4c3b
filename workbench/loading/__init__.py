"""From a catalogue row to a backend on a device; alone in touching model libraries, hub and CUDA.

Never random weights, never a silent substitute, never a download that was not requested.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.checkpoints import MODELS
from workbench.checkpoints.families import OPEN_CLIP, ModelFamily
from workbench.errors import WeightsRefused
from workbench.models import find
from workbench.plugins import resolve

if TYPE_CHECKING:
    import torch

    from workbench.checkpoints.spec import ModelSpec
    from workbench.loading.torch_backend import TorchBackend, TowerParts


def fingerprint(key: str, *, dtype: str = "float32") -> str:
    """Return the fingerprint that a loaded checkpoint would have, from its files alone.

    Raises:
        UnknownName, WeightsMissing, WeightsRefused: as `load`.
    """
    spec = find(key)
    if spec.loader == "fake":
        return load(key).fingerprint
    if spec.loader == "edited":
        from workbench.loading.edited import fingerprint_of

        return fingerprint_of(fingerprint(spec.base, dtype=dtype), spec.folder or Path())
    from workbench.loading import hashes, hub

    folder = hub.locate(spec)
    return hashes.fingerprint(spec, folder, hashes.vet(spec, folder), dtype=f"torch.{dtype}")


def load(key: str = "pocket", *, device: str = "auto", dtype: str = "auto") -> TorchBackend:
    """Load a checkpoint that is on this machine.

    Args:
        key: a key of the catalogue, a folder in the hub's format, or the folder of an edited model.
        device: auto, cpu, cuda, mps, or openvino (the CPU; OpenVINO embeds images, torch does everything else).
        dtype: auto (float32 on the CPU, bfloat16 on CUDA), float32, bfloat16 or float16.

    Raises:
        UnknownName: no such model.
        BadInput: no such device or dtype.
        WeightsMissing: the checkpoint is not on this machine; the message names the command that fetches it.
        WeightsRefused: the files are not what was recorded, are no safetensors, or ask for code of their own.
        OutOfResources: this machine has no such device.
    """
    from workbench.loading.device import check_names

    spec = find(key)
    check_names(device, dtype)
    if spec.loader == "fake":
        from workbench.fake import FakeBackend

        return FakeBackend(device=device, dtype=dtype)
    if spec.loader == "edited":
        from workbench.loading.edited import apply

        return apply(load(spec.base, device=device, dtype=dtype), spec.folder or Path())
    from workbench.loading import hashes, hub

    folder = hub.locate(spec)
    weights = hashes.vet(spec, folder)

    from workbench.loading.device import OPENVINO, choose_device, choose_dtype, keep_freed_memory, numbers
    from workbench.loading.torch_backend import TorchBackend

    where = choose_device(device)
    if where.type == "cpu":
        keep_freed_memory()
    what = choose_dtype(dtype, where)
    fingerprint = hashes.fingerprint(spec, folder, weights, dtype=numbers(device, dtype))
    if device != OPENVINO:
        return TorchBackend(spec, towers(spec, folder, where, dtype=what), fingerprint)
    import torch

    from workbench.loading.openvino_tower import OpenVinoTower

    parts = towers(spec, folder, where, dtype=torch.float32)
    return TorchBackend(spec, parts, fingerprint, compiled=OpenVinoTower(parts.image, parts.preprocessing.size, what))


def towers(
    spec: ModelSpec, folder: Path, device: torch.device, *, dtype: torch.dtype, frozen: bool = True
) -> TowerParts:
    """Read both towers of a checkpoint with the function of its family.

    Args:
        spec: the checkpoint's row.
        folder: where it lies.
        device: where the weights go.
        dtype: what they become.
        frozen: False leaves every weight as saved, to be trained.

    Raises:
        WeightsRefused: no installed family reads this checkpoint, or its files are not what they should be.
        Unsupported: the family's own code cannot be used.
    """
    from workbench.loading.tokenizers import read_json

    key = spec.loader if spec.loader == OPEN_CLIP.key else str(read_json(folder, "config.json").get("model_type"))
    family = MODELS.get(key)
    if not isinstance(family, ModelFamily):
        known = [row.key for row in MODELS.values() if isinstance(row, ModelFamily)]
        raise WeightsRefused(f"Model families read here: {', '.join(known)}; this folder holds {key!r}.")
    parts: TowerParts = resolve(family.load)(folder, device, dtype, frozen=frozen)
    return parts

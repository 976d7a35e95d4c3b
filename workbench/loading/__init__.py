"""The loading room: from a catalogue row to a backend on a device; alone in touching model libraries, hub and CUDA.

Never random weights, never a silent substitute, never a download that nobody asked for.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.models import ModelSpec, find

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend


def load(key: str = "pocket", *, device: str = "auto", dtype: str = "auto") -> TorchBackend:
    """Load a checkpoint that is on this machine.

    Args:
        key: a key of the catalogue, or a folder in the hub's format.
        device: auto, cpu, cuda or mps.
        dtype: auto (float32 on the CPU, bfloat16 on CUDA), float32, bfloat16 or float16.

    Raises:
        UnknownName: no such model.
        WeightsMissing: the checkpoint is not on this machine; the message names the command that fetches it.
        WeightsRefused: the files are not what was recorded.
    """
    from workbench.loading import hf, openclip
    from workbench.loading.device import choose_device, choose_dtype
    from workbench.loading.torch_backend import TorchBackend

    spec = find(key)
    where = choose_device(device)
    what = choose_dtype(dtype, where)
    assert spec.folder is not None
    read = openclip.load_folder if spec.library == "open_clip" else hf.load_folder
    towers = read(spec.folder, where, what)
    return TorchBackend(spec, towers, fingerprint(spec, spec.folder, str(what)))


def fingerprint(spec: ModelSpec, folder: Path, dtype: str) -> str:
    """Hash of weights, preprocessing and dtype."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".json", ".txt"):
            digest.update(file.name.encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(dtype.encode())
    return digest.hexdigest()[:32]

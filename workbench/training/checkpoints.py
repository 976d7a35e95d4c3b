"""Checkpoints that resume a training exactly: tensors in safetensors, everything else in JSON, never a pickle.

A state is a tree of dicts, lists, tuples, tensors, numbers, words and None, as every `state_dict()` is. A checkpoint is
a folder that gets its name when it is complete, so that a training killed at any moment finds the last whole one.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import OutOfResources, WeightsRefused

TENSORS, FACTS = "state.safetensors", "state.json"
_NAME = re.compile(r"step-(\d{8,})")


def save(folder: Path, step: int, state: Mapping[str, Any], *, keep: int = 2) -> Path:
    """Write a state as `folder/step-00000123`, and drop all but the newest ones.

    Args:
        folder: holds the checkpoints of one training; made where it is missing.
        step: steps done so far.
        state: a tree; see the module.
        keep: how many checkpoints are left, the new one included.

    Returns:
        The new checkpoint's folder.

    Raises:
        OutOfResources: the folder cannot be written, or the disk is full.
        TypeError: the tree holds something that is neither tensor nor plain data.
    """
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    tree = _pack(state, "", tensors)
    target = folder / f"step-{step:08d}"
    half = folder / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        half.mkdir(parents=True)
        save_file(tensors, half / TENSORS)
        (half / FACTS).write_text(json.dumps({"step": step, "state": tree}), encoding="utf-8")
        for name in (TENSORS, FACTS):
            _to_disk(half / name)
        if target.exists():  # written twice: the same step of the same training
            shutil.rmtree(target)
        os.replace(half, target)
        _to_disk(folder)
        for old in _complete(folder)[:-keep]:
            shutil.rmtree(old)
    except OSError as error:
        raise OutOfResources(f"The checkpoint {target.name!r} could not be written ({error.strerror}).") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return target


def latest(folder: Path) -> Path | None:
    """Return the newest whole checkpoint in a folder, or None."""
    return next(reversed(_complete(folder)), None)


def load(checkpoint: Path) -> dict[str, Any]:
    """Read a state back, tensors on the CPU.

    Raises:
        WeightsRefused: the files are damaged or incomplete.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        facts = json.loads((checkpoint / FACTS).read_text(encoding="utf-8"))
        state = _unpack(facts["state"], load_file(checkpoint / TENSORS))
    except (OSError, ValueError, KeyError, TypeError, IndexError, SafetensorError) as error:
        raise WeightsRefused(
            f"The checkpoint {checkpoint.name!r} is damaged ({type(error).__name__}). Delete its folder, and the one "
            "before it is used."
        ) from None
    if not isinstance(state, dict):
        raise WeightsRefused(f"The checkpoint {checkpoint.name!r} holds no state.")
    return state


def random_states() -> dict[str, Any]:
    """Return the states of the generators that libraries share: torch's on CPU and CUDA, NumPy's and Python's."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": cuda, "numpy": np.random.get_state(), "python": random.getstate()}


def restore_random_states(states: Mapping[str, Any]) -> None:
    """Put `random_states` back; those of CUDA devices that are not here are left out."""
    torch.set_rng_state(states["torch"])
    for device, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, device)
    np.random.set_state(states["numpy"])
    random.setstate(states["python"])


def _pack(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Return a value as JSON holds it; tensors go to `tensors`, named by a number and the path that leads to them."""
    if isinstance(value, Tensor):
        name = f"{len(tensors):05d}{path}"
        tensors[name] = value.detach().cpu().clone().contiguous()  # tied weights would share memory otherwise
        return {"tensor": name}
    if isinstance(value, np.ndarray):
        return {"array": _pack(torch.from_numpy(value.copy()), path, tensors)["tensor"]}
    if isinstance(value, Mapping):
        return {"dict": [[_plain(key), _pack(one, f"{path}/{key}", tensors)] for key, one in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack(one, f"{path}/{number}", tensors) for number, one in enumerate(value)]}
    return {"plain": _plain(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a state holds tensors and plain data; got {type(value).__name__}")


def _unpack(value: dict[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    ((kind, inner),) = value.items()
    if kind == "tensor":
        return tensors[inner]
    if kind == "array":
        return tensors[inner].numpy()
    if kind == "dict":
        return {key: _unpack(one, tensors) for key, one in inner}
    if kind == "list":
        return [_unpack(one, tensors) for one in inner]
    if kind == "tuple":
        return tuple(_unpack(one, tensors) for one in inner)
    if kind == "plain":
        return inner
    raise ValueError(f"no kind of entry: {kind!r}")


def _complete(folder: Path) -> list[Path]:
    """Return the whole checkpoints, the oldest first."""
    if not folder.is_dir():
        return []
    checkpoints = [(int(match[1]), path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(checkpoints)]


def _to_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk, so that a power cut after the renaming finds it whole."""
    if os.name == "nt":  # which opens no folder, and no file that is only read, for this
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

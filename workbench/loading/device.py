"""Choose a device and a dtype; with the scheduler, training and benchmarks, one of the few rooms that know CUDA."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from typing import TYPE_CHECKING

from workbench.errors import BadInput, OutOfResources

if TYPE_CHECKING:
    import torch

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # glibc's malloc.h
OPENVINO = "openvino"  # the CPU, where OpenVINO computes the embeddings of images
DEVICES = ("auto", "cpu", "cuda", "mps", OPENVINO)
DTYPES = ("auto", "float32", "bfloat16", "float16")


def check_names(device: str, dtype: str) -> None:
    """Refuse a device or dtype that nobody has, before anything heavy is imported.

    Raises:
        BadInput: an unknown name.
    """
    kind, _, number = device.partition(":")
    if kind not in DEVICES or (number and not (kind == "cuda" and number.isdecimal())):
        raise BadInput(f"A device is one of {', '.join(DEVICES)}, or cuda:1 for the second card; got {device[:40]!r}.")
    if dtype not in DTYPES:
        raise BadInput(f"A dtype is one of {', '.join(DTYPES)}; got {dtype[:40]!r}.")


def choose_device(wanted: str = "auto") -> torch.device:
    """Return CUDA, else MPS, else CPU; or what was asked for. OpenVINO computes on the CPU.

    Raises:
        BadInput: an unknown device.
        OutOfResources: a device that this machine does not have.
    """
    import torch

    check_names(wanted, "auto")
    if wanted == OPENVINO:
        if importlib.util.find_spec("openvino") is None:
            raise OutOfResources("The device openvino needs the package openvino: pip install openvino.")
        return torch.device("cpu")
    kind, _, number = wanted.partition(":")
    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        kind = wanted = next(name for name in ("cuda", "mps", "cpu") if has[name])
    if not has[kind]:
        here = ", ".join(name for name, there in has.items() if there)
        raise OutOfResources(f"This machine has no {kind} device (or torch was built without it); it has: {here}.")
    if number and int(number) >= torch.cuda.device_count():
        raise OutOfResources(f"This machine has {torch.cuda.device_count()} CUDA device(s), from cuda:0; got {wanted}.")
    return torch.device(wanted)


@functools.cache
def keep_freed_memory() -> None:
    """Let glibc reuse large freed blocks instead of giving each back to the system and faulting it in again.

    A pass through ViT-B/32 frees and takes hundreds of tensors of 1 to 20 MB: with the default, a sixth of its
    processor time went to the kernel. Evicting a model trims the heap (`scheduler.attempt.empty_cache`).
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, 64 * 2**20)
        libc.mallopt(_TRIM_THRESHOLD, 512 * 2**20)


def choose_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """Return float32 on the CPU and MPS, bfloat16 on CUDA; or what was asked for.

    Raises:
        BadInput: an unknown dtype.
    """
    import torch

    check_names("auto", wanted)
    if wanted == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    dtype: torch.dtype = getattr(torch, wanted)
    return dtype


def numbers(device: str, dtype: str) -> str:
    """What a model's embeddings are computed in, as its fingerprint has it: "torch.bfloat16", "torch.float32 openvino".

    Raises:
        BadInput, OutOfResources: see `choose_device` and `choose_dtype`.
    """
    name = str(choose_dtype(dtype, choose_device(device)))
    return f"{name} {OPENVINO}" if device == OPENVINO else name

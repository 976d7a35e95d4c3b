"""Run one piece of work on the device and return its value or its error.

The one place that catches every error: none is swallowed, each goes to the caller whose work it was, and the worker
that serves all others continues.
"""

from __future__ import annotations

import ctypes
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from workbench.errors import DeviceLost, WorkbenchError

T = TypeVar("T")

_FULL = (  # CUDA and MPS, torch's CPU allocator, CUDA's libraries
    *("out of memory", "not enough memory", "can't allocate memory"),
    *("cublas_status_alloc_failed", "cudnn_status_alloc_failed"),
)
_LOST = (
    "cuda error",
    "cudnn error",
    "cublas error",
    "nccl error",
    "hip error",
    "command buffer exited with error status",
)


@dataclass(frozen=True)
class Attempted(Generic[T]):
    """The value or the error of a piece of work."""

    value: T | None = None
    error: BaseException | None = None
    full: bool = False  # the device's memory did not suffice


def attempt(work: Callable[[], T]) -> Attempted[T]:
    """Run `work`; an error comes back as itself, with the place where it arose as a note instead of live frames."""
    try:
        return Attempted(work())
    except BaseException as error:  # boundary: each error goes to the caller whose work it was
        caught = error
    full = _out_of_memory(caught)
    if not full and (lost := device_lost(caught)) is not None:
        caught = lost
    if not full and not isinstance(caught, WorkbenchError):
        caught.add_note("On the device:\n" + "".join(traceback.format_tb(caught.__traceback__)))
    _drop_frames(caught)
    if not full:
        return Attempted(error=caught)
    empty_cache()
    return Attempted(error=MemoryError(str(caught).partition("\n")[0] or type(caught).__name__), full=True)


def device_lost(error: BaseException) -> DeviceLost | None:
    """Return the error for a device that failed, as after a kernel's assertion, or when a card is gone; else None.

    CUDA answers every later call of the same process with an error as well.
    """
    torch = sys.modules.get("torch")
    kinds = getattr(torch, "AcceleratorError", ()) or ()
    words = str(error).lower()
    if not isinstance(error, RuntimeError) or _out_of_memory(error):
        return None
    if not isinstance(error, kinds) and not any(one in words for one in _LOST):
        return None
    return DeviceLost(
        "The device failed while it computed this, so there is no answer. Models are loaded again, on the CPU, for the "
        f"next request; please try again. The device said: {str(error).partition(chr(10))[0][:200]}"
    )


def empty_cache() -> None:
    """Give unused memory of machine and device back to the system; a device that failed has nothing to give."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
    torch = sys.modules.get("torch")
    if torch is None:
        return
    with suppress(RuntimeError):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        elif torch.backends.mps.is_available():
            torch.mps.empty_cache()


def device_memory(device: str) -> int | None:
    """Total memory of a CUDA device in bytes; None for devices that share the machine's memory."""
    if not device.startswith("cuda"):
        return None
    import torch

    return int(torch.cuda.get_device_properties(device).total_memory)


def _drop_frames(error: BaseException | None) -> None:
    """Drop the frames of an error: they hold tensors, and the images of all callers in the batch."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _FULL)

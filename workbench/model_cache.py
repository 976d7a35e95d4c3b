"""Models in memory: loaded once however many ask, kept while they fit, the longest unused let go first.

Who works with a model holds a lease on it and finishes on it, whatever is asked for meanwhile. Knows no device thread:
loading happens in the caller's. Knows no catalogue beyond a row's number of parameters.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.errors import Busy, OutOfResources
from workbench.scheduler import CancelScope
from workbench.scheduler.attempt import device_memory, empty_cache

if TYPE_CHECKING:
    from workbench.backend import ClipBackend, Encoder

    class Model(ClipBackend, Encoder, Protocol):
        """What the pool keeps: a model that embeds, in its two halves."""


SHARE = 0.5  # of the memory that there is, for models
WAIT = 15.0  # seconds that a caller waits for models in use to be released


@dataclass(eq=False)
class LoadedModel:
    """A model in memory, or one that is being loaded."""

    key: str
    bytes: int  # of weights; an estimate until loaded
    ready: Future[Model] = field(default_factory=Future)
    leases: int = 0
    reading: threading.Lock = field(default_factory=threading.Lock)  # tokenizers are not safe to share at the same time


class ModelCache:
    """Loads models and keeps as many as fit.

    Args:
        load: key -> model; slow, called in the thread of whoever asks first, one at a time.
        limit: bytes of weights; None for half of the memory of the machine or the device.
        estimate: key -> bytes of weights before loading; 0 where nobody knows.
        device: where the weights go; decides what the default limit is half of.
    """

    def __init__(
        self,
        load: Callable[[str], Model],
        *,
        limit: int | None = None,
        estimate: Callable[[str], int] = lambda key: 0,
        device: Callable[[], str] = lambda: "cpu",
    ) -> None:
        self._load, self._estimate = load, estimate
        self._limit, self._device = limit, device
        self._held: OrderedDict[str, LoadedModel] = OrderedDict()  # the longest unused first
        self._changed = threading.Condition()
        self._one_at_a_time = threading.Lock()  # model libraries set the default dtype for all threads while they load

    @property
    def limit(self) -> int:
        """Bytes of weights at most."""
        if self._limit is None:
            self._limit = int(SHARE * memory_of(self._device()))
        return self._limit

    @property
    def bytes(self) -> int:
        """Weights in memory, those being loaded included."""
        with self._changed:
            return sum(held.bytes for held in self._held.values())

    def state(self, key: str) -> str:
        """Return "ready", "loading" or "absent"."""
        with self._changed:
            held = self._held.get(key)
            return "absent" if held is None else "ready" if held.ready.done() else "loading"

    def names(self) -> list[str]:
        """Models in memory, the longest unused first."""
        with self._changed:
            return list(self._held)

    @contextmanager
    def lease(self, key: str, *, scope: CancelScope | None = None) -> Iterator[LoadedModel]:
        """Give a loaded model that stays in memory until the end of the `with` block.

        Raises:
            OutOfResources: the model alone is larger than the limit.
            Busy: the memory is taken by models in use, and stayed so for a while.
            WorkbenchError: whatever loading raises; the next caller tries anew.
        """
        scope = scope or CancelScope()
        held, mine = self._claim(key, scope)
        try:
            if mine:
                self._fill(held)
            scope.wait(held.ready)
            yield held
        finally:
            self._release(held)

    def clear(self) -> None:
        """Let go of all models that nobody is using."""
        with self._changed:
            self._evict(self.limit)

    def _claim(self, key: str, scope: CancelScope) -> tuple[LoadedModel, bool]:
        size = self._estimate(key)
        with self._changed:
            if key not in self._held:
                self._make_room(key, size, scope)
            mine = key not in self._held
            held = self._held.setdefault(key, LoadedModel(key, size))
            held.leases += 1
            self._held.move_to_end(key)
            return held, mine

    def _make_room(self, key: str, size: int, scope: CancelScope) -> None:
        """Evict until `size` more bytes fit, waiting a while for leases to end. The lock is held."""
        self._refuse_too_large(key, size)
        short = scope.within(WAIT)
        while key not in self._held and self._evict(size) + size > self.limit:
            scope.check()
            if short.over():
                names = ", ".join(held.key for held in self._held.values() if held.leases)
                raise Busy(
                    f"{key!r} needs {_mb(size)} of memory, and of {_mb(self.limit)} for models too much is taken by "
                    f"those in use ({names}). Please try again when their work is done."
                )
            self._changed.wait(0.1)

    def _fill(self, held: LoadedModel) -> None:
        try:
            with self._one_at_a_time:
                model = self._load(held.key)
            size = _weights(model) or held.bytes
            self._refuse_too_large(held.key, size)
        except BaseException as error:
            with self._changed:
                del self._held[held.key]
            held.ready.set_exception(error)
            raise
        with self._changed:
            held.bytes = size
            self._evict(0)
        held.ready.set_result(model)

    def _release(self, held: LoadedModel) -> None:
        with self._changed:
            held.leases -= 1
            before = len(self._held)
            self._evict(0)
            evicted = len(self._held) < before
            self._changed.notify_all()
        if evicted:
            gc.collect()  # a model may stand in a ring of references
            empty_cache()

    def _evict(self, size: int) -> int:
        """Let go of unused models until `size` more bytes fit; return the bytes still held. The lock is held."""
        total = sum(held.bytes for held in self._held.values())
        for held in list(self._held.values()):
            if total + size <= self.limit:
                break
            if not held.leases and held.ready.done():
                del self._held[held.key]
                total -= held.bytes
        return total

    def _refuse_too_large(self, key: str, size: int) -> None:
        if size > self.limit:
            raise OutOfResources(
                f"{key!r} needs {_mb(size)} of memory for its weights; the limit for models here is {_mb(self.limit)}. "
                f"Choose a smaller model, or raise the limit."
            )


def memory_of(device: str) -> int:
    """Bytes of memory that a device has in all: its own, or the machine's, or what a container may use of that."""
    own = device_memory(device)
    if own is not None:
        return own
    import psutil

    total = int(psutil.virtual_memory().total)
    share = Path("/sys/fs/cgroup/memory.max")  # Linux; the word "max" where there is no limit
    said = share.read_text(encoding="ascii").strip() if share.is_file() else "max"
    return min(total, int(said)) if said.isdigit() else total


def _weights(model: Model) -> int:
    """Bytes of parameters and buffers; 0 for a model without weights."""
    module: Any = getattr(getattr(model, "towers", None), "module", None)
    if module is None:
        return 0
    return sum(t.numel() * t.element_size() for t in (*module.parameters(), *module.buffers()))


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"

"""Shared model cache with LRU eviction: models of any kind under one limit of memory.

Who works with a model holds a lease on it and finishes on it, whatever is asked for meanwhile. Loading happens in the
caller's thread, one model at a time.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from workbench.errors import Busy, OutOfResources
from workbench.scheduler import CancelScope
from workbench.scheduler.attempt import device_memory, empty_cache

CLIP = "clip"  # the kind of the catalogue's models
SHARE = 0.5  # of the memory that there is, for models
WAIT = 15.0  # seconds that a caller waits for models in use to be released


class ModelRef(NamedTuple):
    """Which model: a kind, and a key that the loader of that kind understands."""

    kind: str
    key: str

    def __str__(self) -> str:
        return self.key if self.kind == CLIP else f"{self.kind} {self.key}"


def weights_of(model: Any) -> int:
    """Bytes of the parameters and buffers of every torch module in a model, its attributes and their values."""
    from torch import nn

    parts = [model, *vars(model).values()] if hasattr(model, "__dict__") else [model]
    parts += [value for part in parts[1:] if hasattr(part, "__dict__") for value in vars(part).values()]
    parts += [value for part in parts if isinstance(part, dict) for value in part.values()]
    parts += [value for part in parts if isinstance(part, list | tuple) for value in part]
    tensors = {
        id(tensor): tensor.numel() * tensor.element_size()
        for part in parts
        if isinstance(part, nn.Module)
        for tensor in (*part.parameters(), *part.buffers())
    }
    compiled = getattr(model, "compiled", None)  # OpenVINO has the weights once more, in its own numbers
    return int(sum(tensors.values()) * (1.0 if compiled is None else 1 + compiled.dtype.itemsize / 4))


@dataclass(eq=False)
class LoadedModel:
    """A model in memory, or one that is being loaded."""

    ref: ModelRef
    bytes: int  # of weights; an estimate until loaded
    ready: Future[Any] = field(default_factory=Future)
    leases: int = 0
    released: float = 0.0  # when the last lease ended, on the monotonic clock
    started: bool = False  # whether somebody loads it
    reading: threading.Lock = field(default_factory=threading.Lock)  # tokenizers are not safe to share at the same time

    @property
    def key(self) -> str:
        """What its loader was called with."""
        return self.ref.key


class ModelCache:
    """Loads models and keeps as many as fit.

    Args:
        load: makes a model; slow, called in the thread of whoever needs it first, one at a time.
        limit: bytes of weights; None for half of the memory of the machine or the device.
        estimate: bytes of weights before loading; 0 where unknown.
        device: where the weights go; decides what the default limit is half of.
    """

    def __init__(
        self,
        load: Callable[[ModelRef], Any],
        *,
        limit: int | None = None,
        estimate: Callable[[ModelRef], int] = lambda ref: 0,
        device: Callable[[], str] = lambda: "cpu",
    ) -> None:
        self._load, self._estimate = load, estimate
        self._given, self._limit, self._device = limit, limit, device
        self._models: OrderedDict[ModelRef, LoadedModel] = OrderedDict()  # the longest unused first
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
            return sum(loaded.bytes for loaded in self._models.values())

    def state(self, ref: ModelRef) -> str:
        """Return "ready", "loading" or "absent"."""
        with self._changed:
            loaded = self._models.get(ref)
            return "absent" if loaded is None else "ready" if loaded.ready.done() else "loading"

    def refs(self) -> list[ModelRef]:
        """Models in memory, the longest unused first."""
        with self._changed:
            return list(self._models)

    @contextmanager
    def lease(self, *refs: ModelRef, scope: CancelScope | None = None) -> Iterator[tuple[LoadedModel, ...]]:
        """Yield loaded models, in the order given, that stay in memory until the end of the `with` block.

        Room for all of them is taken at once, so that two callers who need the same models never wait for each other
        with half of them in hand; they are loaded in the order of their names.

        Raises:
            OutOfResources: these models alone are larger than the limit.
            Busy: the memory is taken by models in use, and stayed so for a while.
            WorkbenchError: whatever loading raises; the next caller tries anew.
        """
        scope = scope or CancelScope()
        leased = self._claim(refs, scope)
        try:
            for loaded in sorted(set(leased), key=lambda one: one.ref):
                if self._starts(loaded):
                    self._fill(loaded)
                scope.wait(loaded.ready)
            yield leased
        finally:
            self._release(leased)

    def hold(self, ref: ModelRef, model: Any) -> None:
        """Take a model that is loaded already; it stays until it is lost."""
        with self._changed:
            loaded = self._models.setdefault(ref, LoadedModel(ref, weights_of(model), leases=1, started=True))
            if not loaded.ready.done():
                loaded.ready.set_result(model)

    def forget(self, lost: Callable[[Any], bool]) -> None:
        """Load models anew at their next lease, and take the measure of memory anew; leases end with the old ones.

        Args:
            lost: whether a model can no longer be used.
        """
        with self._changed:
            for ref, loaded in list(self._models.items()):
                if loaded.ready.done() and loaded.ready.exception() is None and lost(loaded.ready.result()):
                    del self._models[ref]
            self._limit = self._given
            self._changed.notify_all()

    def drop_idle(self, seconds: float, *, keep: ModelRef) -> None:
        """Give back the memory of models that nobody has used for so many seconds, but for one that is kept."""
        with self._changed:
            idle = [
                ref
                for ref, loaded in self._models.items()
                if ref != keep and loaded.leases == 0 and time.monotonic() - loaded.released >= seconds
            ]
            for ref in idle:
                del self._models[ref]
        if idle:
            _collect()

    def clear(self) -> None:
        """Drop all models that are not in use."""
        with self._changed:
            self._evict(self.limit)

    def _claim(self, refs: Sequence[ModelRef], scope: CancelScope) -> tuple[LoadedModel, ...]:
        with self._changed:
            known = {ref: loaded.bytes for ref, loaded in self._models.items()}
        sizes = {ref: known[ref] if ref in known else self._estimate(ref) for ref in refs}
        with self._changed:
            self._make_room(sizes, scope)
            for ref, size in sizes.items():
                self._models.setdefault(ref, LoadedModel(ref, size))
                self._models.move_to_end(ref)
            leased = tuple(self._models[ref] for ref in refs)
            for loaded in leased:
                loaded.leases += 1
            return leased

    def _make_room(self, sizes: Mapping[ModelRef, int], scope: CancelScope) -> None:
        """Evict until all of these fit, waiting a while for leases to end. The lock is held."""
        self._refuse_too_large(sizes)
        waiting = scope.within(WAIT)
        while absent := [ref for ref in sizes if ref not in self._models]:
            size = sum(sizes[ref] for ref in absent)
            if self._evict(size, keep=sizes) + size <= self.limit:
                return
            scope.check()
            if waiting.over():
                in_use = ", ".join(str(loaded.ref) for loaded in self._models.values() if loaded.leases)
                raise Busy(
                    f"{_names(sizes)} needs {_mb(size)} of memory, and the models in use ({in_use}) take too much of "
                    f"the {_mb(self.limit)} for models. Please try again when their work is done."
                )
            self._changed.wait(0.1)

    def _starts(self, loaded: LoadedModel) -> bool:
        with self._changed:
            first, loaded.started = not loaded.started, True
        return first

    def _fill(self, loaded: LoadedModel) -> None:
        try:
            with self._one_at_a_time:
                model = self._load(loaded.ref)
            size = weights_of(model) or loaded.bytes
            self._refuse_too_large({loaded.ref: size})
        except BaseException as error:
            with self._changed:
                del self._models[loaded.ref]
            loaded.ready.set_exception(error)
            raise
        with self._changed:
            loaded.bytes = size
            self._evict(0)
        if getattr(type(model), "__weakref__", None) is not None:
            _CACHES[model] = self
        loaded.ready.set_result(model)

    def _release(self, leased: Sequence[LoadedModel]) -> None:
        with self._changed:
            before = len(self._models)
            for loaded in leased:
                loaded.leases, loaded.released = loaded.leases - 1, time.monotonic()
                if not loaded.leases and not loaded.started:  # a model before it in the order failed
                    del self._models[loaded.ref]
            self._evict(0)
            evicted = len(self._models) < before
            self._changed.notify_all()
        if evicted:
            _collect()

    def _evict(self, size: int, *, keep: Mapping[ModelRef, int] | None = None) -> int:
        """Drop unused models until `size` more bytes fit; return the bytes that are left. The lock is held."""
        total = sum(loaded.bytes for loaded in self._models.values())
        for loaded in list(self._models.values()):
            if total + size <= self.limit:
                break
            if not loaded.leases and loaded.ready.done() and loaded.ref not in (keep or {}):
                del self._models[loaded.ref]
                total -= loaded.bytes
        return total

    def _refuse_too_large(self, sizes: Mapping[ModelRef, int]) -> None:
        if sum(sizes.values()) > self.limit:
            raise OutOfResources(
                f"{_names(sizes)} needs {_mb(sum(sizes.values()))} of memory for weights; the limit for models here is "
                f"{_mb(self.limit)}. Choose a smaller model, or raise the limit."
            )


def cache_of(model: Any) -> ModelCache | None:
    """Return the cache that holds a model, for jobs that need another one beside it; None for a model on its own."""
    return _CACHES.get(model)


def memory_of(device: str) -> int:
    """Bytes of memory that a device has in all: its own, or the machine's, or what a container may use of that."""
    own = device_memory(device)
    if own is not None:
        return own
    import psutil

    total = int(psutil.virtual_memory().total)
    file = Path("/sys/fs/cgroup/memory.max")  # Linux; the word "max" where there is no limit
    limit = file.read_text(encoding="ascii").strip() if file.is_file() else "max"
    return min(total, int(limit)) if limit.isdigit() else total


_CACHES: WeakKeyDictionary[Any, ModelCache] = WeakKeyDictionary()


def _collect() -> None:
    gc.collect()  # a model may stand in a ring of references
    empty_cache()


def _names(refs: Mapping[ModelRef, int]) -> str:
    return " with ".join(repr(str(ref)) for ref in refs)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"

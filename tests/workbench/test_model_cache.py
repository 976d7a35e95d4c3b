"""Models are loaded once, stay while somebody works with them, and go when others need the room."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from workbench import model_cache as cache_module
from workbench.errors import Busy, Cancelled, OutOfResources, WeightsMissing
from workbench.model_cache import ModelCache, memory_of
from workbench.scheduler import CancelScope, CancelToken


class Library:
    """Makes models of a hundred bytes and counts."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.alive: weakref.WeakSet[Any] = weakref.WeakSet()

    def __call__(self, key: str) -> Any:
        self.loads.append(key)
        module = torch.nn.Linear(25, 1, bias=False)
        self.alive.add(module)
        return SimpleNamespace(towers=SimpleNamespace(module=module))


def test_concurrent_callers_load_once() -> None:
    gate, loads, got = threading.Event(), [], []

    def load(key: str) -> Any:
        loads.append(key)
        gate.wait(5)
        return SimpleNamespace(name=key)

    pool = ModelCache(load, limit=1000)

    def visit() -> None:
        with pool.lease("a") as held:
            got.append(held.ready.result())

    threads = [threading.Thread(target=visit) for _ in range(6)]
    for thread in threads:
        thread.start()
    while not loads:
        pass
    assert pool.state("a") == "loading"
    gate.set()
    for thread in threads:
        thread.join(5)
    assert loads == ["a"]
    assert len(got) == 6
    assert len({id(model) for model in got}) == 1
    assert (pool.state("a"), pool.state("b")) == ("ready", "absent")


def test_the_longest_unused_goes_and_leaves_no_memory() -> None:
    library = Library()
    pool = ModelCache(library, limit=250, estimate=lambda key: 100)
    for key in ("a", "b", "a", "c"):
        with pool.lease(key):
            pass
    assert pool.names() == ["a", "c"]
    assert pool.bytes == 200
    assert len(library.alive) == 2
    pool.clear()


def test_a_model_in_use_stays_and_goes_after_its_release() -> None:
    library = Library()
    pool = ModelCache(library, limit=150)  # nobody knows the size beforehand
    with pool.lease("a") as first, pool.lease("b"):
        assert pool.names() == ["a", "b"]
        assert first.ready.result().towers.module.weight.shape == (1, 25)
    assert len(pool.names()) == 1
    assert pool.bytes == 100


def test_without_room_a_caller_waits_for_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ModelCache(Library(), limit=150, estimate=lambda key: 100)
    entered, leave, names = threading.Event(), threading.Event(), []

    def work() -> None:
        with pool.lease("a"):
            entered.set()
            leave.wait(5)

    worker = threading.Thread(target=work)
    worker.start()
    entered.wait(5)
    monkeypatch.setattr(cache_module, "WAIT", 0.15)
    with pytest.raises(Busy, match=r"'b' needs .* in use \(a\)"), pool.lease("b"):
        pass
    monkeypatch.setattr(cache_module, "WAIT", 10.0)
    threading.Timer(0.1, leave.set).start()
    with pool.lease("b"):
        names += pool.names()
    worker.join(5)
    assert names == ["b"]


def test_a_model_that_can_never_fit_is_refused_with_the_limit() -> None:
    library = Library()
    pool = ModelCache(library, limit=50_000_000, estimate=lambda key: 99_000_000)
    with pytest.raises(OutOfResources, match=r"99 MB .* limit for models here is 50 MB"), pool.lease("a"):
        pass
    assert library.loads == []
    unknown = ModelCache(library, limit=50)
    with pytest.raises(OutOfResources, match="limit"), unknown.lease("a"):
        pass
    assert unknown.names() == []
    gc.collect()
    assert len(library.alive) == 0


def test_a_failed_load_is_tried_anew() -> None:
    tries = []

    def load(key: str) -> Any:
        tries.append(key)
        if len(tries) == 1:
            raise WeightsMissing("not here")
        return SimpleNamespace()

    pool = ModelCache(load, limit=100)
    with pytest.raises(WeightsMissing), pool.lease("a"):
        pass
    assert pool.state("a") == "absent"
    with pool.lease("a"):
        assert pool.state("a") == "ready"


def test_who_cancels_while_another_loads_returns_at_once() -> None:
    gate, token = threading.Event(), CancelToken()
    pool = ModelCache(lambda key: gate.wait(5) and SimpleNamespace(), limit=100)  # type: ignore[arg-type,return-value]
    loader = threading.Thread(target=lambda: pool.lease("a").__enter__())
    loader.start()
    while pool.state("a") != "loading":
        pass
    threading.Timer(0.05, token.cancel).start()
    with pytest.raises(Cancelled), pool.lease("a", scope=CancelScope(token)):
        pass
    gate.set()
    loader.join(5)


def test_the_default_limit_is_a_share_of_the_memory_there_is() -> None:
    pool = ModelCache(Library())
    assert 0 < pool.limit == int(0.5 * memory_of("cpu"))

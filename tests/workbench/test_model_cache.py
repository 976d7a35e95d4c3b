"""Models are loaded once, stay while somebody works with them, and go when others need the room."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from workbench import model_cache as cache_module
from workbench.errors import Busy, Cancelled, OutOfResources, WeightsMissing
from workbench.model_cache import CLIP, LoadedModel, ModelCache, ModelRef, memory_of, weights_of
from workbench.scheduler import CancelScope, CancelToken


def cache_of(load: Any, *, limit: int | None = None, estimate: Any = lambda key: 0) -> ModelCache:
    return ModelCache(lambda ref: load(ref.key), limit=limit, estimate=lambda ref: estimate(ref.key))


def ref(key: str) -> ModelRef:
    return ModelRef(CLIP, key)


@contextmanager
def lease(pool: ModelCache, key: str, **options: Any) -> Iterator[LoadedModel]:
    with pool.lease(ref(key), **options) as (loaded,):
        yield loaded


def keys(pool: ModelCache) -> list[str]:
    return [one.key for one in pool.refs()]


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

    pool = cache_of(load, limit=1000)

    def visit() -> None:
        with lease(pool, "a") as held:
            got.append(held.ready.result())

    threads = [threading.Thread(target=visit) for _ in range(6)]
    for thread in threads:
        thread.start()
    while not loads:
        pass
    assert pool.state(ref("a")) == "loading"
    gate.set()
    for thread in threads:
        thread.join(5)
    assert loads == ["a"]
    assert len(got) == 6
    assert len({id(model) for model in got}) == 1
    assert (pool.state(ref("a")), pool.state(ref("b"))) == ("ready", "absent")


def test_the_longest_unused_goes_and_leaves_no_memory() -> None:
    library = Library()
    pool = cache_of(library, limit=250, estimate=lambda key: 100)
    for key in ("a", "b", "a", "c"):
        with lease(pool, key):
            pass
    assert keys(pool) == ["a", "c"]
    assert pool.bytes == 200
    assert len(library.alive) == 2
    pool.clear()


def test_idle_models_give_their_memory_back_but_for_the_one_that_is_kept() -> None:
    library = Library()
    pool = cache_of(library, limit=1000)
    for key in ("default", "old", "used", "young"):
        with lease(pool, key):
            pass
        if key != "young":
            time.sleep(0.1)
    with lease(pool, "used"):
        pool.drop_idle(0.05, keep=ref("default"))
        assert keys(pool) == ["default", "young", "used"]
        pool.drop_idle(0.0, keep=ref("default"))
        assert keys(pool) == ["default", "used"]
    assert len(library.alive) == 2
    with lease(pool, "old"):
        assert keys(pool) == ["default", "used", "old"]


def test_a_model_in_use_stays_and_goes_after_its_release() -> None:
    library = Library()
    pool = cache_of(library, limit=150)  # nobody knows the size beforehand
    with lease(pool, "a") as first, lease(pool, "b"):
        assert keys(pool) == ["a", "b"]
        assert first.ready.result().towers.module.weight.shape == (1, 25)
    assert len(keys(pool)) == 1
    assert pool.bytes == 100


def test_without_room_a_caller_waits_for_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = cache_of(Library(), limit=150, estimate=lambda key: 100)
    entered, leave, names = threading.Event(), threading.Event(), []

    def work() -> None:
        with lease(pool, "a"):
            entered.set()
            leave.wait(5)

    worker = threading.Thread(target=work)
    worker.start()
    entered.wait(5)
    monkeypatch.setattr(cache_module, "WAIT", 0.15)
    with pytest.raises(Busy, match=r"'b' needs .* in use \(a\)"), lease(pool, "b"):
        pass
    monkeypatch.setattr(cache_module, "WAIT", 10.0)
    threading.Timer(0.1, leave.set).start()
    with lease(pool, "b"):
        names += keys(pool)
    worker.join(5)
    assert names == ["b"]


def test_a_model_that_can_never_fit_is_refused_with_the_limit() -> None:
    library = Library()
    pool = cache_of(library, limit=50_000_000, estimate=lambda key: 99_000_000)
    with pytest.raises(OutOfResources, match=r"99 MB .* limit for models here is 50 MB"), lease(pool, "a"):
        pass
    assert library.loads == []
    unknown = cache_of(library, limit=50)
    with pytest.raises(OutOfResources, match="limit"), lease(unknown, "a"):
        pass
    assert keys(unknown) == []
    gc.collect()
    assert len(library.alive) == 0


def test_a_failed_load_is_tried_anew() -> None:
    tries = []

    def load(key: str) -> Any:
        tries.append(key)
        if len(tries) == 1:
            raise WeightsMissing("not here")
        return SimpleNamespace()

    pool = cache_of(load, limit=100)
    with pytest.raises(WeightsMissing), lease(pool, "a"):
        pass
    assert pool.state(ref("a")) == "absent"
    with lease(pool, "a"):
        assert pool.state(ref("a")) == "ready"


def test_who_cancels_while_another_loads_returns_at_once() -> None:
    gate, token = threading.Event(), CancelToken()
    pool = cache_of(lambda key: gate.wait(5) and SimpleNamespace(), limit=100)  # type: ignore[arg-type,return-value]
    loader = threading.Thread(target=lambda: lease(pool, "a").__enter__())
    loader.start()
    while pool.state(ref("a")) != "loading":
        pass
    threading.Timer(0.05, token.cancel).start()
    with pytest.raises(Cancelled), lease(pool, "a", scope=CancelScope(token)):
        pass
    gate.set()
    loader.join(5)


def test_the_default_limit_is_a_share_of_the_memory_there_is() -> None:
    pool = cache_of(Library())
    assert 0 < pool.limit == int(0.5 * memory_of("cpu"))


class Prior:
    """A model of another kind: a module among its attributes, in a dictionary, and one that both share."""

    def __init__(self) -> None:
        self.unet = torch.nn.Linear(10, 5)  # 50 + 5 floats
        self.parts = {"decoder": torch.nn.BatchNorm1d(4), "again": self.unet}  # 8 floats, 8 of buffers and a counter
        self.name = "prior"


def test_sizes_are_measured_from_every_module_once() -> None:
    assert weights_of(Prior()) == 4 * (55 + 8 + 8) + 8
    assert weights_of(torch.nn.Linear(3, 2, bias=False).half()) == 12
    assert weights_of(SimpleNamespace(towers=SimpleNamespace(module=torch.nn.Linear(25, 1, bias=False)))) == 100
    assert weights_of("no module") == 0


def test_several_kinds_share_one_limit_and_the_longest_unused_goes_first() -> None:
    floats = {"clip": 25, "prior": 50}

    def load(ref: ModelRef) -> Any:
        return torch.nn.Linear(floats[ref.kind], 1, bias=False) if ref.kind in floats else "no module"

    pool = ModelCache(load, limit=350, estimate=lambda ref: 4 * floats[ref.kind] if ref.kind in floats else 30)
    clip, prior, ocr = ModelRef("clip", "a"), ModelRef("prior", "p"), ModelRef("ocr", "o")
    with pool.lease(clip, prior, ocr) as (first, second, third):
        assert (first.bytes, second.bytes, third.bytes) == (100, 200, 30)
        assert third.ready.result() == "no module"
        assert pool.bytes == 330
    with pool.lease(ModelRef("clip", "b")):
        assert pool.refs() == [prior, ocr, ModelRef("clip", "b")]


def test_models_that_never_fit_together_are_refused_before_any_is_loaded() -> None:
    library = Library()
    pool = cache_of(library, limit=150, estimate=lambda key: 100)
    with pytest.raises(OutOfResources, match="'a' with 'b'"), pool.lease(ref("a"), ref("b")):
        pass
    assert library.loads == []
    assert pool.refs() == []


def test_two_callers_who_need_the_same_two_models_never_wait_for_each_other() -> None:
    """With room for two models, one after the other would let each hold one and wait for the second one for ever."""
    library, turns = Library(), []
    pool = cache_of(library, limit=200, estimate=lambda key: 100)

    def work(first: str, second: str) -> None:
        for _ in range(20):
            with pool.lease(ref(first), ref(second)) as leased:
                assert [one.key for one in leased] == [first, second]
                time.sleep(0.001)
                turns.append(first)

    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("b", "a")]
    threads = [threading.Thread(target=work, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(turns) == 80
    assert pool.bytes <= 200


def test_where_one_of_two_fails_the_other_is_left_for_whoever_needs_it() -> None:
    def load(key: str) -> Any:
        if key == "a":
            raise WeightsMissing("not here")
        return torch.nn.Linear(25, 1, bias=False)

    pool = cache_of(load, limit=300, estimate=lambda key: 100)
    with pytest.raises(WeightsMissing), pool.lease(ref("b"), ref("a")):
        pass
    assert pool.refs() == []
    assert pool.bytes == 0
    with lease(pool, "b") as loaded:
        assert loaded.ready.result().weight.shape == (1, 25)


def test_a_model_may_be_leased_twice_at_once() -> None:
    pool = cache_of(Library(), limit=100, estimate=lambda key: 100)
    with pool.lease(ref("a"), ref("a")) as (one, two):
        assert one is two
    pool.clear()
    assert pool.refs() == []

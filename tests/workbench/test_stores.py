"""What every store of embeddings promises, over each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits.running.vectors import VectorStore
from workbench.cache import DiskCache, EmbeddingStore, Key, MemoryCache

STORES: dict[str, Callable[[Path], EmbeddingStore[Any]]] = {
    "memory": lambda place: MemoryCache(),
    "sqlite": lambda place: DiskCache(place),
    "parquet": lambda place: VectorStore(place),
}


def key(store: str, number: int) -> Any:
    return f"{number:064x}" if store == "parquet" else Key("model float32", "file", f"{number:064x}")


def array(store: str, number: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    shape = (3, 8) if store == "parquet" else (8,)
    return np.random.default_rng(number).normal(size=shape).astype(np.float32)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_empty_store_has_nothing_and_writes_nothing(store: str, tmp_path: Path) -> None:
    empty = STORES[store](tmp_path / "store")
    assert not empty.has(key(store, 1))
    assert empty.get_many([key(store, 1)]) == {}
    assert empty.get_many([]) == {}
    empty.put_many({})
    assert (empty.bytes, empty.clear()) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_is_put_comes_back_to_the_bit_and_nothing_else_does(store: str, tmp_path: Path) -> None:
    full = STORES[store](tmp_path)
    arrays = {key(store, number): array(store, number) for number in range(5)}
    full.put_many(arrays)
    wanted = [key(store, 3), key(store, 0), key(store, 9)]
    result = full.get_many(iter(wanted))
    assert set(result) == {key(store, 3), key(store, 0)}
    for one, rows in result.items():
        assert rows.dtype == np.float32
        assert rows.shape == arrays[one].shape
        assert rows.tobytes() == arrays[one].tobytes()
    assert [full.has(one) for one in wanted] == [True, True, False]
    assert full.bytes >= sum(rows.nbytes for rows in arrays.values())


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numbers_are_stored_as_float32_copies(store: str, kind: Any, tmp_path: Path) -> None:
    full, rows = STORES[store](tmp_path), array(store, 1).astype(kind)
    expected = rows.astype(np.float32)
    full.put_many({key(store, 1): rows})
    rows[:] = 9
    np.testing.assert_array_equal(full.get_many([key(store, 1)])[key(store, 1)], expected)


def test_the_last_array_under_a_key_wins(store: str, tmp_path: Path) -> None:
    full = STORES[store](tmp_path)
    for number in (1, 2):
        full.put_many({key(store, 1): array(store, number)})
    np.testing.assert_array_equal(full.get_many([key(store, 1)])[key(store, 1)], array(store, 2))


def test_clear_removes_everything_and_the_store_goes_on(store: str, tmp_path: Path) -> None:
    full = STORES[store](tmp_path)
    full.put_many({key(store, number): array(store, number) for number in range(3)})
    size = full.bytes
    assert full.clear() == size > 0
    assert (full.bytes, full.get_many([key(store, 1)]), full.has(key(store, 1))) == (0, {}, False)
    full.put_many({key(store, 1): array(store, 1)})
    assert full.has(key(store, 1))


def test_threads_do_not_disturb_each_other(store: str, tmp_path: Path) -> None:
    full = STORES[store](tmp_path)
    wrong: list[int] = []

    def work(first: int) -> None:
        for number in range(first, first + 10):
            full.put_many({key(store, number): array(store, number)})
            rows = full.get_many([key(store, number)])[key(store, number)]
            if rows.tobytes() != array(store, number).tobytes():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 5, 10, 15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert all(full.has(key(store, number)) for number in range(25))

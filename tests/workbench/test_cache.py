"""Right rows, bounded bytes, computed once; on disk too, and whatever the disk does."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from workbench.cache import DiskCache, Key, MemoryCache, file_key, picture_key, text_key
from workbench.cache.disk import place
from workbench.cache.memory import OVERHEAD, Row


def row(value: float, dim: int = 4) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.full(dim, value, np.float32)


def key(number: int, fingerprint: str = "model") -> Key:
    return text_key(fingerprint, str(number))


def fill(cache: MemoryCache, key: Key, compute: Callable[[], Row]) -> Row:
    """Return the row of a key, computed by exactly one of all concurrent callers."""
    while True:
        future, mine = cache.claim(key)
        if mine:
            try:
                cache.settle(key, compute())
            except BaseException as error:
                cache.give_up(key, error)
                raise
        if mine or future.exception() is None:
            return future.result()


def test_rows_never_leak_between_models_dtypes_kinds_or_contents(tmp_path: Path) -> None:
    red, blue = Image.new("RGB", (2, 3), "red"), Image.new("RGB", (2, 3), "blue")
    red.save(tmp_path / "a.png")
    red.save(tmp_path / "b.png")
    keys = [
        text_key("model float32", "a cat"),
        text_key("model bfloat16", "a cat"),
        text_key("model float32", "a cat "),
        picture_key("model float32", red),
        picture_key("model float32", blue),
        picture_key("model float32", red.resize((3, 2))),
        picture_key("model float32", red.convert("L")),
        file_key("model float32", (tmp_path / "a.png").read_bytes()),
    ]
    assert len(set(keys)) == len(keys)
    assert file_key("m", (tmp_path / "a.png").read_bytes()) == file_key("m", (tmp_path / "b.png").read_bytes()), (
        "the name is no part of the content"
    )


def test_callers_cannot_change_what_is_kept() -> None:
    cache, given_row = MemoryCache(), row(1)
    cache.put_many({key(1): given_row})
    given_row[:] = 9
    kept = cache.get_many([key(1)])[key(1)]
    np.testing.assert_array_equal(kept, row(1))
    with pytest.raises(ValueError, match="read-only"):
        kept[:] = 9


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 64), st.booleans()), max_size=60))
def test_bytes_stay_under_the_limit_and_the_longest_unused_go_first(moves: list[tuple[int, int, bool]]) -> None:
    cache, limit = MemoryCache(limit=1500), 1500
    model: dict[int, int] = {}  # number -> dim, the longest unused first
    for number, dim, write in moves:
        if write:
            cache.put_many({key(number): row(number, dim)})
            model.pop(number, None)
            model[number] = dim
            while sum(4 * dim + OVERHEAD for dim in model.values()) > limit:
                model.pop(next(iter(model)))
        elif cache.get_many([key(number)]):
            model[number] = model.pop(number)
        assert cache.bytes == sum(4 * dim + OVERHEAD for dim in model.values()) <= limit
    assert {number for number in range(9) if cache.has(key(number))} == set(model)


def test_a_row_larger_than_the_limit_is_handed_on_and_not_kept() -> None:
    cache = MemoryCache(limit=500)
    np.testing.assert_array_equal(fill(cache, key(1), lambda: row(1, 100)), row(1, 100))
    assert not cache.has(key(1))
    assert cache.bytes == 0


def test_many_who_ask_for_the_same_have_it_computed_once_and_hold_up_nobody() -> None:
    cache, gate, calls = MemoryCache(), threading.Event(), []
    answers: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []

    def slow() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        calls.append(1)
        gate.wait(5)
        return row(7)

    threads = [threading.Thread(target=lambda: answers.append(fill(cache, key(1), slow))) for _ in range(8)]
    for thread in threads:
        thread.start()
    np.testing.assert_array_equal(fill(cache, key(2), lambda: row(2)), row(2))  # while the other is on its way
    gate.set()
    for thread in threads:
        thread.join(5)
    assert len(calls) == 1
    assert len(answers) == 8
    assert all((answer == 7).all() for answer in answers)
    assert cache.in_flight == 0


def test_a_failure_is_nobody_elses_and_is_not_kept() -> None:
    cache, entered, gate = MemoryCache(), threading.Event(), threading.Event()
    errors: list[Exception] = []

    def fails() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        entered.set()
        gate.wait(5)
        raise ValueError("no")

    def first() -> None:
        try:
            fill(cache, key(1), fails)
        except ValueError as error:
            errors.append(error)

    answers: list[object] = []
    failing = threading.Thread(target=first)
    failing.start()
    entered.wait(5)
    waiting = threading.Thread(target=lambda: answers.append(fill(cache, key(1), lambda: row(3))))
    waiting.start()
    gate.set()
    failing.join(5)
    waiting.join(5)
    assert len(errors) == 1
    np.testing.assert_array_equal(answers[0], row(3))
    assert cache.in_flight == 0


def test_the_disk_keeps_rows_between_processes(tmp_path: Path) -> None:
    first = DiskCache(tmp_path)
    assert first.get_many([key(1)]) == {}
    assert first.bytes == 0, "asking makes no file"
    first.put_many({key(number): row(number) for number in range(3)})
    first.close()
    result = DiskCache(tmp_path).get_many([key(1), key(2), key(5), key(1, "other dtype")])
    assert set(result) == {key(1), key(2)}
    np.testing.assert_array_equal(result[key(2)], row(2))
    assert result[key(2)].dtype == np.float32


def test_the_disk_lists_and_clears(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    assert cache.ls() == []
    cache.put_many({key(1): row(1), key(2): row(2), key(3, "other"): row(3)})
    entries = {kept.fingerprint: kept for kept in cache.ls()}
    assert (entries["model"].rows, entries["model"].bytes, entries["model"].kind) == (2, 32, "text")
    assert entries["other"].rows == 1
    assert abs(entries["other"].used - time.time()) < 60
    assert cache.clear() > 0
    assert list(tmp_path.iterdir()) == []
    assert cache.ls() == []


def test_the_disk_stays_under_its_limit_and_lets_the_longest_unused_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DiskCache(tmp_path, limit=200_000)
    now = 1000.0
    monkeypatch.setattr("workbench.cache.disk.time.time", lambda: now)
    cache.put_many({key(0): row(0, 512)})
    for number in range(1, 200):
        now += 100
        cache.put_many({key(number): row(number, 512)})
        cache.get_many([key(0)])
        assert cache.bytes <= 200_000
    kept = cache.get_many([key(number) for number in range(200)])
    assert key(0) in kept, "used all the time"
    assert key(199) in kept
    assert key(1) not in kept


def test_a_damaged_row_is_left_out_and_removed(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.put_many({key(1): row(1), key(2): row(2), key(3): row(3)})
    cache.close()
    with sqlite3.connect(cache.path) as base:
        base.execute("UPDATE rows SET row = x'00000000000000000000000000000000' WHERE content = ?", (key(1).content,))
        base.execute("UPDATE rows SET content = ? WHERE content = ?", (key(4).content, key(2).content))
    base.close()
    again = DiskCache(tmp_path)
    assert set(again.get_many([key(number) for number in range(5)])) == {key(3)}
    assert sum(kept.rows for kept in again.ls()) == 1


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = DiskCache(tmp_path)
    cache.path.write_bytes(b"no database" * 1000)
    with caplog.at_level(logging.WARNING):
        assert cache.get_many([key(1)]) == {}
    assert "damaged" in caplog.text
    cache.put_many({key(1): row(1)})
    assert set(cache.get_many([key(1)])) == {key(1)}


def test_a_full_disk_costs_the_keeping_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = DiskCache(tmp_path)
    cache.put_many({key(0): row(0)})
    assert cache._base is not None
    pages = cache._base.execute("PRAGMA page_count").fetchone()[0]
    cache._base.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then says what it says on a full disk
    with caplog.at_level(logging.WARNING):
        for start in (1, 1000):
            cache.put_many({key(number): row(number, 512) for number in range(start, start + 100)})
    assert caplog.text.count("not stored on disk") == 1
    cache.close()
    assert set(DiskCache(tmp_path).get_many([key(number) for number in range(200)])) == {key(0)}


def test_a_place_that_cannot_be_written_costs_the_keeping_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = DiskCache(tmp_path / "file" / "folder")
    with caplog.at_level(logging.WARNING):
        cache.put_many({key(1): row(1)})
    assert "not stored on disk" in caplog.text
    assert cache.get_many([key(1)]) == {}


def test_the_place_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLIP_WORKBENCH_CACHE", raising=False)
    monkeypatch.delenv("CLIP_WORKBENCH_HOME", raising=False)
    assert place().parts[-2:] == ("clip-workbench", "embeddings")
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    assert place() == tmp_path / "home" / "embeddings"
    monkeypatch.setenv("CLIP_WORKBENCH_CACHE", str(tmp_path / "cache"))
    assert DiskCache().path.parent == tmp_path / "cache"

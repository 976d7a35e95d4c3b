"""Chunks on disk: whole or absent, within a limit, and gone when asked."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from audits.running.vectors import VectorStore, place
from workbench.errors import OutOfResources

ROWS = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
KEY, OTHER = "ab" * 32, "cd" * 32


def test_what_is_put_comes_back_to_the_bit(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    assert store.get_many([KEY]) == {}
    store.put_many({KEY: ROWS})
    result = store.get_many([KEY, OTHER])[KEY]
    assert (result.dtype, result.shape) == (np.float32, (5, 8))
    assert result.tobytes() == ROWS.tobytes()
    assert store.has(KEY)
    assert not list(tmp_path.glob("**/*.part"))


@pytest.mark.parametrize("how", ["cut", "flipped", "emptied"])
def test_a_damaged_chunk_is_absent(tmp_path: Path, how: str) -> None:
    store = VectorStore(tmp_path)
    store.put_many({KEY: ROWS})
    path = store.path(KEY)
    data = bytearray(path.read_bytes())
    at = bytes(data).find(ROWS[2, 3:5].tobytes())
    assert at > 0
    data[at] ^= 1
    path.write_bytes({"cut": path.read_bytes()[:-20], "flipped": bytes(data), "emptied": b""}[how])
    assert store.get_many([KEY]) == {}
    assert not store.has(KEY)


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    for at, key in enumerate((KEY, OTHER, "ef" * 32)):
        store.put_many({key: ROWS})
        os.utime(store.path(key), (1000 + at, 1000 + at))
    store.get_many([KEY])  # a use
    one = store.path(KEY).stat().st_size
    assert VectorStore(tmp_path, limit=2 * one).trim() == one
    assert [store.has(key) for key in (KEY, OTHER, "ef" * 32)] == [True, False, True]


def test_clear_frees_all(tmp_path: Path) -> None:
    store = VectorStore(tmp_path / "vectors")
    store.put_many({KEY: ROWS})
    assert store.clear() > 0
    assert store.usage().chunks == 0


def test_a_half_file_of_long_ago_is_removed(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.put_many({KEY: ROWS})
    old, new = (store.path(KEY).with_name(name) for name in (".old.part", ".new.part"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    store.trim()
    assert (old.exists(), new.exists()) == (False, True)


def test_the_place_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_CACHE", str(tmp_path))
    assert place() == tmp_path / "audit-vectors"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutOfResources, match="CLIP_WORKBENCH_CACHE"):
        VectorStore(tmp_path / "file").put_many({KEY: ROWS})

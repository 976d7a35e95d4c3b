"""Many files through the local engine: order, single failures, bounded memory, nothing computed twice."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from workbench.cache import MemoryCache
from workbench.embedding import embed_files, prefetch
from workbench.errors import OutOfResources
from workbench.loading.torch_backend import TorchBackend


class Means:
    """An image tower that answers with the mean colour, and counts what it is given."""

    fingerprint = "means"

    def __init__(self, holds: int = 1000, slow: float = 0.0) -> None:
        self.holds, self.slow = holds, slow
        self.batches: list[int] = []
        self.prepared = 0
        self._lock = threading.Lock()

    def prepare(self, image: Image.Image) -> Tensor:
        with self._lock:
            self.prepared += 1
        return torch.tensor(image.resize((1, 1)).getpixel((0, 0)), dtype=torch.uint8).view(3, 1, 1)

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        if len(pixels) > self.holds:
            raise torch.OutOfMemoryError("planted")
        time.sleep(self.slow)
        self.batches.append(len(pixels))
        return torch.nn.functional.normalize(pixels.view(len(pixels), 3).float() + 1, dim=-1)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = []
    for number in range(50):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (4 + number, 4), (number * 5, 0, 255 - number * 5)).save(path)
        paths.append(str(path))
    return paths


def expected(number: int) -> Tensor:
    colour = torch.tensor([number * 5, 0, 255 - number * 5]).float() + 1
    return colour / colour.norm()


def test_vectors_come_in_the_order_of_the_files(files: list[str]) -> None:
    rows = list(embed_files(Means(), files, batch=7, workers=3))
    assert [row.path for row in rows] == files
    for number, row in enumerate(rows):
        assert row.vector is not None
        assert row.vector.shape == (3,)
        torch.testing.assert_close(row.vector, expected(number))
        assert row.sha256 == hashlib.sha256(Path(files[number]).read_bytes()).hexdigest()


def test_a_file_that_fails_fails_alone(files: list[str], tmp_path: Path) -> None:
    broken, text, missing = tmp_path / "broken.png", tmp_path / "notes.txt", tmp_path / "missing.png"
    broken.write_bytes(Path(files[0]).read_bytes()[:40])
    text.write_text("no picture")
    given = [files[0], str(broken), str(text), str(missing), str(tmp_path), files[1]]
    rows = list(embed_files(Means(), given, batch=3))
    assert [row.vector is None for row in rows] == [False, True, True, True, True, False]
    assert all(row.error and str(tmp_path) not in row.error for row in rows[1:5])
    torch.testing.assert_close(rows[5].vector, expected(1))


def test_no_file_is_no_row() -> None:
    assert list(embed_files(Means(), [])) == []


def test_few_pictures_are_in_memory_at_a_time(files: list[str]) -> None:
    opened = 0

    def many() -> Iterator[str]:
        nonlocal opened
        for path in files * 20:
            opened += 1
            yield path

    rows = embed_files(tower := Means(), many(), batch=4, workers=2)
    next(rows)
    assert opened <= 3 * 4
    assert tower.prepared <= 3 * 4
    rows.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_the_next_batch_is_opened_while_the_model_works(files: list[str]) -> None:
    tower = Means(slow=0.2)
    rows = embed_files(tower, files, batch=10, workers=2)
    next(rows)
    assert tower.prepared > 10
    rows.close()


def test_a_batch_that_does_not_fit_is_halved(files: list[str]) -> None:
    tower = Means(holds=3)
    rows = list(embed_files(tower, files[:10], batch=10))
    torch.testing.assert_close(rows[9].vector, expected(9))
    assert max(tower.batches) <= 3
    assert sum(tower.batches) == 10


def test_one_picture_that_does_not_fit_is_an_error_that_says_so(files: list[str]) -> None:
    with pytest.raises(OutOfResources, match="memory"):
        list(embed_files(Means(holds=0), files))


def test_what_is_known_is_not_embedded_again(files: list[str]) -> None:
    store = MemoryCache()
    first = list(embed_files(Means(), files, store=store))
    tower = Means()
    again = list(embed_files(tower, files, store=store))
    assert tower.batches == []
    assert tower.prepared == 0
    assert [row.sha256 for row in again] == [row.sha256 for row in first]
    torch.testing.assert_close(torch.stack([row.vector for row in again]), torch.stack([row.vector for row in first]))


def test_what_another_model_stored_is_not_used(files: list[str]) -> None:
    store, tower = MemoryCache(), Means()
    list(embed_files(Means(), files, store=store))
    tower.fingerprint = "other"
    list(embed_files(tower, files, store=store))
    assert sum(tower.batches) == len(files)


def test_groups_come_in_order_and_an_error_or_a_stop_ends_all_threads() -> None:
    started: list[int] = []

    def double(number: int) -> int:
        started.append(number)
        if number == 13:
            raise ValueError("planted")
        return 2 * number

    rows = prefetch([[1, 2], [], [3], [13], *([number] for number in range(20, 40))], double, ahead=2, workers=2)
    assert [next(rows), next(rows), next(rows)] == [[2, 4], [], [6]]
    with pytest.raises(ValueError, match="planted"):
        next(rows)
    assert set(started) <= {1, 2, 3, 13, 20, 21}
    calls = iter([None, None, ValueError("stopped")])

    def check() -> None:
        if (error := next(calls)) is not None:
            raise error

    with pytest.raises(ValueError, match="stopped"):
        list(prefetch([[1, 2, 3, 4]], double, check=check))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_the_shipped_model_gives_what_embed_images_gives(pocket: TorchBackend, photos: Path) -> None:
    paths = [str(photos / name) for name in ("chelsea.png", "coffee.png", "rocket.jpg")]
    rows = [row.vector for row in embed_files(pocket, paths, batch=2)]
    torch.testing.assert_close(torch.stack(rows), pocket.embed_images(paths), atol=1e-5, rtol=0)

"""Many pictures at once: opened ahead in threads, answered in order, and a bad one is named."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.errors import BadInput, BadPicture
from workbench.loading import torch_backend
from workbench.loading.torch_backend import TorchBackend


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    paths = []
    for number in range(75):
        path = folder / f"{number:02}.png"
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((90, 70)).save(path)
        paths.append(path)
    return paths


def test_rows_come_in_the_order_given(pocket: TorchBackend, many: list[Path]) -> None:
    together = pocket.embed_images(many)
    assert together.shape == (75, pocket.dim)
    assert together.dtype == torch.float32
    torch.testing.assert_close(together.norm(dim=1), torch.ones(75))
    alone = torch.cat([pocket.embed_images([path]) for path in many[::10]])
    torch.testing.assert_close(together[::10], alone, atol=1e-5, rtol=0)
    mixed = pocket.embed_images([many[0], Image.open(many[1]), str(many[2])])
    torch.testing.assert_close(mixed, together[:3], atol=1e-5, rtol=0)


def test_a_convolutional_tower_takes_eight_at_once(pocket: TorchBackend) -> None:
    pixels = torch.randint(256, (20, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    parts = list(pocket.passes(pixels))
    assert [part.shape for part in parts] == [(8, 3, 224, 224), (8, 3, 224, 224), (4, 3, 224, 224)]
    torch.testing.assert_close(torch.cat(parts) * 255, pixels.float())
    with torch.inference_mode():
        whole = pocket.embed_pixels(pixels / 255)
    rows, features = pocket.encode_features(pixels)
    assert features.shape == (20, 1280)
    for result in (rows, pocket.encode_pixels(pixels), torch.nn.functional.normalize(pocket.encode_raw(pixels))):
        torch.testing.assert_close(result, whole, atol=1e-5, rtol=0)
    assert pocket.encode_pixels(pixels[:0]).shape == (0, 384)


def test_a_bad_picture_is_named_and_the_first_of_two_wins(pocket: TorchBackend, many: list[Path]) -> None:
    broken = many[0].parent / "broken.png"
    broken.write_bytes(many[0].read_bytes()[:60])
    missing = many[0].parent / "missing.png"
    before = set(threading.enumerate())
    with pytest.raises(BadPicture, match=r"broken\.png"):
        pocket.embed_images([*many[:40], broken, *many[40:], missing])
    with pytest.raises(BadPicture, match=r"missing\.png"):
        pocket.embed_images([missing, broken])
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name.startswith("prepare") and not thread.daemon]


def test_no_more_pictures_are_held_than_a_few_batches(
    pocket: TorchBackend, many: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_backend, "BATCH", 4)
    opened: list[object] = []
    held: list[int] = []  # images opened and not yet embedded, whenever a batch is embedded
    real, encode = torch_backend.safe_open, TorchBackend.encode_pixels

    def encoded(self: TorchBackend, pixels: torch.Tensor) -> torch.Tensor:
        held.append(len(opened) - 4 * len(held))
        return encode(self, pixels)

    monkeypatch.setattr(torch_backend, "safe_open", lambda image: (opened.append(image), real(image))[1])
    monkeypatch.setattr(TorchBackend, "encode_pixels", encoded)
    pocket.embed_images(many)
    assert len(held) == -(-len(many) // 4)
    assert max(held) <= (torch_backend.AHEAD + 1) * 4 < len(many)


def test_nothing_is_refused(pocket: TorchBackend) -> None:
    with pytest.raises(BadInput, match="image"):
        pocket.embed_images([])
    with pytest.raises(BadInput, match="text"):
        pocket.embed_texts([])

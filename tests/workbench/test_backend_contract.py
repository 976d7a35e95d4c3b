"""What every backend owes, asked of the shipped model and of the one without weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from workbench.errors import BadInput, BadPicture
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.model_check import check_model

TEXTS = ["a photo of a cat.", "red", "a blue car on a green field with yellow flowers", "Zürich 🙂"]
LONG = "red blue green " * 40


@pytest.fixture(params=["pocket", "fake"])
def backend(request: pytest.FixtureRequest) -> TorchBackend:
    if request.param == "pocket":
        shared: TorchBackend = request.getfixturevalue("pocket")
        return shared
    return load("fake")


@pytest.fixture
def pictures(photos: Path) -> list[Image.Image]:
    tall = Image.new("RGB", (40, 300), (250, 140, 0))
    return [Image.open(photos / "chelsea.png"), Image.open(photos / "coffee.png"), tall]


def test_the_public_check_passes(backend: TorchBackend) -> None:
    """Unit rows of float32 on the CPU, the same each time and in any batch; gradients reach the pixels."""
    assert check_model(backend)["dim"] == backend.dim


def test_a_batch_is_its_single_items_in_order(backend: TorchBackend, pictures: list[Image.Image]) -> None:
    singles = torch.cat([backend.embed_images([one]) for one in pictures])
    torch.testing.assert_close(backend.embed_images(pictures), singles, atol=1e-5, rtol=0)
    many = (TEXTS * 9)[:34]  # more than one pass
    singles = torch.cat([backend.embed_texts([one]) for one in many])
    torch.testing.assert_close(backend.embed_texts(many), singles, atol=1e-5, rtol=0)


def test_a_path_and_its_picture_are_the_same(backend: TorchBackend, photos: Path) -> None:
    path = photos / "coffee.png"
    both = backend.embed_images([path, str(path), Image.open(path)])
    torch.testing.assert_close(both[0], both[1], atol=0, rtol=0)
    torch.testing.assert_close(both[0], both[2], atol=0, rtol=0)


def test_the_two_halves_give_what_the_whole_gives(backend: TorchBackend, pictures: list[Image.Image]) -> None:
    pixels = torch.stack([backend.prepare(one.convert("RGB")) for one in pictures])
    assert pixels.shape == (len(pictures), 3, backend.image_size, backend.image_size)
    assert pixels.dtype == torch.uint8
    torch.testing.assert_close(backend.encode_pixels(pixels), backend.embed_images(pictures), atol=1e-6, rtol=0)
    tokens = backend.tokenize(TEXTS)
    assert tokens.ids.shape == tokens.mask.shape
    assert len(tokens.readings) == tokens.ids.shape[0] == len(TEXTS)
    torch.testing.assert_close(backend.encode_tokens(tokens), backend.embed_texts(TEXTS), atol=1e-6, rtol=0)


def test_a_long_text_is_cut_visibly(backend: TorchBackend) -> None:
    short, long = backend.read(["red", LONG])
    assert (short.cut, short.note) == ("", "")
    assert long.tokens == long.limit
    assert long.cut
    assert LONG.strip().endswith(long.cut)
    assert long.cut in long.note
    kept = LONG.strip()[: -len(long.cut)]
    torch.testing.assert_close(backend.embed_texts([LONG]), backend.embed_texts([kept]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("texts", [[], [""], ["cat", "  \n"], ["x" * 1001]])
def test_no_text_and_blank_text_are_refused(backend: TorchBackend, texts: list[str]) -> None:
    with pytest.raises(BadInput):
        backend.embed_texts(texts)
    with pytest.raises(BadInput):
        backend.read(texts)


def test_no_picture_and_no_such_picture_are_refused(backend: TorchBackend, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        backend.embed_images([])
    (tmp_path / "broken.png").write_bytes(b"no picture")
    for name in ("missing.png", "broken.png"):
        with pytest.raises(BadPicture, match=name):
            backend.embed_images([tmp_path / name])


def test_the_row_agrees_with_what_was_loaded(backend: TorchBackend) -> None:
    assert backend.dim == backend.spec.dim
    assert backend.image_size == backend.spec.image_size
    assert backend.read(["a"])[0].limit == backend.spec.context_length
    assert backend.logit_bias == 0
    assert 1 < backend.logit_scale <= 101
    assert len(backend.fingerprint) == 32

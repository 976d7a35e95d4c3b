"""The planted faults have the size that they were given, and where none was planted there is none."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.errors import BadInput, Unsupported
from workbench.fake import COLOURS, FakeBackend, mark, write
from workbench.loading import load


def _pictures(n: int, colour: str = "red") -> list[Image.Image]:
    """Pictures of one colour, each with other small noise."""
    noise = np.random.default_rng(3).integers(-6, 7, (n, 90, 120, 3))
    return [Image.fromarray(np.clip(np.array(COLOURS[colour]) + one, 0, 255).astype(np.uint8)) for one in noise]


def _saved(picture: Image.Image) -> Image.Image:
    """The picture as PNG gives it back, with nothing but its pixels."""
    kept = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(kept, "PNG")
    return Image.open(io.BytesIO(kept.getvalue()))


def _share(backend: FakeBackend, pictures: list[Image.Image], texts: list[str], *, answer: str) -> float:
    """Share of pictures that are nearest to one of the texts."""
    best = (backend.embed_images(pictures) @ backend.embed_texts(texts).T).argmax(dim=1)
    return float((best == texts.index(answer)).float().mean())


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_are_seen(colour: str) -> None:
    picture = Image.new("RGB", (64, 48), COLOURS[colour])
    assert (
        _share(
            FakeBackend(),
            [picture],
            [f"a photo of a {name} thing." for name in COLOURS],
            answer=f"a photo of a {colour} thing.",
        )
        == 1
    )


@pytest.mark.parametrize("gullibility", [0.0, 0.3, 1.0])
def test_written_words_win_as_often_as_planted(gullibility: float) -> None:
    backend = FakeBackend(gullibility=gullibility, bias=0)
    written = [_saved(write(one, "blue")) for one in _pictures(300)]
    measured = _share(backend, written, ["red", "blue", "green"], answer="blue")
    chance = 4 * (gullibility * (1 - gullibility) / 300) ** 0.5  # four standard errors
    assert abs(measured - gullibility) <= chance
    assert _share(backend, _pictures(50), ["red", "blue", "green"], answer="red") == 1  # nothing without a word


@pytest.mark.parametrize("bias", [0.0, 0.25])
def test_the_marked_group_is_wronged_as_often_as_planted(bias: float) -> None:
    backend = FakeBackend(gullibility=0, bias=bias, towards="thief")
    texts = ["red", "thief"]
    measured = _share(backend, [_saved(mark(one)) for one in _pictures(300)], texts, answer="thief")
    assert abs(measured - bias) <= 4 * (bias * (1 - bias) / 300) ** 0.5
    assert _share(backend, _pictures(300), texts, answer="thief") == 0


@pytest.mark.parametrize("size", [(120, 90), (90, 400), (801, 333), (80, 80)])
@pytest.mark.parametrize("word", ["ipod", "red", "Zürich"])
def test_a_word_outlives_saving_and_resizing(size: tuple[int, int], word: str) -> None:
    backend = FakeBackend(gullibility=1)
    written = _saved(write(Image.new("RGB", size, (20, 160, 20)), word))
    assert written.size == size
    cosine = backend.embed_images([written]) @ backend.embed_texts([word]).T
    assert cosine.item() > 0.98


def test_seeds_choose_the_pictures_and_nothing_else() -> None:
    pictures = [write(one, "blue") for one in _pictures(60)]
    first, again, other = (FakeBackend(seed=seed).embed_images(pictures) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len({FakeBackend(seed=1).fingerprint, FakeBackend(seed=2).fingerprint, FakeBackend(bias=0).fingerprint}) == 3
    assert FakeBackend().fingerprint == load("fake").fingerprint


def test_what_cannot_be_planted_or_computed_is_refused() -> None:
    with pytest.raises(BadInput, match=r"0\.\.1"):
        FakeBackend(gullibility=1.2)
    with pytest.raises(BadInput, match="One word"):
        write(Image.new("RGB", (9, 9)), "two words")
    with pytest.raises(Unsupported, match="bfloat16"):
        load("fake", dtype="bfloat16")
    with pytest.raises(Unsupported):
        FakeBackend().attention(torch.zeros(1, 3, 80, 80))

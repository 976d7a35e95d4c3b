"""Feature visualisation on a tower made by hand: the unit rises, facets and diversity do what they say, seeds hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from workbench.backend import Anatomy
from workbench.cache import MemoryCache
from workbench.checkpoints.shipped import FAKE
from workbench.engine.tasks import VISUALISE
from workbench.errors import BadInput, Unsupported
from workbench.heads import MeanHead
from workbench.images import png_text
from workbench.models import find
from workbench.neurons import facets, unit_images
from workbench.neurons.corpus import FORMS, CorpusItem, built_in
from workbench.neurons.facets import facet_items, facet_layer, fit_facet
from workbench.neurons.unit_images import KEY, Visualisation, to_png, visualise
from workbench.neurons.visualisation import (
    Facet,
    UnitImageJob,
    UnitImages,
    UnitImageSettings,
    moved,
    paint,
    side_by_side,
)
from workbench.progress import Progress
from workbench.statistics.intervals import proportion

SIDE = 32


class RedOrBlue(nn.Module):
    """Colours as channels; above them unit 0 is red + blue - green, unit 1 its opposite, both rectified."""

    device, dtype, dim, logit_scale, image_size = torch.device("cpu"), torch.float32, 2, 10.0, SIDE
    fingerprint = "by hand"

    def __init__(self) -> None:
        super().__init__()
        self.colours, self.units = nn.Identity(), nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
        with torch.no_grad():
            self.units[0].weight.copy_(torch.tensor([[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]])[:, :, None, None])
            self.units[0].bias.zero_()  # type: ignore[union-attr, operator]
        self.requires_grad_(False)
        head = MeanHead(nn.Linear(2, 2, bias=False))
        with torch.no_grad():
            head.projection.weight.copy_(torch.eye(2))
        self.anatomy = Anatomy("convolutional", {"colours": self.colours, "units": self.units}, (SIDE, SIDE), head=head)

    def passes(self, pixels: Tensor) -> Iterator[Tensor]:
        yield pixels.float() / 255

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        rows: Tensor = self.units(self.colours(pixels)).mean(dim=(2, 3))
        return nn.functional.normalize(rows + 1e-6, dim=1)


class Beside:
    """What `visualise` needs of a session."""

    device = "cpu"

    def __init__(self) -> None:
        self.box = RedOrBlue()
        self.anatomy, self.fingerprint, self.spec = self.box.anatomy, "by hand", find("pocket")
        self.kept, self.painted = MemoryCache(), 0

    def prepare(self, image: Image.Image) -> Tensor:
        return torch.from_numpy(np.array(image.convert("RGB").resize((SIDE, SIDE)))).movedim(-1, 0)

    def stream(self, task: Any, payload: Any) -> Iterator[Any]:
        self.painted += task is VISUALISE
        yield from task.run(self.box, payload)


def settings(**changes: Any) -> UnitImageSettings:
    return UnitImageSettings(**{"layer": "units", "unit": 0, "count": 2, "steps": 20, "side": SIDE, **changes})


def painted(job: UnitImageJob) -> UnitImages:
    *steps, last = paint(RedOrBlue(), job)  # type: ignore[arg-type]
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(last, UnitImages)
    return last


def colours(images: UnitImages) -> np.ndarray:
    return np.asarray(images.pixels.reshape(-1, 3).mean(axis=0) / 255)


@pytest.mark.parametrize("canvas", ["fourier", "maco"])
def test_the_unit_rises_and_its_opposite_falls(canvas: str) -> None:
    up = painted(UnitImageJob(settings(canvas=canvas)))
    down = painted(UnitImageJob(settings(canvas=canvas, opposite=True)))
    assert up.curve[-1] > up.curve[0] > down.curve[-1]
    if canvas == "fourier":  # of MACO only the phases move, so the mean colour stays
        wanted = np.array([1, -1, 1])
        assert colours(up) @ wanted > colours(down) @ wanted + 0.2
    assert up.pixels.shape == (2, SIDE, SIDE, 3)


def test_a_facet_decides_how_the_unit_is_raised() -> None:
    """Red and blue raise the unit alike; a facet of blue things makes the images bluer, one of red things redder."""
    accuracy = proportion(1, 1)
    blue = Facet("blue", "colours", np.array([-1.0, 0.0, 2.0], np.float32), accuracy)
    red = Facet("red", "colours", np.array([2.0, 0.0, -1.0], np.float32), accuracy)
    bluer = colours(painted(UnitImageJob(settings(), 1.0, blue)))
    redder = colours(painted(UnitImageJob(settings(), 1.0, red)))
    assert bluer[2] > bluer[0] + 0.1
    assert redder[0] > redder[2] + 0.1


def test_the_same_seed_gives_the_same_images_and_another_seed_others() -> None:
    first, again, other = (painted(UnitImageJob(settings(steps=3, seed=seed))) for seed in (5, 5, 6))
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


def test_painting_begins_with_an_image() -> None:
    start = np.zeros((SIDE, SIDE, 3), np.uint8)
    start[:, : SIDE // 2] = 200
    made = painted(UnitImageJob(settings(steps=1, count=1), start=start))
    assert np.abs(made.pixels[0].astype(int) - start).mean() < 30
    assert made.pixels[0][:, : SIDE // 2].mean() > made.pixels[0][:, SIDE // 2 :].mean() + 100


def test_a_canvas_moves_only_a_little() -> None:
    pixels = torch.zeros(2, 3, 64, 64)
    pixels[:, :, 24:40, 24:40] = 1.0
    seen = moved(pixels, SIDE, torch.Generator().manual_seed(1))
    assert seen.shape == (2, 3, SIDE, SIDE)
    assert seen[:, :, 14:18, 14:18].mean() > 0.95
    assert seen.mean() == pytest.approx(1 / 16, abs=0.02)


def test_sheets_of_images() -> None:
    images = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((4, 8, 8, 3), np.uint8)
    sheet = side_by_side(images)
    assert sheet.shape == (20, 32, 3)
    assert (sheet[0, 0, 0], sheet[0, 12, 0], sheet[12, 0, 0], sheet[0, 8, 0]) == (0, 1, 3, 255)


def test_a_facets_probe_finds_the_channel_that_tells_apart() -> None:
    generator = np.random.default_rng(0)
    inside = generator.random(120) < 0.5
    values = generator.normal(size=(120, 6)).astype(np.float32)
    values[:, 5] = 0
    noise = fit_facet("none", "colours", values=values, inside=inside)
    values[inside, 3] += 6
    facet = fit_facet("three", "colours", values=values, inside=inside)
    assert facet.weights.shape == (6,)
    assert np.argmax(facet.weights) == 3
    assert facet.weights[5] == 0
    assert np.abs(facet.weights).mean() == pytest.approx(1.0)
    assert facet.accuracy.value is not None
    assert facet.accuracy.value > 0.95
    sums = values @ facet.weights
    means = [(sums[rows].mean() - facet.middle) / facet.reach for rows in (inside, ~inside)]
    assert means == pytest.approx([1, -1], abs=1e-4)
    assert noise.accuracy.low is not None
    assert noise.accuracy.low < 0.5


def test_a_facets_images_are_half_of_the_form() -> None:
    items, inside = facet_items("word")
    assert sum(inside) * 2 == len(items)
    assert all((item.form == "word") == mine for item, mine in zip(items, inside, strict=True))
    own = [CorpusItem(f"{number}.png", "file") for number in range(9)]
    items, inside = facet_items("mine", own)
    assert {item.key for item, mine in zip(items, inside, strict=True) if mine} == {item.key for item in own}
    with pytest.raises(BadInput, match="photo, drawing, word or a folder"):
        facet_items("painting")
    with pytest.raises(BadInput, match="at least 8 images"):
        facet_items("mine", own[:3])
    with pytest.raises(Unsupported, match="first of this tower"):
        facet_layer(Beside(), "colours")  # type: ignore[arg-type]


def test_whole_images_are_measured_beside_the_corpus_and_written_with_all_settings() -> None:
    session = Beside()
    *steps, made = visualise(session, settings(layer="last", count=1, steps=4, seed=7), facet="word")  # type: ignore[arg-type]
    assert isinstance(made, Visualisation)
    assert {step.stage for step in steps} == {"activations", "paint"}  # type: ignore[union-attr]
    pixels = made.images.pixels[0].astype(np.float64) / 255
    by_hand = np.maximum(pixels[..., 0] + pixels[..., 2] - pixels[..., 1], 0).mean()
    assert made.activations == (pytest.approx(by_hand, abs=1e-4),)
    assert made.facet is not None
    assert (made.facet.name, made.facet.layer) == ("word", "colours")
    text = json.loads(png_text(to_png(made), "unit.png", KEY) or "")
    assert text["visualisation"]["seed"] == 7
    assert text["visualisation"]["layer"] == "units"
    assert text["facet"]["name"] == "word"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus of ten photos, ten drawings and ten words: each question looks at it."""
    some = tuple(one for form in FORMS for one in [item for item in built_in() if item.form == form][:10])
    for module in (unit_images, facets):
        monkeypatch.setattr(module, "built_in", lambda: some)


def ask(session: Beside, *, start: np.ndarray | None = None, facet: str = "", **changes: Any) -> Visualisation:
    *_, made = visualise(session, settings(**{"steps": 3, **changes}), facet=facet, start=start)  # type: ignore[arg-type]
    assert isinstance(made, Visualisation)
    return made


@pytest.mark.usefixtures("few")
def test_the_same_question_is_painted_once_and_any_other_anew() -> None:
    session, start = Beside(), np.full((SIDE, SIDE, 3), 90, np.uint8)
    first, again = ask(session), ask(session)
    assert (session.painted, first.kept, again.kept) == (1, False, True)
    assert np.array_equal(first.images.pixels, again.images.pixels)
    assert again.images.pixels.dtype == np.uint8
    assert again.images.curve == first.images.curve
    assert len(again.images.curve) == 3
    assert (again.activations, again.description) == (first.activations, first.description)
    others: list[dict[str, Any]] = [
        {"unit": 1}, {"layer": "colours"}, {"canvas": "maco"}, {"count": 1}, {"steps": 4}, {"seed": 1},
        {"side": 40}, {"diversity": 0.0}, {"opposite": True}, {"start": start}, {"start": start + 1},
    ]  # fmt: skip
    for number, other in enumerate(others, start=2):
        assert not ask(session, **other).kept
        assert session.painted == number
    session.fingerprint = "other weights"
    assert not ask(session).kept
    session.kept.clear()
    assert not ask(session).kept


@pytest.mark.usefixtures("few")
def test_a_facet_of_built_in_images_is_learned_once() -> None:
    session = Beside()
    first = ask(session, facet="word")
    plain, looked = ask(session), []
    session.prepare = lambda image: looked.append(image) or Beside.prepare(session, image)  # type: ignore[method-assign]
    again, other = ask(session, facet="word"), ask(session, facet="word", unit=1)
    assert len(looked) == 4 + 2 * 30  # what was painted, and the corpus, twice: no image of the facet
    assert (first.kept, plain.kept, again.kept, other.kept) == (False, False, True, False)
    assert first.facet is not None
    assert again.facet is not None
    assert np.array_equal(again.facet.weights, first.facet.weights)
    assert (again.facet.layer, again.facet.accuracy) == (first.facet.layer, first.facet.accuracy)
    ends = [(facet.middle, facet.reach) for facet in (first.facet, again.facet)]
    assert ends[0] == pytest.approx(ends[1])
    assert ends[0] != (0.0, 1.0)
    ask(session, facet="photo")
    assert len(looked) == 3 * 2 + 3 * 30 + 20  # another facet looks at its images and as many others


@pytest.mark.usefixtures("few")
def test_a_small_cache_keeps_what_fits() -> None:
    session = Beside()
    session.kept = MemoryCache(limit=20_000)  # bytes; two images of 32 pixels take about 25,000
    assert [ask(session).kept for _ in range(2)] == [False, False]
    assert [ask(session, count=1).kept for _ in range(2)] == [False, True]
    assert session.kept.bytes <= 20_000


def test_what_cannot_be_painted_is_refused() -> None:
    for changes in ({"canvas": "oil"}, {"count": 0}, {"steps": 0}, {"seed": -1}, {"side": 5}):
        with pytest.raises(BadInput):
            settings(**changes)
    session = Beside()
    with pytest.raises(BadInput, match="0 to 1"):
        list(visualise(session, settings(unit=2)))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="32 pixels square"):
        list(visualise(session, settings(), start=np.zeros((8, 8, 3), np.uint8)))  # type: ignore[arg-type]
    session.spec = FAKE
    with pytest.raises(Unsupported, match="no gradients"):
        list(visualise(session, settings()))  # type: ignore[arg-type]

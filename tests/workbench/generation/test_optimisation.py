"""Optimising a canvas on a toy that sees mean colours: it improves, repeats itself, stops, and survives bad luck."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.backend import Anatomy
from workbench.errors import BadInput, OutOfResources, UnknownName
from workbench.generation.optimisation import optimise
from workbench.generation.painting import CanvasJob, Painting
from workbench.generation.settings import read_settings
from workbench.generation.steering import steering
from workbench.objectives import Direction, Manner, Objective
from workbench.progress import Progress

RED, GREEN = np.eye(3, dtype=np.float32)[:2]


class ToyBox:
    """An embedding is the mean colour at unit length."""

    anatomy = Anatomy("flat")
    device, dtype, dim, image_size = torch.device("cpu"), torch.float32, 3, 16

    def __init__(self) -> None:
        self.sizes: list[int] = []  # of the batches that it was given

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        self.sizes.append(len(pixels))
        return torch.nn.functional.normalize(pixels.mean(dim=(2, 3)), dim=1)


def job(**values: Any) -> CanvasJob:
    weights = values.pop("weights", (1.0,))
    neutral, start = values.pop("neutral", None), values.pop("start", None)
    rows = np.stack([RED, GREEN])[: len(weights)]
    defaults = {"prompt": "red", "side": 32, "steps": 12, "cutouts": 3}
    edited = {} if start is None else {"start_image": "a" * 64}
    return CanvasJob(read_settings({**defaults, **edited, **values}), rows, weights, neutral, start)


def last(box: Any, given: CanvasJob) -> Painting:
    *_, painting = optimise([box], given)
    assert isinstance(painting, Painting)
    return painting


@pytest.mark.parametrize("method", ["fourier", "strokes", "siren", "pixels", "maco"])
def test_every_method_turns_a_canvas_towards_the_prompt(method: str) -> None:
    painting = last(ToyBox(), job(method=method, steps=25, rate=0.1 if method != "siren" else 0.02, strokes=6))
    assert max(painting.values) > painting.values[0] + 0.02
    assert painting.pixels.shape == (32, 32, 3)
    assert painting.settings.steps == len(painting.values) == 25
    assert painting.svg.startswith("<svg") == (method == "strokes")


def test_a_negative_weight_turns_it_away() -> None:
    wanted, unwanted = (
        last(ToyBox(), job(weights=weights, prompt=prompt, method="pixels", steps=30)).pixels[..., 1].mean()
        for weights, prompt in (((1.0, 1.0), "red | green"), ((1.0, -1.0), "red | green:-1"))
    )
    assert unwanted < wanted - 20


class LayeredBox(ToyBox):
    """The same embedding, with a layer whose units are the colours."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 1, bias=False)
        self.layer.weight.data, self.layer.weight.requires_grad = torch.eye(3)[:, :, None, None], False
        self.anatomy = Anatomy("convolutional", {"colours": self.layer})

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        return super().embed_pixels(self.layer(pixels))


def test_a_unit_in_the_prompt_counts_beside_the_sentence() -> None:
    def colours(prompt: str) -> list[float]:
        painting = last(LayeredBox(), job(prompt=prompt, steps=25, rate=0.1))
        return [float(part) for part in painting.pixels.mean(axis=(0, 1))]

    plain, more, less = (colours(prompt) for prompt in ("red", "red | unit:last/1:4", "red | unit:colours/0:-4"))
    assert more[1] > plain[1] + 40
    assert less[0] < plain[0]
    with pytest.raises(BadInput, match="units 0 to 2"):
        last(LayeredBox(), job(prompt="red | unit:last/3"))
    with pytest.raises(UnknownName, match="colours"):
        last(LayeredBox(), job(prompt="red | unit:nowhere/1"))


def test_a_facet_in_the_prompt_pulls_what_the_texts_ask_for_its_way() -> None:
    def image(prompt: str, *facets: Objective) -> list[float]:
        given = replace(job(prompt=prompt, weights=(1.0, 1.0), steps=25, rate=0.1), facets=facets)
        return [float(part) for part in last(LayeredBox(), given).pixels.mean(axis=(0, 1))]

    greens = Manner(Direction("colours", torch.tensor([-1.0, 1.0, 0.0])), 0.1, 0.4)
    plain, pulled, pushed = (
        image("red | green"),
        image("red | green", 2 * greens),
        image("red | green", -2 * greens),
    )
    assert pulled[1] - pulled[0] > plain[1] - plain[0] + 20
    assert pushed[1] - pushed[0] < plain[1] - plain[0] - 20


def test_a_facet_counts_by_the_side_of_its_probe() -> None:
    greens = Manner(Direction("colours", torch.tensor([-1.0, 1.0, 0.0])), 0.1, 0.4)
    aim = steering([LayeredBox()], replace(job(), facets=(0.5 * greens,)))  # type: ignore[list-item]
    colours = torch.tensor([[0.6, 0.2, 0.2], [0.2, 0.7, 0.2]])
    ranked = aim.rank(colours[:, :, None, None].expand(-1, -1, 16, 16))
    sides = torch.tensor([(-0.4 - 0.1) / 0.4, (0.5 - 0.1) / 0.4])
    assert ranked.shape == (2,)
    torch.testing.assert_close(ranked, colours[:, 0] / colours.norm(dim=1) + 0.5 * sides.tanh())


def test_a_pale_range_keeps_away_from_black_and_white() -> None:
    burnt, pale = (last(ToyBox(), job(clipping=weight, steps=40)).pixels.astype(int) for weight in (0.0, 5.0))
    assert (np.abs(burnt - 127) > 118).mean() > 0.2
    assert (np.abs(pale - 127) > 118).mean() < 0.05


def test_the_same_seed_gives_the_same_image_also_when_others_work_in_between() -> None:
    alone = last(ToyBox(), job(seed=5))
    first, second = optimise([ToyBox()], job(seed=5)), optimise([ToyBox()], job(seed=6))  # type: ignore[arg-type]
    pairs = list(zip(first, second, strict=True))
    mixed, other = pairs[-1]
    assert np.array_equal(mixed.pixels, alone.pixels)
    assert not np.array_equal(mixed.pixels, other.pixels)


def test_the_first_preview_comes_before_the_model_is_called() -> None:
    box = ToyBox()
    step = next(optimise([box], job()))  # type: ignore[arg-type]
    assert isinstance(step, Progress)
    assert step.preview is not None
    assert step.preview.shape == (32, 32, 3)
    assert box.sizes == []


def test_cutouts_pass_the_model_sixteen_at_a_time() -> None:
    box = ToyBox()
    last(box, job(cutouts=40, steps=1))
    assert box.sizes == [16, 16, 8]


def test_it_can_be_closed_after_any_step() -> None:
    for steps in range(4):
        running = optimise([ToyBox()], job())  # type: ignore[arg-type]
        list(itertools.islice(running, steps))
        running.close()  # type: ignore[attr-defined]


def test_a_value_that_is_no_number_ends_it_with_the_last_good_image() -> None:
    class Failing(ToyBox):
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            return super().embed_pixels(pixels) * (float("nan") if len(self.sizes) == 4 else 1.0)

    painting = last(Failing(), job(cutouts=2))
    assert len(painting.values) == 3 == painting.settings.steps
    assert "no number" in painting.note
    assert np.array_equal(painting.pixels, last(ToyBox(), job(cutouts=2, steps=3)).pixels)


def test_where_memory_runs_out_half_of_the_cutouts_go_on() -> None:
    class Small(ToyBox):
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            if len(pixels) > 3:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
            return super().embed_pixels(pixels)

    painting = last(Small(), job(cutouts=8))
    assert painting.settings.cutouts == 2
    assert painting.settings.steps == 12
    assert "8 cutouts" in painting.note or "4 cutouts" in painting.note

    class None_(ToyBox):
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(OutOfResources):
        last(None_(), job())


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    class Broken(ToyBox):
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        last(Broken(), job())


def test_an_edit_moves_with_its_strength_and_likeness_holds_it() -> None:
    start = np.full((32, 32, 3), 120, np.uint8)

    def redness(**values: Any) -> float:
        pixels = last(ToyBox(), job(start=start, neutral=GREEN, rate=0.02, **values)).pixels.astype(float)
        return float((pixels[..., 0] - pixels[..., 1]).mean())

    away, held, far = redness(strength=-1), redness(strength=1, likeness=10), redness(strength=1, likeness=0)
    assert away < -2
    assert far > 2
    assert abs(held) < far
    assert abs(redness(strength=0, smooth=0)) < 1


def test_seconds_end_it_where_no_steps_are_named() -> None:
    painting = last(ToyBox(), job(steps=0, seconds=0.2))
    assert painting.settings.steps >= 1
    assert painting.seconds < 5
    again = last(ToyBox(), CanvasJob(painting.settings, RED[None], (1.0,)))
    assert np.array_equal(again.pixels, painting.pixels)

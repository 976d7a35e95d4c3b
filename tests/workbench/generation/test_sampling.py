"""The prior: its linear space, its files, and drawing with it on a toy that sees mean colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.workbench.generation.test_optimisation import ToyBox
from workbench.errors import BadInput, WeightsMissing
from workbench.generation.editing import PACE, global_direction, path
from workbench.generation.painting import CanvasJob, Painting
from workbench.generation.prior import NEAREST, Components, Denoiser, Prior, levels, load_prior
from workbench.generation.sampling import draw
from workbench.generation.settings import read_settings
from workbench.progress import Progress

STYLES = ("google", "twitter", "noto-v1", "emojione", "scene")
COLOURS = np.eye(3, dtype=np.float32)


def pictures(count: int = 200) -> Tensor:
    """Plain pictures of random colours with a random stripe."""
    generator = torch.Generator().manual_seed(0)
    made = torch.randint(0, 256, (count, 3, 1, 1), generator=generator).expand(-1, -1, 64, 64).clone()
    for number, row in enumerate(torch.randint(0, 60, (count,), generator=generator).tolist()):
        made[number, :, row : row + 4] = 0
    return made.byte()


@pytest.fixture(scope="module")
def prior() -> Prior:
    drawn = pictures()
    components = Components.fit(drawn, 100)
    torch.manual_seed(0)
    denoiser = Denoiser(3, 100).requires_grad_(False)
    denoiser.leave.weight.normal_(0, 0.02)
    known = (components.encode(drawn) * components.scales)[:, :NEAREST]
    names = tuple((f"picture {number}", "google") for number in range(len(drawn)))
    return Prior(denoiser, components, STYLES, torch.eye(5)[:, :3], known, names, {"steps": 0})


def job(**values: Any) -> CanvasJob:
    weights = values.pop("weights", (1.0,))
    defaults = {"prompt": "red", "method": "prior", "side": 64, "steps": 2, "candidates": 6, "denoising": 4}
    return CanvasJob(read_settings({**defaults, **values}), COLOURS[: len(weights)], weights)


def last(box: Any, prior: Prior, given: CanvasJob) -> Painting:
    *_, painting = draw([box], prior, given)
    assert isinstance(painting, Painting)
    return painting


def test_components_are_those_of_numpy_and_give_pictures_back(prior: Prior) -> None:
    flat = pictures().flatten(1).double().numpy() / 255
    _, lengths, _ = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    projected = (torch.from_numpy(flat).float() - prior.components.mean) @ prior.components.vectors.T
    assert projected.norm(dim=0)[:5].numpy() == pytest.approx(lengths[:5], rel=0.02)
    values = prior.components.encode(pictures())
    assert float(values.square().mean()) == pytest.approx(1, rel=0.1)
    error = prior.components.decode(values) - pictures().float() / 255
    assert float(error.square().mean().sqrt()) < 0.05


def test_signal_and_noise_keep_their_sum_of_squares() -> None:
    signal, noise = levels(torch.linspace(0, 1, 11))
    assert torch.allclose(signal.square() + noise.square(), torch.ones(11))
    assert (signal.diff() < 0).all()
    assert signal[-1] < 0.02


def test_a_prior_comes_back_from_its_folder(prior: Prior, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="denoiser"):
        load_prior(tmp_path)
    prior.save(tmp_path)
    again = load_prior(tmp_path)
    assert again.names == prior.names
    assert again.styles == prior.styles
    noisy, times, conditions = torch.randn(4, 100), torch.rand(4), torch.randn(4, 3)
    ours, theirs = (one.denoiser(noisy, times, conditions) for one in (prior, again))
    assert torch.allclose(ours, theirs, atol=0.02)


def test_the_best_candidate_of_all_rounds_stays(prior: Prior) -> None:
    one, many = (last(ToyBox(), prior, job(steps=steps, candidates=3)) for steps in (1, 8))
    assert many.values[0] == one.values[0]
    assert max(many.values) >= max(one.values)
    colour = many.pixels.astype(float).mean((0, 1))
    assert colour[0] / np.linalg.norm(colour) == pytest.approx(max(many.values), abs=0.03)


def test_the_first_preview_comes_before_the_model_is_called(prior: Prior) -> None:
    box = ToyBox()
    step = next(draw([box], prior, job()))  # type: ignore[arg-type]
    assert isinstance(step, Progress)
    assert step.preview is not None
    assert step.preview.shape == (64, 64, 3)
    assert box.sizes == []


def test_more_candidates_find_a_better_one(prior: Prior) -> None:
    few, many = (
        np.mean([max(last(ToyBox(), prior, job(candidates=count, seed=seed, steps=1)).values) for seed in range(6)])
        for count in (1, 16)
    )
    assert many > few


def test_a_push_raises_the_score(prior: Prior) -> None:
    plain, pushed = (last(ToyBox(), prior, job(push=push, candidates=1, steps=1)) for push in (0.0, 3.0))
    assert max(pushed.values) > max(plain.values)


def test_a_pushed_round_reports_each_step_with_its_rate_and_the_time_left(prior: Prior) -> None:
    steps = list(draw([ToyBox()], prior, job(push=1.0, steps=2)))  # type: ignore[list-item]
    within = [step for step in steps[1:] if isinstance(step, Progress) and not step.values]
    assert len(within) == 2 * 4
    assert all(step.rate > 0 and step.seconds_left is not None and step.preview is not None for step in within)
    lefts = [step.seconds_left * step.rate for step in within if step.seconds_left is not None]  # in rounds
    assert lefts == pytest.approx([2 - at / 4 for at in range(1, 9)])


def test_a_round_that_the_time_does_not_suffice_for_does_not_count(
    prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))  # each look at the clock takes a second
    monkeypatch.setattr("workbench.generation.sampling.time.monotonic", lambda: float(next(clock)))
    short = last(ToyBox(), prior, job(push=1.0, steps=0, seconds=9, denoising=6))
    whole = last(ToyBox(), prior, job(push=1.0, steps=1, denoising=6))
    assert (short.settings.steps, len(short.values)) == (1, 1)
    assert np.array_equal(short.pixels, whole.pixels)


def test_a_negative_text_is_avoided(prior: Prior) -> None:
    wanted, unwanted = (
        last(ToyBox(), prior, job(prompt=prompt, weights=weights, candidates=24, steps=2)).pixels.mean((0, 1))
        for prompt, weights in (("red | green", (1.0, 1.0)), ("red | green:-1", (1.0, -1.0)))
    )
    assert unwanted[1] / unwanted[0] < wanted[1] / wanted[0]


def test_the_same_seed_draws_the_same_image(prior: Prior) -> None:
    first, again, other = (last(ToyBox(), prior, job(seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)
    assert first.settings.steps == 2


def test_the_nearest_drawing_of_a_drawing_is_itself(prior: Prior) -> None:
    values = prior.components.encode(pictures()[7:8])
    nearest = prior.nearest(values)
    assert (nearest.name, nearest.style) == ("picture 7", "google")
    assert nearest.distance < 0.01
    assert prior.nearest(values + 1).distance > 0.01


def test_no_number_ends_it_with_the_last_good_image(prior: Prior) -> None:
    class Failing(ToyBox):
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            return super().embed_pixels(pixels) * (float("nan") if len(self.sizes) == 3 else 1.0)

    painting = last(Failing(), prior, job(steps=5))
    assert len(painting.values) == 2
    assert "no number" in painting.note


START = np.full((64, 64, 3), 128, np.uint8)


def edited(prior: Prior, **values: Any) -> np.ndarray[Any, Any]:
    settings = {"start_image": "a" * 64, "neutral": "plain", "noising": 0.6, **values}
    given = job(**settings)
    return last(ToyBox(), prior, replace(given, neutral=COLOURS[1], start=START)).pixels.astype(float)


@pytest.mark.parametrize("kind", ["follow", "direction", "gradient"])
def test_an_edit_keeps_the_image_at_zero_and_goes_both_ways(prior: Prior, kind: str) -> None:
    nothing = edited(prior, strength=0, edit=kind)
    assert np.abs(nothing - START).mean() < (4 if kind == "follow" else 0.01)
    away, towards = (edited(prior, strength=strength, edit=kind) for strength in (-1, 1))
    if kind != "follow":
        redness = [float((image[..., 0] - image[..., 1]).mean()) for image in (away, nothing, towards)]
        assert redness == sorted(redness)
        assert redness[2] > redness[0] + 5
    assert not np.array_equal(away, towards)


def test_what_the_prior_cannot_draw_of_an_image_stays_in_its_edit(prior: Prior) -> None:
    """Stripes of one pixel lie outside the components; an edit of colour leaves them where they are."""
    stripes = np.full((64, 64, 3), 100, np.uint8)
    stripes[::2] = 156
    given = job(start_image="a" * 64, neutral="plain", edit="gradient", strength=1.0)
    pixels = last(ToyBox(), prior, replace(given, neutral=COLOURS[1], start=stripes)).pixels.astype(float)
    contrast = np.abs(np.diff(pixels, axis=0)).mean()
    assert contrast == pytest.approx(56, abs=6)
    assert np.abs(pixels - stripes).mean() > 1


def test_a_stronger_edit_goes_on_where_a_weaker_one_ends() -> None:
    """The score is a sum along one way: each step adds its length times the root of the number of latents."""

    def score(latents: Tensor) -> Tensor:
        return latents.sum(dim=1)

    start = torch.zeros(1, 4)
    short, long = (list(path(score, start, strength=strength)) for strength in (0.25, 0.5))
    assert len(short) == 3
    torch.testing.assert_close(short[:2], long[:2])
    assert float(long[-1][0, 0]) == pytest.approx(0.5 * PACE * 0.06)
    assert float(short[-1][0, 0]) == pytest.approx(0.25 * PACE * 0.06)
    assert float(list(path(score, start, strength=-0.5))[-1][0, 0]) == pytest.approx(-0.5 * PACE * 0.06)
    assert list(path(score, start, strength=0.0)) == []
    with pytest.raises(BadInput, match="no way"):
        next(path(lambda latents: latents.sum(dim=1) * 0, start, strength=1.0))


def test_a_higher_threshold_changes_fewer_latents() -> None:
    samples = torch.randn(50, 20, generator=torch.Generator().manual_seed(0))
    way = torch.linspace(0, 1, 20)
    counts = []
    for threshold in (0.0, 0.5, 0.9):
        direction = global_direction(lambda latents: latents @ way, samples, threshold=threshold)
        counts.append(int((direction != 0).sum()))
        assert float(direction @ way) > 0
    assert counts[0] > counts[1] > counts[2] > 0
    with pytest.raises(BadInput):
        global_direction(lambda latents: latents @ torch.zeros(20), samples)


@pytest.mark.parametrize("guide", ["mpgd", "dps", "freedom", "universal", "tfg"])
def test_each_guide_raises_the_score_over_the_prior(prior: Prior, guide: str) -> None:
    plain, pushed = (
        last(ToyBox(), prior, job(push=push, guide=guide, candidates=2, steps=1)).values[0] for push in (0.0, 2.0)
    )
    assert pushed > plain

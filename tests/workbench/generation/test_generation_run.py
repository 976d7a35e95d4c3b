"""From a sentence to an image on `pocket`, and what is refused before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from tests.workbench.generation.test_optimisation import GREEN, RED, ToyBox
from workbench.engine import Engine
from workbench.errors import BadInput, Unsupported
from workbench.generation.judging import Generated, Wanted, written_share
from workbench.generation.models import judge_key, needed
from workbench.generation.painting import Best, CanvasJob
from workbench.generation.prompts import parse_prompt
from workbench.generation.run import checked, finished_early, generate
from workbench.generation.settings import read_settings


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(default="pocket", device="cpu")


def test_a_few_steps_raise_the_similarity_of_the_whole_image(engine: Engine) -> None:
    settings = read_settings({"prompt": "a red apple", "side": 96, "steps": 6, "cutouts": 2, "cutout_side": 96})
    with engine.session("test") as session:
        *steps, made = generate(session, settings)
        assert isinstance(made, Generated)
        row = session.embed_texts(["a red apple"])[0]
        whole = session.embed_images([Image.fromarray(made.painting.pixels)])[0]
        first = session.embed_images([Image.fromarray(steps[0].preview)])[0]
    assert made.similarity == pytest.approx(float(torch.dot(row, whole)), abs=1e-5)
    assert made.similarity > float(torch.dot(row, first))
    assert 0 <= made.text_leak <= 1
    assert [step.done for step in steps] == list(range(7))


@pytest.mark.parametrize(
    ("values", "start", "error"),
    [
        ({"neutral": "a cat"}, None, BadInput),
        ({"start_image": "a" * 64}, None, BadInput),
        ({"start_image": "a" * 64}, np.zeros((64, 64, 3), np.uint8), BadInput),
        ({"judge": "pocket"}, None, BadInput),
        ({"image_weights": (1.0,)}, None, BadInput),
        ({"method": "prior"}, None, Unsupported),
        ({"method": "strokes"}, np.zeros((64, 64, 3), np.uint8), Unsupported),
        ({"method": "pixels", "palette": "grey"}, np.zeros((64, 64, 3), np.uint8), Unsupported),
    ],
)
def test_what_cannot_work_is_refused_at_once(
    engine: Engine, values: dict[str, Any], start: np.ndarray | None, error: type[Exception]
) -> None:
    with engine.session("test") as session, pytest.raises(error):
        next(generate(session, read_settings({"prompt": "a dog", "side": 64, **values}), start))


def test_a_model_without_weights_is_refused() -> None:
    with Engine(default="fake").session("test") as session, pytest.raises(Unsupported, match="gradients"):
        next(generate(session, read_settings({"prompt": "a dog", "model": "fake"})))


QUICK: dict[str, Any] = {"prompt": "a red apple", "method": "fourier", "side": 64, "steps": 2, "cutouts": 1}
QUICK |= {"cutout_side": 96}


def test_a_judge_that_steers_nothing_looks_at_the_whole_image(engine: Engine) -> None:
    settings = read_settings({**QUICK, "judge": "fake"})
    with engine.session("test", others=needed(settings)) as session:
        *_, made = generate(session, settings)
        (judge,) = session.others
        rows = judge.embed_texts(["a red apple"]), judge.embed_images([Image.fromarray(made.painting.pixels)])
    assert (made.judge, made.judged) == ("fake", pytest.approx(float(torch.dot(rows[0][0], rows[1][0])), abs=1e-5))
    assert made.judged != pytest.approx(made.similarity)


def test_the_shipped_model_that_steers_nothing_judges() -> None:
    assert judge_key(read_settings({**QUICK})) == "pocket-lite2"
    assert judge_key(read_settings({**QUICK, "also": ("pocket-lite2",)})) == ""
    assert judge_key(read_settings({**QUICK, "model": "openai/clip-vit-base-patch32"})) == "pocket"
    assert judge_key(read_settings({**QUICK, "model": "fake", "also": ("pocket",)})) == "pocket-lite2"
    refs = needed(read_settings({**QUICK, "method": "prior", "also": ("a",), "judge": "b"}))
    assert [ref.key for ref in refs] == ["a", "prior", "b"]


def test_an_image_prompt_counts_by_its_weight_and_has_to_be_the_same_again(engine: Engine) -> None:
    settings = read_settings({**QUICK, "image_weights": (3.0,)})
    shown, other = (Image.new("RGB", (64, 64), colour) for colour in ("green", "blue"))
    with engine.session("test") as session:
        *_, made = generate(session, settings, images=[shown])
        whole = session.embed_images([Image.fromarray(made.painting.pixels), shown])
        text = session.embed_texts(["a red apple"])[0]
        wanted = (float(whole[0] @ text) + 3 * float(whole[0] @ whole[1])) / 4
        assert made.similarity == pytest.approx(wanted, abs=1e-5)
        with pytest.raises(BadInput, match="others"):
            next(generate(session, made.painting.settings, images=[other]))
        *_, again = generate(session, made.painting.settings, images=[shown])
    assert np.array_equal(again.painting.pixels, made.painting.pixels)


def test_several_models_steer_together() -> None:
    """Two models that want other colours: the image has both."""
    from workbench.generation.optimisation import optimise
    from workbench.generation.painting import Aim

    def colour(first: Any, second: Any) -> Any:
        given = {"prompt": "x", "method": "pixels", "side": 32, "cells": 2, "steps": 40, "cutouts": 1, "augment": False}
        job = CanvasJob(read_settings(given), first[None], (1.0,), also=(Aim(second[None]),))
        *_, made = optimise([ToyBox(), ToyBox()], job)  # type: ignore[list-item]
        return made.pixels.astype(float).mean((0, 1))  # type: ignore[union-attr]

    red, green, both = colour(RED, RED), colour(GREEN, GREEN), colour(RED, GREEN)
    assert both[0] > green[0] + 20
    assert both[1] > red[1] + 20
    assert both[2] < min(both[:2]) - 20


def test_strokes_that_are_stopped_keep_their_svg_and_full_size(engine: Engine) -> None:
    settings = read_settings({**QUICK, "method": "strokes", "side": 256, "steps": 3, "strokes": 4})
    with engine.session("test") as session:
        steps = [step for step in generate(session, settings) if not isinstance(step, Generated)]
        last = steps[-1]
        assert last.preview.shape == (128, 128, 3)
        best = Best(last.preview, [0.1, 0.2], strokes=last.strokes)
        made = finished_early(session, settings, best, wanted=Wanted(parse_prompt("a red apple")))
    assert made.painting.svg.count("<path") == 4
    assert made.painting.pixels.shape == (256, 256, 3)
    assert made.painting.settings.steps == 2


@pytest.mark.parametrize(("values", "after"), [([0.1], "1 step;"), ([0.1, 0.2], "2 steps;")])
def test_a_stopped_image_says_after_how_many_steps(engine: Engine, values: list[float], after: str) -> None:
    settings, best = read_settings(QUICK), Best(np.zeros((64, 64, 3), np.uint8), values)
    with engine.session("test") as session:
        made = finished_early(session, settings, best, wanted=Wanted(parse_prompt("a red apple")))
    assert made.painting.note == f"Stopped after {after} this is the best image so far."


def test_the_text_finder_sees_writing_and_none_on_a_plain_image() -> None:
    page = Image.new("RGB", (224, 224), (200, 210, 220))
    assert written_share(np.asarray(page)) < 0.02
    ImageDraw.Draw(page).text((20, 80), "apple", fill="black", font=ImageFont.load_default(64))
    assert 0.05 < written_share(np.asarray(page)) < 0.8


@pytest.mark.parametrize(
    ("values", "push"),
    [
        ({"method": "prior"}, 1.0),
        ({"method": "prior", "push": 0.0}, 0.0),
        ({"method": "prior", "push": 2.5}, 2.5),
        ({"method": "prior", "push": 2.5, "neutral": "a cat"}, 0.0),
        ({"method": "fourier"}, None),
    ],
)
def test_the_prior_is_pushed_where_nothing_else_is_said_and_edits_never(
    values: dict[str, Any], push: float | None
) -> None:
    settings = read_settings({"prompt": "a dog", "side": 64, **values})
    start = np.zeros((64, 64, 3), np.uint8) if settings.neutral else None
    with Engine(default="pocket").session("test", others=needed(settings)) as session:
        assert checked(session, settings, start).push == push

"""From a sentence to an image on `pocket`, and what is refused before anything is computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.engine import Engine
from workbench.errors import BadInput, Unsupported
from workbench.generation.run import Generated, generate
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
        whole = session.embed_images([__import__("PIL.Image").Image.fromarray(made.painting.pixels)])[0]
        first = session.embed_images([__import__("PIL.Image").Image.fromarray(steps[0].preview)])[0]
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
        ({"method": "strokes"}, np.zeros((64, 64, 3), np.uint8), Unsupported),
        ({"method": "pixels", "palette": "grey"}, np.zeros((64, 64, 3), np.uint8), Unsupported),
    ],
)
def test_what_cannot_work_is_refused_at_once(
    engine: Engine, values: dict[str, str], start: np.ndarray | None, error: type[Exception]
) -> None:
    with engine.session("test") as session, pytest.raises(error):
        next(generate(session, read_settings({"prompt": "a dog", "side": 64, **values}), start))


def test_a_model_without_weights_is_refused() -> None:
    with Engine(default="fake").session("test") as session, pytest.raises(Unsupported, match="gradients"):
        next(generate(session, read_settings({"prompt": "a dog", "model": "fake"})))

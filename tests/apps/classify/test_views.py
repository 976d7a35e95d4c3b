"""What the views show: where it looked, templates, comparison."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from apps.attribution import LIKELIEST, HeatMap, blend, explain, shares, summary
from apps.classify import reproduce
from apps.classify.answer import Answer
from apps.classify.compare import difference_rows
from apps.classify.templates import contribution_rows
from workbench.contributions import contributions
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.pictures import sample_path
from workbench.progress import Progress
from workbench.reproduce import Setup
from workbench.results.explanation import Explanation

SETUP, CAT = Setup(labels=("cat", "dog", "rocket")), str(sample_path("cat"))


def test_a_map_comes_after_its_steps_and_can_be_blended_without_a_model(engine: Engine) -> None:
    with engine.session("test") as session:
        *steps, result = explain(session, CAT, SETUP, label="cat", method="occlusion")
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(result, Explanation)
    square = np.asarray(result.square)
    assert result.map.shape == square.shape[:2] == (224, 224)
    assert np.array_equal(np.asarray(blend(HeatMap(square, result.map, "cat", "occlusion"), 0.0)), square)
    assert "cat" in summary(result)


def test_a_label_that_is_none_of_the_labels_is_refused(engine: Engine) -> None:
    with engine.session("test") as session, pytest.raises(BadInput, match="Choose one of the labels"):
        next(explain(session, CAT, SETUP, label="zebra", method="occlusion"))


def test_without_a_label_the_likeliest_is_explained(engine: Engine) -> None:
    with engine.session("test") as session:
        *_, result = explain(session, CAT, Setup(labels=("rocket", "dog", "cat")), label=LIKELIEST, method="occlusion")
        assert result.label == "cat"
        with pytest.raises(BadInput, match="Choose an image first"):
            explain(session, None, SETUP, label="cat", method="occlusion")


def test_shares_follow_a_planted_corner() -> None:
    values = np.zeros((9, 9), np.float32)
    values[:3, 6:] = 1
    values[8, 0] = -5  # what speaks against the label is no evidence for it
    assert shares(values) == [
        ["top", "0 %", "0 %", "100 %"],
        ["middle", "0 %", "0 %", "0 %"],
        ["bottom", "0 %", "0 %", "0 %"],
    ]


def test_contributions_agree_with_each_template_asked_alone(engine: Engine) -> None:
    templates = ("a photo of a {}.", "art of the {}.", "{}")
    with engine.session("test") as session:
        result = contributions(session, sample_path("cat"), ["cat", "dog"], templates=templates)
        image = session.embed_images([sample_path("cat")])[0]
        alone = session.embed_texts(["art of the cat.", "art of the dog."]) @ image
        left = session.embed_texts(["a photo of a cat.", "cat"]).mean(0)
    assert result.cosines.shape == result.probabilities.shape == result.without.shape == (3, 2)
    assert result.together.shape == (2,)
    torch.testing.assert_close(result.cosines[1], alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(result.without[1, 0], left @ image / left.norm(), atol=1e-5, rtol=0)
    assert [row[0] for row in contribution_rows(result, "cat")] == list(templates)


def test_differences_are_b_minus_a_with_the_largest_first() -> None:
    first = Answer([("cat", 0.9, 0.3), ("dog", 0.1, 0.2)], 100, 0, (), "", {})
    second = Answer([("dog", 0.95, 0.4), ("cat", 0.05, 0.1)], 100, 0, (), "", {})
    assert difference_rows(first, second) == [
        ["cat", 0.9, 0.05, -0.85, 0.3, 0.1, -0.2],
        ["dog", 0.1, 0.95, 0.85, 0.2, 0.4, 0.2],
    ]


@pytest.mark.parametrize(("root", "expected"), [("", "http://here:1/"), ("/clip", "http://here:1/clip/")])
def test_the_shared_address_keeps_the_path_of_a_proxy(root: str, expected: str) -> None:
    request = SimpleNamespace(
        headers={"origin": "http://here:1"}, request=SimpleNamespace(app=SimpleNamespace(root_path=root))
    )
    assert reproduce.page_address(request) == expected  # type: ignore[arg-type]

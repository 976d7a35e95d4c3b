"""Zero-shot classification against hand computation, and the shipped model on real photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from workbench.checkpoints.shipped import FAKE
from workbench.errors import BadInput
from workbench.loading.torch_backend import TorchBackend
from workbench.zeroshot import classifier, classify, contrast

LABELS = ("cat", "dog", "coffee cup", "rocket", "bicycle", "banana", "clock", "motorcycle", "guitar", "tree")


@pytest.mark.parametrize(
    ("photo", "label", "among"),
    [
        ("chelsea.png", "cat", 1),
        ("coffee.png", "coffee cup", 1),
        ("rocket.jpg", "rocket", 1),
        ("motorcycle_left.png", "motorcycle", 1),
        ("motorcycle_right.png", "motorcycle", 1),
        ("clock_motion.png", "clock", 2),  # blurred: a bicycle leads by two points
    ],
)
def test_pocket_names_real_photos(pocket: TorchBackend, photos: Path, photo: str, label: str, among: int) -> None:
    answer = classify(pocket, [photos / photo], LABELS)
    assert label in [name for name, *_ in answer.ranked(0)[:among]]
    assert answer.cosines.shape == answer.probabilities.shape == (1, len(LABELS))


def test_an_ensemble_is_the_normalised_mean_of_unit_prompts(pocket: TorchBackend) -> None:
    prompts = pocket.embed_texts(["a photo of a cat.", "art of the cat."])
    mean = (prompts[0] / prompts[0].norm() + prompts[1] / prompts[1].norm()) / 2
    ours = classifier(pocket, ["cat"], ["a photo of a {}.", "art of the {}."])
    assert ours.shape == (1, pocket.dim)
    torch.testing.assert_close(ours[0], mean / mean.norm(), atol=1e-6, rtol=0)


TABLE = {"cat": (1.0, 0.0), "dog": (0.6, 0.8), "thing": (0.0, 1.0)}  # a text's vector; pictures are given as vectors


def by_hand(score: Any, *, bias: float = 0.0) -> Any:
    """A model of two dimensions, whose logits are ten times the cosine, plus a bias."""
    return SimpleNamespace(
        spec=replace(FAKE, score=score),
        logit_scale=10.0,
        logit_bias=bias,
        embed_images=lambda pictures: torch.tensor(pictures),
        embed_texts=lambda texts: torch.tensor([TABLE[text] for text in texts]),
    )


def test_a_softmax_over_the_labels_by_hand() -> None:
    answer = classify(by_hand("softmax"), [(0.8, 0.6)], ["cat", "dog"], templates=["{}"], none_of_these=True)  # type: ignore[list-item]
    assert answer.labels == ("cat", "dog", "none of these")
    np.testing.assert_allclose(answer.cosines, [[0.8, 0.96, 0.6]], atol=1e-6)
    powers = np.exp([8.0, 9.6, 6.0])
    np.testing.assert_allclose(answer.probabilities, [powers / powers.sum()], rtol=1e-5)
    assert [label for label, _, _ in answer.ranked(0)] == ["dog", "cat", "none of these"]


def test_a_template_that_cannot_be_used_is_refused_before_the_image_tower_works() -> None:
    model = by_hand("softmax")
    model.embed_images = lambda pictures: pytest.fail("the image tower worked for nothing")
    with pytest.raises(BadInput, match="where the label goes"):
        classify(model, [(0.8, 0.6)], ["cat"], templates=["a photo"])  # type: ignore[list-item]


def test_for_a_sigmoid_none_of_these_is_that_no_label_fits() -> None:
    answer = classify(
        by_hand("sigmoid", bias=-9.0),
        [(0.8, 0.6)],  # type: ignore[list-item]
        ["cat", "dog"],
        templates=["{}"],
        none_of_these=True,
    )
    cat, dog = (1 / (1 + np.exp(9.0 - logit)) for logit in (8.0, 9.6))
    np.testing.assert_allclose(answer.probabilities, [[cat, dog, (1 - cat) * (1 - dog)]], rtol=1e-5)


def test_the_contrastive_matrix_is_normalised_along_both_sides() -> None:
    pictures = [(1.0, 0.0), (0.6, 0.8)]
    result = contrast(by_hand("softmax"), pictures, ["cat", "dog", "thing"])  # type: ignore[arg-type]
    cosines = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.8]])
    powers = np.exp(10 * cosines)
    np.testing.assert_allclose(result.cosines, cosines, atol=1e-6)
    np.testing.assert_allclose(result.text_given_image, powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(result.image_given_text, powers / powers.sum(axis=0), rtol=1e-5)

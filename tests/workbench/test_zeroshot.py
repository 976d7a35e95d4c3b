"""Zero-shot classification against hand computation, and the shipped model on real photos."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workbench.loading.torch_backend import TorchBackend
from workbench.zeroshot import classifier, classify

LABELS = ("cat", "dog", "coffee cup", "rocket", "bicycle", "banana", "clock", "motorcycle", "guitar", "tree")


@pytest.mark.parametrize(
    ("photo", "label"),
    [
        ("chelsea.png", "cat"),
        ("coffee.png", "coffee cup"),
        ("rocket.jpg", "rocket"),
        ("clock_motion.png", "clock"),
        ("motorcycle_left.png", "motorcycle"),
    ],
)
def test_pocket_names_real_photos(pocket: TorchBackend, photos: Path, photo: str, label: str) -> None:
    answer = classify(pocket, [photos / photo], LABELS)
    assert answer.ranked(0)[0][0] == label
    assert answer.cosines.shape == answer.probabilities.shape == (1, len(LABELS))


def test_an_ensemble_is_the_normalised_mean_of_unit_prompts(pocket: TorchBackend) -> None:
    prompts = pocket.embed_texts(["a photo of a cat.", "art of the cat."])
    mean = (prompts[0] / prompts[0].norm() + prompts[1] / prompts[1].norm()) / 2
    ours = classifier(pocket, ["cat"], ["a photo of a {}.", "art of the {}."])
    assert ours.shape == (1, pocket.dim)
    torch.testing.assert_close(ours[0], mean / mean.norm(), atol=1e-6, rtol=0)

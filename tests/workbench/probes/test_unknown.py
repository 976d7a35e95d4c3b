"""Flags for images that show none of the classes: scores by hand, thresholds that keep what they promise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from workbench.datasets import ImageSample
from workbench.errors import BadInput
from workbench.probes.embedding import ImageFeatures
from workbench.probes.labelled import TEST, TRAIN, VALIDATION, LabelledImages
from workbench.probes.text_weights import TextWeights
from workbench.probes.unknown import flags, known_scores

K, DIM = 3, 8


def rows(n: int, seed: int, *, centre: bool) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = rng.normal(size=(n, DIM)) * 0.4
    if centre:
        made[np.arange(n), np.arange(n) % K] += 1
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def inside(n: int) -> tuple[ImageFeatures, LabelledImages]:
    parts = np.array([(TRAIN, VALIDATION, TEST, TEST)[number // K % 4] for number in range(n)])
    samples = tuple(ImageSample(f"{number}.png", Path("x")) for number in range(n))
    images = LabelledImages(samples, tuple("abc"), np.arange(n) % K, parts, (), 0)
    made = rows(n, 0, centre=True)
    return ImageFeatures(made, made, {}, 0.0), images


TEXTS = TextWeights(np.eye(K, DIM, dtype=np.float32), 10.0)


def test_scores_by_hand() -> None:
    row = np.zeros((1, DIM), np.float32)
    row[0, :3] = 0.8, 0.6, 0.0
    support = np.eye(2, DIM, dtype=np.float32)
    scores = {name: float(value[0]) for name, value in known_scores(row, TEXTS, support).items()}
    cosines = (0.8, 0.6, 0.0)
    chances = [math.exp(10 * one) / sum(math.exp(10 * other) for other in cosines) for one in cosines]
    assert scores["mcm"] == pytest.approx(math.exp(0.8) / sum(math.exp(one) for one in cosines))  # temperature 1
    assert scores["largest cosine"] == pytest.approx(0.8)
    assert scores["largest probability"] == pytest.approx(max(chances))
    assert scores["entropy"] == pytest.approx(sum(one * math.log(one) for one in chances))
    assert scores["energy"] == pytest.approx(math.log(sum(math.exp(10 * one) for one in cosines)))
    assert scores["nearest labelled images"] == pytest.approx(0.6)  # the farthest of two neighbours


def test_thresholds_keep_their_share_of_other_own_images() -> None:
    """Over 40 draws of images, 90 % stay on average, and not more than chance allows either way."""
    shares = []
    for seed in range(40):
        made, images = inside(240)
        order = np.random.default_rng(seed).permutation(240)
        shuffled = ImageFeatures(made.embeddings[order], made.features[order], {}, 0.0)
        for one in flags(shuffled, images, TEXTS, kept=0.9):
            shares.append(one.kept.value or 0.0)
    assert np.mean(shares) == pytest.approx(0.9, abs=0.02)


def test_images_of_nothing_are_flagged_and_set_no_threshold() -> None:
    made, images = inside(240)
    outside = rows(100, 5, centre=False)
    with_others = flags(made, images, TEXTS, outside=ImageFeatures(outside, outside, {}, 0.0))
    alone = flags(made, images, TEXTS)
    assert [one.threshold for one in alone] == [one.threshold for one in with_others]
    for one in with_others:
        assert one.flagged is not None
        assert one.area is not None
        assert (one.flagged.n, one.kept.n) == (100, 120)
        assert (one.area.value or 0) > 0.6
    nobody = flags(made, images, TEXTS, outside=ImageFeatures(made.embeddings, made.features, {}, 0.0))
    assert all((one.flagged.value or 0) < 0.15 for one in nobody if one.flagged)


def test_too_few_images_set_no_threshold() -> None:
    made, images = inside(24)
    with pytest.raises(BadInput, match="takes 20 images; got 6"):
        flags(made, images, TEXTS)
    with pytest.raises(BadInput, match="between"):
        flags(made, images, TEXTS, kept=1.0)

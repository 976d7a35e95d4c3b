"""What a class points to: the surest images by hand, and correlations that NumPy gives too."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.probes.pointing import correlations, pointings


def test_images_and_words_by_hand() -> None:
    """The second class's logit rises with the cosine of "moon" and falls with that of "sun"."""
    logits = np.array([[3.0, 1.0], [2.0, 2.0], [0.0, 4.0]])
    cosines = np.array([[0.3, 0.1, 0.2], [0.2, 0.2, 0.2], [0.0, 0.4, 0.2]])
    first, second = pointings(logits, cosines, classes=("day", "night"), words=("sun", "moon", "same"), most=2)
    assert (first.name, [at for at, _ in first.images]) == ("day", [0, 1])
    assert second.images == ((2, 2.0), (1, 0.0))
    assert second.words[0] == ("moon", pytest.approx(1.0))
    assert second.words[1] == ("same", pytest.approx(0.0))
    assert first.words[0] == ("sun", pytest.approx(1.0))


def test_correlations_are_numpys() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(30, 3)), rng.normal(size=(30, 4))
    expected = np.corrcoef(left.T, right.T)[:3, 3:]
    assert correlations(left, right) == pytest.approx(expected)


def test_a_model_without_a_text_tower_has_images_alone() -> None:
    (one, _) = pointings(np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros((2, 0)), classes=("a", "b"), words=())
    assert one.words == ()
    assert [at for at, _ in one.images] == [0, 1]

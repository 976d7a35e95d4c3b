"""The contrastive view on a matrix known by hand: directions, matches, frames, limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from apps.classify.matrix import COSINE, IMAGE, TEXT, check_counts, figure, matched, values, verdict
from workbench.errors import BadInput
from workbench.zeroshot import ContrastMatrix


def contrast_of(cosines: list[list[float]]) -> ContrastMatrix:
    logits = torch.tensor(cosines)
    return ContrastMatrix(logits, (logits * 10).softmax(1), (logits * 10).softmax(0))


# Images 0 and 1 name themselves; of the texts, only text 0 finds its picture.
KNOWN = contrast_of([[0.9, 0.1, 0.0], [0.2, 0.5, 0.1], [0.3, 0.6, 0.05]])


def test_directions_sum_to_one_along_their_axis() -> None:
    assert values(KNOWN, TEXT).shape == (3, 3)
    np.testing.assert_allclose(values(KNOWN, TEXT).sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(values(KNOWN, IMAGE).sum(axis=0), 1, atol=1e-6)
    assert not np.allclose(values(KNOWN, TEXT).sum(axis=0), 1)
    np.testing.assert_array_equal(values(KNOWN, COSINE), KNOWN.cosines.numpy())


def test_matched_pairs_by_hand() -> None:
    assert matched(KNOWN) == (2, 1)
    assert "**2 of 3** images" in verdict(KNOWN)
    assert "**1 of 3** texts" in verdict(KNOWN)


def test_unequal_counts_have_no_diagonal() -> None:
    wide = contrast_of([[0.1, 0.2, 0.3]])
    assert matched(wide) is None
    assert "unequal" in verdict(wide)
    assert not figure(wide, TEXT, names=["1. a"], texts=["x", "y", "z"]).layout.shapes


def test_the_diagonal_is_framed() -> None:
    shapes = figure(KNOWN, TEXT, names=["a", "b", "c"], texts=["x", "y", "z"]).layout.shapes
    assert [(s.x0, s.y0, s.x1, s.y1) for s in shapes] == [(i - 0.5, i - 0.5, i + 0.5, i + 0.5) for i in range(3)]


@pytest.mark.parametrize(("pictures", "texts"), [(0, 1), (1, 0), (17, 1), (1, 17)])
def test_counts_beyond_the_limit_are_refused(pictures: int, texts: int) -> None:
    with pytest.raises(BadInput, match="1 to 16"):
        check_counts(["p"] * pictures, ["t"] * texts, 16)

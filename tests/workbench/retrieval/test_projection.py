"""The map against scikit-learn's PCA, and a planted modality gap."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from workbench.errors import BadInput, UnknownName
from workbench.retrieval.projection import project


def clouds(gap: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    spread = np.array([3.0, 2.0, *[0.3] * 14])
    images = (generator.normal(size=(200, 16)) * spread).astype(np.float32)
    texts = (generator.normal(size=(80, 16)) * spread).astype(np.float32)
    images -= images.mean(axis=0)
    texts -= texts.mean(axis=0)
    texts[:, 5] += gap
    return images, texts


def test_pca_is_scikit_learns_up_to_the_signs_of_its_axes() -> None:
    images, texts = clouds(1.0)
    result = project(images, texts, centred=False)
    reference = PCA(2).fit(np.concatenate([images, texts]))
    expected = reference.transform(np.concatenate([images, texts]))
    np.testing.assert_allclose(np.abs(result.positions), np.abs(expected), atol=1e-3)
    assert result.explained == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-4)


def test_a_planted_gap_is_measured_and_centring_closes_it() -> None:
    images, texts = clouds(20.0)
    apart, together = project(images, texts, centred=False), project(images, texts)
    assert apart.gap == pytest.approx(20.0, abs=1e-3)
    assert together.gap == pytest.approx(20.0, abs=1e-3)  # measured before centring

    def distance(positions: np.ndarray) -> float:
        return float(np.linalg.norm(positions[:200].mean(axis=0) - positions[200:].mean(axis=0)))

    assert distance(apart.positions) == pytest.approx(20.0, rel=0.02)
    assert distance(together.positions) < 0.01


def test_what_cannot_be_drawn_is_refused() -> None:
    images, texts = clouds(0.0)
    assert project(images, texts[:0]).gap == 0.0
    with pytest.raises(BadInput):
        project(images[:2], texts[:0])
    with pytest.raises(UnknownName):
        project(images, texts, method="tsne")

"""Put images and texts on a map: PCA at once, UMAP where it is installed; the modality gap is measured.

Sources:
    Liang et al. 2022, Mind the Gap, arXiv:2203.02053 (the gap as the distance of the two means).
    McInnes et al. 2018, UMAP, arXiv:1802.03426.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput, Unsupported, unknown_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS = {"pca": "PCA", "umap": "UMAP"}
FIT = 20_000  # rows that UMAP is fitted on; the rest are placed
SEED = 0


@dataclass(frozen=True)
class Projection:
    """Where each vector lies on the map."""

    positions: NDArray[np.float32]  # (n, 2)
    explained: float | None  # share of the variance that PCA's two axes hold, 0..1; None for UMAP
    gap: float  # distance between the means of images and texts, before centring; 0 without texts


def project(
    images: NDArray[np.float32],
    texts: NDArray[np.float32],
    *,
    method: str = "pca",
    centred: bool = True,
    seed: int = SEED,
) -> Projection:
    """Project unit vectors to two dimensions, images first.

    Args:
        images: (n, dim).
        texts: (m, dim); m may be 0.
        method: one of `METHODS`.
        centred: subtract each modality's own mean, which closes the gap between the two clouds.
        seed: of UMAP.

    Raises:
        BadInput: fewer than three vectors.
        UnknownName: another method.
        Unsupported: UMAP is not installed.
    """
    if method not in METHODS:
        raise unknown_name("projection", method, METHODS)
    if len(images) + len(texts) < 3:
        raise BadInput(f"A map needs at least three images and texts; got {len(images) + len(texts)}.")
    gap = float(np.linalg.norm(images.mean(axis=0) - texts.mean(axis=0))) if len(images) and len(texts) else 0.0
    parts = [part - part.mean(axis=0) if centred and len(part) else part for part in (images, texts)]
    vectors = np.concatenate(parts).astype(np.float32)
    if method == "umap":
        return Projection(_umap(vectors, seed), None, gap)
    positions, explained = _pca(vectors)
    return Projection(positions, explained, gap)


def _pca(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return positions and the share of variance on both axes; the larger side of each axis is positive."""
    from scipy.linalg import eigh

    away = vectors - vectors.mean(axis=0)
    spread = away.T @ away
    values, axes = eigh(spread.astype(np.float64))
    top = axes[:, ::-1][:, :2]
    top = top * np.where(np.abs(top.max(axis=0)) >= np.abs(top.min(axis=0)), 1.0, -1.0)
    share = float(values[::-1][:2].sum() / max(values.sum(), 1e-12))
    return (away @ top).astype(np.float32), share


def _umap(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    try:
        from umap import UMAP
    except ModuleNotFoundError:
        raise Unsupported("UMAP is not installed: pip install 'clip-workbench[umap]'. PCA needs nothing.") from None
    some = np.random.default_rng(seed).permutation(len(vectors))[:FIT]
    fitted = UMAP(n_neighbors=min(15, len(vectors) - 1), metric="cosine", random_state=seed, n_jobs=1)
    positions: NDArray[np.float32] = np.zeros((len(vectors), 2), np.float32)
    positions[some] = fitted.fit_transform(vectors[some])
    rest = np.setdiff1d(np.arange(len(vectors)), some)
    if len(rest):
        positions[rest] = fitted.transform(vectors[rest])
    return positions

"""Linear maps of the joint space that remove what tells two groups apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEIGHT = 1000.0  # of pairs in calibrated prompts, as in the paper's code
SMALLEST = 1e-9  # singular values and eigenvalues below this share of the largest count as zero


@dataclass(frozen=True, eq=False)
class LinearMap:
    """x -> matrix @ x + shift, then to unit length."""

    matrix: NDArray[np.float64]  # (dim, dim)
    shift: NDArray[np.float64]  # (dim,)

    def __call__(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, dim) unit rows -> (n, dim) unit rows."""
        moved = rows @ self.matrix.T + self.shift
        return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12))

    @property
    def packed(self) -> NDArray[np.float32]:
        """The matrix and, as its last column, the shift; (dim, dim + 1)."""
        return np.column_stack([self.matrix, self.shift]).astype(np.float32)

    @classmethod
    def unpacked(cls, packed: NDArray[np.float32]) -> LinearMap:
        """The map of a packed table."""
        return cls(packed[:, :-1].astype(np.float64), packed[:, -1].astype(np.float64))


def projection(directions: ArrayLike) -> LinearMap:
    """Remove directions: (dim,) or (m, dim) rows of any length."""
    rows = np.atleast_2d(np.asarray(directions, np.float64))
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    kept = basis[sizes > SMALLEST * max(float(sizes[0]), SMALLEST)]
    return LinearMap(np.eye(rows.shape[1]) - kept.T @ kept, np.zeros(rows.shape[1]))


def leace(rows: ArrayLike, classes: ArrayLike) -> LinearMap:
    """Change vectors as little as possible so that no linear classifier finds their class.

    The covariance is shrunk (Ledoit and Wolf), so that fewer rows than dimensions are enough; the classes' means are
    equal afterwards in any case.

    Args:
        rows: (n, dim).
        classes: (n,) of two kinds or more.

    Source:
        Belrose et al. 2023, arXiv:2306.03819, section 4: r(x) = x - W⁺ P W (x - E[x]), W the whitening map and P the
        orthogonal projection onto the columns of W times the covariance of x and class. Shrinkage: Ledoit and Wolf
        2004, J. Multivar. Anal. 88:365.
    """
    from sklearn.covariance import ledoit_wolf

    x, names = np.asarray(rows, np.float64), np.asarray(classes)
    hot = (names[:, None] == np.unique(names)).astype(np.float64)
    mean = x.mean(axis=0)
    cross = (x - mean).T @ (hot - hot.mean(axis=0)) / len(x)  # (dim, classes)
    values, axes = np.linalg.eigh(ledoit_wolf(x)[0])
    spread = np.sqrt(np.maximum(values, SMALLEST * float(values[-1])))
    whiten, back = (axes / spread) @ axes.T, (axes * spread) @ axes.T
    left, sizes, _ = np.linalg.svd(whiten @ cross, full_matrices=False)
    left = left[:, sizes > SMALLEST * max(float(sizes[0]), SMALLEST)]
    erased = back @ left @ left.T @ whiten
    return LinearMap(np.eye(x.shape[1]) - erased, erased @ mean)


def calibrated(named: ArrayLike, pairs: ArrayLike, *, weight: float = WEIGHT) -> LinearMap:
    """Remove the texts that name groups, and draw together pairs of texts that differ only in the group.

    Args:
        named: (m, dim) texts such as "a photo of a male person".
        pairs: (p, 2, dim) texts such as "a photo of a male doctor" and "a photo of a female doctor".
        weight: of the pairs.

    Source:
        Chuang et al. 2023, arXiv:2302.00070, section 4: P0 (I + weight / p * sum of d dᵀ)⁻¹ with the differences d of
        the pairs, and P0 the projection that removes the span of `named`.
    """
    removed, apart = projection(named), np.asarray(pairs, np.float64)
    differences = apart[:, 0] - apart[:, 1]
    drawn = np.eye(differences.shape[1]) + weight / len(differences) * differences.T @ differences
    return LinearMap(removed.matrix @ np.linalg.inv(drawn), removed.shift)

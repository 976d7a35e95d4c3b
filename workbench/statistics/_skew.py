"""Skews and divergences of many rankings at once, in random orders and in bootstrap resamples."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput

Target = Literal["uniform", "dataset"] | Mapping[Hashable, float]
_CELLS = 4_000_000  # of one block of rankings, to bound memory


@dataclass(frozen=True)
class Scores:
    """Measures of m rankings at each of `at`."""

    skew: NDArray[np.float64]  # (m, number of k, groups)
    ndkl: NDArray[np.float64]  # (m, number of k)


def coded(
    groups: Sequence[Hashable], target: Target
) -> tuple[list[Any], NDArray[np.int16], NDArray[np.float64] | None]:
    """Return names, the code of each ranked item, and target shares; None where the items themselves are the target.

    Raises:
        BadInput: an empty ranking, a group that is missing, or a target that does not fit.
    """
    if len(groups) == 0:
        raise BadInput("A ranking needs at least one item; got none.")
    if any(group is None or group != group for group in groups):
        raise BadInput("Every ranked item needs a group; one is missing. Leave such items out, and say so.")
    names = list(dict.fromkeys(groups))
    if isinstance(target, Mapping):
        lacking = [name for name in names if name not in target]
        if lacking or abs(sum(target.values()) - 1) > 1e-6 or min(target.values()) <= 0:
            raise BadInput(
                "A target gives every group a share above 0, adding up to 1; "
                + (f"it lacks {lacking[0]!r}." if lacking else f"got {dict(target)}.")
            )
        names += [name for name in target if name not in names]
    elif target not in ("uniform", "dataset"):
        raise BadInput(f"A target is 'uniform', 'dataset' or a share for each group; got {target!r}.")
    code = {name: at for at, name in enumerate(names)}
    shares = None
    if isinstance(target, Mapping):
        shares = np.array([target[name] for name in names], dtype=np.float64)
    elif target == "uniform":
        shares = np.full(len(names), 1 / len(names))
    return names, np.array([code[group] for group in groups], dtype=np.int16), shares


def checked_k(k: int | Sequence[int], n: int) -> tuple[int, ...]:
    """Return the numbers of items looked at.

    Raises:
        BadInput: one of them is outside 1..n.
    """
    at = (int(k),) if isinstance(k, int | np.integer) else tuple(int(one) for one in k)
    if not at or min(at) < 1 or max(at) > n:
        raise BadInput(f"k counts items of the ranking, 1 to {n}; got {list(at)}.")
    return at


def scored(codes: NDArray[np.int16], groups: int, at: tuple[int, ...], *, shares: NDArray[np.float64] | None) -> Scores:
    """Score (m, n) rankings; a code of `groups` is no item (rankings of one block may differ in length)."""
    if shares is None:
        sizes = np.stack([(codes == group).sum(1) for group in range(groups)], axis=1).astype(np.float64)
        shares = np.maximum(sizes, 0.5) / sizes.sum(1, keepdims=True)  # a group that was not drawn at all stays finite
    depth = codes[:, : max(at)]
    counts = np.cumsum(depth[:, :, None] == np.arange(groups, dtype=np.int16), axis=1, dtype=np.int32)
    seen = np.maximum(np.cumsum(depth < groups, axis=1), 1)  # (m, depth) items so far
    part = counts / seen[:, :, None]
    target = np.broadcast_to(shares, (len(codes), groups))[:, None, :]
    from scipy.special import rel_entr

    weight = (depth < groups) / np.log2(np.arange(2, depth.shape[1] + 2))
    total = np.cumsum(weight * rel_entr(part, target).sum(2), axis=1) / np.cumsum(weight, axis=1)
    rows = np.array(at) - 1
    first = np.maximum(counts[:, rows], 1) / seen[:, rows, None]
    return Scores(np.log(first / target), np.maximum(total[:, rows], 0.0))


def shuffled(
    codes: NDArray[np.int16], groups: int, rng: np.random.Generator, *, resamples: int, depth: int
) -> Iterator[NDArray[np.int16]]:
    """Yield blocks of random orders."""
    for size in _blocks(len(codes), depth, groups, resamples=resamples):
        yield rng.permuted(np.tile(codes, (size, 1)), axis=1)


def redrawn(
    codes: NDArray[np.int16],
    members: list[NDArray[np.intp]] | None,
    groups: int,
    *,
    rng: np.random.Generator,
    resamples: int,
    depth: int,
) -> Iterator[NDArray[np.int16]]:
    """Yield blocks of rankings of items, or clusters of them, drawn with replacement; the order stays."""
    n = len(codes)
    for size in _blocks(n, depth, groups, resamples=resamples):
        if members is None:
            yield codes[np.sort(rng.integers(0, n, size=(size, n)), axis=1)]
            continue
        picked = rng.integers(0, len(members), size=(size, len(members)))
        rows = [np.sort(np.concatenate([members[unit] for unit in units])) for units in picked]
        block = np.full((size, max(map(len, rows), default=0)), groups, dtype=np.int16)
        for line, items in zip(block, rows, strict=True):
            line[: len(items)] = codes[items]
        if block.shape[1] < depth:
            block = np.pad(block, ((0, 0), (0, depth - block.shape[1])), constant_values=groups)
        yield block


def _blocks(n: int, depth: int, groups: int, *, resamples: int) -> list[int]:
    size = max(1, _CELLS // max(n, depth * groups))
    return [min(size, resamples - start) for start in range(0, resamples, size)]

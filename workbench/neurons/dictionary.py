"""Sparse dictionaries: a vector as a sum of a few of many features, learned by a top-k autoencoder.

Sources:
    Top-k: Gao et al. 2024, arXiv:2406.04093, section 2.3, with its auxiliary loss for dead features (appendix A.2).
    Nested (Matryoshka): Bussmann et al. 2025, arXiv:2503.17547; on CLIP: Zaigrajew et al. 2025, arXiv:2502.20578.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput
from workbench.progress import Progress
from workbench.statistics.intervals import Share, proportion

if TYPE_CHECKING:
    from torch import Tensor

FEWEST = 64  # vectors
REVIVAL = 1 / 32  # weight of the auxiliary loss
IDLE_STEPS = 50  # after which a feature counts as dead while learning
NESTED = (1 / 8, 1 / 4, 1 / 2, 1.0)  # shares of the features that must do alone, in a nested dictionary


@dataclass(frozen=True)
class DictionarySettings:
    """How a dictionary is learned."""

    features: int = 1024
    active: int = 16  # features that a vector may use
    nested: bool = False  # the first eighth, quarter and half must do alone, too: from coarse to fine
    steps: int = 1000
    batch: int = 256
    rate: float = 2e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("The number of features", self.features, 8, 65_536),
            ("The number of active features", self.active, 1, self.features),
            ("The number of steps", self.steps, 1, 100_000),
            ("The batch", self.batch, 2, 65_536),
            ("The random seed", self.seed, 0, 2**31 - 1),
        ):
            if not low <= value <= high:
                raise BadInput(f"{name} must lie between {low} and {high}; got {value}.")


@dataclass(frozen=True, eq=False)
class SparseDictionary:
    """A learned dictionary."""

    encoder: NDArray[np.float32]  # (features, dim)
    bias: NDArray[np.float32]  # (features,)
    decoder: NDArray[np.float32]  # (features, dim) unit rows
    mean: NDArray[np.float32]  # (dim,) taken away before, added afterwards
    settings: DictionarySettings

    def encode(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, dim) -> (n, features): 0 or more, at most `active` above 0 in a row."""
        sums = np.maximum((rows - self.mean) @ self.encoder.T + self.bias, 0)
        dropped = np.argpartition(-sums, self.settings.active - 1, axis=1)[:, self.settings.active :]
        np.put_along_axis(sums, dropped, 0, axis=1)
        return sums

    def decode(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, features) -> (n, dim)."""
        rows: NDArray[np.float32] = codes @ self.decoder + self.mean
        return rows


@dataclass(frozen=True)
class DictionaryMeasures:
    """How well a dictionary stands for vectors that it did not see."""

    explained: float  # share of the variance, at most 1
    active: float  # mean number of features above 0 (L0)
    alive: Share  # features that some vector uses
    kept: Share | None  # zero-shot answers on rebuilt vectors that are the same as on the vectors themselves
    agreement: float | None  # with a dictionary of another seed: mean best cosine of features, -1..1


def learn(rows: NDArray[np.float32], settings: DictionarySettings) -> Iterator[Progress | SparseDictionary]:
    """Learn a dictionary of n vectors; yields progress after each step, and the dictionary at the end.

    Args:
        rows: (n, dim), for example unit embeddings of a corpus.
        settings: of the dictionary.

    Raises:
        BadInput: fewer than 64 vectors, or numbers that are not finite.
    """
    import torch

    if len(rows) < FEWEST or not np.isfinite(rows).all():
        raise BadInput(f"A dictionary needs at least {FEWEST} vectors of finite numbers; got {len(rows)}.")
    generator = torch.Generator().manual_seed(settings.seed)
    mean = rows.mean(axis=0)
    data = torch.from_numpy(rows - mean)
    scale = float(data.norm(dim=1).mean())
    data = data / scale
    decoder = torch.nn.functional.normalize(torch.randn((settings.features, rows.shape[1]), generator=generator), dim=1)
    encoder, bias = decoder.clone().requires_grad_(), torch.zeros(settings.features, requires_grad=True)
    decoder.requires_grad_()
    optimiser = torch.optim.Adam([encoder, bias, decoder], lr=settings.rate)
    idle, begun = torch.zeros(settings.features), time.monotonic()
    for step in range(1, settings.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * min(1.0, 5 * (1 - (step - 1) / settings.steps))  # falls in the last fifth
        batch = data[torch.randint(len(data), (settings.batch,), generator=generator)]
        with torch.enable_grad():
            sums = batch @ encoder.T + bias
            codes = _strongest(sums, settings.active)
            loss = _loss(batch, codes, decoder, nested=settings.nested)
            dead = idle > IDLE_STEPS
            if dead.any():
                missing = (batch - codes @ decoder).detach()
                revived = _strongest(sums.masked_fill(~dead, -torch.inf), min(2 * settings.active, int(dead.sum())))
                loss = loss + REVIVAL * (missing - revived @ decoder).square().sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            decoder /= decoder.norm(dim=1, keepdim=True)
            idle = torch.where((codes > 0).any(dim=0), 0.0, idle + 1)
        yield Progress.timed(
            step, settings.steps, "steps", seconds=time.monotonic() - begun, computed=step, stage="dictionary"
        )
    own = [np.array(part.detach().numpy(), np.float32) for part in (encoder, scale * bias, decoder)]
    yield SparseDictionary(own[0], own[1], own[2], mean, settings)


def measure(
    dictionary: SparseDictionary,
    rows: NDArray[np.float32],
    *,
    texts: NDArray[np.float32] | None = None,
    other: SparseDictionary | None = None,
) -> DictionaryMeasures:
    """Measure a dictionary on vectors, best on ones that it was not learned from.

    Args:
        dictionary: the learned one.
        rows: (n, dim) vectors.
        texts: (k, dim) labels, for zero-shot answers.
        other: a dictionary that was learned with another seed.
    """
    codes = dictionary.encode(rows)
    rebuilt = dictionary.decode(codes)
    used = (codes > 0).any(axis=0)
    kept, agreement = None, None
    if texts is not None:
        same = (rows @ texts.T).argmax(axis=1) == (rebuilt @ texts.T).argmax(axis=1)
        kept = proportion(int(same.sum()), len(rows))
    if other is not None:
        alike = dictionary.decoder[used] @ other.decoder[(other.encode(rows) > 0).any(axis=0)].T
        agreement = float(alike.max(axis=1).mean()) if alike.size else None
    return DictionaryMeasures(
        1.0 - float(((rows - rebuilt) ** 2).sum() / ((rows - rows.mean(axis=0)) ** 2).sum()),
        float((codes > 0).sum(axis=1).mean()),
        proportion(int(used.sum()), used.size),
        kept,
        agreement,
    )


def _strongest(sums: Tensor, count: int) -> Tensor:
    """Keep the `count` largest of each row, where they are above 0; all others become 0."""
    import torch

    values, places = sums.topk(count, dim=1)
    return torch.zeros_like(sums).scatter(1, places, values.clamp_min(0))


def _loss(batch: Tensor, codes: Tensor, decoder: Tensor, *, nested: bool) -> Tensor:
    """Mean squared length of what is missing; of a nested dictionary, the mean over its parts."""
    shares = NESTED if nested else (1.0,)
    ends = [round(share * len(decoder)) for share in shares]
    parts = [(batch - codes[:, :end] @ decoder[:end]).square().sum(dim=1).mean() for end in ends]
    total: Tensor = sum(parts[1:], parts[0]) / len(parts)
    return total

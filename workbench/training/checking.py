"""Validation during training: accuracy on images that are held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn import functional

from workbench.errors import BadPicture
from workbench.prompts import fill
from workbench.statistics.intervals import Share, proportion
from workbench.training.data import ImageTextPair
from workbench.training.gradients import TowerPair
from workbench.training.trainee import Trainee

BATCH = 64
MOST_PART = 5  # at most one pair in five is kept apart


def split(pairs: Sequence[ImageTextPair], wanted: int, seed: int) -> tuple[list[ImageTextPair], list[ImageTextPair]]:
    """Keep pairs apart for validation, drawn by the seed; at most a fifth of all. Returns those to train on first."""
    order = np.random.default_rng([seed, 3]).permutation(len(pairs))
    apart = {int(row) for row in order[: min(wanted, len(pairs) // MOST_PART)]}
    return (
        [pair for row, pair in enumerate(pairs) if row not in apart],
        [pair for row, pair in enumerate(pairs) if row in apart],
    )


class Validation:
    """A fixed set of pictures, each to be named among all different sentences of the set.

    Args:
        pairs: kept apart from training; those that cannot be opened are left out.
        trainee: prepares and reads.
        template: labels go into it.
    """

    def __init__(self, pairs: Sequence[ImageTextPair], trainee: Trainee, *, template: str) -> None:
        squares, sentences = [], []
        for pair in pairs:
            try:
                squares.append(trainee.prepare(pair.open()))
            except BadPicture:
                continue
            sentences.append(fill(template, pair.text) if pair.is_label else pair.text)
        self.sentences = tuple(dict.fromkeys(sentences))
        self._answers = torch.tensor([self.sentences.index(one) for one in sentences], dtype=torch.int64)
        self._squares = torch.stack(squares) if squares else torch.empty(0)

    @torch.no_grad()
    def measure(self, trainee: Trainee, towers: TowerPair) -> Share:
        """Return the share named right; the caller sets training mode afterwards."""
        if len(self.sentences) < 2:
            return proportion(0, 0)
        trainee.module.eval()
        device = trainee.log_scale.device
        tokens = trainee.towers.tokenize(self.sentences)
        ids, mask = tokens.ids.to(device), tokens.mask.to(device)
        texts = _rows(lambda part: towers.text(ids[part], mask[part]), len(ids))
        images = _rows(lambda part: towers.image(trainee.pixels(self._squares[part].to(device))), len(self._squares))
        chosen = (images @ texts.T).argmax(dim=1).cpu()
        return proportion(int((chosen == self._answers).sum()), len(self._answers))


def matched(images: torch.Tensor, texts: torch.Tensor, keys: torch.Tensor) -> float:
    """Return the share of a batch's pictures whose likeliest sentence means what their own does, 0..1."""
    chosen = (images @ texts.T).argmax(dim=1)
    return float((keys[chosen] == keys).float().mean())


def _rows(encode: Callable[[slice], torch.Tensor], n: int) -> torch.Tensor:
    parts = [slice(start, min(n, start + BATCH)) for start in range(0, n, BATCH)]
    return functional.normalize(torch.cat([encode(part).float() for part in parts]), dim=-1)

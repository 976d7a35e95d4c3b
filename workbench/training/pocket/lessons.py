"""Auxiliary heads of the image tower, which are dropped after training: letters, words, units of a concept.

Predicting letters at their positions, and words by their letters, gets reading started. A concept that photos,
drawings and written words can all show gets a channel of the last block, or several, each of which alone must tell it
from all other concepts in any of the three forms: a multimodal unit. The channel is taken before it is rectified,
since one that is silent for every word would never learn any.

Source:
    Goh et al. 2021, Distill, "Multimodal neurons in artificial neural networks".
"""

from __future__ import annotations

import string
from collections.abc import Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional

from workbench.training.pocket import spelling
from workbench.training.pocket.bank import Bank
from workbench.training.pocket.convolution import CEILING
from workbench.training.pocket.stream import Batch
from workbench.training.pocket.towers import WIDTH

RARE = -3.0  # the logit that an answer begins with
SLOPE = 0.1  # of a channel below zero


def channels(classifier: Tensor, bank: Bank, *, each: int = 1) -> Tensor:
    """Choose channels for each of the bank's concepts: those that the locked classifier already counts for them.

    Args:
        classifier: (1000, 1280) its weights.
        bank: whose `alike` are the concepts.
        each: channels of a concept.

    Returns:
        (each x concepts,) channels, all different, with the largest sum of weights; the concepts come `each` times.
    """
    weights = classifier.detach() - classifier.detach().mean(0)
    rows = []
    for name in bank.alike:
        shares = torch.zeros(len(weights))
        for number, share in bank.classes[name].items():
            shares[number] = share
        rows.append(shares @ weights)
    _, channel_of = linear_sum_assignment(torch.stack(rows * each).numpy(), maximize=True)
    return torch.from_numpy(channel_of)


class Lessons(nn.Module):
    """Three questions and what answers them.

    Args:
        units: (each x concepts,) the channels of each, as `channels` gives them.
        concepts: their names, once.
        middle: channels of the map that letters are looked for in.
    """

    units: Tensor

    def __init__(self, units: Tensor, concepts: Sequence[str], *, middle: int) -> None:
        super().__init__()
        self.letter = nn.Conv2d(middle, len(string.ascii_lowercase), 1)
        self.word = nn.Linear(WIDTH, spelling.WIDTH)
        self.factor = nn.Parameter(torch.tensor(-1.0))  # a logarithm
        self.nothing = nn.Parameter(torch.zeros(1))  # the logit of "none of them"
        for part in (self.letter, self.word):  # at first they learn from the tower, and the tower not from them
            nn.init.zeros_(part.weight)
            nn.init.constant_(part.bias, RARE)  # type: ignore[arg-type]
        self.register_buffer("units", units)
        every = range(len(units))
        self.places = {name: every[number :: len(concepts)] for number, name in enumerate(concepts)}

    def question_losses(self, letters: Tensor, rows: Tensor, alive: Tensor, *, batch: Batch) -> dict[str, Tensor]:
        """How far the tower is from the answers.

        Args:
            letters: (larger, 26, side, side) what `letter` makes of a middle map of the larger pictures.
            rows: (n, 1280) averages of the last map, of all pictures.
            alive: (n, each x concepts) as `alive` gives it.
            batch: that these are of.

        Returns:
            `lettered`: all questions about which letter stands where, per letter; `spelt`: all questions about a
            word's letters, per word; `alone`: which concept is shown, by its one channel, and which pictures show a
            concept.
        """
        where, written = spelling.cells(batch.spots, letters.shape[-1]).to(letters.device), batch.letters.sum(1) > 0
        words = self.word(rows[-len(letters) :][written])
        return {
            "lettered": _wrong(letters, where) / where.sum().clamp(min=1),
            "spelt": _wrong(words, batch.letters[written]) / max(1, len(words)),
            "alone": self.alone(alive, batch.shown),
        }

    def alive(self, maps: Tensor) -> Tensor:
        """What the concepts' channels hold on average, with some slope below zero.

        Args:
            maps: (n, 1280, side, side) the last map before it is rectified.

        Returns:
            (n, each x concepts).
        """
        return functional.leaky_relu(maps[:, self.units].float(), SLOPE).clamp(max=CEILING).mean(dim=(2, 3))

    def alone(self, seen: Tensor, shown: Sequence[frozenset[str]]) -> Tensor:
        """How far the channels are from telling their concepts, and pictures from what they show.

        Args:
            seen: (n, each x concepts) as `alive` gives it.
            shown: for each picture the names that it shows.
        """
        logits = torch.cat([self.factor.exp() * seen, self.nothing.expand(len(seen), 1)], dim=1)
        target = torch.zeros_like(logits)
        for row, names in zip(target, shown, strict=True):
            row[[place for name in names for place in self.places.get(name, ())] or [-1]] = 1
        by_picture = functional.cross_entropy(logits, target / target.sum(1, keepdim=True))
        some = target[:, :-1].sum(0) > 0
        if not some.any():
            return by_picture
        by_concept = target[:, :-1].T[some]
        by_unit = functional.cross_entropy(logits[:, :-1].T[some], by_concept / by_concept.sum(1, keepdim=True))
        return (by_picture + by_unit) / 2


def _wrong(logits: Tensor, truth: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, truth, reduction="sum")

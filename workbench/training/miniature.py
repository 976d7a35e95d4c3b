"""The miniature: a CLIP small enough to learn rendered shapes from scratch in a lesson.

Two towers of a few layers, trained with the same losses and the same optimizer as the large ones. It is created
for each lesson, on the CPU, and discarded afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.statistics.intervals import Share, proportion
from workbench.training.gradients import EncodedBatch, TowerPair, backward
from workbench.training.lesson import CHECK, LessonSettings, Moment, watched
from workbench.training.losses import INITIAL_SCALE, clamp_scale, same, symmetric_cross_entropy
from workbench.training.optimiser import adamw, rate_at, set_rate
from workbench.training.shapes import COLOURS, SHAPES, SIZES, Drawing, draw, question

DIM = 64
CHANNELS = (32, 64, 96, 128)
WORDS = ("a", *SIZES, *COLOURS, *SHAPES)
PEAK, WARMUP, DECAY = 3e-3, 50, 0.5
POOL = 3072  # drawings that a lesson goes through
TESTED = 192  # drawings of held-out pairs that the accuracy is measured on


def learn(lesson: LessonSettings) -> Iterator[Moment]:
    """Train a new miniature, and yield after each step; nothing is drawn from anybody else's random numbers.

    Every `CHECK` steps, and after the last one, the moment carries the similarity matrix and the accuracy.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        model = Miniature()
    if lesson.scale is not None:
        model.log_scale = nn.Parameter(torch.tensor(math.log(lesson.scale)), requires_grad=False)
    optimiser = adamw(model.named_parameters(), decay=DECAY)
    supply = _Supply(lesson)
    test = draw(TESTED, seed=lesson.seed, unseen=True)
    looked_at, tested = pixels_of(watched()), pixels_of(test)
    for step in range(lesson.steps):
        set_rate(optimiser, rate_at(step, lesson.steps, peak=PEAK, warmup=WARMUP))
        batch = supply.next()
        optimiser.zero_grad()
        result = backward(TowerPair(model.image, model.text), batch, model.loss)
        optimiser.step()
        clamp_scale(model.log_scale)
        moment = Moment(step + 1, lesson.steps, result.loss, float(model.log_scale.detach().exp()))
        if moment.step % CHECK and moment.step != lesson.steps:
            yield moment
            continue
        yield Moment(
            **{**vars(moment), "similarity": _similarity(model, looked_at), "unseen": _accuracy(model, tested, test)}
        )


class Miniature(nn.Module):
    """Two towers of a few layers, and the temperature between them."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *CHANNELS), CHANNELS, strict=False):
            stride = 2 if before < CHANNELS[-2] else 1
            layers += [nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.GroupNorm(8, after), nn.GELU()]
        self.see = nn.Sequential(*layers)
        self.image_projection = nn.Linear(2 * CHANNELS[-1], DIM, bias=False)
        self.words = nn.Embedding(len(WORDS) + 1, DIM, padding_idx=0)
        self.places = nn.Parameter(0.01 * torch.randn(8, DIM))
        self.read = nn.TransformerEncoderLayer(
            DIM, 4, 2 * DIM, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(DIM)
        self.text_projection = nn.Linear(DIM, DIM, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))
        nn.init.normal_(self.words.weight, std=0.1)

    def image(self, pixels: Tensor) -> Tensor:
        """(n, 3, 32, 32) in -2..2 -> (n, dim): convolutions, then mean and maximum over the picture."""
        maps = self.see(pixels)
        rows: Tensor = self.image_projection(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1))
        return rows

    def text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(n, length) word numbers -> (n, dim): one transformer layer, then the mean over the words."""
        rows = self.read(self.words(ids) + self.places[: ids.shape[1]], src_key_padding_mask=mask == 0)
        counted = mask[..., None].to(rows.dtype)
        embeddings: Tensor = self.text_projection((self.norm(rows) * counted).sum(dim=1) / counted.sum(dim=1))
        return embeddings

    def loss(self, images: Tensor, texts: Tensor, keys: Tensor) -> Tensor:
        """Symmetric cross-entropy; equal sentences are right for each other."""
        right = same(keys.tolist())
        return symmetric_cross_entropy(images, texts, self.log_scale.exp(), positives=right)


def pixels_of(drawings: Sequence[Drawing]) -> Tensor:
    """Return (n, 3, 32, 32) float32, roughly -2..2."""
    stacked = np.stack([np.asarray(one.render()) for one in drawings])
    return (torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 255 - 0.6) / 0.25


def ids_of(captions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return word numbers and mask, (n, length) int64 each."""
    rows = [[WORDS.index(word) + 1 for word in caption.split()] for caption in captions]
    length = max(map(len, rows))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    return ids, (ids > 0).long()


class _Supply:
    """Batches: the first steps draw their pictures, later ones choose among those that are drawn."""

    def __init__(self, lesson: LessonSettings) -> None:
        self._n = lesson.batch
        self._drawings = draw(POOL, seed=lesson.seed)
        self._pixels = torch.empty(POOL, *pixels_of(self._drawings[:1]).shape[1:])
        self._done = 0
        self._rng = np.random.default_rng([lesson.seed, 2])

    def next(self) -> EncodedBatch:
        if self._done + self._n <= POOL:
            rows = np.arange(self._done, self._done + self._n)
            self._pixels[self._done : self._done + self._n] = pixels_of([self._drawings[row] for row in rows])
            self._done += self._n
        else:
            rows = self._rng.choice(self._done, self._n, replace=False)
        captions = [self._drawings[row].caption for row in rows]
        numbers = {caption: number for number, caption in enumerate(dict.fromkeys(captions))}
        keys = torch.tensor([numbers[caption] for caption in captions])
        return EncodedBatch(self._pixels[torch.from_numpy(rows)], *ids_of(captions), keys)


@torch.no_grad()
def _similarity(model: Miniature, pixels: Tensor) -> np.ndarray:
    ids, mask = ids_of([one.caption for one in watched()])
    images = functional.normalize(model.image(pixels), dim=-1)
    cosines: np.ndarray = (images @ functional.normalize(model.text(ids, mask), dim=-1).T).numpy()
    return cosines


@torch.no_grad()
def _accuracy(model: Miniature, pixels: Tensor, drawings: Sequence[Drawing]) -> Share:
    sentences, answers = question(drawings)
    ids, mask = ids_of([sentence for sizes in sentences for sentence in sizes])
    rows = functional.normalize(model.text(ids, mask), dim=-1).reshape(len(sentences), len(SIZES), DIM).mean(dim=1)
    chosen = (model.image(pixels) @ functional.normalize(rows, dim=-1).T).argmax(dim=1)
    return proportion(int((chosen == torch.tensor(answers)).sum()), len(answers))

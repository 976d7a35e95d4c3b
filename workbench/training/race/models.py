"""The runners: one image tower, four objectives on top of it, each with its own zero-shot score.

All scores have shape (images, labels), and a higher one is likelier. The contrastive runner scores by cosine in the
joint space. The predicting runners have no such space, so a label's score is the log-likelihood of its sentences.

Sources:
    Captions: Desai and Johnson 2021 (VirTex), arXiv:2006.06666, section 3.
    Masked words: Bulent Sariyildiz et al. 2020 (ICMLM), arXiv:2008.01392, section 3; scored by the pseudo-likelihood of
        Salazar et al. 2020, arXiv:1910.14659, equation 1.
    Bags of words: Joulin et al. 2016, arXiv:1511.02251, section 3.
    Contrast: Zhang et al. 2020 (ConVIRT), arXiv:2010.00747, equation 3; Radford et al. 2021, arXiv:2103.00020,
        figure 3; with a sigmoid, Zhai et al. 2023, arXiv:2303.15343, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.training.losses import INITIAL_SCALE, INITIAL_SIGMOID, clamp_scale, sigmoid_loss, symmetric_cross_entropy
from workbench.training.race.captions import MASK, PAD, START, VOCABULARY

WIDTH = 64
CHANNELS = (16, 32, 48, 64)
MAX_LENGTH = 16  # words of a caption, and more than any has


class RaceModel(Protocol):
    """What the race asks of a runner."""

    def loss(self, pixels: Tensor, ids: Tensor, rng: torch.Generator) -> Tensor:
        """(n, 3, 32, 32) images and (n, length) captions -> the loss, one number."""

    def scores(self, pixels: Tensor, labels: Sequence[Tensor]) -> Tensor:
        """(n, 3, 32, 32) images and k labels of (sentences, length) each -> (n, k), higher is likelier."""


class ImageTower(nn.Module):
    """Four convolutions; the same in every runner."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, stride in zip((3, *CHANNELS), CHANNELS, (2, 2, 2, 1), strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.GroupNorm(8, after), nn.GELU()]
        self.layers = nn.Sequential(*layers)

    def cells(self, pixels: Tensor) -> Tensor:
        """(n, 3, 32, 32) -> (n, 16, channels): one row a cell of the 4 x 4 grid."""
        return cast(Tensor, self.layers(pixels)).flatten(2).transpose(1, 2)

    def pooled(self, pixels: Tensor) -> Tensor:
        """(n, 3, 32, 32) -> (n, 2 x channels): mean and maximum over the grid."""
        cells = self.cells(pixels)
        return torch.cat([cells.mean(dim=1), cells.amax(dim=1)], dim=1)


class WordTower(nn.Module):
    """Embeddings with positions, and one transformer layer: an encoder, or a decoder that attends to the image."""

    def __init__(self, kind: type[nn.TransformerEncoderLayer] | type[nn.TransformerDecoderLayer]) -> None:
        super().__init__()
        self.words = nn.Embedding(len(VOCABULARY), WIDTH, padding_idx=PAD)
        self.positions = nn.Parameter(0.01 * torch.randn(MAX_LENGTH, WIDTH))
        self.layer = kind(WIDTH, 4, 2 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(WIDTH)
        nn.init.normal_(self.words.weight, std=0.1)

    def embed(self, ids: Tensor) -> Tensor:
        """(n, length) -> (n, length, width)."""
        return cast(Tensor, self.words(ids)) + self.positions[: ids.shape[1]]


class Contrast(nn.Module):
    """Which caption belongs to which image? Softmax over the batch (CLIP), or a sigmoid for each pair (SigLIP)."""

    def __init__(self, *, sigmoid: bool = False, scale: float | None = None) -> None:
        super().__init__()
        self.sigmoid = sigmoid
        self.image_tower, self.text_tower = ImageTower(), WordTower(nn.TransformerEncoderLayer)
        self.image_projection = nn.Linear(2 * CHANNELS[-1], WIDTH, bias=False)
        self.text_projection = nn.Linear(WIDTH, WIDTH, bias=False)
        first, bias = INITIAL_SIGMOID if sigmoid else (INITIAL_SCALE, 0.0)
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale or first)), requires_grad=scale is None)
        self.bias = nn.Parameter(torch.tensor(bias), requires_grad=sigmoid)

    def images(self, pixels: Tensor) -> Tensor:
        """(n, 3, 32, 32) -> (n, width), unit rows."""
        return functional.normalize(self.image_projection(self.image_tower.pooled(pixels)), dim=-1)

    def words(self, ids: Tensor) -> Tensor:
        """(n, length) -> (n, length, width): what the text tower makes of each word."""
        tower = self.text_tower
        return cast(Tensor, tower.norm(tower.layer(tower.embed(ids), src_key_padding_mask=ids == PAD)))

    def texts(self, ids: Tensor) -> Tensor:
        """(n, length) -> (n, width), unit rows: the mean over a caption's words."""
        rows = self.words(ids)
        counted = (ids != PAD)[..., None].to(rows.dtype)
        return functional.normalize(self.text_projection((rows * counted).sum(dim=1) / counted.sum(dim=1)), dim=-1)

    def loss(self, pixels: Tensor, ids: Tensor, rng: torch.Generator) -> Tensor:
        """Symmetric cross-entropy over the batch, or the sigmoid loss over all pairs; no random draws."""
        clamp_scale(self.log_scale)
        images, texts, scale = self.images(pixels), self.texts(ids), self.log_scale.exp()
        if self.sigmoid:
            return sigmoid_loss(images, texts, scale, bias=self.bias)
        return symmetric_cross_entropy(images, texts, scale)

    def scores(self, pixels: Tensor, labels: Sequence[Tensor]) -> Tensor:
        """Cosines with the mean of each label's unit rows."""
        rows = torch.stack([self.texts(sentences).mean(dim=0) for sentences in labels])
        return self.images(pixels) @ functional.normalize(rows, dim=-1).T


class BagOfWords(nn.Module):
    """Which words does the caption hold, in any order? Cross-entropy against their uniform distribution."""

    def __init__(self) -> None:
        super().__init__()
        self.image_tower = ImageTower()
        self.projection = nn.Linear(2 * CHANNELS[-1], WIDTH)
        self.words = nn.Linear(WIDTH, len(VOCABULARY))

    def log_probabilities(self, pixels: Tensor) -> Tensor:
        """(n, 3, 32, 32) -> (n, vocabulary)."""
        return functional.log_softmax(self.words(self.projection(self.image_tower.pooled(pixels))), dim=1)

    def loss(self, pixels: Tensor, ids: Tensor, rng: torch.Generator) -> Tensor:
        """Mean over images of -sum of log p(word) / number of distinct words; no random draws."""
        bag = torch.zeros(len(ids), len(VOCABULARY)).scatter_(1, ids, 1.0)
        bag[:, PAD] = 0
        return -((bag / bag.sum(dim=1, keepdim=True)) * self.log_probabilities(pixels)).sum(dim=1).mean()

    def scores(self, pixels: Tensor, labels: Sequence[Tensor]) -> Tensor:
        """Log of the sum over a label's sentences of the product of p(word)."""
        log_p = self.log_probabilities(pixels)
        each = [torch.stack([log_p[:, row[row != PAD]].sum(dim=1) for row in sentences]) for sentences in labels]
        return torch.stack([one.logsumexp(dim=0) for one in each], dim=1)


class WordPredictor(nn.Module):
    """What is the next word, or the masked one, given the image? A transformer decoder over the image's cells."""

    def __init__(self, *, masked: bool) -> None:
        super().__init__()
        self.masked = masked
        self.image_tower, self.text_tower = ImageTower(), WordTower(nn.TransformerDecoderLayer)
        self.projection = nn.Linear(CHANNELS[-1], WIDTH)
        self.words = nn.Linear(WIDTH, len(VOCABULARY))

    def logits(self, cells: Tensor, ids: Tensor) -> Tensor:
        """(n, 16, width) and (n, length) -> (n, length, vocabulary); each position sees the earlier ones, or all."""
        tower, padding = self.text_tower, ids == PAD
        ahead = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).triu(1)
        rows = tower.layer(
            tower.embed(ids),
            cells,
            tgt_mask=None if self.masked else ahead,
            tgt_key_padding_mask=padding if self.masked else None,
        )
        return cast(Tensor, self.words(tower.norm(rows)))

    def loss(self, pixels: Tensor, ids: Tensor, rng: torch.Generator) -> Tensor:
        """Cross-entropy of every word given those before it; or of one random word given all others."""
        cells = self.projection(self.image_tower.cells(pixels))
        if not self.masked:
            return functional.cross_entropy(self.logits(cells, _shifted(ids)).transpose(1, 2), ids, ignore_index=PAD)
        lengths = (ids != PAD).sum(dim=1)
        at = (torch.rand(len(ids), generator=rng) * lengths).long()[:, None]
        logits = self.logits(cells, ids.scatter(1, at, MASK))[torch.arange(len(ids)), at[:, 0]]
        return functional.cross_entropy(logits, ids.gather(1, at)[:, 0])

    def scores(self, pixels: Tensor, labels: Sequence[Tensor]) -> Tensor:
        """Log of the sum over a label's sentences of their likelihood, or pseudo-likelihood.

        Sentences share most of what stands around a word, so each context goes through the decoder once.
        """
        cells = self.projection(self.image_tower.cells(pixels))
        known: dict[tuple[int, ...], Tensor] = {}  # context -> (n, vocabulary)
        each = []
        for sentences in labels:
            likelihoods = []
            for sentence in sentences.tolist():
                words = [word for word in sentence if word != PAD]
                parts = []
                for at, word in enumerate(words):
                    context = (*words[:at], MASK, *words[at + 1 :]) if self.masked else (START, *words[:at])
                    if context not in known:
                        logits = self.logits(cells, torch.tensor(context).expand(len(cells), -1))
                        known[context] = functional.log_softmax(logits[:, at], dim=1)
                    parts.append(known[context][:, word])
                likelihoods.append(torch.stack(parts).sum(dim=0))
            each.append(torch.stack(likelihoods).logsumexp(dim=0))
        return torch.stack(each, dim=1)


def _shifted(ids: Tensor) -> Tensor:
    """(n, length) -> the same, one to the right, behind the start token."""
    return torch.cat([torch.full_like(ids[:, :1], START), ids[:, :-1]], dim=1)

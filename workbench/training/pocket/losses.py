"""The losses of stage two: which names an image shows, which captions match it, and what photos and texts must keep."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from workbench.training.pocket import texts
from workbench.training.pocket.encoding import Encoded, encode_texts
from workbench.training.pocket.head import Head
from workbench.training.pocket.material import Material
from workbench.training.pocket.names import CLASSES
from workbench.training.pocket.parallel import DataParallel
from workbench.training.pocket.stream import Batch
from workbench.training.pocket.towers import Towers

MAX_SCALE = 60.0
NAMED_AGAIN, NOUNS = 24, 24  # class names and nouns in a batch that hold the text tower in place


@dataclass(frozen=True)
class Teachers:
    """What photos and texts are held to.

    Attributes:
        image: the locked, folded classifier.
        head: the joint space that stage one fitted to it.
        tokenizer: over the kept word pieces.
        names: the first name of each class.
        words: nouns and names.
        vectors: (words, 384), where MiniLM has them.
    """

    image: Any
    head: Head
    tokenizer: Any
    names: list[str]
    words: list[str]
    vectors: Tensor

    def to(self, device: torch.device) -> Teachers:
        """The same on a device."""
        return replace(self, image=self.image.to(device), head=self.head.to(device), vectors=self.vectors.to(device))


@torch.no_grad()
def embed_names(towers: Towers, tokenizer: Any, names: tuple[str, ...], *, rng: random.Random) -> Tensor:
    """A vector for every name, (names, dim), each in a template by chance."""
    forms = ("{}", "a photo of a {}.", "a photo of a {}.", "a {}", "an emoji of a {}", "a drawing of a {}.")
    order = sorted(range(len(names)), key=lambda place: len(names[place]))  # little padding
    rows: list[Tensor] = []
    for start in range(0, len(names), 256):
        sentences = [rng.choice(forms).format(names[place]) for place in order[start : start + 256]]
        with towers.mixed():
            rows.append(towers.embed_tokens(texts.tokens(tokenizer, sentences)).float())
    vectors = torch.empty(len(names), rows[0].shape[1], device=towers.device)
    vectors[torch.tensor(order)] = torch.cat(rows)
    return vectors


def image_losses(
    towers: Towers, teachers: Teachers, batch: Batch, *, seen: Encoded, material: Material, bank: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """The pictures' embeddings, (n, dim) unit rows, and the parts of the loss that ask which names they show."""
    photo = batch.label >= 0
    rows = functional.normalize(towers.visual_projection(seen.rows), dim=-1)
    scale = towers.logit_scale.exp().clamp(max=MAX_SCALE)
    logits, soft = scale * rows @ bank.T, batch.soft[photo, None]
    with torch.no_grad():
        target = batch.target.clone()
        for where, features in ((photo, seen.known), (batch.covered, seen.under)):
            answer, part = teachers.image.classifier(features).softmax(-1), batch.soft[where, None]
            target[where] = part * (answer @ material.bank.spread.to(answer.device)) + (1 - part) * target[where]
        answer = teachers.image.classifier(seen.known).softmax(-1)
        answer = soft * answer + (1 - soft) * functional.one_hot(batch.label[photo], CLASSES)
        aim = functional.normalize(seen.known @ teachers.head.projection.T, dim=-1)
    taught = logits[photo][:, material.first_names].log_softmax(-1)
    away = 1 - (rows[photo] * aim).sum(-1, keepdim=True)
    return rows, {
        "named": -(target * logits.log_softmax(-1)).sum(-1).mean(),
        "taught": functional.kl_div(taught, answer, reduction="batchmean"),
        "stayed": (soft * away).sum() / soft.sum().clamp(min=1),
    }


def text_losses(
    towers: Towers, teachers: Teachers, batch: Batch, *, pictures: Tensor, rng: random.Random, pool: DataParallel
) -> dict[str, Tensor]:
    """The parts of the loss that ask the text tower: captions match, class names and nouns stay.

    `pictures` are the batch's embeddings, (n, dim), as `losses` gives them.
    """
    labels = [rng.randrange(len(teachers.names)) for _ in range(NAMED_AGAIN)]
    again = [rng.choice(texts.TEMPLATES).format(teachers.names[label]) for label in labels]
    spots = [rng.randrange(len(teachers.words)) for _ in range(NOUNS)]
    sentences = [*batch.captions, *batch.false, *again, *(teachers.words[spot] for spot in spots)]
    rows = functional.normalize(towers.text_projection(encode_texts(sentences, pool)), dim=-1)
    own, every = len(batch.captions), len(batch.captions) + len(batch.false)
    scale = towers.logit_scale.exp().clamp(max=MAX_SCALE)
    logits = scale * pictures @ rows[:every].T
    also = also_true(batch.shown, batch.claims).to(towers.device)
    logits[:, :own] = logits[:, :own].masked_fill(also, -1e4)
    right = torch.arange(own, device=towers.device)
    matched = functional.cross_entropy(logits, right) + functional.cross_entropy(logits[:, :own].T, right)
    nouns, aim = rows[every + NAMED_AGAIN :], teachers.vectors[spots]
    return {
        "matched": matched / 2,
        "placed": 1 - (rows[every : every + NAMED_AGAIN] * teachers.head.classes[labels]).sum(-1).mean(),
        "like": functional.mse_loss(nouns @ nouns.T, (aim @ aim.T).clamp(min=0)),
    }


def also_true(shown: Sequence[frozenset[str]], claims: Sequence[frozenset[str]]) -> Tensor:
    """Where a picture meets another's caption that is true of it too, and so is no negative of it.

    Args:
        shown: the names that each of n pictures shows.
        claims: the names in each one's caption.

    Returns:
        (n, n) bool, a row a picture: whether it shows all names in that other's caption. A name that both pictures show
        and the caption leaves out says nothing: of two smiling faces each keeps its own name to itself.
    """
    numbered = list(enumerate(claims))
    return torch.tensor([[k != own and names <= seen for k, names in numbered] for own, seen in enumerate(shown)])

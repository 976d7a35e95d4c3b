"""Stage one, texts: three layers of MiniLM learn the vectors of the thousand classes and keep MiniLM's geometry.

Names are pulled to the class vectors that stage one fitted to pictures (a wider name to all of its classes); WordNet's
nouns and glosses keep MiniLM's geometry, so that words without images stay near their neighbours.

Sources:
    Zhai et al. 2022, arXiv:2111.07991 (a text tower for a locked image tower).
    Park et al. 2019, arXiv:1904.05068 (relational distillation).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.training.pocket.bank import Bank
from workbench.training.pocket.head import Head
from workbench.training.pocket.names import CLASSES, Lexicon
from workbench.training.pocket.towers import TEXT_WIDTH, Towers

TEMPLATES = (
    *("a photo of a {}.", "a photo of a {}.", "a photo of a {}.", "{}", "{}", "a {}", "a picture of a {}."),
    *("a photo of the {}.", "a close-up photo of a {}.", "an image of a {}.", "a good photo of a {}.", "the {}"),
    *("itap of a {}.", "a bad photo of a {}.", "a photo of {}.", "{} photo", "a photo of one {}.", "there is a {}."),
)
NAMES, NOUNS = 160, 96  # in a batch
RATE, HEAD_RATE = 3e-4, 1e-3
WEIGHTS = {"near": 4.0, "told": 0.3, "kept": 2.0, "like": 2.0}


def tokens(tokenizer: Any, texts: Sequence[str], limit: int = 40) -> dict[str, Tensor]:
    """Texts -> ids, mask and type ids, padded to the longest."""
    return dict(tokenizer(list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt"))


def meant(teacher: nn.Module, tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """MiniLM's own sentence vectors, (n, 384) unit rows: the mean over its last tokens."""
    vectors = []
    for start in range(0, len(texts), 256):
        inputs = tokens(tokenizer, texts[start : start + 256])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            rows = teacher(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"][..., None].float()
        vectors.append(functional.normalize((rows * mask).sum(1) / mask.sum(1), dim=-1))
    return torch.cat(vectors).clone()


@dataclass(frozen=True)
class Lesson:
    """What the text tower is fitted to.

    Attributes:
        head: the fitted joint space.
        bank: all names.
        nouns: nouns and glosses that keep their place.
        vectors: (nouns, 384), where MiniLM has them.
        steps: that the rate is planned for.
        seed: of the drawing.
    """

    head: Head
    bank: Bank
    nouns: list[str]
    vectors: Tensor
    steps: int
    seed: int


def fit(towers: Towers, tokenizer: Any, lesson: Lesson) -> Iterator[tuple[int, dict[str, float]]]:
    """Fit text tower and text projection to the class vectors; yields (step, losses) after each step."""
    rng, generator = random.Random(lesson.seed), torch.Generator().manual_seed(lesson.seed)
    head, bank = lesson.head.to(towers.device), lesson.bank
    pulled = _pulls(bank, head)
    known, first = list(pulled), [max(names, key=lambda name: names[name]) for names in bank.of_class]
    back = nn.Linear(TEXT_WIDTH, TEXT_WIDTH).to(towers.device)
    fast = [*towers.text_projection.parameters(), *back.parameters(), *towers.text.pooler.parameters()]
    quick = {id(part) for part in fast}
    slow = [part for part in towers.text.parameters() if id(part) not in quick]
    groups = [{"params": slow, "base": RATE}, {"params": fast, "base": HEAD_RATE}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, weight_decay=0.01, betas=(0.9, 0.98))
    for step in range(lesson.steps):
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * min(1, (step + 1) / 80) * 0.5 * (1 + math.cos(math.pi * step / lesson.steps))
        drawn = [rng.choice(first) if rng.random() < 0.5 else rng.choice(known) for _ in range(NAMES)]
        place = torch.randint(len(lesson.nouns), (NOUNS,), generator=generator)
        names = [rng.choice(TEMPLATES).format(name) for name in drawn]
        forms = ("{}", "a photo of a {}.", "a {}")
        sentences = [rng.choice(forms).format(lesson.nouns[spot]) for spot in place.tolist()]
        with towers.mixed():  # apart, since glosses are three times as long as names
            pooled = torch.cat([towers.pooled(tokens(tokenizer, texts)) for texts in (names, sentences)])
        rows = functional.normalize(towers.text_projection(pooled), dim=-1)
        parts = _placed(rows[:NAMES], [pulled[name] for name in drawn], head)
        parts |= _kept(rows[NAMES:], back(pooled[NAMES:]), lesson.vectors[place].to(towers.device))
        optimiser.zero_grad()
        sum(WEIGHTS[name] * value for name, value in parts.items()).backward()  # type: ignore[union-attr]
        nn.utils.clip_grad_norm_([*slow, *fast], 1.0)
        optimiser.step()
        yield step, {name: float(value.detach()) for name, value in parts.items()}


def _placed(rows: Tensor, pulls: list[tuple[Tensor, Tensor]], head: Head) -> dict[str, Tensor]:
    """How far names are from where they belong, and from being told apart."""
    vectors, weights = (torch.stack([pull[part] for pull in pulls]) for part in (0, 1))
    log_shares = (head.scale * rows @ head.classes.T).log_softmax(-1)
    return {"near": 1 - (rows * vectors).sum(-1).mean(), "told": -(weights * log_shares).sum(-1).mean()}


def _kept(rows: Tensor, back: Tensor, aim: Tensor) -> dict[str, Tensor]:
    """How far nouns and glosses are from what MiniLM knows: each by itself, and to each other."""
    kept = 1 - (functional.normalize(back, dim=-1) * aim).sum(-1).mean()
    return {"kept": kept, "like": functional.mse_loss(rows @ rows.T, (aim @ aim.T).clamp(min=0))}


def anchors(lexicon: Lexicon, bank: Bank, *, count: int, seed: int) -> list[str]:
    """Names of the bank, and nouns and glosses of WordNet, the more common first."""
    from wordfreq import zipf_frequency

    rng = random.Random(seed)
    nouns = {word.lower() for synset in lexicon.nouns for word in synset.words}
    common = sorted(nouns, key=lambda word: (-zipf_frequency(word, "en"), word))[: count // 2]
    glosses = [synset.gloss for synset in lexicon.nouns if synset.gloss]
    return [*bank.names, *common, *rng.sample(glosses, count // 4)]


def _pulls(bank: Bank, head: Head) -> dict[str, tuple[Tensor, Tensor]]:
    """For each name that means classes: the vector to lie at, (dim,), and the classes' shares, (1000,)."""
    pulls = {}
    for name, classes in bank.classes.items():
        weights = torch.zeros(CLASSES, device=head.classes.device)
        for number, weight in classes.items():
            weights[number] = weight
        pulls[name] = functional.normalize(weights @ head.classes, dim=0), weights
    return pulls

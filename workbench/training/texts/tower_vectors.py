"""Vectors of names and sentences as a text tower has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench.training.pocket import scenes
from workbench.training.pocket.bank import COLOURS, COUNTS, Bank
from workbench.training.pocket.towers import Towers
from workbench.training.texts.learning import embedded
from workbench.training.texts.vectors import FORMS, Vectors

AT_ONCE = 256  # texts
SCENE = "a photo of {}."


def begun(made: Towers, tokenizer: Any, bank: Bank) -> Vectors:
    """Vectors where the text tower has the names; nothing is added for the rest yet."""
    names = {kind: [form.format(name) for name in bank.names] for kind, form in FORMS.items()}
    return Vectors.begun({kind: embed(made, tokenizer, texts) for kind, texts in names.items()})


@torch.no_grad()
def embed(made: Towers, tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """Texts -> (n, dim) unit rows on the CPU."""
    parts = (texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE))
    return torch.cat([embedded(made, tokenizer, part).float().cpu() for part in parts])


@dataclass(frozen=True)
class TowerVectors(Vectors):
    """Vectors whose colours, counts and pairs are sentences that the text tower embeds.

    Attributes:
        embed: texts -> (n, dim) unit rows.
        names: of the bank.
        known: what it embedded so far.
    """

    embed: Callable[[Sequence[str]], Tensor]
    names: Sequence[str]
    known: dict[str, Tensor] = field(default_factory=dict)

    def coloured(self, colour: Tensor, thing: Tensor) -> Tensor:
        """As `Vectors` has it."""
        return self._sentences(colour, thing, lambda number, name: f"a {COLOURS[number]} {self.names[name]}")

    def counted(self, count: Tensor, thing: Tensor) -> Tensor:
        """As `Vectors` has it."""

        def phrase(number: int, name: int) -> str:
            return f"{COUNTS[number]} {scenes.many(self.names[name]) if number else self.names[name]}"

        return self._sentences(count, thing, phrase)

    def paired(self, one: Tensor, other: Tensor) -> Tensor:
        """As `Vectors` has it."""
        return self._sentences(one, other, lambda a, b: f"a {self.names[a]} and a {self.names[b]}")

    def _sentences(self, one: Tensor, other: Tensor, phrase: Callable[[int, int], str]) -> Tensor:
        shape = (one + other).shape  # as both together have it
        both = zip(one.expand(shape).flatten().tolist(), other.expand(shape).flatten().tolist(), strict=True)
        texts = [SCENE.format(phrase(a, b)) for a, b in both]
        if new := [text for text in dict.fromkeys(texts) if text not in self.known]:
            self.known.update(zip(new, self.embed(new), strict=True))
        return torch.stack([self.known[text] for text in texts]).view(*shape, -1)

"""Words that a text tower takes for near a target: common words, and short strings of signs or letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.neurons.vocabulary import common_words
from workbench.prompts import DEFAULT, fill

if TYPE_CHECKING:
    from workbench.backend import ClipBackend

WORDS, SHORT = 4, 2  # so many of each kind
SIGNS = "$€£%&@#!?*+"  # three in a row are a short string
LONGEST = 3  # letters of a short word


def neighbours(backend: ClipBackend, target: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return words near a target, the nearest first, then short strings; none is one of the names.

    Nearness is the cosine of the texts after what all texts have in common is taken away.

    Args:
        backend: the model; it embeds about six hundred short texts once.
        target: what the words shall mean.
        names: what the model chooses from; their words would speak for another answer.

    Raises:
        Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
    """
    from torch.nn import functional

    taken = {part for name in (*names, target) for part in (name.lower(), *name.lower().split())}
    short = [sign * 3 for sign in SIGNS] + shortened(target)
    words = [word for word in common_words() if not taken & {word.lower(), *word.lower().split()}]
    texts = [*words, *(one for one in short if one.lower() not in taken)]
    rows = backend.embed_texts([fill(DEFAULT, text) for text in (target, *texts)])
    rows = functional.normalize(rows - rows[1:].mean(dim=0), dim=-1)
    order = (rows[1:] @ rows[0]).argsort(descending=True).tolist()
    ranked = [texts[at] for at in order]
    chosen = [one for one in ranked if one in set(words)][:WORDS]
    return (*chosen, *[one for one in ranked if one not in set(words)][:SHORT])


def shortened(target: str) -> list[str]:
    """Return strings of up to three letters: beginnings of the target's words, and their consonants."""
    strings = []
    for part in target.lower().split():
        consonants = "".join(one for one in part if one not in "aeiou")
        strings += [part[:2], part[:LONGEST], consonants[:2], consonants[:LONGEST]]
    return [one for one in dict.fromkeys(strings) if len(one) > 1]

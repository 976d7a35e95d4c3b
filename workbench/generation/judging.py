"""Looking at a whole image once more: how like the prompt it is, for the model that steered and for a judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.generation.models import judge_key, needed
from workbench.generation.painting import Painting
from workbench.generation.prompts import WeightedText

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from workbench.engine import Session

WORDED = 'the word "{}", written'
SHOWN = "a drawing of {}"


@dataclass(frozen=True, eq=False)
class Generated:
    """An image with what is known of it."""

    painting: Painting
    similarity: float  # mean of the prompt's cosines by their weights, of the whole image; -1..1
    text_leak: float  # 0..1: how much more it looks like the prompt written than like the prompt drawn
    fingerprint: str  # of the model that steered
    judged: float | None = None  # the same similarity by a model that steered nothing; None where there is none
    judge: str = ""  # key of that model
    written: float = 0.0  # 0..1: share of the image on which the text finder sees writing


@dataclass(frozen=True, eq=False)
class Wanted:
    """Texts and images that an image is compared with."""

    texts: tuple[WeightedText, ...]
    images: tuple[Image.Image, ...] = ()
    image_weights: tuple[float, ...] = ()

    @property
    def weights(self) -> tuple[float, ...]:
        """Of texts, then of images."""
        return (*(part.weight for part in self.texts), *self.image_weights)


def looked_at(session: Session, painting: Painting, wanted: Wanted) -> Generated:
    """Look at a whole image once more, with the model that steered and with the judge."""
    key = judge_key(painting.settings)
    if len(session.others) < len(needed(painting.settings)):  # a session without the shipped judge
        key = ""
    similarity, leak = _seen(session, painting.pixels, wanted)
    judged = _seen(session.others[-1], painting.pixels, wanted)[0] if key else None
    written = written_share(painting.pixels)
    return Generated(painting, similarity, leak, session.fingerprint, judged, key, written)


def written_share(pixels: NDArray[np.uint8]) -> float:
    """Share of an image (h, w, 3) on which the shipped text finder sees writing; it knows nothing of the prompt."""
    import numpy as np
    import torch

    from workbench.typographic.finding import finder

    height, width = pixels.shape[:2]
    covered = np.zeros((height, width), bool)
    for left, top, right, bottom, _ in finder()(torch.tensor(pixels).movedim(-1, 0)):
        covered[round(top) : round(bottom), round(left) : round(right)] = True
    return float(covered.mean())


def _seen(session: Session, pixels: NDArray[np.uint8], wanted: Wanted) -> tuple[float, float]:
    """Similarity of a whole image with what is wanted, and how far it is a picture of writing.

    The text leak is the softmax share of "the word X, written" against "a drawing of X", X being the heaviest part.
    """
    import torch
    from PIL import Image

    row = session.embed_images([Image.fromarray(pixels)])[0]
    rows = session.embed_texts([part.text for part in wanted.texts])
    if wanted.images:
        rows = torch.cat([rows, session.embed_images(list(wanted.images))])
    weights = torch.tensor(wanted.weights)
    heaviest = max(wanted.texts, key=lambda part: part.weight).text
    both = session.embed_texts([WORDED.format(heaviest), SHOWN.format(heaviest)]) @ row
    leak = torch.softmax(session.logit_scale * both, dim=0)[0]
    return float((weights * (rows @ row)).sum() / weights.abs().sum()), float(leak)

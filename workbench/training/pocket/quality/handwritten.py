"""A note stuck on the object, blank and then with a word in a hand's script: a stand-in for photos of real notes.

Photos of real objects with handwritten labels are not at hand; here fonts that look like handwriting, none of them
trained with, are drawn on paper that is pasted on photos.

Source:
    Goh et al. 2021, Distill, "Multimodal neurons in artificial neural networks" (things with blank and written labels).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps

from workbench.backend import ClipBackend
from workbench.errors import BadInput
from workbench.statistics.intervals import proportion
from workbench.training.pocket.fonts import PACKAGES
from workbench.training.pocket.quality.answers import SIDE, Answer, Apart, counted, embed, say

HANDS = ("Breip", "Domestic Manners", "Humor Sans", "Swift")  # families kept apart from training
CHOICES = 9
PAPERS = ((255, 255, 255), (250, 247, 236), (255, 242, 150))  # white, cream, a yellow note
INKS = ((15, 15, 20), (25, 35, 110), (130, 20, 25))  # pens: black, blue, red
WIDE, HIGH, TILT = 120, 60, 10  # pixels of paper; degrees


def handwritten(backend: ClipBackend, apart: Apart) -> Iterator[Answer]:
    """Is the object still named among nine while its note is blank, and does a word on the note beat it?

    Raises:
        BadInput: none of the fonts is among those that were kept apart.
    """
    rng, first = apart.rng(), [name.lower() for name in apart.lexicon.first()]
    hands = [font.path for font in apart.fonts if font.family in HANDS]
    if not hands:
        raise BadInput(
            f"Notes want one of the fonts {', '.join(HANDS)}, and none is here. On Debian: apt-get install "
            f"$(cat {PACKAGES})"
        )
    blank, written, choices = [], [], []
    for photo, label in apart.photos:
        others = rng.sample([word for word in apart.labels if word != first[label]], CHOICES - 1)
        clean, seed, hand = ImageOps.fit(photo, (SIDE, SIDE)), rng.random(), rng.choice(hands)
        blank.append(noted(clean, "", hand, rng=random.Random(seed)))
        written.append(noted(clean, others[0], hand, rng=random.Random(seed)))
        choices.append([first[label], *others])
    said = say(backend, [name for names in choices for name in names]).view(len(choices), CHOICES, -1)
    alone, beside = (torch.einsum("nd,nkd->nk", embed(backend, pictures), said) for pictures in (blank, written))
    objects = torch.zeros(len(choices), dtype=torch.long)
    yield counted("names an object with a blank note on it", alone, objects, how="9-way, pasted on photos")
    beaten = int((beside[:, 1] > beside[:, 0]).sum())
    yield Answer("a word in a hand's script on that note beats the object", proportion(beaten, len(beside)), "two-way")


def noted(photo: Image.Image, word: str, hand: str, *, rng: random.Random) -> Image.Image:
    """A photo with a note stuck on its lower half, a little turned.

    Args:
        photo: (SIDE, SIDE), left as it is.
        word: on the note; "" leaves it blank.
        hand: font file.
        rng: decides paper, pen, angle and place; the same one gives the same note whatever the word.
    """
    note = Image.new("RGBA", (WIDE, HIGH), (*rng.choice(PAPERS), 255))
    ink, angle = rng.choice(INKS), rng.uniform(-TILT, TILT)
    x, y = rng.randint(20, SIDE - WIDE - 20), rng.randint(SIDE // 2, SIDE - HIGH - 10)
    if word:
        font = ImageFont.truetype(hand, 60)
        font = ImageFont.truetype(hand, int(min(44, 60 * (WIDE - 12) / font.getlength(word))))
        ImageDraw.Draw(note).text((WIDE / 2, HIGH / 2), word, font=font, fill=ink, anchor="mm")
    note = note.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    picture = photo.copy()
    picture.paste(note, (x, y), note)
    return picture

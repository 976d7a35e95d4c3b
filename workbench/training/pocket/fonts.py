"""Fonts to train with, and other families to test with; each family is in one of the two, chosen by its name's hash.

Reads font files and their own licence entries; draws nothing.
"""

from __future__ import annotations

import json
import string
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from workbench.errors import BadInput
from workbench.training.pocket.ingredients import npm, part

FOLDERS = (Path("/usr/share/fonts"),)
TEST_PART = 6  # one family of so many is for testing
HANDS_APART = 5  # and one of so many of the handwriting
SCOPE = "@fontsource"  # npm's scope of fonts
PER_FAMILY = 4
PACKAGES = Path(__file__).with_name("fonts.txt")  # Debian's, which the shipped weights were made with
HANDS = Path(__file__).with_name("hands.txt")  # npm's, all handwriting
_NOT_LETTERS = (
    "dingbat",
    "d050000l",
    "symbol",
    "icon",
    "braille",
    "awesome",
    "emoji",
    "barcode",
    "music",
    "cuneiform",
    "math",
)
_FEWEST = 12  # families, in either part


@dataclass(frozen=True)
class Font:
    """A font file, its family, what its maker says of the licence, and whether it is one of npm's handwritings."""

    path: str
    family: str
    licence: str
    test: bool
    hand: bool = False


def fonts(folders: Sequence[Path], modules: Path, *, keep: Path | None = None) -> tuple[Font, ...]:
    """Find fonts with all Latin letters, at most four files a family, and npm's handwriting.

    Args:
        folders: searched with all below them.
        modules: a `node_modules` with the packages of `HANDS`.
        keep: a JSON file that remembers the answer.

    Raises:
        BadInput: too few families to train with and to test with others.
    """
    if keep is not None and keep.exists():
        return tuple(Font(**row) for row in json.loads(keep.read_text(encoding="utf-8")))
    families: dict[str, list[Font]] = defaultdict(list)
    for folder in folders:
        for path in sorted((*folder.rglob("*.ttf"), *folder.rglob("*.otf"))):
            for font in _read(path):
                families[font.family].append(font)
    chosen = tuple(font for family in sorted(families) for font in _spread(families[family]))
    trained, tested = ({font.family for font in chosen if font.test is side} for side in (False, True))
    if min(len(trained), len(tested) * 3) < _FEWEST:
        raise BadInput(
            f"The recipe needs many font families, some to train with and others to test with; found {len(trained)} "
            f"and {len(tested)} families in {', '.join(map(str, folders))}. On Debian: apt-get install "
            f"$(cat {PACKAGES})"
        )
    chosen += tuple(hand for name in HANDS.read_text(encoding="utf-8").split() for hand in _hand(modules, name))
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        keep.write_text(json.dumps([asdict(font) for font in chosen]), encoding="utf-8")
    return chosen


def _hand(modules: Path, name: str) -> Iterator[Font]:
    """The Latin letters of one npm package of handwriting."""
    file = f"files/{name.removeprefix(SCOPE + '/')}-latin-400-normal.woff"
    for font in _read(npm(modules, name, file)):
        yield replace(font, test=part(font.family, HANDS_APART) == 0, hand=True)


def _read(path: Path) -> Iterator[Font]:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with path.open("rb") as file, TTFont(file, lazy=True, fontNumber=0) as font:
            names, letters = font["name"], font.getBestCmap() or {}
            family = str(names.getDebugName(16) or names.getDebugName(1) or path.stem)
            licence = str(names.getDebugName(13) or names.getDebugName(14) or names.getDebugName(0) or "")
    except (TTLibError, KeyError, OSError, ValueError):
        return  # not a font that can be read
    if not all(ord(letter) in letters for letter in string.ascii_letters):
        return
    if any(word in f"{family} {path.stem}".lower() for word in _NOT_LETTERS):
        return
    if family.startswith(("Noto Sans", "Noto Serif")):  # one drawing of the Latin letters for all scripts
        family = " ".join(family.split()[:2])
    yield Font(str(path), family, " ".join(licence.split())[:120], part(family, TEST_PART) == 0)


def _spread(files: list[Font]) -> list[Font]:
    """At most four of a family, evenly over its files."""
    if len(files) <= PER_FAMILY:
        return files
    return [files[place * len(files) // PER_FAMILY] for place in range(PER_FAMILY)]

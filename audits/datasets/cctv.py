"""Rendered scenes in the look of a surveillance camera: low resolution, noise, a time stamp, half of them in grey.

They are drawn from lines, boxes and OpenMoji's objects; nobody in them is a real person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture

SIDE = 256  # pixels
COARSE = 128  # pixels of the camera's own resolution
SEED = 7
CAMERAS = 3  # per place
TIMES = 2  # images of one camera and object
ABOUT = About(
    title="Rendered surveillance scenes",
    licence="CC BY-SA 4.0 (OpenMoji)",
    source="rendered; OpenMoji 17, openmoji.org",
    people=True,
    shows=(
        "144 images: eight kinds of places, with three cameras, three possible objects and two moments each. Images of "
        "one camera share a cluster. Rendered scenes are simple and tidy, real ones are cluttered: these numbers "
        "describe the model on such drawings, not on camera footage."
    ),
)


@dataclass(frozen=True)
class _Place:
    """A kind of place, the objects that may be there, and a function that draws it empty."""

    name: str
    phrase: str  # "a parking lot"
    things: tuple[tuple[str, str], ...]  # (words of the caption, glyph)
    paint: Callable[[ImageDraw.ImageDraw, np.random.Generator], None]


def pictures() -> Iterator[Picture]:
    """Yield 144 images of 256 x 256 pixels with their captions."""
    for place_at, place in enumerate(PLACES):
        for camera in range(CAMERAS):
            for thing_at, (thing, glyph) in enumerate(place.things):
                for time in range(TIMES):
                    rng = np.random.default_rng([SEED, place_at, camera, thing_at, time])
                    watched = bool((thing_at + time) % 2)
                    grey = camera == 0 or (camera == 1 and time == 1)
                    still = np.random.default_rng([SEED, place_at, camera])  # the camera does not move
                    picture = _scene(place, glyph, watched=watched, still=still, rng=rng)
                    name = f"{place.name.replace(' ', '-')}-{camera}-{thing_at}-{time}"
                    others = [other for other, _ in place.things if other != thing]
                    with_box, without = (f"{place.phrase} with {what} in the corner" for what in ("a box", "nothing"))
                    stamp = f"CAM {place_at}{camera}  0{time + 1}:1{thing_at}"
                    yield (
                        name,
                        _recorded(picture, grey=grey, stamp=stamp, rng=rng),
                        {
                            "split": "test",
                            "cluster": f"{place.name}-{camera}",
                            "label": f"{place.phrase} with {thing}",
                            "distractor": "|".join(f"{place.phrase} with {other}" for other in others),
                            "fine": f"{with_box}|{without}",
                            "fine_true": with_box if watched else without,
                            "place": place.name,
                            "light": "grey" if grey else "colour",
                        },
                    )


def _scene(
    place: _Place, glyph: str, *, watched: bool, still: np.random.Generator, rng: np.random.Generator
) -> Image.Image:
    """Draw the empty place, the object in it, and, where `watched`, a box in the lower right corner."""
    from workbench.pictures import draw

    base = tuple(int(part) for part in still.integers(110, 170, size=3))
    picture = Image.new("RGB", (SIDE, SIDE), base)
    pen = ImageDraw.Draw(picture)
    place.paint(pen, still)
    size = int(rng.integers(110, 145))
    thing = draw(glyph).resize((size, size), Image.Resampling.LANCZOS)
    mask = thing.convert("L").point([255 if level < 250 else 0 for level in range(256)])
    picture.paste(thing, (int(rng.integers(40, 120)), int(rng.integers(85, 110))), mask)
    if watched:
        pen.rectangle((218, 214, 246, 242), fill=(150, 100, 50), outline=(60, 40, 20), width=2)
        pen.line((218, 228, 246, 228), fill=(60, 40, 20), width=2)
    return picture


def _recorded(picture: Image.Image, *, grey: bool, stamp: str, rng: np.random.Generator) -> Image.Image:
    """Return the image as a cheap camera records it."""
    small = picture.resize((COARSE, COARSE), Image.Resampling.BILINEAR)
    pixels = np.asarray(small.convert("L").convert("RGB") if grey else small, dtype=np.float64)
    muted = 0.75 * pixels + 0.25 * pixels.mean(axis=2, keepdims=True)
    noise = rng.normal(0.0, 9.0 if grey else 6.0, size=(COARSE, COARSE, 1))
    lines = np.where(np.arange(COARSE) % 2, 0.0, -5.0)[:, None, None]
    recorded = Image.fromarray(np.clip(muted + noise + lines, 0, 255).round().astype(np.uint8))
    large = recorded.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    ImageDraw.Draw(large).text((6, 4), stamp, fill=(230, 230, 230), font=ImageFont.load_default(14))
    return large


def _parking(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    pen.rectangle((0, 0, SIDE, 90), fill=(150, 160, 165))
    pen.rectangle((0, 90, SIDE, SIDE), fill=(95, 95, 98))
    step = int(still.integers(44, 60))
    for x in range(10, SIDE, step):
        pen.line((x, 100, x - 14, SIDE), fill=(225, 225, 225), width=4)


def _street(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    horizon = int(still.integers(70, 95))
    pen.rectangle((0, 0, SIDE, horizon), fill=(165, 175, 185))
    for x in range(0, SIDE, 50):
        top = int(still.integers(5, horizon - 30))
        pen.rectangle((x, top, x + 44, horizon), fill=(120, 105, 95), outline=(80, 70, 65))
    pen.polygon([(90, horizon), (166, horizon), (SIDE, SIDE), (0, SIDE)], fill=(85, 85, 88))
    for y in range(horizon + 10, SIDE, 30):
        pen.line((128, y, 128, y + 14), fill=(230, 230, 220), width=4)


def _corridor(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    x, y = (int(part) for part in still.integers(85, 105, size=2))
    pen.rectangle((0, 0, SIDE, SIDE), fill=(190, 188, 180))
    pen.rectangle((x, y - 30, SIDE - x, SIDE - y), fill=(150, 148, 142), outline=(90, 90, 90))
    pen.polygon([(0, SIDE), (x, SIDE - y), (SIDE - x, SIDE - y), (SIDE, SIDE)], fill=(120, 118, 115))
    for edge in ((0, 0, x, y - 30), (SIDE, 0, SIDE - x, y - 30)):
        pen.line(edge, fill=(90, 90, 90), width=3)
    pen.rectangle((20, 90, 55, 215), fill=(110, 85, 60), outline=(60, 45, 30), width=2)


def _shop(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    pen.rectangle((0, 0, SIDE, SIDE), fill=(205, 200, 190))
    for y in (30, 65, 100):
        pen.rectangle((0, y + 24, SIDE, y + 29), fill=(100, 80, 60))
        for x in range(4, SIDE, 16):
            colour = tuple(int(part) for part in still.integers(60, 220, size=3))
            pen.rectangle((x, y + int(still.integers(4, 12)), x + 11, y + 24), fill=colour)
    pen.rectangle((0, 140, SIDE, SIDE), fill=(165, 160, 150))


def _platform(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    pen.rectangle((0, 0, SIDE, 80), fill=(140, 150, 160))
    pen.polygon([(0, 80), (150, 80), (90, SIDE), (0, SIDE)], fill=(130, 128, 122))
    pen.polygon([(150, 80), (162, 80), (112, SIDE), (90, SIDE)], fill=(220, 200, 60))
    pen.rectangle((162, 80, SIDE, SIDE), fill=(70, 66, 62))
    for y in range(90, SIDE, int(still.integers(16, 24))):
        pen.line((150, y, SIDE, y + 8), fill=(110, 90, 70), width=4)
    for x in (180, 230):
        pen.line((x, 80, x + 20, SIDE), fill=(190, 190, 195), width=4)


def _garden(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    pen.rectangle((0, 0, SIDE, 90), fill=(170, 195, 215))
    pen.rectangle((0, 90, SIDE, SIDE), fill=(95, 140, 80))
    for x in range(0, SIDE, int(still.integers(18, 26))):
        pen.polygon([(x, 100), (x, 66), (x + 7, 58), (x + 14, 66), (x + 14, 100)], fill=(200, 185, 160))


def _warehouse(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    pen.rectangle((0, 0, SIDE, SIDE), fill=(130, 132, 135))
    for x in range(6, SIDE, 62):
        pen.rectangle((x, 20, x + 50, 130), outline=(60, 80, 130), width=4)
        for y in (48, 84, 120):
            high = int(still.integers(14, 24))
            pen.rectangle((x + 6, y - high, x + 44, y), fill=(165, 125, 80), outline=(90, 65, 40))
    pen.rectangle((0, 140, SIDE, SIDE), fill=(150, 150, 146))


def _kitchen(pen: ImageDraw.ImageDraw, still: np.random.Generator) -> None:
    pen.rectangle((0, 0, SIDE, SIDE), fill=(215, 215, 210))
    for x in range(0, SIDE, 24):
        pen.line((x, 0, x, 110), fill=(180, 180, 178))
    for y in range(0, 110, 24):
        pen.line((0, y, SIDE, y), fill=(180, 180, 178))
    pen.rectangle((0, 110, SIDE, 140), fill=(140, 140, 145), outline=(80, 80, 85))
    at = int(still.integers(20, 160))
    pen.rectangle((at, 60, at + 70, 110), fill=(70, 70, 75), outline=(40, 40, 45), width=3)
    pen.rectangle((0, 200, SIDE, SIDE), fill=(160, 150, 140))


PLACES: tuple[_Place, ...] = (
    _Place("parking lot", "a parking lot", (("a car", "🚗"), ("a truck", "🚚"), ("a bicycle", "🚲")), _parking),
    _Place("street", "a street", (("a bus", "🚌"), ("a motorcycle", "🏍"), ("a person walking", "🚶")), _street),
    _Place("corridor", "a corridor", (("a person standing", "🧍"), ("a chair", "🪑"), ("a dog", "🐕")), _corridor),
    _Place("shop", "a shop", (("a shopping cart", "🛒"), ("a person walking", "🚶"), ("a backpack", "🎒")), _shop),
    _Place("platform", "a railway platform", (("a suitcase", "🧳"), ("a train", "🚆"), ("a bicycle", "🚲")), _platform),
    _Place("garden", "a garden", (("a cat", "🐈"), ("a dog", "🐕"), ("a ladder", "🪜")), _garden),
    _Place("warehouse", "a warehouse", (("a box", "📦"), ("a truck", "🚚"), ("a person standing", "🧍")), _warehouse),
    _Place("kitchen", "a kitchen", (("a kettle", "🫖"), ("a chair", "🪑"), ("a fire extinguisher", "🧯")), _kitchen),
)

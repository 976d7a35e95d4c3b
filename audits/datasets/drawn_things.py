"""Common things, drawn: what `builtin:drawn-things` shows, for audits of what a model gets right and when it fails.

Each thing comes twice, on white and small on a tinted ground, and a few come as photos too. Knows no model: the things
are common nouns that one character of OpenMoji draws; none was chosen or left out for what a model says to it.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from audits.datasets.dataset import About
from audits.datasets.drawn import write_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

VERSION = 1
SIDE = 224  # pixels
MARGIN = 16  # pixels of white around a drawing that fills its picture
COLUMNS = ("sample_id", "path", "cluster", "split", "label", "kind", "style")

# kind -> "thing glyph, thing glyph"
THINGS: dict[str, str] = {
    "animal": (
        "cat 🐈, dog 🐕, mouse 🐁, rabbit 🐇, cow 🐄, pig 🐖, sheep 🐑, goat 🐐, horse 🐎, camel 🐫, "
        "elephant 🐘, giraffe 🦒, kangaroo 🦘, tiger 🐅, gorilla 🦍, hedgehog 🦔, bat 🦇, panda 🐼, "
        "koala 🐨, lion 🦁, frog 🐸, chicken 🐔, penguin 🐧, duck 🦆, owl 🦉, flamingo 🦩, peacock 🦚, "
        "parrot 🦜, crocodile 🐊, turtle 🐢, snake 🐍, whale 🐋, dolphin 🐬, octopus 🐙, crab 🦀, "
        "snail 🐌, butterfly 🦋, bee 🐝, ladybug 🐞, spider 🕷"
    ),
    "food": (
        "apple 🍎, pear 🍐, lemon 🍋, banana 🍌, watermelon 🍉, grapes 🍇, strawberry 🍓, pineapple 🍍, "
        "carrot 🥕, corn 🌽, broccoli 🥦, mushroom 🍄, bread 🍞, pretzel 🥨, hamburger 🍔, "
        "french fries 🍟, pizza 🍕, hot dog 🌭, ice cream 🍦, doughnut 🍩, cookie 🍪, "
        "cup of coffee ☕, glass of wine 🍷, teapot 🫖"
    ),
    "vehicle": (
        "car 🚗, bus 🚌, truck 🚚, tractor 🚜, ambulance 🚑, fire engine 🚒, motorcycle 🏍, bicycle 🚲, "
        "train 🚆, airplane ✈, helicopter 🚁, rocket 🚀, sailboat ⛵, ship 🚢, canoe 🛶, "
        "skateboard 🛹"
    ),
    "tool or furniture": (
        "clock 🕒, watch ⌚, mobile phone 📱, laptop 💻, printer 🖨, camera 📷, television 📺, "
        "light bulb 💡, candle 🕯, book 📖, envelope ✉, pencil ✏, scissors ✂, key 🔑, lock 🔒, "
        "hammer 🔨, axe 🪓, saw 🪚, screwdriver 🪛, ladder 🪜, chair 🪑, bed 🛏, couch 🛋, toilet 🚽, "
        "bathtub 🛁, broom 🧹, umbrella ☂, telescope 🔭, microscope 🔬, coin 🪙"
    ),
    "clothing": (
        "glasses 👓, necktie 👔, jeans 👖, scarf 🧣, gloves 🧤, coat 🧥, socks 🧦, dress 👗, handbag 👜, "
        "backpack 🎒, boot 👢, crown 👑, top hat 🎩"
    ),
    "music or play": (
        "guitar 🎸, violin 🎻, trumpet 🎺, saxophone 🎷, drum 🥁, piano 🎹, soccer ball ⚽, "
        "basketball 🏀, tennis ball 🎾, kite 🪁, teddy bear 🧸, balloon 🎈"
    ),
    "place or nature": (
        "house 🏠, castle 🏰, tent ⛺, ferris wheel 🎡, fountain ⛲, mountain ⛰, volcano 🌋, tree 🌳, "
        "palm tree 🌴, cactus 🌵, rose 🌹, sunflower 🌻, rainbow 🌈, snowman ⛄, traffic light 🚦"
    ),
}
PHOTOS = {  # a shipped photo -> what it shows
    "cat": "cat",
    "coffee": "cup of coffee",
    "rocket": "rocket",
    "motorcycle": "motorcycle",
    "clock": "clock",
    "coins": "coin",
}
ABOUT = About(
    title="Drawings and photos of common things",
    licence="drawings CC BY-SA 4.0; photos as scikit-image states them: CC0, public domain, no known restrictions",
    source="OpenMoji 17 (openmoji.org) and the photos in scikit-image's package",
    shows=(
        "One artist team's drawings of 150 common things, each on white and small on a tinted ground, and six photos. "
        "They show how a model reacts when the same picture is disturbed, or when a thing is asked for in other words. "
        "They do not show how well it names photos: most models saw few drawings of this style. Two pictures "
        "of one thing are no independent evidence, so they share a cluster."
    ),
)


def things() -> list[tuple[str, str, str]]:
    """Return (kind, thing, glyph) of each thing, in order."""
    entries = [(kind, entry.rpartition(" ")) for kind, row in THINGS.items() for entry in row.split(", ")]
    return [(kind, thing, glyph) for kind, (thing, _, glyph) in entries]


def build(folder: Path) -> About:
    """Write the pictures, 224 x 224 PNG, and `samples.csv`; the same bytes each time.

    Raises:
        BadInput: the package of the drawings or of the photos is not complete.
    """
    from workbench.pictures import draw, sample

    rows: list[tuple[str, ...]] = []
    for kind, thing, glyph in things():
        drawing = draw(glyph)
        slug = thing.replace(" ", "-")
        for style, picture in (("on white", on_white(drawing)), ("on a ground", on_ground(drawing, thing))):
            name = f"{slug}-{style.split()[-1]}"
            picture.save(folder / f"{name}.png")
            rows.append((name, f"{name}.png", slug, "test", thing, kind, style))
    kinds = {thing: kind for kind, thing, _ in things()}
    for key, thing in PHOTOS.items():
        name = f"{thing.replace(' ', '-')}-photo"
        _square(sample(key)).save(folder / f"{name}.png")
        rows.append((name, f"{name}.png", thing.replace(" ", "-"), "test", thing, kinds[thing], "photo"))
    write_table(folder, COLUMNS, rows)
    return ABOUT


def on_ground(drawing: Image.Image, name: str) -> Image.Image:
    """Put a drawing on white, smaller and off the centre, onto a tinted ground that its name decides; 224 x 224."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(zlib.crc32(name.encode()))
    first, second = draw.integers(120, 250, (2, 3))
    ramp = np.linspace(0.0, 1.0, SIDE)[:, None, None]
    ground = np.broadcast_to(first * (1 - ramp) + second * ramp, (SIDE, SIDE, 3))
    side = int(draw.integers(120, 180))
    left, top = draw.integers(0, SIDE - side, 2)
    white = Image.new("RGB", (SIDE, SIDE), "white")
    white.paste(trimmed(drawing).resize((side, side), Image.Resampling.BICUBIC), (int(left), int(top)))
    seen = np.asarray(white, np.float64)
    shown = np.where(_outside(seen)[..., None], seen * ground / 255.0, seen)  # a darker line fades into the ground
    return Image.fromarray(shown.astype(np.uint8))


def _outside(pixels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(h, w, 3) -> (h, w): what is white and reaches the edge, and the soft rim of what it touches."""
    from scipy.ndimage import binary_dilation, label

    places, _ = label(pixels.min(axis=2) >= 250)
    answer: NDArray[np.bool_] = binary_dilation(places == places[0, 0], iterations=2)
    return answer


def on_white(drawing: Image.Image) -> Image.Image:
    """Let a drawing fill its picture up to a margin; 224 x 224."""
    from PIL import Image

    white = Image.new("RGB", (SIDE, SIDE), "white")
    side = SIDE - 2 * MARGIN
    white.paste(trimmed(drawing).resize((side, side), Image.Resampling.BICUBIC), (MARGIN, MARGIN))
    return white


def trimmed(drawing: Image.Image) -> Image.Image:
    """Cut a drawing to the square around what is not white."""
    from PIL import Image, ImageChops

    box = ImageChops.invert(drawing).getbbox() or (0, 0, *drawing.size)
    side = max(box[2] - box[0], box[3] - box[1])
    square = Image.new("RGB", (side, side), "white")
    cut = drawing.crop(box)
    square.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2))
    return square


def _square(picture: Image.Image) -> Image.Image:
    """Cut the centre square and resample it to 224 x 224."""
    from PIL import Image

    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    return picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)

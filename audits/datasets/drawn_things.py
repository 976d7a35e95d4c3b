"""Drawings of common things (`builtin:drawn-things`), for audits of accuracy and robustness.

Each thing is drawn on white, and smaller on a tinted background; a few come as photos too. The things are common nouns
for which OpenMoji has one character; none was chosen or left out because of a model's answer.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageChops

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture, glyphs

SIDE = 224  # pixels
MARGIN = 16  # white pixels around a drawing that fills its image

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
PHOTOS = {  # shipped photo -> its thing
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
        "150 common things drawn by one team of artists, each on white and on a tinted background, and six photos. "
        "They show how a model's answer changes when an image is disturbed or a label is worded differently. They do "
        "not show how well it classifies photos: most models saw few drawings of this style. Images of one thing are "
        "not independent, so they share a cluster."
    ),
)


def things() -> list[tuple[str, str, str]]:
    """Return (kind, thing, glyph) of each thing, in order."""
    return [(kind, thing, glyph) for kind, row in THINGS.items() for thing, glyph in glyphs(row).items()]


def pictures() -> Iterator[Picture]:
    """Yield the images, 224 x 224, with their labels.

    Raises:
        BadInput: the package of the drawings or of the photos is incomplete.
    """
    from workbench.pictures import draw, sample

    kinds = {}
    for kind, thing, glyph in things():
        kinds[thing], drawing, slug = kind, draw(glyph), thing.replace(" ", "-")
        for style, picture in (("on white", on_white(drawing)), ("on a ground", on_ground(drawing, thing))):
            facts = {"cluster": slug, "split": "test", "label": thing, "kind": kind, "style": style}
            yield f"{slug}-{style.split()[-1]}", picture, facts
    for key, thing in PHOTOS.items():
        slug = thing.replace(" ", "-")
        facts = {"cluster": slug, "split": "test", "label": thing, "kind": kinds[thing], "style": "photo"}
        photo = sample(key)
        side = min(photo.size)
        left, top = (photo.width - side) // 2, (photo.height - side) // 2
        box = (left, top, left + side, top + side)
        yield f"{slug}-photo", photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box), facts


def on_ground(drawing: Image.Image, name: str) -> Image.Image:
    """Put a drawing, reduced and off centre, on a tinted background that depends on its name; 224 x 224."""
    from scipy.ndimage import binary_dilation, label

    draw = np.random.default_rng(zlib.crc32(name.encode()))
    first, second = draw.integers(120, 250, (2, 3))
    ramp = np.linspace(0.0, 1.0, SIDE)[:, None, None]
    ground = np.broadcast_to(first * (1 - ramp) + second * ramp, (SIDE, SIDE, 3))
    side = int(draw.integers(120, 180))
    left, top = draw.integers(0, SIDE - side, 2)
    white = Image.new("RGB", (SIDE, SIDE), "white")
    white.paste(trimmed(drawing).resize((side, side), Image.Resampling.BICUBIC), (int(left), int(top)))
    pixels = np.asarray(white, np.float64)
    places, _ = label(pixels.min(axis=2) >= 250)
    outside = binary_dilation(places == places[0, 0], iterations=2)  # white up to the edge, and the soft rim beside it
    shown = np.where(outside[..., None], pixels * ground / 255.0, pixels)  # a darker line fades into the ground
    return Image.fromarray(shown.astype(np.uint8))


def on_white(drawing: Image.Image) -> Image.Image:
    """Scale a drawing to fill its image up to a margin; 224 x 224."""
    white = Image.new("RGB", (SIDE, SIDE), "white")
    side = SIDE - 2 * MARGIN
    white.paste(trimmed(drawing).resize((side, side), Image.Resampling.BICUBIC), (MARGIN, MARGIN))
    return white


def trimmed(drawing: Image.Image) -> Image.Image:
    """Crop a drawing to the square around everything that is not white."""
    box = ImageChops.invert(drawing).getbbox() or (0, 0, *drawing.size)
    side = max(box[2] - box[0], box[3] - box[1])
    square = Image.new("RGB", (side, side), "white")
    cut = drawing.crop(box)
    square.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2))
    return square

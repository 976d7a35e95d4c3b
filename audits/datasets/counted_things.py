"""Drawn sets of one to ten things (`builtin:counted-things`), for the audit of counting.

Every set comes in two versions: with things of one size, where more things cover more area, and with a constant total
area. They distinguish a model that counts from one that judges by the covered area.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from PIL import Image, ImageDraw

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture
from audits.seeds import generator

SIDE = 224  # pixels
CELLS = 4  # an image has 4 x 4 places, so that ten things never touch
COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
LAYOUTS = ("rows", "scattered")
AREAS = ("each the same", "all together the same")
SHAPES = {"circle": "circles", "square": "squares", "triangle": "triangles"}
EMOJI = {"apple": ("apples", "🍎"), "dog": ("dogs", "🐕"), "balloon": ("balloons", "🎈")}
COLOURS = ((200, 30, 30), (30, 70, 190), (20, 130, 60))
ABOUT = About(
    title="Sets of one to ten drawn things",
    licence="shapes: none needed; drawings CC BY-SA 4.0",
    source="drawn shapes, and OpenMoji 17 (openmoji.org)",
    shows=(
        "Shapes and drawings in rows or scattered, on white. They show whether a model's answer follows the number of "
        "things where nothing else indicates it. They do not show how it counts in photos, where things overlap."
    ),
)


def pictures() -> Iterator[Picture]:
    """Yield 240 images of 224 x 224 pixels with what is on them.

    Raises:
        BadInput: the package of the drawings is incomplete.
    """
    named = {**{thing: (plural, "") for thing, plural in SHAPES.items()}, **EMOJI}
    for thing, (plural, glyph) in named.items():
        for (count, word), layout, area in itertools.product(enumerate(COUNTS, 1), LAYOUTS, AREAS):
            name = "-".join((thing, f"{count:02d}", layout, "size" if area == AREAS[0] else "area"))
            facts = {"cluster": f"{thing}-{count:02d}-{layout}", "split": "test", "label": word, "thing": thing}
            facts |= {"things": plural, "drawn": "emoji" if glyph else "shape", "layout": layout, "area": area}
            yield name, picture(thing, count, layout=layout, area=area), facts


def picture(thing: str, count: int, *, layout: str, area: str) -> Image.Image:
    """Draw `count` things on white, 224 x 224; none touches another or the edge."""
    cell = SIDE // CELLS
    side = 36 if area == AREAS[0] else max(10, round(50 / count**0.5))  # pixels; 50 nearly fills a cell
    rng = generator(0, "counted", thing, count, layout)
    one = _one(thing, side)
    sheet = Image.new("RGB", (SIDE, SIDE), "white")
    places = range(count) if layout == LAYOUTS[0] else sorted(rng.permutation(CELLS * CELLS)[:count].tolist())
    for place in places:
        slack = cell - side
        shift = rng.integers(0, slack + 1, 2) if layout == LAYOUTS[1] else (slack // 2, slack // 2)
        sheet.paste(one, (place % CELLS * cell + int(shift[0]), place // CELLS * cell + int(shift[1])))
    return sheet


def _one(thing: str, side: int) -> Image.Image:
    """Draw one thing that fills a square of `side` pixels; drawn larger and reduced, for smooth edges."""
    from audits.datasets.drawn_things import trimmed
    from workbench.pictures import draw

    if thing in EMOJI:
        return trimmed(draw(EMOJI[thing][1])).resize((side, side), Image.Resampling.BICUBIC)
    large = 8 * side
    sheet = Image.new("RGB", (large, large), "white")
    pen = ImageDraw.Draw(sheet)
    colour = COLOURS[list(SHAPES).index(thing)]
    if thing == "circle":
        pen.ellipse((0, 0, large - 1, large - 1), fill=colour)
    elif thing == "square":
        pen.rectangle((large * 0.06, large * 0.06, large * 0.94, large * 0.94), fill=colour)
    else:
        pen.polygon([(large / 2, 0), (large - 1, large - 1), (0, large - 1)], fill=colour)
    return sheet.resize((side, side), Image.Resampling.LANCZOS)

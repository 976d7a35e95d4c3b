"""Drawn things and drawn people: emoji of several styles with their names, and who is shown.

Never OpenMoji, which is the audits' own artwork. Four styles, whose lines and areas are known, are drawn with black
outlines, too, as comics have them. Two are never trained on: `facebook`, to choose by, and `fluent`, to report.

Sources:
    emojibase (MIT) for names; artwork: Google Noto Emoji (Apache-2.0), Twitter Twemoji (CC BY 4.0), Noto Emoji 1
    (Apache-2.0), EmojiOne 2 (CC BY 4.0, also in one colour), Firefox OS Emoji (Apache-2.0), Streamline Emojis
    (CC BY 4.0), Fluent Emoji (MIT); line drawings: Noto Emoji (SIL OFL 1.1), Symbola 2.60 (free for any use).
"""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.training.pocket import glyphs
from workbench.training.pocket.ingredients import npm, package

SIDE = 72  # pixels a side: what is known as small pictures alone, and what is measured with
SHARP = 160  # pixels a side that lines and areas are learned from at
SHEETS = {"google": "emoji-datasource-google", "twitter": "emoji-datasource-twitter"}
DRAWINGS = {
    "noto-v1": "@iconify-json/noto-v1",
    "emojione": "@iconify-json/emojione",
    "fxemoji": "@iconify-json/fxemoji",
    "emojione-monotone": "@iconify-json/emojione-monotone",
    "streamline": "@iconify-json/streamline-emojis",
}
OUTLINES = {f"{style}-outlined": DRAWINGS[style] for style in ("noto-v1", "emojione", "fxemoji")}
OUTLINES["twemoji-outlined"] = "@iconify-json/twemoji"
OUTLINE = 0.028  # of a drawing's side, the width of its black outlines
TRAINED = (*SHEETS, *DRAWINGS, *OUTLINES, *glyphs.NPM, *glyphs.DEBIAN)
TO_CHOOSE = {"facebook": "emoji-datasource-facebook"}
TO_REPORT = {"fluent": "@iconify-json/fluent-emoji"}
_LEFT_OUT = {2, 9}  # components, flags
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
_SKIN = re.compile(r"(light|medium-light|medium|medium-dark|dark) skin tone")
_PERSON = {
    **dict.fromkeys(("man", "men"), "man"),
    **dict.fromkeys(("woman", "women"), "woman"),
    "boy": "boy",
    "girl": "girl",
    "person": "person",
    "people": "person",
    "child": "child",
    "baby": "baby",
}
_OPPOSITE = {"man": "woman", "woman": "man", "boy": "girl", "girl": "boy"}
MOST_WORDS = 4  # of a person's name that is turned into another's; families and couples have more
_AGED = {"older person": "old person", "old man": "old man", "old woman": "old woman"}


@dataclass(frozen=True)
class Emoji:
    """One emoji, whatever its style.

    Attributes:
        name: such as `woman firefighter with dark skin`.
        code: such as `1F469-1F3FF-200D-1F692`.
        slug: such as `woman-firefighter-dark-skin-tone`.
        tags: emojibase's other words for it.
        parts: what of a person can be named by itself: who, skin, occupation.
        skinned: whether a skin tone was chosen.
    """

    name: str
    code: str
    slug: str
    tags: tuple[str, ...]
    parts: tuple[str, ...]
    skinned: bool


def emoji(modules: Path) -> tuple[Emoji, ...]:
    """Read names and skin variants from emojibase, flags left out."""
    all_emoji = []
    for row in json.loads(npm(modules, "emojibase-data", "en/data.json").read_text(encoding="utf-8")):
        if "group" not in row or row["group"] in _LEFT_OUT:
            continue
        for variant in (row, *row.get("skins", ())):
            all_emoji.append(_emoji(variant, tuple(row.get("tags", ())), person=row["group"] == 1))
    return tuple(all_emoji)


def _emoji(row: dict[str, Any], tags: tuple[str, ...], *, person: bool) -> Emoji:
    label = row["label"].lower()
    slug = re.sub(r"[^a-z0-9]+", "-", label).strip("-")
    tones = _SKIN.findall(label)
    whole, _, _ = label.partition(":") if tones else (label, "", "")
    skin = f"{tones[0]} skin" if len(set(tones)) == 1 else ""
    rest = label.partition(": ")[2] if not tones else ""
    name = f"{whole} with {skin}" if skin else label.replace(": ", " with ")
    parts = tuple(_parts(whole, skin)) if person else ()
    del rest
    return Emoji(name, row["hexcode"], slug, tags if not tones else (), parts, bool(tones))


def _parts(whole: str, skin: str) -> Iterator[str]:
    """Say who is shown, of which skin, and doing what."""
    words = whole.split()
    who = _AGED.get(whole) or next((_PERSON[word] for word in words if word in _PERSON), "")
    if not who:
        if skin and len(words) == 1 and whole not in ("thumb",):
            yield whole
        return
    yield who
    if skin:
        yield f"{who} with {skin}"
        yield f"person with {skin}"
    rest = " ".join(word for word in words if word not in _PERSON)
    if rest and whole not in _AGED and len(words) == 2:
        yield rest


def others(name: str) -> tuple[str, ...]:
    """What a drawn person is not: the same one with each other skin tone, and as a man instead of a woman."""
    whole, _, skin = name.partition(" with ")
    tone = skin.removesuffix(" skin")
    names = [f"{whole} with {other} skin" for other in TONES if tone in TONES and other != tone]
    words = whole.split()
    other = [_OPPOSITE.get(word, word) for word in words]
    return (*names, *([" ".join(other) + name[len(whole) :]] if other != words and len(words) < MOST_WORDS else []))


def artwork(modules: Path, style: str) -> list[Path]:
    """Where one style's drawings lie: a folder of pictures, a file of drawings, or fonts.

    Raises:
        BadInput: its package is not installed.
    """
    if style in (*glyphs.NPM, *glyphs.DEBIAN):
        return glyphs.files(style, modules)
    if style in (sheets := {**SHEETS, **TO_CHOOSE}):
        return [npm(modules, sheets[style], f"img/{style}/64")]
    return [npm(modules, {**DRAWINGS, **OUTLINES, **TO_REPORT}[style], "icons.json")]


def sprites(
    modules: Path, style: str, every: tuple[Emoji, ...], *, side: int = SIDE
) -> Iterator[tuple[Emoji, NDArray[np.uint8]]]:
    """Draw one style's emoji; those that the style lacks are left out.

    Args:
        modules: npm's folder.
        style: one of those above.
        every: what is to be drawn.
        side: pixels a side; small pictures stay at 72.

    Yields:
        emoji, each with its picture, (side, side, 4).

    Raises:
        BadInput: its package is not installed.
    """
    paths = artwork(modules, style)
    if style in (*glyphs.NPM, *glyphs.DEBIAN):
        plain = [one for one in every if not one.skinned]
        for place, lines in glyphs.drawn(paths, [one.code for one in plain], side=side):
            yield plain[place], lines
        return
    if style in {**SHEETS, **TO_CHOOSE}:
        for one in every:
            file = paths[0] / f"{one.code.lower()}.png"
            if file.exists():
                with Image.open(file) as picture:
                    yield one, _square(picture, SIDE)
        return
    icons = json.loads(paths[0].read_text(encoding="utf-8"))
    drawn, outline = _by_slug(icons["icons"]), OUTLINE if style in OUTLINES else 0.0
    for one in every:
        if outline and one.skinned:  # skin tones are left to the other styles
            continue
        # Fluent says `-dark` where others say `-dark-skin-tone`
        tries = (one.slug, one.slug.removesuffix("-skin-tone"), one.slug.replace("-", ""), f"{one.slug}-face")
        for name in next((drawn[slug] for slug in tries if slug in drawn), ()):
            yield one, _square(_drawn(icons, icons["icons"][name], side, outline=outline), side)


def _by_slug(icons: Iterable[str]) -> dict[str, list[str]]:
    """An emoji's slug, with and without its hyphens -> its drawings; Streamline has `bird-1` and `bird-2`."""
    drawings: dict[str, list[str]] = defaultdict(list)
    for name in icons:
        slug = re.sub(r"-[1-9]$", "", name)
        for key in {slug, slug.replace("-", "")}:
            drawings[key].append(name)
    return dict(drawings)


def _drawn(icons: dict[str, Any], icon: dict[str, Any], side: int, *, outline: float = 0.0) -> Image.Image:
    """Render one drawing of an Iconify set, with black outlines of this share of its side round all its areas.

    Raises:
        WeightsMissing: what renders it is not installed.
    """
    package("resvg_py", "resvg-py")
    import resvg_py

    left, top = icon.get("left", 0), icon.get("top", 0)
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    pen = outline * width
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left - pen} {top - pen} {width + 2 * pen} {height + 2 * pen}" color="#202020">'
        f'<g stroke="{"#000" if pen else "none"}" stroke-width="{pen}" stroke-linejoin="round">{icon["body"]}</g></svg>'
    )
    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side))))


def _square(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    rgba = picture.convert("RGBA")
    if rgba.size != (side, side):
        rgba = rgba.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(rgba).copy()

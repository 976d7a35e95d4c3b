"""Style augmentation: photos turned into sketches, drawings recoloured and relit; the content stays."""

from __future__ import annotations

import random

from PIL import Image, ImageChops, ImageFilter, ImageOps


def sketched(picture: Image.Image, rng: random.Random) -> Image.Image:
    """As if drawn: lines alone, few tones, or few colours."""
    chance = rng.random()
    if chance < 0.5:
        lines = (
            ImageOps.grayscale(picture)
            .filter(ImageFilter.GaussianBlur(rng.uniform(0, 1)))
            .filter(ImageFilter.FIND_EDGES)
        )
        return ImageOps.invert(ImageOps.autocontrast(lines, 1)).convert("RGB")
    if chance < 0.75:
        return ImageOps.posterize(ImageOps.grayscale(picture), rng.randint(1, 2)).convert("RGB")
    return ImageOps.posterize(picture.filter(ImageFilter.MedianFilter(5)), 2)


def toned(picture: Image.Image, rng: random.Random, *, often: float) -> Image.Image:
    """In grey, or with its contrast stretched, each in half of the cases that `often` (0..1) leaves."""
    chance = rng.random()
    if chance < often / 2:
        return ImageOps.grayscale(picture).convert("RGB")
    return ImageOps.autocontrast(picture, 2) if chance < often else picture


def coarse(picture: Image.Image, side: int) -> Image.Image:
    """As if it had been kept at `side` pixels."""
    return picture.resize((side, side), Image.Resampling.BOX).resize(picture.size, Image.Resampling.BICUBIC)


def other_hand(picture: Image.Image, rng: random.Random, *, paint: bool) -> Image.Image:
    """A drawing in other colours and shades, softer, lit from a side, or sketched; or as it is.

    Args:
        picture: a drawing on its ground.
        rng: decides which.
        paint: whether its colours and shades may change (not where a skin tone is told by them).
    """
    if paint and rng.random() < 0.08:
        return sketched(picture, rng)
    if paint and rng.random() < 0.4:
        picture = _shaded(picture, rng)
    if paint and rng.random() < 0.3:
        picture = lit(picture, rng)
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.4)))
    return picture


def lit(picture: Image.Image, rng: random.Random) -> Image.Image:
    """As if light fell on it from one side: modelled things have a bright side."""
    inner = (38, 38, 218, 218)  # what a turned square of 256 pixels always covers
    ramp = Image.linear_gradient("L").rotate(rng.uniform(0, 360)).resize(picture.size, box=inner)
    low = rng.randint(120, 210)
    light = ramp.point([low + (255 - low) * k // 255 for k in range(256)])
    return ImageChops.multiply(picture, Image.merge("RGB", (light, light, light)))


def _shaded(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Hue turned a little, colours stronger or paler, lighter or darker."""
    turn, paint, gamma = rng.randint(-18, 18), rng.uniform(0.5, 1.3), rng.uniform(0.6, 1.6)
    hues, saturation, value = picture.convert("HSV").split()
    hues = hues.point([(k + turn) % 256 for k in range(256)])
    saturation = saturation.point([min(255, round(paint * k)) for k in range(256)])
    value = value.point([round(255 * (k / 255) ** gamma) for k in range(256)])
    return Image.merge("HSV", (hues, saturation, value)).convert("RGB")

"""How fast each model has embedded on this machine, remembered so that a plan needs no model."""

from __future__ import annotations

from workbench.places import home, read_json, write_json

FEWEST = 64  # images of a measurement
FILE = "speeds.json"


def remember(model: str, *, images: int, seconds: float) -> None:
    """Keep the images a second of an embed stage; too few images say nothing.

    `model` names weights, dtype and device; the seconds include opening the images.
    """
    if images >= FEWEST and seconds > 0:
        place = home() / FILE
        write_json(place, {**read_json(place), model: round(images / seconds, 2)})


def images_per_second(model: str) -> float | None:
    """Return the last measured speed; None where this model has not embedded here yet."""
    speed = read_json(home() / FILE).get(model)
    return float(speed) if isinstance(speed, int | float) and speed > 0 else None

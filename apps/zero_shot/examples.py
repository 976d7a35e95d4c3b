"""Shipped pictures with fitting labels: one press of a button fills the form and asks.

Knows where the examples come from, not what is done with them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from workbench.pictures import sample

if TYPE_CHECKING:
    from PIL import Image

THUMBNAIL = 128  # pixels; shown at half of that, so that it is sharp on a dense screen


@dataclass(frozen=True)
class Example:
    """A picture and labels that go with it."""

    key: str  # of the shipped picture
    title: str
    labels: str  # one CSV row


EXAMPLES: tuple[Example, ...] = (
    Example("cat", "Cat", "cat, dog, rabbit, coffee cup, rocket"),
    Example("coffee", "Coffee", "coffee cup, bowl of soup, plate, spoon, wine glass"),
    Example("rocket", "Rocket", "rocket, lighthouse, aeroplane, helicopter, fountain"),
    Example("astronaut", "Astronaut", "astronaut, diver, ballet dancer, pilot, nurse"),
    Example("clock", "Clock, blurred", "clock, wheel, plate, drum, bicycle"),
    Example("motorcycle", "Motorcycle", "motorcycle, bicycle, car, lawn mower, horse"),
)


def shelf() -> list[tuple[gr.Button, Example]]:
    """Lay out one button an example, each with a small picture; in tab order, reachable by keyboard."""
    with tempfile.TemporaryDirectory() as place, gr.Row(elem_classes="examples-row"):
        return [
            (
                gr.Button(entry.title, icon=_thumbnail(entry, Path(place)), size="sm", elem_id=f"example-{entry.key}"),
                entry,
            )
            for entry in EXAMPLES
        ]


def taker(example: Example) -> Callable[[], tuple[Image.Image, str, str]]:
    """Return the event that fills the form: picture, labels, and the key that says the picture is a shipped one."""

    def take() -> tuple[Image.Image, str, str]:
        return sample(example.key), example.labels, example.key

    return take


def _thumbnail(example: Example, place: Path) -> str:
    """Write a small square copy; Gradio takes it into its own store while the button is made."""
    from PIL import ImageOps

    file = place / f"{example.key}.png"
    ImageOps.fit(sample(example.key).convert("RGB"), (THUMBNAIL, THUMBNAIL)).save(file)
    return str(file)

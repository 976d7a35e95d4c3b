"""Shipped images with fitting labels: one click fills the form and asks."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared.events import ASIDE
from workbench.pictures import SAMPLES, find_sample, sample, sample_path

LONGEST = 640  # pixels of an example's copy
THUMBNAIL = 144  # pixels; shown smaller, so that it is sharp on a dense screen


@dataclass(frozen=True)
class Example:
    """An image and labels that go with it."""

    key: str  # of the shipped image
    title: str
    labels: str  # one CSV row


EXAMPLES: tuple[Example, ...] = (
    Example("cat", "Cat", "cat, dog, rabbit, coffee cup, rocket"),
    Example("coffee", "Coffee", "coffee cup, bowl of soup, plate, spoon, wine glass"),
    Example("rocket", "Rocket", "rocket, lighthouse, aeroplane, helicopter, fountain"),
    Example("astronaut", "Astronaut", "astronaut, diver, ballet dancer, pilot, nurse"),
    Example("clock", "Blurred clock", "clock, wheel, plate, drum, bicycle"),
    Example("motorcycle", "Motorcycle", "motorcycle, bicycle, car, lawn mower, horse"),
)
LOOKED_AT = tuple(one for one in EXAMPLES if one.key in ("cat", "coffee", "astronaut", "motorcycle"))
COMPARED: tuple[Example, ...] = (  # the shipped models agree on the first alone
    EXAMPLES[0],
    *(
        Example(key, key.replace("-", " ").capitalize(), ", ".join(find_sample(key).labels))
        for key in ("drawn-dog", "astronaut", "coins")
    ),
)


def example_buttons(rows: Sequence[Example] = EXAMPLES, prefix: str = "example") -> list[tuple[gr.Button, Example]]:
    """Lay out one button per example, each with a small image; in tab order, reachable by keyboard."""
    with tempfile.TemporaryDirectory() as place, gr.Row(elem_classes="examples-row"):
        return [
            (
                gr.Button(entry.title, icon=_thumbnail(entry, Path(place)), size="sm", elem_id=f"{prefix}-{entry.key}"),
                entry,
            )
            for entry in rows
        ]


def on_example(buttons: Sequence[tuple[gr.Button, Example]], widgets: list[Any], also: str = "") -> Any:
    """Fill a form on a click.

    Args:
        buttons: each with its example.
        widgets: for the image, the labels, and one value of the view's own.
        also: that value; "" for the example's key.

    Returns:
        The event, for what follows.
    """
    examples = {button.elem_id: example for button, example in buttons}

    def fill(event: gr.EventData) -> tuple[str, str, str]:
        assert event.target is not None  # the button that was pressed
        example = examples[event.target.elem_id]
        return example_file(example.key), example.labels, also or example.key

    return gr.on([button.click for button, _ in buttons], fill, None, widgets, trigger_mode="multiple", **ASIDE)


@functools.cache
def example_file(key: str) -> str:
    """Return a small copy of a shipped image, which a browser has at once: WebP, at most 640 pixels."""
    image = sample(key)
    image.thumbnail((LONGEST, LONGEST))
    path = sample_path(key).with_name(f"{key}.webp")
    image.save(path, quality=85)
    return str(path)


def shipped_files() -> list[str]:
    """Return small copies of all shipped images."""
    return [example_file(row.key) for row in SAMPLES]


def _thumbnail(example: Example, place: Path) -> str:
    """Write a small square copy; Gradio takes it into its own store while the button is made."""
    from PIL import ImageOps

    file = place / f"{example.key}.webp"
    ImageOps.fit(sample(example.key).convert("RGB"), (THUMBNAIL, THUMBNAIL)).save(file, quality=80)
    return str(file)

"""The picture box with a camera, and the look of labels: fonts, colours, paper, perspective, opacity."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from filecmp import cmp
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import IMAGE_TYPES, ImageFile
from workbench.typographic.comparing import canvas
from workbench.typographic.examples import EXAMPLES, example
from workbench.typographic.lettering import FONTS, Label


@dataclass(frozen=True)
class Look:
    """The widgets that decide how labels look."""

    further: gr.Textbox
    font: gr.Radio
    widgets: list[Any]  # all, `further` first

    def style(self, typed: dict[Any, Any]) -> Label:
        """Return the label whose text and place are to be filled in."""
        _, font, ink, has_paper, paper, form, has_outline, outline, tilt, opacity = (typed[one] for one in self.widgets)
        return Label(
            "x",
            font=str(font),
            ink=_hex(ink),
            paper=_hex(paper) if has_paper else "",
            form=form,
            outline=_hex(outline) if has_outline else "",
            tilt=float(tilt or 0),
            opacity=1.0 if opacity is None else float(opacity),
        )


def picture_box(elem_id: str) -> gr.Image:
    """An image from a file, the clipboard or the camera, untouched."""
    return ImageFile(
        label="Image",
        type="filepath",
        image_mode=None,
        format="png",
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        height=150,
        elem_id=elem_id,
        placeholder=f"Drop an image here, or click to choose\n{IMAGE_TYPES}",
        alt_text="The chosen image, clean",
    )


def look_of_labels() -> Look:
    """Lay out what folds away."""
    with gr.Accordion("Look of the label, and further labels", open=False, elem_id="typographic-look"):
        further = gr.Textbox(
            "", label="Further labels", info="One a line, up to five.", lines=2, elem_id="typographic-further"
        )
        font = gr.Radio([(title, key) for key, (title, _) in FONTS.items()], value="printed", label="Font")
        with gr.Row():
            ink = gr.ColorPicker("#000000", label="Letters", min_width=90)
            paper = gr.ColorPicker("#ffffff", label="Paper", min_width=90)
            outline = gr.ColorPicker("#ffffff", label="Outline", min_width=90)
        with gr.Row():
            has_paper = gr.Checkbox(True, label="On paper", info="Off: bare letters.", min_width=90)
            has_outline = gr.Checkbox(False, label="Outline", info="Around the letters.", min_width=90)
            form = gr.Radio([("Paper", "paper"), ("Sticker", "sticker")], value="paper", label="Form", min_width=90)
        tilt = gr.Slider(-1, 1, 0, step=0.05, label="Perspective", info="The right side recedes, or the left.")
        opacity = gr.Slider(0, 1, 1, step=0.05, label="Opacity", info="0 is invisible.")
    return Look(further, font, [further, font, ink, has_paper, paper, form, has_outline, outline, tilt, opacity])


def picture_file(key: str) -> Path:
    """Return a file of an example, which the page may serve."""
    path = _folder() / f"{key}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as unfinished:
            example(key).save(unfinished, format="PNG")
        Path(unfinished.name).replace(path)
    return path


def shipped_key(image: str | None, key: str) -> str:
    """Return the key of an example where the file is that example, else ""."""
    known = bool(image) and key in EXAMPLES
    return key if known and cmp(str(image), picture_file(key), shallow=False) else ""


def opened_picture(path: str) -> Image.Image:
    """Return an image small enough to be written on; an upload is decoded once, and kept in memory only."""
    return _opened(path, Path(path).stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _opened(path: str, changed: int) -> Image.Image:
    return canvas(Path(path))


@functools.cache
def _folder() -> Path:
    return folder_beside_uploads("written-")


def _hex(colour: object) -> str:
    """The picker gives #rrggbb, or rgba(…) with fractions after a click on its surface."""
    text = str(colour or "#000000").strip()
    if not text.startswith("rgba("):
        return text
    parts = text[5:].rstrip(")").split(",")[:3]
    try:
        return "#" + "".join(f"{max(0, min(255, round(float(part)))):02x}" for part in parts)
    except ValueError:
        return text[:40]

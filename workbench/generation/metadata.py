"""Settings inside a PNG, under the text key `clip_workbench`: all of them, or none that is trusted."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput
from workbench.generation.settings import Settings, read_settings
from workbench.images import png_text

if TYPE_CHECKING:
    from workbench.generation.judging import Generated

KEY = "clip_workbench"
VERSION = 1
BEFORE = {"wide": 0.4}  # what images had that were made before these settings were written
MOST = 20_000  # characters of metadata that are read


def to_png(generated: Generated, *, with_settings: bool = True) -> bytes:
    """Encode an image as PNG, with every effective setting unless that is not wanted."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if with_settings:
        info.add_itxt(KEY, json.dumps(description(generated), ensure_ascii=True, sort_keys=True))
    file = io.BytesIO()
    Image.fromarray(generated.painting.pixels).save(file, format="PNG", pnginfo=info)
    return file.getvalue()


def description(generated: Generated) -> dict[str, Any]:
    """What the PNG says: settings, measurements, the model's fingerprint and the versions of what computed."""
    from importlib.metadata import version

    import torch

    return {
        "version": VERSION,
        "settings": generated.painting.settings.model_dump(),
        "similarity": round(generated.similarity, 6),
        "judge": None if generated.judged is None else [generated.judge, round(generated.judged, 6)],
        "text_leak": round(generated.text_leak, 6),
        "written": round(generated.written, 6),
        "model_fingerprint": generated.fingerprint,
        "note": generated.painting.note,
        "torch": torch.__version__,
        "pillow": version("pillow"),
    }


def from_png(data: bytes, name: str) -> Settings:
    """Read the settings of a PNG that this workbench wrote.

    Raises:
        BadPicture: no image.
        BadInput: it holds no settings, or settings that cannot be used.
    """
    text = png_text(data, name, KEY)
    if text is None:
        raise BadInput(f"{name} holds no settings of an image that was generated here.")
    if len(text) > MOST:
        raise BadInput(f"The settings in {name} are longer than {MOST} characters; they are not read.")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(f"The settings in {name} are damaged: they are no JSON.") from None
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise BadInput(f"The settings in {name} are of another version; this one reads version {VERSION}.")
    settings = content.get("settings")
    if not isinstance(settings, dict):
        raise BadInput(f"The settings in {name} are damaged: there is no table of settings.")
    return read_settings({**BEFORE, **settings})

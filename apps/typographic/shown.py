"""Answers and images as HTML of our own: every text of a visitor is escaped, every image is a data address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from PIL import Image

from apps.shared.answer_table import answer_table
from apps.shared.query import percent
from workbench.labels import meant
from workbench.results.html import data_uri

if TYPE_CHECKING:
    from workbench.typographic.comparing import WrittenAnswers
    from workbench.typographic.lettering import Label

ROWS = 8  # names in an answer
STAGE = 560  # pixels of the longer side, as the page shows it


def data_address(picture: Image.Image, *, longest: int = STAGE) -> str:
    """Return an image as a data address, made smaller where it is larger than it is shown."""
    shown = picture.copy()
    shown.thumbnail((longest, longest), Image.Resampling.BILINEAR)
    return data_uri(shown, "JPEG", quality=88)


def answer_card(result: WrittenAnswers, row: int, title: str) -> str:
    """Return one answer: the likeliest names with a bar, their probability and cosine, as a table."""
    ranked = result.answers.ranked(row)
    top = f'<p class="top">{escape(title)}: <b>{escape(ranked[0][0])}</b>, {percent(ranked[0][1])}</p>'
    return f"<div>{top}{answer_table(ranked[:ROWS])}</div>"


def stage_payload(
    result: WrittenAnswers, boxes: Sequence[Sequence[tuple[float, float]]], labels: Sequence[Label]
) -> str:
    """Return what the browser's stage shows: the image, and where each label lies in shares of it."""
    width, height = result.written.size
    side = min(width, height)
    rows = [
        {
            "corners": [[round(x / width, 5), round(y / height, 5)] for x, y in box],
            "text": label.text,
            "place": {name: round(getattr(label, name), 4) for name in ("x", "y", "size", "angle")},
        }
        for box, label in zip(boxes, labels, strict=True)
    ]
    square = {"left": (width - side) / 2 / width, "top": (height - side) / 2 / height}
    square |= {"width": side / width, "height": side / height}
    data = escape(json.dumps({"labels": rows, "square": square}), quote=True)
    words = ", ".join(label.text for label in labels)
    alt = escape(f"The image with the words: {words}" if words else "The image, nothing written on it", quote=True)
    return f'<img class="written-image" src="{data_address(result.written)}" data-stage="{data}" alt="{alt}">'


def summary(result: WrittenAnswers, words: Sequence[str]) -> str:
    """Say in one sentence what the words changed, as HTML."""
    before, after, unlike = result.top(0), result.top(1), escape(result.answers.unlike[0])
    if not words:
        return f"Type a word: it is written on the image, and the answer follows. {unlike}"
    cover = f"The words cover {100 * result.cover:.1f}&nbsp;% of the image. {unlike}"
    if before == after:
        return f"The answer stays <b>{escape(after)}</b>. {cover}"
    kind = "the written word" if meant(after, words) in words else "neither the image nor the word"
    return f"<b>{escape(before)}</b> becomes <b>{escape(after)}</b>: {kind}. {cover}"

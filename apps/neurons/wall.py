"""The wall: the most telling units, each with its strongest photo, drawing and written word; a click opens its page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from apps.neurons.mapping import BOX
from apps.shared.markdown import in_markdown
from workbench.neurons.page import thumbnail
from workbench.neurons.telling import TellingUnit

SHOWN = 15  # units
LEAD = (
    "Each card is one unit of the image tower, with the photo, the drawing and the written word that it responds to "
    "most. Those come first in which most of the three show the same thing. **Click one to open its page.**"
)


def wall_html(units: Sequence[TellingUnit]) -> str:
    """Return the cards as buttons; an image that does not show what the others show is dimmed."""
    return in_markdown(f'<div class="unit-wall">{"".join(map(_card, units))}</div>')


def _card(one: TellingUnit) -> str:
    images = "".join(
        f'<img src="{thumbnail(image.item)}" alt="{escape(f"{image.item.form}: {image.item.concept}", quote=True)}" '
        f'width="72" height="72"{"" if image.item.concept == one.concept else " class=other"}>'
        for image in one.strongest
    )
    agree = f"{one.agree} of {len(one.strongest)} agree"
    return (
        f'<button type="button" data-types="{BOX}" data-value="{one.unit}"><span>{images}</span>'
        f"<b>{escape(one.concept)}</b> <small>unit {one.unit}, {agree}</small></button>"
    )

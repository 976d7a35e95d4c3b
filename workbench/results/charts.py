"""Charts of results: figures of matplotlib that notebooks show without pyplot."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.figure import Figure
from PIL import Image

from workbench.images import safe_decode

BLUE = "#0067a5"  # of the palette of Okabe and Ito 2008, darkened for contrast with white
MOST_BARS = 20
NAME = 40  # characters of a name at an axis


class Chart(Figure):
    """A figure of matplotlib that a notebook shows, and that `savefig` writes."""

    def image(self) -> Image.Image:
        """Return the figure as an image."""
        return safe_decode(self._repr_png_(), "a chart")

    def _repr_png_(self) -> bytes:
        data = io.BytesIO()
        self.savefig(data, format="png")
        return data.getvalue()


def bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    axis: str,
    title: str = "",
    bounds: Sequence[tuple[float | None, float | None]] = (),
) -> Chart:
    """Draw horizontal bars, the first name on top, with intervals where they are given."""
    names, values = names[:MOST_BARS], values[:MOST_BARS]
    figure = Chart(figsize=(6.2, 0.9 + 0.3 * len(names)), layout="constrained")
    axes = figure.subplots()
    errors = None
    if bounds:
        pairs = [(value if low is None else low, value if high is None else high)
                 for value, (low, high) in zip(values, bounds, strict=False)]  # fmt: skip
        errors = [
            [value - low for value, (low, _) in zip(values, pairs, strict=True)],
            [high - value for value, (_, high) in zip(values, pairs, strict=True)],
        ]
    places = range(len(names))
    axes.barh(places, values, xerr=errors, color=BLUE, capsize=3 if errors else 0)
    axes.set_yticks(places, [plain(name) for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(axis)
    axes.set_title(plain(title), fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def images(pictures: Sequence[Image.Image], titles: Sequence[str], *, columns: int = 6) -> Chart:
    """Draw images in rows, a title over each."""
    across = min(columns, len(pictures)) or 1
    down = -(-len(pictures) // across) or 1
    figure = Chart(figsize=(2.1 * across, 2.3 * down), layout="constrained")
    for axes, picture, title in zip(figure.subplots(down, across, squeeze=False).flat, pictures, titles, strict=False):
        axes.imshow(picture)
        axes.set_title(plain(title), fontsize=8)
    for axes in figure.axes:
        axes.set_axis_off()
    return figure


def plain(text: str) -> str:
    """Return a name as it is drawn: short, and no formula."""
    short = text if len(text) <= NAME else f"{text[: NAME - 1]}…"
    return short.replace("$", r"\$")

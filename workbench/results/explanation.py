"""Where in an image a model saw a label, as a heat map over the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from workbench.attribution import heatmap
from workbench.attribution.methods import METHODS
from workbench.attribution.request import Attribution, Request
from workbench.errors import BadInput
from workbench.labels import check_names
from workbench.languages import in_english, language_note
from workbench.prompts import DEFAULT
from workbench.results import html
from workbench.zeroshot import classifier, classify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from workbench.backend import Picture
    from workbench.engine import Session
    from workbench.progress import Progress
    from workbench.results.charts import Chart

OPACITY = 0.6  # of the colours over the image


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """One image, one label, one method.

    Example:
        >>> import workbench as wb
        >>> why = wb.load("pocket", device="cpu").explain(wb.sample("cat"), ["cat", "dog"])
        >>> why.label, why.map.shape
        ('cat', (224, 224))
        >>> why.overlay().size
        (224, 224)
    """

    square: Image.Image  # RGB (s, s): what the image tower saw
    label: str
    attribution: Attribution
    model: str = ""  # its key
    unlike: str = ""  # a sentence, where the image is unlike what the model has seen
    read_as: str = ""  # a sentence, where labels are in other languages

    @property
    def map(self) -> NDArray[np.float32]:
        """(s, s), signed: above zero supports the label, below zero speaks against it."""
        return self.attribution.map

    @property
    def summary(self) -> str:
        """The map in words: where most of the evidence lies."""
        return heatmap.summary(self.map)

    def overlay(self, *, opacity: float = OPACITY) -> Image.Image:
        """Return the image with the map over it in colours, RGB (s, s)."""
        return heatmap.overlay(self.square, self.map, opacity, signed=self._signed)

    @property
    def _signed(self) -> bool:
        return next(method.signed for method in METHODS if method.key == self.attribution.method)

    def to_dict(self) -> dict[str, Any]:
        """Return label, method, objective, `ninths` (3 rows of 3 shares of the support), summary and the note."""
        shares = [[None if share != share else float(share) for share in row] for row in heatmap.ninths(self.map)]
        test = self.attribution.deletion
        return {
            "label": self.label,
            "method": self.attribution.method,
            "objective": self.attribution.objective,
            "ninths": shares,
            "summary": self.summary,
            "note": self.attribution.note,
            "holds": None if test is None else test.holds,
            "unlike": self.unlike,
            "read_as": self.read_as,
        }

    def to_frame(self) -> DataFrame:
        """Return the share of the support in each ninth of the image: rows from top to bottom."""
        import pandas as pd

        return pd.DataFrame(heatmap.ninths(self.map), index=list(heatmap.ROWS), columns=list(heatmap.COLUMNS))

    def plot(self) -> Chart:
        """Draw the image, and the image with the map over it."""
        from workbench.results.charts import images

        return images([self.square, self.overlay()], ["what the model saw", f"{self.label}, {self.attribution.method}"])

    def __repr__(self) -> str:
        return f"Explanation({self.label!r}, {self.attribution.method}, {self.model})"

    def _repr_html_(self) -> str:
        pictures = [html.image(self.square, "what the model saw"), html.image(self.overlay(), self.summary)]
        lines = [heatmap.legend(signed=self._signed), self.summary, self.attribution.note, self.unlike, self.read_as]
        return html.block(f"{self.label}, {self.attribution.method}", *pictures, *map(html.paragraph, lines))


def explain(
    session: Session,
    image: Picture,
    labels: Sequence[str],
    *,
    label: str | None = None,
    templates: Sequence[str] = (DEFAULT,),
    **options: Any,
) -> Iterator[Progress | Explanation]:
    """Yield progress after each step on the device, and an `Explanation` at the end.

    Args:
        session: of the engine.
        image: a file or an opened image.
        labels: what the model chooses from.
        label: the one to explain; the likeliest where not given.
        templates: prompts with `{}`.
        options: `method` and its settings; see `attribution.Request`.

    Raises:
        BadInput: an image, label or setting that cannot be used.
        Unsupported: a method that this model does not offer.
    """
    names = check_names(labels)
    answered = classify(session, [image], names, templates=templates)
    label, unlike = label or answered.ranked(0)[0][0], answered.unlike[0]
    if label not in names:
        raise BadInput(f"Choose one of the labels: {', '.join(names[:8])}; got {label!r}.")
    pixels = session.prepare(image).numpy()  # (3, s, s)
    texts = classifier(session, in_english(names, session.spec), templates).numpy()
    square = Image.fromarray(pixels.transpose(1, 2, 0))
    made = session.spec.key, unlike, language_note(names, session.spec)
    for step in session.explain(Request(pixels=pixels, texts=texts, target=names.index(label), **options)):
        yield Explanation(square, label, step, *made) if isinstance(step, Attribution) else step

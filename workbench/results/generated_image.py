"""An image out of a sentence, with what models say of it and everything that is needed to make it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from workbench.generation.judging import Generated
from workbench.generation.metadata import to_png
from workbench.generation.run import generate as make_image
from workbench.generation.run import start_pixels
from workbench.places import write_whole
from workbench.results import html

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.engine import Session
    from workbench.generation.settings import Settings
    from workbench.progress import Progress
    from workbench.results.charts import Chart


@dataclass(frozen=True, eq=False, repr=False)
class GeneratedImage:
    """One image of one seed.

    Example:
        >>> import workbench as wb
        >>> made = wb.load("pocket", device="cpu").generate("a red apple", method="pixels", steps=2, side=64)
        >>> made.image.size, made.seed
        ((64, 64), 0)
    """

    generated: Generated

    @cached_property
    def image(self) -> Image.Image:
        """The image, RGB."""
        return Image.fromarray(self.generated.painting.pixels)

    @property
    def settings(self) -> Settings:
        """Every setting as it took effect; `Model.generate(settings)` makes the image again."""
        return self.generated.painting.settings

    @property
    def seed(self) -> int:
        """Of all randomness."""
        return self.settings.seed

    @property
    def similarity(self) -> float:
        """Mean cosine with the prompt's parts by their weights, by the model that steered; -1..1."""
        return self.generated.similarity

    @property
    def judge(self) -> float | None:
        """The same by a model that did not steer; None where there is none."""
        return self.generated.judged

    @property
    def svg(self) -> str:
        """The image as SVG, where it is made of strokes; otherwise empty."""
        return self.generated.painting.svg

    @property
    def note(self) -> str:
        """Why it ended early, or what was changed; mostly empty."""
        return self.generated.painting.note

    def save(self, path: str | Path, *, with_settings: bool = True) -> Path:
        """Write a PNG that holds every setting; of strokes an SVG beside it as well."""
        path = Path(path)
        write_whole(path, to_png(self.generated, with_settings=with_settings))
        if self.svg:
            write_whole(path.with_suffix(".svg"), self.svg.encode())
        return path

    def to_dict(self) -> dict[str, Any]:
        """Return seed, similarity, judge, the nearest drawing of a prior, steps, and how much of it is writing."""
        nearest = self.generated.painting.nearest
        return {
            "seed": self.seed,
            "similarity": self.similarity,
            "judge": self.judge,
            "nearest": None
            if nearest is None
            else {name: vars(nearest)[name] for name in ("name", "style", "distance")},
            "judge_model": self.generated.judge or None,
            "steps": self.settings.steps,
            "text_leak": self.generated.text_leak,
            "written": self.generated.written,
        }

    def to_frame(self) -> DataFrame:
        """Return a row per step: step, score."""
        import pandas as pd

        values = self.generated.painting.values
        return pd.DataFrame({"step": range(1, len(values) + 1), "score": values})

    def plot(self) -> Chart:
        """Draw the image under its prompt."""
        from workbench.results.charts import images

        return images([self.image], [self.settings.prompt])

    def __repr__(self) -> str:
        judge = "" if self.judge is None else f", judge {self.judge:.3f}"
        how = f"{self.settings.method}, seed {self.seed}"
        return f"GeneratedImage({self.settings.prompt[:40]!r}, {how}, similarity {self.similarity:.3f}{judge})"

    def _repr_html_(self) -> str:
        picture = html.image(self.image, self.settings.prompt, side=self.settings.side)
        return html.block(self.settings.prompt, picture, html.paragraph(repr(self)), html.paragraph(self.note))


def generate(
    session: Session,
    settings: Settings,
    start: Image.Image | None = None,
    *,
    images: Sequence[Image.Image] = (),
) -> Iterator[Progress | GeneratedImage]:
    """Yield progress with previews, and a `GeneratedImage` at the end; see `generation.run.generate`."""
    pixels = None if start is None else start_pixels(start, settings.side)
    for step in make_image(session, settings, pixels, images=images):
        yield GeneratedImage(step) if isinstance(step, Generated) else step

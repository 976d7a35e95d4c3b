"""What one unit of the image tower responds to: names with evidence, strongest images, and its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.neurons import corpus as corpora
from workbench.neurons import page
from workbench.neurons.atlas import Atlas
from workbench.neurons.atlas_building import find_or_build
from workbench.neurons.unit import UnitReport, report
from workbench.neurons.vector import spelling_json, vector_json
from workbench.places import write_whole
from workbench.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from workbench.engine import Session
    from workbench.results.charts import Chart


@dataclass(frozen=True, eq=False, repr=False)
class NamedUnit:
    """One unit on one corpus.

    Example:
        >>> import workbench as wb
        >>> unit = wb.load("pocket", device="cpu").unit("last", 373)
        >>> unit.layer, unit.to_frame().columns.tolist()
        ('conv_head', ['name', 'score', 'shuffled', 'above_chance'])
    """

    report: UnitReport
    atlas: Atlas  # of the whole layer
    where: Mapping[str, str]  # key of an image -> data URI of the image with the unit's map over it

    @property
    def layer(self) -> str:
        """Name of the layer."""
        return self.report.layer

    @property
    def title(self) -> str:
        """The number, with the first name above chance."""
        return self.report.title

    @property
    def activations(self) -> NDArray[np.float32]:
        """(n,) activation for each image of the corpus."""
        return self.atlas.survey.of(self.report.unit)

    def save(self, path: str | Path) -> Path:
        """Write the unit's page as one offline HTML file, or as numbers where the name ends in .json."""
        path = Path(path)
        numbers = path.suffix.lower() == ".json"
        write_whole(path, vector_json(self.atlas, self.report) if numbers else self._page().encode())
        return path

    def _page(self) -> str:
        return page.render(self.report, where=self.where)

    def to_dict(self) -> dict[str, Any]:
        """Return model, layer, unit, title, `names` with score and what a shuffled unit gets, and the spelling."""
        one = self.report
        names = [{"name": name.name, "score": name.score, "shuffled": name.shuffled} for name in one.names]
        facts = {"model": one.key, "layer": one.layer, "unit": one.unit, "title": one.title}
        return {**facts, "names": names, "spelling": spelling_json(one)}

    def to_frame(self) -> DataFrame:
        """Return a row per name, the best first: name, score, shuffled, above_chance."""
        import pandas as pd

        rows = [(name.name, name.score, name.shuffled, name.above_chance) for name in self.report.names]
        return pd.DataFrame(rows, columns=["name", "score", "shuffled", "above_chance"])

    def plot(self) -> Chart:
        """Draw the images that the unit responds to most, with their activations."""
        from workbench.results.charts import images

        strongest = self.report.strongest
        titles = [f"{one.activation:.2f}" for one in strongest]
        return images([corpora.open_item(one.item) for one in strongest], titles)

    def __repr__(self) -> str:
        return f"NamedUnit({self.title}, {self.layer}, {self.report.key})"

    def _repr_html_(self) -> str:
        parts = (page.fragment(self.report, part, where=self.where) for part in ("names", "strongest", "histogram"))
        return f"<div><style>{page.style()}</style>{''.join(parts)}</div>"


def name_unit(
    session: Session,
    layer: str,
    unit: int,
    *,
    files: Sequence[str] = (),
    answer: str = "",
    seed: int = 0,
) -> Iterator[Progress | NamedUnit]:
    """Yield progress while the layer is surveyed for the first time, and a `NamedUnit` at the end.

    Args:
        session: of the engine.
        layer: a layer of the image tower, or `last`.
        unit: a channel, or a position along the width of tokens.
        files: images to survey in place of the built-in ones.
        answer: the answer of the gallery "used most for"; the first name where empty.
        seed: of the shuffled units that names are compared with.

    Raises:
        BadInput, UnknownName: no such layer or unit.
        Unsupported: the image tower has no layers.
    """
    atlas: Atlas | None = None
    for step in find_or_build(session, layer, files):
        if isinstance(step, Atlas):
            atlas = step
        elif isinstance(step, Progress):
            yield step
    assert atlas is not None
    one = report(atlas, unit, model=(session.spec.title, session.spec.key), answer=answer, seed=seed)
    yield NamedUnit(one, atlas, page.places(session, one))

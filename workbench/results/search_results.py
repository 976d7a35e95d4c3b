"""What an index answers to a query: images and moments of videos with their scores, the best first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from PIL import Image

from workbench.images import safe_decode
from workbench.results import html
from workbench.retrieval.search import Hit, Results

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.results.charts import Chart


@dataclass(frozen=True, eq=False, repr=False)
class SearchResults(Sequence[Hit]):
    """Hits in order; each has `path`, `score` (cosine), `beats`, `chance` and `likely`.

    Example:
        >>> import workbench as wb
        >>> index = wb.Index("./pictures", "pocket")
        >>> _ = index.add([wb.sample_path("cat"), wb.sample_path("rocket")])
        >>> index.search("a cat", top=2).to_frame().columns.tolist()[:4]
        ['path', 'score', 'beats', 'chance']
    """

    query: str
    results: Results
    hits: tuple[Hit, ...]  # those beyond chance, or as many as were asked for

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> SearchResults: ...
    def __getitem__(self, at: int | slice) -> Hit | SearchResults:
        if isinstance(at, slice):
            return SearchResults(self.query, self.results, self.hits[at])
        return self.hits[at]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @property
    def paths(self) -> list[str]:
        """Where the images lie, the best first."""
        return [hit.path for hit in self.hits]

    def to_dict(self) -> list[dict[str, Any]]:
        """Return one dictionary a hit: path, score, beats, chance, likely, and what the index knows of the image."""
        return [_plain(hit) for hit in self.hits]

    def to_frame(self) -> DataFrame:
        """Return a row per hit, with the columns of `to_dict`."""
        import pandas as pd

        return pd.DataFrame(
            self.to_dict(), columns=None if self.hits else ["path", "score", "beats", "chance", "likely"]
        )

    def plot(self) -> Chart:
        """Draw the images with their scores."""
        from workbench.results.charts import images

        return images([_thumbnail(hit) for hit in self.hits[: html.ROWS]], [f"{hit.score:.3f}" for hit in self.hits])

    def __repr__(self) -> str:
        return f"SearchResults({self.query[:40]!r}, {len(self.hits)} of {self.results.rows:,} rows)"

    def _repr_html_(self) -> str:
        pictures = [
            html.image(_thumbnail(hit), f"{hit.path}: {hit.score:.3f}", side=112) for hit in self.hits[: html.ROWS]
        ]
        return html.block(repr(self), *pictures, html.table(self.to_frame()))


def _plain(hit: Hit) -> dict[str, Any]:
    row = hit.row
    scores = {"path": hit.path, "score": hit.score, "beats": hit.beats, "chance": hit.chance, "likely": hit.likely}
    known = {name: row[name] for name in ("label", "caption", "width", "height") if row[name]}
    return {**scores, **known, **({} if row["second"] is None else {"second": row["second"]})}


def _thumbnail(hit: Hit) -> Image.Image:
    return safe_decode(hit.row["thumbnail"], "a thumbnail")

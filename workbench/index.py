"""An index of images and videos on this machine, to be searched by sentence, by example and by sums of both."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.image_inputs import read_image
from workbench.model import Model
from workbench.progress import Progress
from workbench.results.search_results import SearchResults
from workbench.retrieval.adding import AddOptions, AddReport
from workbench.retrieval.adding import add as adding
from workbench.retrieval.ask import ask
from workbench.retrieval.chance import Chance
from workbench.retrieval.index import ModelTable, find_table, remove
from workbench.retrieval.query import parse_query
from workbench.retrieval.search import search
from workbench.retrieval.sources import find_entries
from workbench.surface import as_model
from workbench.watching import Watch, watching

if TYPE_CHECKING:
    from workbench.image_inputs import ImageLike
    from workbench.surface import ModelLike

MOST = 50  # results, where no number is asked for


class Index:
    """Images and videos by name, with the vectors of one model; they stay where they are, and so does the index.

    Args:
        name: a name, a folder (with a /) or an address (s3://…).
        model: a key, a folder or a loaded model; where not given, the one that the index was written with last.

    Example:
        >>> import workbench as wb
        >>> index = wb.Index("./pictures", "pocket")
        >>> index.add([wb.sample_path("cat"), wb.sample_path("rocket")]).failed
        []
        >>> index.search("a photo of a cat", top=1)[0].path.endswith("chelsea.png")
        True
    """

    def __init__(self, name: str | os.PathLike[str], model: ModelLike | None = None) -> None:
        self.name = os.fspath(name)
        self._given = model

    @cached_property
    def model(self) -> Model:
        """The model whose vectors are searched and added."""
        return as_model(self._given if self._given is not None else find_table(self.name).model)

    @property
    def table(self) -> ModelTable:
        """The rows of this model.

        Raises:
            UnknownName: there is no such index.
            BadInput: it holds no vectors of this model.
        """
        return find_table(self.name, model=self.model.key, fingerprint=self.model.fingerprint)

    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        progress: Watch = None,
        **options: Any,
    ) -> AddReport:
        """Add images and videos; what is there already is not embedded again, and files that are gone leave the index.

        Args:
            paths: images, videos, folders, zips, CSV, Parquet or tar files, `hf:NAME`.
            progress: see `Model`.
            options: see `retrieval.adding.AddOptions`: `fps` of videos, `vector_index`, `ray_workers`.

        Raises:
            BadInput: nothing there that can be added.
            Busy: something else is being added to it.
            Cancelled: `progress` stopped it; what is done stays, and the same call continues.

        Example:
            >>> import workbench as wb
            >>> wb.Index("./pictures", "pocket").add(wb.sample_path("cat"))
            AddReport(1 embedded, 0 taken from the same content, 0 unchanged, 0 removed, 0 failed; 1 rows in all)
        """
        given = [os.fspath(paths)] if isinstance(paths, str | os.PathLike) else [os.fspath(path) for path in paths]
        find_entries(given)  # a mistyped path is refused before a model is loaded
        steps = adding(self.name, self.model.session, given, options=AddOptions(**options))
        with closing(steps), watching(progress) as report:
            return _last(steps, report)

    def search(
        self, query: str | ImageLike, *, top: int | None = None, where: str = "", correct_hubs: bool = False
    ) -> SearchResults:
        """Find the images that fit a query.

        Args:
            query: text, weights and image files (`2:dog + ./beach.jpg - people`), or one image.
            top: exactly so many, 1 to 1,000; where not given, the list ends where chance begins.
            where: a condition on the columns, such as `label = 'cat' AND width > 800`.
            correct_hubs: rank down images that match almost any query.

        Raises:
            UnknownName: there is no such index.
            BadInput: a query, number or condition that cannot be used.

        Example:
            >>> import workbench as wb
            >>> index = wb.Index("./pictures", "pocket")
            >>> _ = index.add([wb.sample_path("cat"), wb.sample_path("rocket")])
            >>> index.search("2:rocket - cat", top=1)
            SearchResults('2:rocket - cat', 1 of 2 rows)
        """
        wanted = {"top": top or MOST, "where": where}
        if isinstance(query, str):
            terms, title = parse_query(query, files=True), query
            results = ask(self.model.session, self.table, terms, correct_hubs=correct_hubs, **wanted)
        else:
            vector, title = self.model.embed_images(read_image(query)), "an image"
            results = search(self.table, vector, chance=Chance(None), **wanted)  # type: ignore[arg-type]
        return SearchResults(title, results, results.hits if top is not None else results.likely)

    def remove(self) -> None:
        """Delete the index with the vectors of all models; images stay.

        Raises:
            UnknownName: there is no such index.
            Busy: something is being added to it.

        Example:
            >>> import workbench as wb
            >>> index = wb.Index("./pictures", "pocket")
            >>> _ = index.add([wb.sample_path("cat"), wb.sample_path("rocket")])
            >>> index.remove()
        """
        remove(self.name)

    def __len__(self) -> int:
        return self.table.rows

    def __repr__(self) -> str:
        return f"Index({self.name}, {self.model.key})"


def _last(steps: Generator[Progress, None, AddReport], report: Any) -> AddReport:
    while True:
        try:
            report(next(steps))
        except StopIteration as end:
            result: AddReport = end.value
            return result

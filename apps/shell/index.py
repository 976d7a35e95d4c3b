"""`index add`, `ls`, `search`, `check`, `rm`: keep images and videos in an index, and find them by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import watched
from workbench.errors import INCOMPLETE, INTERRUPTED, BadInput, Cancelled
from workbench.models import find

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.retrieval.query import Term

STOPPED = "Stopped on request; finished work is kept, and the same command continues."

index = typer.Typer(help="Index images and videos, and search them by sentence or by example.")
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A name, a folder (with a /) or an address (s3://…).")
]


@index.command("add")
def add(
    name: NameArgument,
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATHS…", help="Images, videos, folders, zips, CSV, Parquet or tar files, hf:NAME."),
    ],
    fps: Annotated[float, typer.Option("--fps", help="Frames a second of videos.")] = 1.0,
    vector_index: Annotated[
        str,
        typer.Option("--vector-index", metavar="KIND", help="IVF_RQ (the default from 100,000 rows), IVF_SQ, IVF_PQ …"),
    ] = "",
    engine: Annotated[
        str, typer.Option("--engine", metavar="ENGINE", help="local, or ray: several workers (extra ray).")
    ] = "local",
    workers: Annotated[int, typer.Option("--workers", metavar="N", help="Models at once with --engine ray.")] = 1,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Add images and videos; what is there already is not embedded again, and files that are gone leave the index."""
    from workbench.embedding.ray_data import check_ray
    from workbench.index import Index
    from workbench.retrieval.sources import find_entries
    from workbench.retrieval.table import check_kind

    check_kind(vector_index)
    if engine not in ("local", "ray") or workers < 1 or not fps > 0:
        given = f"{engine}, {workers} and {fps:g}"
        raise BadInput(f"--engine is local or ray, --workers 1 or more, --fps above 0; got {given}.")
    if engine == "ray":
        check_ray()
    find_entries(paths)  # a mistyped path is refused before a model is loaded
    options = {"fps": fps, "vector_index": vector_index, "ray_workers": workers if engine == "ray" else 0}
    with session(model, device, dtype) as opened, watched(STOPPED) as watch:
        try:
            report = Index(name, opened).add(paths, progress=watch, **options)
        except Cancelled as error:
            say(str(error))
            raise typer.Exit(INTERRUPTED) from None
    for path, reason in report.failed:
        say(f"{path}: {reason}")
    if as_json:
        write_json({"name": name, **report.to_dict()})
    say(f"{report}.")
    if report.failed:
        raise typer.Exit(INCOMPLETE)


@index.command("ls")
def ls(as_json: JsonOption = False) -> None:
    """List the indexes on this machine: model, rows, size, vector index."""
    from workbench.retrieval import location
    from workbench.retrieval.index import tables

    rows = [one.summary() for name in location.names() for one in tables(name)]
    if as_json:
        write_json(rows)
        return
    write_rows(
        ("name", "model", "rows", "MB", "vector index"),
        [
            (row["name"], row["model"], f"{row['rows']:,}", f"{row['bytes'] / 1e6:.1f}", row["vector_index"] or "none")
            for row in rows
        ],
        right=("rows", "MB"),
    )
    say(f"They lie in {location.folder()}.")


def say_reading(opened: Session, terms: Sequence[Term]) -> None:
    """Say what a query's texts in other languages are read as."""
    from workbench.languages import language_note
    from workbench.retrieval.query import texts_of

    if note := language_note(texts_of(terms), opened.spec):
        say(note)


@index.command("search")
def search(
    name: NameArgument,
    query: Annotated[
        str,
        typer.Argument(metavar="QUERY", help="Text, images and weights: '2:golden retriever + ./pool.jpg - fruit'."),
    ],
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="K", help="Exactly the K best; without it, the list ends where chance begins."),
    ] = None,
    where: Annotated[
        str, typer.Option("--where", metavar="FILTER", help="Which rows: \"label = 'cat' and width > 800\", or SQL.")
    ] = "",
    model: Annotated[str, typer.Option("--model", metavar="KEY", help="Which model, where an index has several.")] = "",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Find the images that fit a query; score is the cosine, beats the share of the index with a lower one."""
    from workbench.retrieval.filters import filter_or_sql
    from workbench.retrieval.index import find_table
    from workbench.retrieval.query import parse_query

    terms = parse_query(query, files=True)
    with (
        filter_or_sql(where) as condition,
        session(find_table(name, model=model).model, device, dtype) as opened,
    ):
        from workbench.index import Index

        say_reading(opened, terms)
        results = Index(name, opened).search(query, top=top, where=condition)
    if as_json:
        write_json(results.to_dict())
        return
    for hit in results:
        write(f"{hit.score:+.3f}  beats {100 * hit.beats:6.2f} %  chance {hit.chance:.4f}  {hit.path}")
    if top is None:
        say(f"{len(results)} of {results.results.rows:,} rows fit better than chance; --top K shows K in any case.")


@index.command("check")
def check(
    name: NameArgument,
    queries: Annotated[int, typer.Option("--queries", metavar="N", help="Number of random queries.")] = 100,
    model: Annotated[str, typer.Option("--model", metavar="KEY", help="Which model, where an index has several.")] = "",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure how many of the true nearest rows searches return, against an exact search."""
    from workbench.retrieval.check import check as measure
    from workbench.retrieval.index import find_table

    result = measure(find_table(name, model=model), queries=queries, seed=seed)
    if as_json:
        write_json(result)
        return
    write(
        f"recall@{result['k']} {result['recall']:.3f} "
        f"({result['low']:.3f} to {result['high']:.3f}, n = {result['n']}), "
        f"{result['milliseconds']:.1f} ms a search, {result['exact_milliseconds']:.1f} ms exact"
    )
    say(result["advice"])


@index.command("rm")
def rm(name: NameArgument, as_json: JsonOption = False) -> None:
    """Delete an index; images stay."""
    from workbench.retrieval.index import remove

    remove(name)
    if as_json:
        write_json({"name": name, "removed": True})
    else:
        say(f"The index {name} is deleted.")


@contextmanager
def session(model: str, device: str, dtype: str) -> Iterator[Session]:
    """Open a session with a model, and say on stderr which."""
    spec = find(model)
    from workbench.cache import DiskCache
    from workbench.engine import Engine

    say(f"{spec.title}, trained on {spec.trained_on or 'data that is not known here'}.")
    disk = DiskCache()  # keeps texts: stock sentences are embedded once on a machine
    with Engine(default=model, device=device, dtype=dtype, disk=disk) as engine, engine.session("shell") as opened:
        yield opened

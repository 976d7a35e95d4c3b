"""`index add`, `ls`, `search`, `check`, `rm`: keep images and videos in an index, and find them by sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import INCOMPLETE, INTERRUPTED, BadInput, Cancelled
from workbench.models import find

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.retrieval.adding import AddReport
    from workbench.retrieval.search import Hit

SHOWN = 50  # results at most, where --top does not say

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
    from workbench.retrieval.adding import AddOptions
    from workbench.retrieval.adding import add as adding
    from workbench.retrieval.sources import find_entries
    from workbench.retrieval.table import check_kind

    check_kind(vector_index)
    if engine not in ("local", "ray") or workers < 1 or not fps > 0:
        given = f"{engine}, {workers} and {fps:g}"
        raise BadInput(f"--engine is local or ray, --workers 1 or more, --fps above 0; got {given}.")
    if engine == "ray":
        check_ray()
    options = AddOptions(fps, vector_index, workers if engine == "ray" else 0)
    find_entries(paths)  # a mistyped path is refused before a model is loaded
    with session(model, device, dtype) as opened, stop_on_ctrl_c() as stop, progress() as bar:
        task = bar.add_task("Read", total=None)
        rows = adding(name, opened, paths, options=options, stopped=stop.is_set)
        while True:
            try:
                now = next(rows)
            except StopIteration as end:
                report: AddReport = end.value
                break
            except Cancelled as error:
                say(str(error))
                raise typer.Exit(INTERRUPTED) from None
            bar.update(task, completed=now.done, total=now.total or None, description=f"{now.stage}: {now.line}")
    for path, reason in report.failed:
        say(f"{path}: {reason}")
    if as_json:
        failed = [{"path": path, "error": reason} for path, reason in report.failed]
        write_json({"name": name, **vars(report), "failed": failed})
    say(
        f"{report.added} embedded, {report.reused} taken from the same content, {report.unchanged} unchanged, "
        f"{report.removed} removed, {len(report.failed)} failed; {report.rows} rows in all."
    )
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
        str, typer.Option("--where", metavar="FILTER", help="Which rows: \"label = 'cat' and width > 800\".")
    ] = "",
    model: Annotated[str, typer.Option("--model", metavar="KEY", help="Which model, where an index has several.")] = "",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Find the images that fit a query; score is the cosine, beats the share of the index with a lower one."""
    from workbench.retrieval.filters import compile_filter
    from workbench.retrieval.index import find_table
    from workbench.retrieval.query import parse_query

    terms = parse_query(query, files=True)
    compile_filter(where)
    key = find_table(name, model=model).model
    with session(key, device, dtype) as opened:
        from workbench.retrieval.ask import ask

        table = find_table(name, model=key, fingerprint=opened.fingerprint)
        results = ask(opened, table, terms, top=top or SHOWN, where=where)
    hits = results.hits if top is not None else results.likely
    if as_json:
        write_json([plain(hit) for hit in hits])
        return
    for hit in hits:
        write(f"{hit.score:+.3f}  beats {100 * hit.beats:6.2f} %  chance {hit.chance:.4f}  {hit.path}")
    if top is None:
        say(f"{len(hits)} of {results.rows:,} rows fit better than chance; --top K shows K in any case.")


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


def plain(hit: Hit) -> dict[str, Any]:
    """Return a result as plain data."""
    row = hit.row
    scores = {"path": hit.path, "score": hit.score, "beats": hit.beats, "chance": hit.chance, "likely": hit.likely}
    known = {name: row[name] for name in ("label", "caption", "width", "height") if row[name]}
    return {**scores, **known, **({} if row["second"] is None else {"second": row["second"]})}


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

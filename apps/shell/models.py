"""`models`: the catalogue, what of it is on this machine, and the only word that downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import JsonOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.checkpoints.spec import ModelSpec


def models(
    download: Annotated[
        str | None,
        typer.Option("--download", metavar="KEY", help="Fetch this model from the Hugging Face Hub; Ctrl-C stops."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the models and what is on this machine, or download one."""
    if download is None:
        _show(as_json)
        return
    from workbench.models import find

    spec = find(download)
    from workbench.loading import hub

    before = hub.presence(spec)
    if not before.here:
        _download(spec, hub.download)
    there = hub.presence(spec)
    if as_json:
        write_json({"key": spec.key, "where": there.where, "bytes": there.bytes, "downloaded": not before.here})
    else:
        write(f"{spec.key}  {there.where}, {_size(there.bytes)}")


def _download(spec: ModelSpec, fetch: Callable[..., Any]) -> None:
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

    if spec.repo:  # what is published nowhere is refused below, with the command that makes it
        say(f"{spec.title} ({spec.repo}), {_size(spec.download_bytes)}, licence: {spec.licence or 'not known here'}.")
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with stop_on_ctrl_c() as stop, progress(*columns) as bar:
        task = bar.add_task(spec.title, total=spec.download_bytes)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        fetch(spec, progress=show, cancelled=stop.is_set)


def _show(as_json: bool) -> None:
    from workbench.loading import listing

    rows = listing.rows()
    if as_json:
        write_json(rows)
        return
    columns = ("key", "parameters", "size", "score", "where", "licence")
    table = []
    for row in rows:
        size = _size(row["disk_bytes"] if row["here"] else row["download_bytes"])
        parameters = "?" if row["parameters"] is None else f"{row['parameters'] / 1e6:,.0f} M"
        facts = (parameters, size, row["score"], row["where"], row["licence"] or "not known")
        table.append((row["key"], *facts))
    write_rows(columns, table, right=("parameters", "size"))
    say("More with --json; download one with --download KEY.")


def _size(amount: int | None) -> str:
    return "not known" if amount is None else f"{amount / 1e6:,.0f} MB"

"""`index moments`: how often the first segment that a sentence finds in its video is the right one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shared.percentages import percent
from apps.shell.index import NameArgument, session
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption
from workbench.cli.output import say, write_json, write_rows

if TYPE_CHECKING:
    from workbench.retrieval.moment_truth import MomentScores
    from workbench.statistics.intervals import Interval


def moments(
    name: NameArgument,
    table: Annotated[
        Path,
        typer.Argument(metavar="CSV", help="Columns video_id (or path), sentence (or caption), start, end in seconds."),
    ],
    model: Annotated[str, typer.Option("--model", metavar="KEY", help="Of an index with several models: which.")] = "",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure R1@IoU and mAP of moments in the videos of an index, with a table of known ones."""
    from workbench.retrieval.index import find_table
    from workbench.retrieval.moment_truth import measure_moments, read_moments

    queries = read_moments(table)
    key = find_table(name, model=model).model
    with session(key, device, dtype) as opened:
        place = find_table(name, model=key, fingerprint=opened.fingerprint)
        result = measure_moments(opened, place, queries, folder=str(table.absolute().parent))
    if as_json:
        write_json(_plain(result))
        return
    rows = [(f"R1@{share:g}", percent(one)) for share, one in result.first.items()]
    write_rows(("measure", "value"), [*rows, ("mAP 0.5 to 0.95", percent(result.precision))], right=("value",))
    lacking = f"; not in the index: {', '.join(result.missing[:3])}" if result.missing else ""
    say(f"{result.queries} sentences in {result.videos} videos{lacking}.")


def _plain(result: MomentScores) -> dict[str, Any]:
    first = {f"R1@{share:g}": _bounds(one) for share, one in result.first.items()}
    counts = {"queries": result.queries, "videos": result.videos, "missing": list(result.missing)}
    return {**first, "mAP": _bounds(result.precision), **counts}


def _bounds(one: Interval) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high}

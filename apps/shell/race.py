"""`train --recipe race`: four objectives on equal towers; curves and ratios on stdout, a CSV and a figure in --out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.shell.output import say, write_json, write_rows
from audits.shell.progress import progress
from workbench.errors import Cancelled
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.training.race import RaceSettings, RunnerCurve
    from workbench.training.race.run import RaceResult

COLUMNS = ("runner", "seed", "images", "seconds", "accuracy", "loss")


def run_race(settings: RaceSettings, *, out: Path | None, as_json: bool, stopped: Callable[[], bool]) -> None:
    """Run a race, show how far it is, and write what it found.

    Raises:
        Cancelled: stopped; nothing is written.
    """
    from workbench.training.race import race
    from workbench.training.race.run import conclude

    newest: dict[Any, RunnerCurve] = {}
    with progress() as bar:
        task = bar.add_task("Race", total=settings.seeds * len(settings.runners) * settings.points)
        for curve in race(settings):
            newest[curve.runner, curve.seed] = curve
            accuracy = f"{curve.runner.name}: {100 * curve.accuracy[-1]:.0f} %"
            bar.update(task, advance=1, description=accuracy)
            if stopped():
                raise Cancelled("The race was stopped; nothing was written.")
    curves = list(newest.values())
    results = conclude(curves)
    if out is not None:
        write_whole(out / "race.csv", _csv(curves))
        write_whole(out / "race.svg", _figure(results))
        say(f"The curves are in {out / 'race.csv'}, the figure in {out / 'race.svg'}.")
    if as_json:
        write_json(
            {
                "images": settings.images,
                "seeds": settings.seeds,
                "curves": [dict(zip(COLUMNS, row, strict=True)) for row in _rows(curves)],
                "results": [_plain(result) for result in results],
            }
        )
        return
    write_rows(
        ("runner", "accuracy", "lowest", "highest", "images needed by it / by contrast"),
        [
            (row["runner"], *(f"{100 * row[name]:.1f} %" for name in ("accuracy", "lowest", "highest")), row["text"])
            for row in map(_plain, results)
        ],
        right=("accuracy", "lowest", "highest"),
    )


def _plain(result: RaceResult) -> dict[str, Any]:
    ratio = result.ratio
    shown = None if ratio is None or ratio.value is None else f"{ratio.value:.1f}"
    if ratio is not None and ratio.low is not None and ratio.high is not None:
        shown = f"{shown} ({ratio.low:.1f} to {ratio.high:.1f})"
    return {
        "runner": result.runner.name,
        "objective": result.runner.objective,
        "accuracy": result.accuracy[-1],
        "lowest": result.lowest[-1],
        "highest": result.highest[-1],
        "ratio": None if ratio is None else ratio.value,
        "ratio_low": None if ratio is None else ratio.low,
        "ratio_high": None if ratio is None else ratio.high,
        "text": shown or ("" if ratio is None else ratio.method),
    }


def _rows(curves: Sequence[RunnerCurve]) -> list[tuple[object, ...]]:
    return [
        (curve.runner.name, curve.seed, *point)
        for curve in curves
        for point in zip(curve.images, curve.seconds, curve.accuracy, curve.loss, strict=True)
    ]


def _csv(curves: Sequence[RunnerCurve]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *_rows(curves)])
    return text.getvalue().encode()


def _figure(results: Sequence[RaceResult]) -> bytes:
    """Draw accuracy against images seen: means as lines, ranges over seeds as bands."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "race"
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="images seen", ylabel="zero-shot accuracy, 48 labels")
    for result, colour in zip(results, ("#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7"), strict=False):
        axes.plot(result.images, result.accuracy, color=colour, label=result.runner.name)
        axes.fill_between(result.images, result.lowest, result.highest, color=colour, alpha=0.2)
    axes.legend()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()

"""`train --recipe race`: four objectives on equal towers; curves and ratios on stdout, a CSV and a figure in --out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import Cancelled
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.training.race import RaceSettings, RunnerCurve
    from workbench.training.race.results import RaceResult


def run_race(settings: RaceSettings, *, out: Path | None, as_json: bool, stopped: Callable[[], bool]) -> None:
    """Run a race, show how far it is, and write what it found.

    Raises:
        Cancelled: stopped; nothing is written.
    """
    from workbench.training.race.export import COLUMNS, as_csv, as_svg, points
    from workbench.training.race.results import conclude
    from workbench.training.race.run import race

    newest: dict[Any, RunnerCurve] = {}
    with progress() as bar:
        task = bar.add_task("Race", total=settings.seeds * len(settings.runners) * settings.points)
        for curve in race(settings):
            if stopped():
                raise Cancelled("The race was stopped; nothing was written.")
            before = newest.get((curve.runner, curve.seed))
            newest[curve.runner, curve.seed] = curve
            if len(curve.accuracy) > (0 if before is None else len(before.accuracy)):
                bar.update(task, advance=1, description=f"{curve.runner.name}: {100 * curve.accuracy[-1]:.0f} %")
    curves = list(newest.values())
    results = conclude(curves)
    if out is not None:
        write_whole(out / "race.csv", as_csv(curves))
        write_whole(out / "race.svg", as_svg(results))
        say(f"The curves are in {out / 'race.csv'}, the figure in {out / 'race.svg'}.")
    if as_json:
        write_json(
            {
                "images": settings.images,
                "seeds": settings.seeds,
                "curves": [dict(zip(COLUMNS, row, strict=True)) for row in points(curves)],
                "results": [_plain(result) for result in results],
            }
        )
        return
    write_rows(
        ("runner", "accuracy", "lowest", "highest", f"images needed, relative to {results[0].runner.name}"),
        [
            (row["runner"], *(f"{100 * row[name]:.1f} %" for name in ("accuracy", "lowest", "highest")), row["text"])
            for row in map(_plain, results)
        ],
        right=("accuracy", "lowest", "highest"),
    )


def _plain(result: RaceResult) -> dict[str, Any]:
    from workbench.training.race.export import ratio_text

    ratio = result.ratio
    return {
        "runner": result.runner.name,
        "objective": result.runner.objective,
        "accuracy": result.accuracy[-1],
        "lowest": result.lowest[-1],
        "highest": result.highest[-1],
        "ratio": None if ratio is None else ratio.value,
        "ratio_low": None if ratio is None else ratio.low,
        "ratio_high": None if ratio is None else ratio.high,
        "text": ratio_text(result),
    }

"""A race as a table and as a figure: for the shell, the page and the documentation alike."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from workbench.training.race.results import RaceResult, RunnerCurve

COLUMNS = ("runner", "seed", "images", "seconds", "accuracy", "loss")
COLOURS = ("#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito 2008, for colour-blind readers


def points(curves: Sequence[RunnerCurve]) -> list[tuple[object, ...]]:
    """Return one row a measurement, as `COLUMNS` names them."""
    return [
        (curve.runner.name, curve.seed, *point)
        for curve in curves
        for point in zip(curve.images, curve.seconds, curve.accuracy, curve.loss, strict=True)
    ]


def as_csv(curves: Sequence[RunnerCurve]) -> bytes:
    """Return all measurements as CSV, UTF-8, with a header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *points(curves)])
    return text.getvalue().encode()


def as_svg(results: Sequence[RaceResult]) -> bytes:
    """Draw accuracy against images seen as SVG: means as lines, ranges over seeds as bands."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "race"}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot(xlabel="images seen", ylabel="zero-shot accuracy, 48 labels")
        for result, colour in zip(results, COLOURS, strict=False):
            axes.plot(result.images, result.accuracy, color=colour, label=result.runner.name)
            axes.fill_between(result.images, result.lowest, result.highest, color=colour, alpha=0.2)
        axes.legend()
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()


def ratio_text(result: RaceResult) -> str:
    """Say how many times as many images a runner needs as the first one; empty for the first one."""
    ratio = result.ratio
    if ratio is None:
        return ""
    if ratio.value is None:
        return ratio.method
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.1f}"
    return f"{ratio.value:.1f} ({ratio.low:.1f} to {ratio.high:.1f})"

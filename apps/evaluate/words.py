"""Texts, table rows and downloads of the Evaluate view."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from apps.shared.markdown import literal
from apps.shared.percentages import as_points, percent
from workbench.probes.choosing import BEST, EVEN, Standing
from workbench.probes.equivalent import equivalent_shots
from workbench.probes.evaluation import PROBE, ZERO_SHOT, ModelEvaluation
from workbench.probes.labelled import LabelledImages
from workbench.probes.suite.published import prior_sentence
from workbench.statistics.calibration import CalibrationError

LEAD = (
    "Which model is best for your images? Drop a folder whose subfolders are the classes; each model is measured "
    "zero-shot, with a few images a class, and with the CLIP paper's linear probe."
)
IDLE = "Press “Evaluate”. Without a folder, eight kinds of drawings are used."
STOPPED = "Stopped. The results so far stay."
EXPLAINED = """
**Zero-shot** compares each image with the classes' names. **Shots** fit a logistic regression on 1 to 16 images a
class, drawn anew for each seed; the interval covers both seeds and test images. **Probe** uses all training images;
its one penalty is chosen on validation images, and the test images are used once (Radford et al. 2021, appendix A.3).
Features are those before the projection into the joint space.

**The test images** are those in `test/` where the folder has `train/` and `test/`; else a quarter of each class.

**Not distinguishable from the best**: image by image, the difference to the best model could be chance (paired test,
Holm over all models). The table says how many test images would show a difference of that size.

**Calibration error**: by how much the probe's confidence misses its accuracy, on average; 95 of 100 calibrated models
stay below the value of chance. **Seconds** are for 1,000 images, measured on images of noise that no cache knows.

**A report** that can be kept, compared and gated: the audit `accuracy` on the same test images, in the shell
`clip-workbench evaluate FOLDER --report RUNS`. Its zero-shot is that of this table; its probes see the embeddings in
the joint space, as all audits do, so that they can differ a little from those here.
"""
CSV_COLUMNS = [
    "model",
    "column",
    "accuracy",
    "low",
    "high",
    "interval",
    "n",
    "penalty",
    "verdict",
    "seconds_per_1000",
    "megabytes",
]
FIXED = ["model", "difference to the best", "verdict"]
MEASURES = ["mean per class", "calibration error", "s per 1,000", "MB", "test images needed"]
NEXT = (  # text, view and element of each button of “What now?”
    ("Which labels may be wrong?", "evaluate", "suspects-button"),
    ("When should it not answer?", "evaluate", "certainty-button"),
    ("Would other sentences do better?", "evaluate", "prompts-button"),
)


def columns(rows: Sequence[ModelEvaluation]) -> list[str]:
    """Return what was measured, in the order of the table: zero-shot, shots, probe."""
    names = {name for row in rows for name in row.answers}
    places = {ZERO_SHOT: 0, PROBE: 1_000_000}
    return sorted(names, key=lambda name: places[name] if name in places else int(name.split()[0]))


def headers(rows: Sequence[ModelEvaluation]) -> list[str]:
    """Return the table's header."""
    return [FIXED[0], *columns(rows), *FIXED[1:], *MEASURES]


def table_rows(rows: Sequence[ModelEvaluation], order: Mapping[str, Standing], by: str) -> list[list[str]]:
    """Return one row a model."""
    lines = []
    for row in rows:
        standing, last = order.get(row.model), row.answers.get(by)
        difference = standing.difference if standing else None
        lines.append(
            [
                row.title,
                *(percent(row.answers[name].accuracy) if name in row.answers else "" for name in columns(rows)),
                as_points(difference) if difference else "",
                standing.verdict if standing else row.dropped,
                percent(last.per_class) if last and last.per_class else "",
                _off(last.calibration) if last and last.calibration else "",
                f"{row.seconds:.1f}" if row.seconds else "",
                f"{row.megabytes:.0f}",
                f"{standing.needed:,}" if standing and standing.needed else "",
            ]
        )
    return lines


def _off(error: CalibrationError) -> str:
    value, bound = (f"{100 * (part or 0):.1f} %" for part in (error.value, error.null_q95))
    return f"{value} (chance: up to {bound})"


def verdict(rows: Sequence[ModelEvaluation], order: Mapping[str, Standing], by: str) -> str:
    """Say which model is best, and from which it cannot be told, in a sentence of Markdown."""
    titles = {row.model: literal(row.title) for row in rows}
    best = next((key for key, one in order.items() if one.verdict == BEST), None)
    if best is None:
        newest = rows[-1] if rows else None
        if newest is None or not newest.answers:
            return "Measuring …"
        name = list(newest.answers)[-1]
        return f"{literal(newest.title)}: {percent(newest.answers[name].accuracy)} ({name}) …"
    accuracy = next(row.answers[by].accuracy for row in rows if row.model == best)
    even = [titles[key] for key, one in order.items() if one.verdict == EVEN]
    text = f"**{titles[best]}**: {percent(accuracy)} by {by}."
    if len(order) > 1:
        text += f" Not distinguishable from it: {', '.join(even)}." if even else " All others are clearly below."
    row = next(row for row in rows if row.model == best)
    curve = {
        int(name.split()[0]): one.accuracy.value or 0
        for name, one in row.answers.items()
        if name not in (ZERO_SHOT, PROBE)
    }
    measured = {row.model: row.answers[by].accuracy.value or 0 for row in rows if by in row.answers}
    if sentence := prior_sentence(measured):
        text += f" {sentence}"
    zero = row.answers.get(ZERO_SHOT)
    if zero and len(curve) > 1:
        shots = equivalent_shots(zero.accuracy.value or 0, curve)
        few = "at most one labelled image" if shots == 1 else f"about {shots or 0:.1f} labelled images"
        worth = f"more than {max(curve)} labelled images" if shots is None else few
        text += f" Its zero-shot accuracy is worth {worth} a class."
    return text


def parts(images: LabelledImages) -> str:
    """Say how many images each part has, and whether it was given or drawn."""
    return f"{literal(images.title)}: {images.summary}."


def as_csv(rows: Sequence[ModelEvaluation], order: Mapping[str, Standing]) -> bytes:
    """Return one line for each model and column, with all digits."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(CSV_COLUMNS)
    for row in rows:
        standing = order.get(row.model)
        for name, one in row.answers.items():
            share = one.accuracy
            numbers = [share.value, share.low, share.high, share.method, len(one.right), one.strength]
            verdict = standing.verdict if standing else row.dropped
            out.writerow([row.model, name, *numbers, verdict, row.seconds, row.megabytes])
    return text.getvalue().encode()


COLUMN_CHOICES = [("probe", PROBE), ("zero-shot", ZERO_SHOT)]

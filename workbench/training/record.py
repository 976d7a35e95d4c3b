"""Files beside a trained model: a record in JSON, the history in CSV, and a figure of loss and accuracy."""

from __future__ import annotations

import csv
import io
import math
import platform
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.errors import BadInput
from workbench.places import read_json, write_whole
from workbench.training.order import CAPTIONS
from workbench.training.recipe import Recipe

RECORD, HISTORY, FIGURE = "training.json", "training.csv", "training.svg"
_PACKAGES = ("clip-workbench", "torch", "transformers", "open_clip_torch", "timm", "numpy", "pillow", "safetensors")


@dataclass(frozen=True)
class HistoryRow:
    """One step in the history; NaN where nothing was measured."""

    step: int  # steps done
    loss: float
    matched: float  # share of the batch's pictures whose likeliest sentence is right, 0..1
    rate: float  # learning rate
    scale: float  # what cosines are multiplied with
    accuracy: float = math.nan  # share of validation pictures named right, 0..1


class TrainingRecord(BaseModel):
    """What was trained, from what, with what, and how far."""

    model_config = ConfigDict(frozen=True)

    state: Literal["running", "stopped", "done"]
    recipe: Recipe
    began_with: dict[str, Any]  # key, title and sha256 of the weights
    data: dict[str, Any]  # hashes of training and validation pairs
    passed_over: tuple[str, ...] = ()  # pictures without a sentence, each with the reason
    unreadable: dict[str, str] = {}  # pictures that could not be opened
    device: str = ""
    dtype: str = ""
    processes: int = 1
    versions: dict[str, str] = {}
    steps_done: int = 0
    seconds: float = 0.0  # of training, pauses apart
    loss: float | None = None  # of the last step
    accuracy: str = "not measured"  # on the validation pairs, with its interval
    weights: dict[str, str] = {}  # sha256 of what was written


def write_record(out: Path, record: TrainingRecord) -> None:
    """Write `training.json`, at once.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    write_whole(out / RECORD, (record.model_dump_json(indent=1, by_alias=True) + "\n").encode())


def read_record(out: Path) -> TrainingRecord:
    """Read `training.json`.

    Raises:
        BadInput: there is none, or it is not one of ours.
    """
    if (recipe := read_json(out / RECORD).get("recipe")) == CAPTIONS:
        raise BadInput(f"{out.name!r} is the {recipe} recipe's: to go on, give its command again, without --resume.")
    try:
        return TrainingRecord.model_validate_json((out / RECORD).read_bytes())
    except FileNotFoundError:
        raise BadInput(f"The folder {out.name!r} holds no training: {RECORD} is missing.") from None
    except (OSError, ValidationError) as error:
        raise BadInput(f"{RECORD} in {out.name!r} cannot be read: {' '.join(str(error).split())[:200]}") from None


def write_history(out: Path, rows: Sequence[HistoryRow]) -> None:
    """Write all steps as CSV, and the figure.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([one.name for one in fields(HistoryRow)])
    table.writerows(["" if value != value else value for value in astuple(row)] for row in rows)
    write_whole(out / HISTORY, text.getvalue().encode())
    if rows:
        write_whole(out / FIGURE, figure(rows))


def figure(rows: Sequence[HistoryRow]) -> bytes:
    """Draw loss (left axis) and shares right (right axis) over the steps, as SVG; the same rows give the same bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(7, 3.6), layout="constrained")
    FigureCanvasSVG(drawn)
    left = drawn.add_subplot()
    right = left.twinx()
    steps = [row.step for row in rows]
    left.plot(steps, [row.loss for row in rows], color="#1f5fa8", linewidth=1.2, label="loss")
    right.plot(steps, [row.matched for row in rows], color="#d9822b", linewidth=0.8, alpha=0.6, label="batch matched")
    measured = [row for row in rows if row.accuracy == row.accuracy]
    if measured:
        at, values = [row.step for row in measured], [row.accuracy for row in measured]
        right.plot(at, values, color="#8a4a00", marker="o", markersize=3, label="validation right")
    left.set_xlabel("step")
    left.set_ylabel("loss")
    left.set_ylim(bottom=0)
    right.set_ylabel("share right")
    right.set_ylim(0, 1.02)
    drawn.legend(loc="outside upper center", ncols=3, frameon=False)
    target = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "clip-workbench"}):
        drawn.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()


def versions() -> dict[str, str]:
    """Return what computed: Python, the platform, and the packages that decide numbers."""
    versions = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # run from a clone, or not needed here
            continue
    return versions

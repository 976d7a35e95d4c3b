"""How sure an answer may be: sets with a promised coverage, and flags for images that show none of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from apps.shared.events import LONG, handler, owner
from apps.shared.folder_box import folder_box
from apps.shared.jobs import Jobs, wire
from apps.shared.labelled_images import from_folder
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.percentages import percent
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.probes.embedding import ImageFeatures, model_ref
from workbench.probes.linear import probe
from workbench.probes.sets import conformal_sets
from workbench.probes.shifts import embed_unlabelled
from workbench.probes.table import EmbeddedImages
from workbench.probes.unknown import Flag, flags
from workbench.scheduler import CancelToken
from workbench.statistics.conformal import SetQuality

IDLE = "Evaluate first; then see how large the sets are that hold the true class with a chosen probability."
EXPLAINED = """
A **conformal set** holds the true class with at least the chosen probability, on average over images like these
(exchangeable ones): not for each class, and not for images from elsewhere. It is calibrated on one half of the test
images and measured on the other.

**“Not one of these”**: images that score below a threshold are flagged. The threshold is set on your own images, so
that 95 % of them stay; images that show none of the classes are needed only to see how many are flagged.
"""
SET_HEADERS = ["model", "sets", "hold the true class", "mean size", "empty", "lowest class"]
FLAG_HEADERS = ["model", "score", "threshold", "own test images kept", "outside images flagged", "area under ROC"]
JOBS = Jobs("evaluate")


def build(page: Page, known: gr.State) -> None:
    """Lay out the part, in a tab below the table."""
    with gr.Tab("Sets of answers, and “not one of these”", elem_id="certainty", render_children=True):
        gr.Markdown(EXPLAINED, elem_classes="notes")
        alpha = gr.Slider(
            0.01, 0.3, 0.1, step=0.01, label="Error allowed", info="0.1: nine of ten sets hold the truth."
        )
        folder = folder_box("Images that show none of the classes (optional)", elem_id="certainty-folder")
        with gr.Row():
            go = gr.Button("Measure sets and flags", variant="primary", elem_id="certainty-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(IDLE, elem_classes="live", elem_id="certainty-status")
        sets = table(SET_HEADERS, "Sets of the probe", elem_id="certainty-sets", visible=COLLAPSED)
        flagged = table(FLAG_HEADERS, "Flags by the classes' names", elem_id="certainty-flags", visible=COLLAPSED)

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        embedded: EmbeddedImages | None = typed[known]
        if embedded is None or not embedded.made:
            raise BadInput(IDLE)
        outside = from_folder(typed[folder]).samples if typed[folder] else ()
        set_rows: list[list[str]] = []
        flag_rows: list[list[str]] = []
        for key, made in embedded.made.items():
            title = embedded.rows[key].title
            yield {status: f"{literal(title)} …"}
            result = probe(made.features, embedded.images)
            sets_of = conformal_sets(result.probabilities, embedded.images, alpha=typed[alpha])
            set_rows += sets_rows(title, sets_of, embedded.images.classes)
            there: ImageFeatures | None = None
            if outside:
                with page.engine.session(visitor, model_ref(key), token=token, deadline=JOBS.seconds) as session:
                    there = embed_unlabelled(session, outside)
            if key in embedded.texts:
                flag_rows += flags_rows(title, flags(made, embedded.images, embedded.texts[key], outside=there))
            yield {
                sets: gr.update(value=set_rows, visible=bool(set_rows)),
                flagged: gr.update(value=flag_rows, visible=bool(flag_rows)),
            }
        few = "" if set_rows else " Sets need more test images for so small an error."
        yield {status: f"Measured on test images of {len(embedded.made)} model(s).{few}"}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped={status: JOBS.stopped})

    event = {
        "fn": run, "inputs": {known, alpha, folder}, "outputs": [status, sets, flagged],
        "api_visibility": "private", "show_progress": "hidden", **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)


def sets_rows(model: str, measured: Mapping[Any, SetQuality], classes: Sequence[str]) -> list[list[str]]:
    """Return one row a method: coverage with interval, mean size, empty sets, and the class that is covered least."""
    lines = []
    for method, one in measured.items():
        covered = [2.0 if share.value is None else share.value for share in one.by_class]  # no image comes last
        lowest = min(range(len(classes)), key=covered.__getitem__)
        lines.append(
            [
                model,
                method,
                percent(one.coverage),
                f"{one.mean_size:.2f}",
                percent(one.empty),
                f"{classes[lowest]}: {percent(one.by_class[lowest])}",
            ]
        )
    return lines


def flags_rows(model: str, measured: Sequence[Flag]) -> list[list[str]]:
    """Return one row a score."""
    return [
        [
            model,
            one.score,
            f"{one.threshold:.4g}",
            percent(one.kept),
            percent(one.flagged) if one.flagged else "",
            percent(one.area) if one.area else "",
        ]
        for one in measured
    ]

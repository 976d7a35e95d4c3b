"""The article's tables on the chosen model: nine targets, zero-shot and by linear probe, and the Stroop matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps.shared import percentages
from apps.shared.events import LONG, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.query import percent
from apps.shared.widgets import COLLAPSED, table
from audits.typographic.drawings import with_targets
from workbench.engine import Engine
from workbench.models import find
from workbench.progress import Progress
from workbench.scheduler import CancelToken
from workbench.statistics.intervals import Interval
from workbench.typographic.nine_targets import SOURCE, NineTargets, nine_targets
from workbench.typographic.stroop import PUBLISHED, StroopMatrix, stroop

JOBS = Jobs("typographic", stopped="Stopped; nothing was measured.")
HEADERS = ["target", "word", "cover", "zero-shot", "linear probe", "published cover", "published"]
IDLE = (
    "Goh et al. 2021 wrote nine words on images and counted how often the target became the answer. Here on built-in "
    "drawings of about 150 things; `clip-workbench typographic targets --data FOLDER` takes images of your own."
)
SECONDS = 120.0


def share(one: Interval | None) -> str:
    """Return a share with its interval, in percent."""
    return "—" if one is None else percentages.percent(one, missing="—")


def target_lines(result: NineTargets) -> list[list[str]]:
    """Return the rows of the table."""
    return [
        [
            row.target.name, row.target.word, percent(row.cover), share(row.zero_shot), share(row.probe),
            percent(row.target.cover), percent(row.target.success),
        ]
        for row in result.rows
    ]  # fmt: skip


def target_note(result: NineTargets, title: str) -> str:
    """Say who answered, how well without words, and where the published figures come from."""
    return (
        f"**{literal(title)}**, {result.zero_shot_clean.n} images attacked; without words right: zero-shot "
        f"{share(result.zero_shot_clean)}, linear probe {share(result.probe_clean)}. Of images that were not the "
        "target before, the share that is now, with 95 % intervals. — : no drawing of that thing to learn from. "
        f"Published: {SOURCE}."
    )


def stroop_lines(result: StroopMatrix) -> list[list[str]]:
    """Return the rows of the matrix: the word, then the answer to each ink."""
    return [[word, *row] for word, row in zip(result.colours, result.answers, strict=True)]


def stroop_note(result: StroopMatrix, title: str) -> str:
    """Say what wins."""
    counts = result.counts
    return (
        f"**{literal(title)}** answers cards whose word and ink differ with the word in {share(counts['word'])}, with "
        f"the ink in {share(counts['ink'])}, with another colour in {share(counts['another'])}, "
        f"n = {counts['word'].n}. Published for RN50x4: the word on {PUBLISHED[0]} of {PUBLISHED[1]} cards."
    )


def build(engine: Engine, model: gr.Dropdown) -> None:
    """Lay out the two tables."""
    with gr.Tab("The published attacks on this model", elem_id="typographic-published", render_children=True):
        gr.Markdown(IDLE, elem_classes="notes")
        with gr.Row():
            go = gr.Button("Rebuild the table", variant="primary", elem_id="typographic-targets-go")
            stop = gr.Button("Stop", variant="stop")
            cards = gr.Button("Stroop matrix", elem_id="typographic-stroop-go")
        status = gr.Markdown(elem_classes=["live", "notes"], elem_id="typographic-published-status")
        targets = table(HEADERS, "Nine targets", visible=COLLAPSED, elem_id="typographic-targets")
        matrix = table([""], "Answers: word down, ink across", visible=COLLAPSED, elem_id="typographic-stroop")

    def steps(key: str, visitor: str, token: CancelToken) -> Iterator[tuple[Any, Any]]:
        yield "Drawing the images …", gr.skip()
        rows = list(with_targets())
        with engine.session(visitor, key, token=token, deadline=JOBS.seconds, keep_pictures=False) as session:
            pictures, truth = [one.picture for one in rows], [one.name for one in rows]
            for step in throttle(
                nine_targets(session, pictures, truth), passes=lambda one: isinstance(one, NineTargets)
            ):
                if isinstance(step, Progress):
                    yield step.line, gr.skip()
                else:
                    yield target_note(step, find(key).title), gr.update(value=target_lines(step), visible=True)

    @handler
    def run(key: str, request: gr.Request) -> Iterator[tuple[Any, Any]]:
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(key, visitor, token), stopped=(JOBS.stopped, gr.skip()))

    @handler
    def draw(key: str, request: gr.Request) -> tuple[str, Any]:
        with engine.session(owner(request), key, deadline=SECONDS) as session:
            result = stroop(session)
        headers = ["word \\ ink", *result.colours]
        return stroop_note(result, find(key).title), gr.update(
            value=stroop_lines(result), headers=headers, visible=True
        )

    event: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", **LONG}
    wire(JOBS, go, stop, status=status, event={"fn": run, "inputs": [model], "outputs": [status, targets], **event})
    cards.click(draw, [model], [status, matrix], **event)

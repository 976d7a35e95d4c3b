"""Generate: a sentence becomes an image, step by step; it can be stopped, taken away and made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.generation import cells, form, words
from apps.generation.cells import Cells, run_grid, write_sheet
from apps.generation.figures import curve
from apps.generation.running import Course, before_and_after, run, write_files
from apps.shared.events import ASIDE, CHOICE, LONG, QUIET, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, table
from workbench.generation.judging import Generated
from workbench.generation.metadata import from_png
from workbench.generation.settings import Settings
from workbench.images import read_file
from workbench.scheduler import CancelToken

JOBS = Jobs("generation", stopped="Stopped before the first step.")
PAUSE = 0.4  # seconds between two previews
_REMEMBERED = 24  # images of a visit


def build(page: Page) -> None:
    """Lay out the view."""
    gr.Markdown(words.LEAD)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            fields = form.front()
            with gr.Row():
                go = gr.Button("Go", variant="primary", elem_id="generation-go")
                stop = gr.Button("Stop", variant="stop", elem_id="generation-stop")
            with gr.Row(elem_classes="send-to"):
                for number, sentence in enumerate(words.PRESETS):
                    preset = gr.Button(sentence, size="sm", min_width=0, elem_id=f"generation-preset-{number}")
                    preset.click(lambda sentence=sentence: sentence, None, fields["prompt"], **ASIDE)
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("generation")
            shown = gr.Image(
                label="Image", interactive=False, height=400, format="png", visible=COLLAPSED,
                elem_id="generation-image",
            )  # fmt: skip
            status = gr.Markdown(words.IDLE, elem_classes=["live", "notes"], elem_id="generation-status")
            compared = gr.ImageSlider(
                label="Before and after", interactive=False, height=400, visible=COLLAPSED,
                elem_id="generation-compared",
            )  # fmt: skip
            with gr.Row():
                files = [
                    gr.DownloadButton(name, size="sm", min_width=0, visible=False, elem_id=f"generation-{key}")
                    for key, name in (("png", "PNG"), ("svg", "SVG"), ("mp4", "Video of the growth"))
                ]
            page.exchange.offer("generation", files[0], now=("classify", "typographic", "search"))
            chart = gr.Plot(label="Similarity", visible=COLLAPSED, elem_id="generation-chart")
            rows = table(words.CURVE_HEADERS, "Similarity", visible=COLLAPSED, elem_id="generation-rows")
            history = gr.Gallery(
                label="This visit's images; choose one to restore its settings", columns=6, height=170,
                object_fit="contain", visible=COLLAPSED, allow_preview=False, elem_id="generation-history",
            )  # fmt: skip
        with gr.Column(elem_classes="more"):
            with gr.Tabs():
                fields |= form.folded()
            restored = gr.File(
                label="Restore settings from a PNG made here", file_types=[".png"], height=150,
                elem_id="generation-restore",
            )  # fmt: skip
    hidden, past = gr.State(dict[str, Any]()), gr.State(list[tuple[str, str]]())
    outputs = [status, shown, compared, *files, chart, rows, history, past]
    names = ("status", "shown", "compared", "png", "svg", "mp4", "chart", "rows", "history", "past")
    slots = dict(zip(names, outputs, strict=True))

    @handler
    def work(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        values = {name: typed[widget] for name, widget in fields.items()}
        settings = words.settings_of(values, typed[page.model], typed[hidden] or {})
        visitor = owner(request)
        images = (values["image"],) if settings.image_weights else ()
        layout = cells.grid_of(values, settings)

        def updates(token: CancelToken) -> Iterator[dict[Any, Any]]:
            course = Course(settings, values["start"], images)
            if layout is None:
                steps = run(page.engine, course, visitor=visitor, token=token, seconds=JOBS.seconds)
                screens = _screens(steps, course, typed[past] or [], inside=values["inside"])
            else:
                images_made = run_grid(page.engine, layout, course, visitor=visitor, token=token, seconds=JOBS.seconds)
                screens = _sheets(images_made, typed[past] or [], inside=values["inside"])
            for update in screens:
                yield {slots[name]: value for name, value in update.items()}

        yield from JOBS.run(visitor, updates, stopped={status: gr.skip()})

    event: dict[str, Any] = {
        "fn": work, "inputs": {*fields.values(), hidden, past, page.model}, "outputs": outputs, **LONG, **QUIET,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)
    page.first.show("generation", event, {}, mark=mark, ready=True)
    form_widgets = [fields[name] for name in words.FIELDS]
    restoring = [status, *form_widgets, hidden, page.model]
    restored.upload(_restore_file, [restored, page.model], restoring, **CHOICE)
    history.select(_restore_past, [past, page.model], restoring, **CHOICE)
    fields["method"].input(lambda: {}, None, hidden, **ASIDE)


def _screens(
    steps: Iterator[tuple[Any, Any]], course: Course, past: list[tuple[str, str]], *, inside: bool
) -> Iterator[dict[str, Any]]:
    """Turn steps into updates by the widgets' names."""
    yield _cleared()
    drawn = 0
    for step, spec in throttle(steps, passes=lambda pair: isinstance(pair[0], Generated), pause=PAUSE):
        if isinstance(step, Generated):
            made, files = step, write_files(step, course, with_settings=inside)
            past = [(str(files.png), cells.history_title(made)), *past][:_REMEMBERED]
            values = made.painting.values
            yield {
                "status": words.caption(made, spec),
                "shown": gr.update(
                    value=made.painting.pixels, visible=True, alt_text=words.alt_text(course.settings, len(values))
                ),
                **{
                    name: gr.update(value=str(path) if path else None, visible=path is not None)
                    for name, path in (("png", files.png), ("svg", files.svg), ("mp4", files.mp4))
                },
                "compared": gr.update(value=before_and_after(made, course), visible=course.start is not None),
                "chart": gr.update(value=curve(values), visible=bool(values)),
                "rows": gr.update(value=words.curve_rows(values), visible=bool(values)),
                "history": gr.update(value=past, visible=True),
                "past": past,
            }
            return
        update: dict[str, Any] = {"status": words.status(step, course.settings, course.values)}
        alt = words.alt_text(course.settings, step.done)
        update["shown"] = gr.update(value=step.preview, visible=True, alt_text=alt)
        if len(course.values) >= drawn + max(3, drawn // 4):  # a chart costs more than a preview
            drawn = len(course.values)
            update["chart"] = gr.update(value=curve(course.values), visible=True)
        yield update


def _cleared() -> dict[str, Any]:
    return {"status": "Starting …", **{name: gr.update(visible=False) for name in ("compared", "png", "svg", "mp4")}}


def _sheets(states: Iterator[Cells], past: list[tuple[str, str]], *, inside: bool) -> Iterator[dict[str, Any]]:
    """The sheet of a grid as it fills; each image goes into the history."""
    yield _cleared()
    for state in throttle(states, passes=lambda state: state.new is not None or state.stopped, pause=PAUSE):
        update: dict[str, Any] = {"status": cells.grid_status(state)}
        if state.new is not None:
            made, course = state.new
            files = write_files(made, course, with_settings=inside)
            past = [(str(files.png), cells.history_title(made)), *past][:_REMEMBERED]
            alt = f"Grid of {state.layout.count} images, {len(state.done)} of them made."
            update |= {
                "shown": gr.update(value=state.sheet(), visible=True, alt_text=alt),
                "history": gr.update(value=past, visible=True), "past": past,
            }  # fmt: skip
        if len(state.done) == state.layout.count or state.stopped:
            update["png"] = gr.update(value=str(write_sheet(state)), visible=True)
        yield update


@handler
def _restore_file(file: str | None, model: str) -> list[Any]:
    if not file:
        return [gr.skip()] * (len(words.FIELDS) + 3)
    return _restored(from_png(read_file(Path(file)), Path(file).name), model)


@handler
def _restore_past(past: list[tuple[str, str]], model: str, chosen: gr.SelectData) -> list[Any]:
    path = Path(past[chosen.index][0])
    return _restored(from_png(read_file(path), path.name), model)


def _restored(settings: Settings, model: str) -> list[Any]:
    """Updates of status, form, hidden settings and model."""
    note = "Settings restored; “Go” makes the same image."
    if settings.start_image:
        note += " It edits an image: choose the same start image again."
    if settings.model != model:
        note += f" It was made with {literal(settings.model)}."
    return [note, *words.form_of(settings), words.hidden_of(settings), settings.model]

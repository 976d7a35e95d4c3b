"""The model menu: every checkpoint with its size and whether it is here; fetching one takes a tick and a press.

Knows the catalogue and the loading room's `hub`; nothing is fetched by choosing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps import limits
from apps._handler import handler, owner
from apps._run_and_stop import Runs, wire
from apps._widgets import literal, said
from workbench.checkpoints import CHECKPOINTS
from workbench.engine import Engine
from workbench.errors import Cancelled, WorkbenchError
from workbench.loading import hub
from workbench.models import ModelSpec, find

POLL = 0.5  # seconds between two lines of progress
MB = 1_000_000


def downloads_allowed() -> bool:
    """True on one's own machine; in a Space no visitor makes the server fetch a model."""
    return limits.current().downloads


def choices() -> list[tuple[str, str]]:
    """Return the menu: title with size and presence, and key; what is made and not fetched only where it is here."""
    rows = [spec for spec in CHECKPOINTS if spec.made_with is None or hub.presence(spec).here]
    return [(f"{spec.title} — {state(spec)}", spec.key) for spec in rows]


def state(spec: ModelSpec) -> str:
    """Say in a few words whether the checkpoint is on this machine."""
    if hub.presence(spec).here:
        return "on this machine"
    size = f"{spec.download_bytes / MB:,.0f} MB" if spec.download_bytes else "size not known"
    return f"not on this machine, {size}"


def advice(spec: ModelSpec) -> str:
    """Return Markdown that says what to do about a missing checkpoint."""
    size = f"{spec.download_bytes / MB:,.0f} MB" if spec.download_bytes else "of unknown size"
    licence = spec.licence or "not known here"
    can = "Tick the box and press the button, or run" if downloads_allowed() else "Whoever serves this page can run"
    return (
        f"{said(spec)}. It is not on this machine: {size} from the Hugging Face Hub, licence {literal(licence)}.\n\n"
        f"{can} `clip-workbench models --download {spec.key}`."
    )


def fetch(spec: ModelSpec) -> Iterator[str]:
    """Download a checkpoint in a thread and yield one line of progress at a time; closing the generator stops it.

    Raises:
        WorkbenchError: whatever the download ended in.
    """
    news: queue.Queue[tuple[int, int] | WorkbenchError | None] = queue.Queue()
    stopped = threading.Event()

    def work() -> None:
        try:
            hub.download(spec, progress=lambda done, total: news.put((done, total)), cancelled=stopped.is_set)
            news.put(None)
        except WorkbenchError as error:
            news.put(error)

    threading.Thread(target=work, name="download", daemon=True).start()
    try:
        yield f"Fetching {spec.title} …"
        yield from _lines(spec, news)
    finally:
        stopped.set()


def _fetched(spec: ModelSpec) -> Iterator[tuple[Any, ...]]:
    for line in fetch(spec):
        yield line, gr.skip()
    yield line, gr.update(choices=choices())


def _lines(spec: ModelSpec, news: queue.Queue[Any]) -> Iterator[str]:
    line = f"Fetching {spec.title} …"
    while True:
        try:
            item = news.get(timeout=POLL)
        except queue.Empty:
            yield line  # so that a cancelled visitor is noticed
            continue
        while not news.empty() and isinstance(item, tuple):
            item = news.get()
        if item is None:
            yield f"{spec.title} is on this machine now."
            return
        if isinstance(item, WorkbenchError):
            raise item
        done, total = item
        line = f"Fetching {spec.title}: {done / MB:,.0f} of {total / MB:,.0f} MB"
        yield line


def model_menu(engine: Engine, *, label: str = "Model") -> gr.Dropdown:
    """Lay out the menu, and below it what to do when the chosen checkpoint is missing."""
    runs = Runs("Stopped; what has arrived is kept.", places=1)
    menu = gr.Dropdown(choices(), value=engine.default, label=label, info="Choosing fetches nothing.")
    with gr.Group(visible=False) as missing:
        text = gr.Markdown(elem_classes="notes")
        sure = gr.Checkbox(label="Yes, fetch it from the Hugging Face Hub", visible=downloads_allowed())
        with gr.Row(visible=downloads_allowed()):
            go = gr.Button("Download", interactive=False, size="sm")
            stop = gr.Button("Cancel download", variant="stop", size="sm")
        status = gr.Markdown(elem_classes=["notes", "live"])

    def chosen(key: str) -> tuple[Any, ...]:
        spec = find(key)
        here = hub.presence(spec).here
        return gr.update(visible=not here), "" if here else advice(spec), False, ""

    @handler
    def download(key: str, confirmed: bool, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        if not (confirmed and downloads_allowed()):
            raise Cancelled("Not confirmed.")
        yield from runs.newest(owner(request), lambda _: _fetched(find(key)), stopped=(runs.stopped, gr.skip()))

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    menu.change(chosen, menu, [missing, text, sure, status], queue=False, **hidden)
    sure.change(lambda yes: gr.update(interactive=bool(yes)), sure, go, queue=False, **hidden)
    event: dict[str, Any] = {"fn": download, "inputs": [menu, sure], "outputs": [status, menu], **hidden}
    wire(runs, go, stop, says=status, event={**event, "concurrency_id": "download", "concurrency_limit": 1})
    gr.on(None, lambda: gr.update(choices=choices()), None, menu, queue=False, **hidden)
    return menu

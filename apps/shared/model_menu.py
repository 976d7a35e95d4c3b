"""The model menu: every checkpoint with its size and presence; downloading takes a tick and a click.

Does not know about the engine's models in memory: presence is read from disk, and selecting downloads nothing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps import limits
from apps.shared.events import LIGHT, handler, owner
from apps.shared.jobs import Jobs, wire
from apps.shared.markdown import describe, literal
from workbench.checkpoints import checkpoints
from workbench.checkpoints.spec import ModelSpec
from workbench.engine import Engine
from workbench.errors import BadInput, Cancelled, DeadlinePassed, WorkbenchError
from workbench.loading import hub
from workbench.models import find
from workbench.scheduler import OWNER_PART

POLL = 0.5  # seconds between two lines of progress
MB = 1_000_000
LOOPBACK = ("127.", "::1", "::ffff:127.")  # addresses of this machine


def downloads_allowed() -> bool:
    """True on one's own machine; in a Space no visitor makes the server download a model."""
    return limits.current().downloads


def choices() -> list[tuple[str, str]]:
    """Return the menu: title with size and presence, and key."""
    return [(f"{spec.title} — {state(spec)}", spec.key) for spec in checkpoints()]


def state(spec: ModelSpec) -> str:
    """Say in a few words whether the checkpoint is on this machine."""
    if hub.presence(spec).here:
        return "on this machine"
    size = f"{spec.download_bytes / MB:,.0f} MB" if spec.download_bytes else "size not known"
    return f"not on this machine, {size}"


def advice(spec: ModelSpec) -> str:
    """Return Markdown that says what to do about a missing checkpoint."""
    size = f"{spec.download_bytes / MB:,.0f} MB" if spec.download_bytes else "of unknown size"
    licence = spec.licence or "not known"
    can = "Tick the box and press “Download”, or run" if downloads_allowed() else "On the server, run"
    return (
        f"{describe(spec)}. It is not on this machine: {size} from the Hugging Face Hub, "
        f"licence {literal(licence)}.\n\n{can} `clip-workbench models --download {spec.key}`."
    )


def download(spec: ModelSpec, *, deadline: float) -> Iterator[str]:
    """Download a checkpoint in a thread and yield lines of progress; closing the generator stops the download.

    Args:
        spec: what to download.
        deadline: seconds that it may take.

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
        yield from _lines(spec, news, deadline)
    finally:
        stopped.set()


def _lines(spec: ModelSpec, news: queue.Queue[Any], deadline: float) -> Iterator[str]:
    began, first = time.monotonic(), None
    line = f"Downloading {spec.title} …"
    while True:
        yield line  # also while nothing arrives, so that a visitor who left is noticed
        if time.monotonic() - began > deadline:
            raise DeadlinePassed("The download took too long. What has arrived is kept; start it again to resume.")
        try:
            item = news.get(timeout=POLL)
        except queue.Empty:
            continue
        while not news.empty() and isinstance(item, tuple):
            item = news.get()
        if item is None:
            yield f"{spec.title} is on this machine now."
            return
        if isinstance(item, WorkbenchError):
            raise item
        done, total = item
        first = done if first is None else first  # what an earlier download left does not count as speed
        line = f"Downloading {spec.title}: {done / MB:,.0f} of {total / MB:,.0f} MB"
        seconds = time.monotonic() - began
        if done > first and seconds > 1:
            rate = (done - first) / seconds
            line += f", {rate / MB:.1f} MB/s, about {max(1, round((total - done) / rate)):,} s left"


def model_menu(engine: Engine) -> gr.Dropdown:
    """Lay out the menu, and below it what to do when the chosen checkpoint is missing."""
    jobs = Jobs("download", stopped="Stopped; what has arrived is kept.", places=1)
    menu = gr.Dropdown(
        choices(), value=engine.default, label="Model", info="Selecting a model does not download it.",
        elem_id="model-menu",
    )  # fmt: skip
    with gr.Column(visible=False, elem_id="model-missing") as missing:
        text = gr.Markdown(elem_classes="notes")
        sure = gr.Checkbox(label="Yes, download it from the Hugging Face Hub", visible=downloads_allowed())
        with gr.Row(visible=downloads_allowed()):
            go = gr.Button("Download", interactive=False, size="sm", min_width=80)
            stop = gr.Button("Cancel download", variant="stop", size="sm", min_width=80)
        status = gr.Markdown(elem_classes=["notes", "live"])

    _folder_choice(menu)

    def chosen(key: str) -> tuple[Any, ...]:
        spec = find(key)
        here = hub.presence(spec).here
        return gr.update(visible=not here), "" if here else advice(spec), False, ""

    def updates(key: str) -> Iterator[tuple[Any, ...]]:
        for line in download(find(key), deadline=jobs.seconds):
            yield line, gr.skip()
        yield line, gr.update(choices=choices())

    @handler
    def run(key: str, confirmed: bool, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        if not (confirmed and downloads_allowed()):
            raise Cancelled("Not confirmed.")
        yield from jobs.run(owner(request), lambda _: updates(key), stopped=(jobs.stopped, gr.skip()))

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    menu.change(chosen, menu, [missing, text, sure, status], queue=False, **hidden)
    sure.change(lambda yes: gr.update(interactive=bool(yes)), sure, go, queue=False, **hidden)
    event: dict[str, Any] = {"fn": run, "inputs": [menu, sure], "outputs": [status, menu], **hidden}
    wire(jobs, go, stop, status=status, event={**event, "concurrency_id": "download", "concurrency_limit": 1})
    return menu


def with_folder(path: str, visitor: str = "127.0.0.1") -> tuple[list[tuple[str, str]], str]:
    """Return the menu with a model folder of this machine, and its key.

    Args:
        path: of the folder.
        visitor: address that the page is looked at from; one of another machine names no folder of this one.

    Raises:
        BadInput: no path, no model there, a page that others share, or a visitor from elsewhere.
    """
    if not downloads_allowed() or not visitor.startswith(LOOPBACK):
        raise BadInput("Model folders are read on one's own machine only.")
    if not path.strip():
        raise BadInput("Type the path of a model folder on this machine, for example ~/models/my-clip.")
    spec = find(f"folder:{path.strip()}")
    return [*choices(), (f"{spec.title} — folder", spec.key)], spec.key


def _folder_choice(menu: gr.Dropdown) -> None:
    """Lay out where a folder is added to the menu."""
    with gr.Accordion("Use a model folder", open=False, visible=downloads_allowed(), elem_id="model-folder"):
        path = gr.Textbox(
            label="Folder", info="On this machine: a checkpoint in the hub's format, or an edited model.", lines=1
        )
        use = gr.Button("Use it", size="sm", min_width=80)

    @handler
    def add(typed: str | None, request: gr.Request) -> Any:
        rows, key = with_folder(typed or "", owner(request).partition(OWNER_PART)[0] or "127.0.0.1")
        return gr.update(choices=rows, value=key)

    gr.on([use.click, path.submit], add, path, menu, **LIGHT)

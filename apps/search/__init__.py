"""Search images: add images to an index, and find them by text, by example, or by both.

What a visitor adds lies beside the uploads: only this page knows where, and it is deleted with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from apps import limits
from apps.search import evaluation, files, finding, links, words
from apps.search.finding import TOP, SearchForm
from apps.shared import index_choice as choice
from apps.shared.events import ASIDE, ASKS_MODEL, CHOICE, LIGHT, LONG, handler, owner, when_drawn
from apps.shared.examples import shipped_files
from apps.shared.index_choice import OWN
from apps.shared.jobs import Jobs, wire
from apps.shared.markdown import literal
from apps.shared.page import Page, put
from apps.shared.query import provenance
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import COLLAPSED, image_box, table
from workbench.datasets.uploads import read_uploads
from workbench.errors import BadInput
from workbench.retrieval.adding import add
from workbench.retrieval.chance import Chance
from workbench.retrieval.filters import COLUMNS, EXAMPLE
from workbench.retrieval.index import ModelTable
from workbench.retrieval.ordering import SORTS
from workbench.retrieval.search import Hit, Results
from workbench.retrieval.search import search as nearest
from workbench.retrieval.sources import is_video
from workbench.scheduler import CancelToken

JOBS = Jobs("index", stopped="Stopped; what was added so far stays.")
PAGE = 24  # results of one page
QUERY = "a drawing of an animal"  # the example


def build(page: Page) -> None:
    """Lay out the view."""
    own, listed, start, chosen = gr.State(""), gr.State([]), gr.State(0), gr.State(None)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            text, example, weight, ask = _asking()
            index, given, shipped, go, stop = _adding()
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("search")
            status = gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="search-status")
            shown = _results()
            with gr.Column(visible=False) as sending:  # beside the images, not below the table
                picked = gr.Markdown(elem_classes="notes", elem_id="search-picked")
                similar = gr.Button("More like this", elem_id="search-similar")
                page.exchange.offer("search", chosen, text, now=("classify", "attribution", "typographic"))
            shown |= _listing()
            whose = gr.Markdown(elem_classes="provenance")
        with gr.Column(elem_classes="more"):
            settings = _settings()
    asking = {text, example, weight, index, own, page.model, *settings.values()}
    outputs = [status, whose, listed, start, chosen, sending, *shown.values()]

    @handler
    def search(typed: dict[Any, Any], request: gr.Request, *, near: Hit | None = None) -> dict[Any, Any]:
        began = time.perf_counter()
        options: dict[str, Any] = {name: typed[widget] or "" for name, widget in settings.items()}
        form = SearchForm(typed[text] or "", typed[example], float(typed[weight]), **options)
        if near is None:
            finding.check(form)  # what cannot be read is refused before a model is asked
        place = choice.place_of(typed[index], typed[own])
        seconds = limits.current().answer_seconds
        with page.engine.session(owner(request), typed[page.model], deadline=seconds) as session:
            opened = choice.open_table(place, session, own=typed[index] == OWN)
            results = finding.results_of(session, opened, form) if near is None else _similar(opened, near)
            hits, hidden = finding.to_show(session, results, form)
            hubs = finding.hubness_line(session, opened) if form.correct_hubs else ""
            line = provenance(session, page.engine, time.perf_counter() - began, **finding.remarked(form, near))
        title = f"“{form.text.strip()}”" if form.text.strip() and near is None else "the example"
        verdict = words.verdict(results, hits, query=title, weaker=form.weaker, hidden=hidden)
        link = "" if near else links.of(typed[index], form)
        fresh = {status: verdict + hubs + link, whose: line, listed: hits, start: 0, chosen: None}
        fresh |= {sending: gr.update(visible=False), shown["files"]: gr.update(visible=False)}
        return {**fresh, **_page_of(hits, 0, shown, own=typed[index] == OWN)}

    def more(typed: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        near = next((hit for hit in typed[listed] if hit.path == typed[similar_path]), None)
        return search(typed, request, near=near) if near else {status: "Choose a result first."}

    def follow(typed: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        return search(typed, request) if typed[linked] else {status: gr.skip()}

    similar_path = gr.State("")
    adding = _adding_event(page, given, own, index=index, status=status)
    event: dict[str, Any] = {"inputs": asking, "outputs": outputs, "api_visibility": "private", **ASKS_MODEL}
    searched = [
        gr.on([ask.click, text.submit], search, **event),
        similar.click(more, asking | {listed, similar_path}, outputs, api_visibility="private", **ASKS_MODEL),
    ]
    wire(JOBS, go, stop, status=status, event=adding)
    shipped.click(shipped_files, None, given, api_visibility="private").then(**adding, trigger_mode="multiple")
    shown["gallery"].select(_picked, [listed, start, index], [chosen, similar_path, picked, sending], **CHOICE)
    _wire_pages(shown, listed, start, index=index)
    answer = _adding_first(search, adding["fn"], (index, own, given))
    answering = {**event, "fn": answer, "outputs": [*outputs, own, index], **LONG}
    page.exchange.accept("search", [example, text], put, after=answering)
    page.first.show("search", answering, {text: QUERY}, mark=mark)
    linked = gr.Textbox(label="Search of the address", visible=COLLAPSED)  # its change starts the search
    filled = [index, text, *(settings[name] for name in links.SETTINGS), status, linked]
    when_drawn(links.read, None, filled, **ASIDE)
    searched.append(linked.change(follow, **event | {"inputs": asking | {linked}}))
    for one in searched:  # thumbnails are shown before the files are written
        one.success(_files_of, [listed, index], [shown[name] for name in ("files", "csv", "json", "sheet")], **LIGHT)
    evaluation.build(page, index, own)


def _asking() -> tuple[gr.Textbox, gr.Image, gr.Slider, gr.Button]:
    """What is looked for."""
    text = gr.Textbox(
        label="Query",
        placeholder=QUERY,
        info="What the image shows. Weights and signs: 2:dog + beach - people.",
        elem_id="search-query",
    )
    example = image_box("Example image (optional)", height=150, elem_id="search-image")
    weight = gr.Slider(0, 4, 1, step=0.25, label="Weight of the example")
    ask = gr.Button("Search", variant="primary", elem_id="search-go")
    return text, example, weight, ask


def _adding_first(search: Callable[..., Any], adding: Callable[..., Any], widgets: tuple[Any, Any, Any]) -> Any:
    """Return a search that puts the shipped images into an empty index first; `widgets`: of index, own and files."""
    index, own, given = widgets

    @handler
    def adding_first(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        place: dict[Any, Any] = {}
        if typed[index] == OWN and not typed[own]:
            for update in adding({**typed, given: _as_uploaded(given)}, request):
                place |= {own: update[own]} if own in update else {}
                yield update
        yield search({**typed, **place}, request)

    return adding_first


def _as_uploaded(given: gr.File) -> list[str]:
    """Return the shipped images as the file box holds them once they are chosen there: the same files, not copies."""
    return [save_file_to_cache(one, given.GRADIO_CACHE) for one in shipped_files()]


def _adding() -> tuple[gr.Dropdown, gr.File, gr.Button, gr.Button, gr.Button]:
    """Which index, and what to add to one's own."""
    bounds = limits.current()
    index = choice.menu(OWN, "Index", "search-index")
    given = gr.File(
        label=f"Images (up to {bounds.pictures}), videos, or one zip",
        file_count="multiple",
        file_types=[".png", ".jpg", ".jpeg", ".webp", ".zip", ".mp4", ".mov", ".webm", ".mkv"],
        height=150,
        elem_id="search-files",
    )
    shipped = gr.Button("Try the shipped images", elem_id="search-shipped")
    with gr.Row():
        go = gr.Button("Add to the index", elem_id="search-add")
        stop = gr.Button("Stop", variant="stop", elem_id="search-stop")
    return index, given, shipped, go, stop


def _adding_event(
    page: Page, given: gr.File, own: gr.State, *, index: gr.Dropdown, status: gr.Markdown
) -> dict[str, Any]:
    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[Any]:
        paths = list(typed[given] or [])
        if pictures := [one for one in paths if not is_video(one)]:
            read_uploads(pictures, limit=limits.current().pictures)
        if not paths:
            raise BadInput("Choose images, videos or a zip first, or press “Try the shipped images”.")
        place = typed[own] or str(folder_beside_uploads("index-"))
        Path(place).mkdir(mode=0o700, exist_ok=True)
        with page.engine.session(visitor, typed[page.model], token=token, deadline=JOBS.seconds) as session:
            adding = add(place, session, paths, stopped=lambda: token.cancelled)
            while True:
                try:
                    now = next(adding)
                except StopIteration as end:
                    yield {status: words.added(end.value), own: place, index: OWN}
                    return
                yield {status: f"{now.stage}: {now.line} …", own: place}

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[Any]:
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped={status: JOBS.stopped})

    shown: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", **LONG}
    return {"fn": run, "inputs": {given, own, page.model}, "outputs": [status, own, index], **shown}


def _results() -> dict[str, Any]:
    """Lay out the results as images; return the widgets by name."""
    gallery = gr.Gallery(
        label="Results", columns=4, height="auto", object_fit="contain", allow_preview=False, interactive=False,
        visible=COLLAPSED, elem_id="search-gallery",
    )  # fmt: skip
    with gr.Row(visible=False, elem_id="search-pages") as pages:
        before = gr.Button("Previous", size="sm", min_width=0)
        number = gr.Markdown(elem_classes="notes")
        after = gr.Button("Next", size="sm", min_width=0, elem_id="search-next")
    return {"gallery": gallery, "pages": pages, "before": before, "number": number, "after": after}


def _listing() -> dict[str, Any]:
    """Lay out the results as a table and as files; return the widgets by name."""
    lines = table(words.HEADERS, "The same results", visible=COLLAPSED, elem_id="search-table")
    with gr.Row(visible=False) as files:
        csv_file = gr.DownloadButton("CSV", elem_id="search-csv")
        json_file = gr.DownloadButton("JSON", elem_id="search-json")
        sheet = gr.DownloadButton("Contact sheet", elem_id="search-sheet")
    return {"table": lines, "files": files, "csv": csv_file, "json": json_file, "sheet": sheet}


def _settings() -> dict[str, Any]:
    with gr.Accordion("Filter and order", open=False):
        where = gr.Textbox(
            label="Filter", placeholder=EXAMPLE, elem_id="search-filter",
            info=f"On {', '.join(COLUMNS)}: =, !=, <, >, and, or, not, in, like, between.",
        )  # fmt: skip
        sort = gr.Dropdown(
            [(title, key) for key, (title, _) in SORTS.items()], value="score", label="Order", elem_id="search-sort"
        )
        weaker = gr.Checkbox(label="Show weaker results too", elem_id="search-weaker")
        fold = gr.Checkbox(value=True, label="Fold near-duplicates")
        safe = gr.Checkbox(
            label="Safe mode", info="Hides what fits sentences about nudity or violence.", elem_id="search-safe"
        )
        hubs = gr.Checkbox(label="Correct hubs", info="Ranks down images that come up for almost everything.")
    with gr.Accordion("What the numbers mean", open=False):
        gr.Markdown(words.EXPLAINED)
    return {"where": where, "sort": sort, "weaker": weaker, "fold": fold, "safe": safe, "correct_hubs": hubs}


def _page_of(hits: list[Hit], start: int, shown: dict[str, Any], *, own: bool) -> dict[Any, Any]:
    """Return what the result widgets show of a page."""
    part = hits[start : start + PAGE]
    pictures = list(zip(files.thumbnails(part), [_caption(hit) for hit in part], strict=True))
    last = start + len(part)
    return {
        shown["gallery"]: gr.update(value=pictures, visible=bool(hits) or COLLAPSED, selected_index=None),
        shown["table"]: gr.update(value=words.listed(part, names_only=own), visible=bool(hits) or COLLAPSED),
        shown["pages"]: gr.update(visible=len(hits) > PAGE),
        shown["number"]: f"{start + 1}–{last} of {len(hits)}",
        shown["before"]: gr.update(interactive=start > 0),
        shown["after"]: gr.update(interactive=last < len(hits)),
    }


@handler
def _files_of(hits: list[Hit] | None, index: str) -> tuple[Any, ...]:
    """Return what the download buttons hand out: all results, not a page of them."""
    if not hits:
        return gr.update(visible=False), None, None, None
    return gr.update(visible=True), *files.downloads(hits, names_only=index == OWN)


def _caption(hit: Hit) -> str:
    return f"{hit.score:.2f} · {words.shown_name(hit, names_only=True)[:40]}"


def _wire_pages(shown: dict[str, Any], listed: gr.State, start: gr.State, *, index: gr.Dropdown) -> None:
    def turn(step: int) -> Any:
        def turned(hits: list[Hit], at: int, name: str) -> dict[Any, Any]:
            at = min(max(0, at + step), max(0, len(hits) - 1) // PAGE * PAGE)
            return {start: at, **_page_of(hits, at, shown, own=name == OWN)}

        return turned

    for name, step in (("before", -PAGE), ("after", PAGE)):
        shown[name].click(turn(step), [listed, start, index], [start, *shown.values()], **LIGHT)


def _picked(hits: list[Hit], start: int, index: str, event: gr.SelectData) -> tuple[Any, ...]:
    hit = hits[start + int(event.index)]
    name = words.shown_name(hit, names_only=index == OWN)
    return files.whole_image(hit), hit.path, f"Selected: {literal(name)}.", gr.update(visible=True)


def _similar(opened: ModelTable, hit: Hit) -> Results:
    """Search for images like a result, by its stored vector."""
    return nearest(opened, hit.vector, top=TOP, chance=Chance(None))

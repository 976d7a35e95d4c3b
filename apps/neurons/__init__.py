"""Neurons: find units for a concept or on a map, open a unit's page, see who made an answer, and switch units off.

A unit's address is /?unit=LAYER/NUMBER#neurons; it opens on the model that the page has chosen.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from apps.neurons import answers, dictionaries, heads, mapping, painting, presets, probing, switches, trial, wall
from apps.neurons.opened import JOBS, UNITS, OpenAtlases, unit_of_row
from apps.neurons.unit_html import gallery_html, page_html
from apps.shared.events import ASIDE, ASKS_MODEL, LONG, QUIET, handler, owner
from apps.shared.jobs import wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import COLLAPSED, table
from workbench.engine import Session
from workbench.errors import BadInput, WorkbenchError
from workbench.neurons.activations import Survey
from workbench.neurons.atlas import Atlas, find_atlas
from workbench.neurons.corpus import FORMS
from workbench.neurons.dictionary_atlas import LAYER as DICTIONARY
from workbench.neurons.finding import FoundUnit, find_readers, find_units
from workbench.neurons.page import places
from workbench.neurons.telling import telling_units
from workbench.neurons.unit import report
from workbench.neurons.vocabulary import embed_words
from workbench.progress import Progress
from workbench.results.units import NamedUnit
from workbench.scheduler import CancelToken

LEAD = (
    "What does one unit inside the image tower respond to? What does it add to an answer, and what changes without it?"
)
IDLE = "Search a concept, or open a unit by its number."
FOUND_HEADERS = ["unit", "score", "direction", "photos", "drawings", "words"]
FOUND_NOTE = (
    "Click a row to open the unit. Score: all evidence together. Direction: how far the unit moves the embedding "
    "towards the concept, in standard deviations above other words. Photos, drawings, words: the AUROC of its "
    "images against others of the same form; 0.5 is chance. Letters with stars, such as `*k` or `br*`, find units "
    "that prefer written words with them; score is their AUROC then."
)
CONCEPT_INFO = "A word, or letters such as *k; Enter searches."
LAST = "last"
NO_FILES = (gr.update(visible=False),) * 2  # downloads of a page that is not whole yet


def read_unit(value: Any) -> int:
    """Return the number of a unit.

    Raises:
        BadInput: none, or no whole number.
    """
    if value is None or int(value) != value or value < 0:
        raise BadInput(f"A unit is a whole number from 0; got {value!r}.")
    return int(value)


def unit_rows(units: list[FoundUnit]) -> list[list[str]]:
    """Return units as rows of a table; "–" where a form does not show the concept."""
    return [
        [
            str(one.unit),
            f"{one.score:.2f}",
            "–" if one.direction is None else f"{one.direction:+.1f}",
            *(f"{one.selectivity[form]:.2f}" if form in one.selectivity else "–" for form in FORMS),
        ]
        for one in units
    ]


def address(layer: str, unit: int) -> str:
    """Return the address of a unit's page, relative to the server's."""
    return f"?unit={layer}/{unit}#neurons"


def unit_pages(session: Session, steps: Iterator[Any], unit: int, *, answer: str) -> Iterator[tuple[Any, ...]]:
    """Yield status, HTML and two downloads: the strongest images so far, then the whole page, then its files."""
    seen: list[Survey] = []
    for step in steps:
        if isinstance(step, Survey):
            seen.append(step)
        elif isinstance(step, Progress):
            yield f"Looking at the built-in images: {step.line}", gallery_html(seen, unit), *NO_FILES
        elif isinstance(step, Atlas):
            one = report(step, unit, model=(session.spec.title, session.spec.key), answer=answer.strip().lower())
            link = f'<a href="{html.escape(address(one.layer, unit))}">address of this page</a>'
            status = f"**{literal(one.title.capitalize())}** in {literal(one.layer)}; {link}"
            yield status, page_html(one, {}), *NO_FILES
            where = {} if one.layer == DICTIONARY else places(session, one)
            yield status, page_html(one, where), *_files(NamedUnit(one, step, where))


def _files(one: NamedUnit) -> list[Any]:
    """Write the page as one offline file and the unit as numbers, beside the uploads."""
    stem = folder_beside_uploads("unit-") / f"unit-{one.report.unit}"
    files = [one.save(stem.with_suffix(ending)) for ending in (".html", ".json")]
    return [gr.update(value=str(file), visible=True) for file in files]


def build(page: Page) -> None:
    """Lay out the view."""
    atlases = OpenAtlases()
    gr.Markdown(LEAD)
    number_box = mapping.chosen_box()
    with gr.Tabs() as tabs, gr.Tab("Units", id=UNITS, render_children=True) as opened:
        mark = page.first.mark("neurons")
        gr.Markdown(wall.LEAD)
        cards = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="neurons-wall")
        with gr.Row(elem_classes="asking"):
            with gr.Column(elem_classes="ask"):
                concept = gr.Textbox("dog", label="Concept", info=CONCEPT_INFO, elem_id="neurons-concept")
                find = gr.Button("Find units", elem_id="neurons-find")
                units = table(FOUND_HEADERS, "Units", elem_id="neurons-found", visible=COLLAPSED)
                notes = gr.Markdown(elem_classes="notes")
                layer = gr.Dropdown([LAST], value=LAST, label="Layer", allow_custom_value=True, elem_id="neurons-layer")
                unit = gr.Number(0, precision=0, minimum=0, label="Unit", elem_id="neurons-unit")
                answer = gr.Textbox("", label="Answer", info="Of the gallery “used most for”; empty: the first name.")
                with gr.Row():
                    go = gr.Button("Open unit", variant="primary", elem_id="neurons-go")
                    stop = gr.Button("Stop", variant="stop")
            with gr.Column(elem_classes="answer"):
                status = gr.Markdown(IDLE, elem_classes=["verdict", "live"], elem_id="neurons-status")
                with gr.Row():
                    files = [
                        gr.DownloadButton(title, size="sm", min_width=0, visible=False, elem_id=f"neurons-{key}")
                        for key, title in (("html", "Page as one file"), ("json", "Vector (JSON)"))
                    ]
                shown = gr.Markdown("", elem_id="neurons-page")
            with gr.Column(elem_classes="more"):
                trial.build(page, layer, unit)
                presets.build(page, (layer, unit), status)

    @handler
    def open_unit(typed: dict[Any, Any], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        number, visitor = read_unit(typed[unit]), owner(request)

        def pages(token: CancelToken) -> Iterator[tuple[Any, ...]]:
            with page.engine.session(visitor, typed[page.model], token=token, deadline=JOBS.seconds) as session:
                steps = atlases.steps(session, typed[layer] or LAST)
                yield from unit_pages(session, steps, number, answer=typed[answer] or "")

        yield from JOBS.run(visitor, pages, stopped=(JOBS.stopped, gr.skip(), gr.skip(), gr.skip()))

    def offered(key: str, request: gr.Request) -> Any:
        return _layers(page, key, owner(request))

    event: dict[str, Any] = {
        "fn": open_unit, "inputs": {layer, unit, answer, page.model}, "outputs": [status, shown, *files],
        **QUIET, **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)
    gr.on(
        [find.click, concept.submit], _searching(page, atlases), [concept, layer, page.model], [units, notes],
        trigger_mode="multiple", **QUIET, **LONG,
    )  # fmt: skip
    chosen = units.select(unit_of_row, None, [unit, tabs], trigger_mode="multiple", **ASIDE)
    chosen.success(**event, trigger_mode="multiple")
    gr.on([page.model.input], offered, page.model, layer, **QUIET, **ASKS_MODEL)
    place = (layer, unit, tabs)
    with tabs:
        mapping.build(page, atlases, place, number_box, opens=event)
        answers.build(page, layer, tabs)
        painting.build(page, layer, unit)
        off = switches.build(page, atlases)
        probing.build(page, place, opens=event)
        heads.build(page)
        dictionaries.build(page, atlases, layer)

    outputs = [cards, unit, off, *event["outputs"]]
    with opened:
        first = _first(page, event, (cards, unit, off))
        page.first.show("neurons", {**event, "fn": handler(first), "outputs": outputs}, {}, mark=mark)
    page.address.change(_of_address, None, [layer, unit, off], **ASIDE)


def _searching(page: Page, atlases: OpenAtlases) -> Callable[..., Any]:
    @handler
    def search(word: str, name: str, key: str, request: gr.Request) -> Iterator[tuple[Any, Any]]:
        if not word or not word.strip():
            raise BadInput("Type a concept, for example: dog.")
        with page.engine.session(owner(request), key, deadline=JOBS.seconds) as session:
            for step in atlases.steps(session, name or LAST):
                if isinstance(step, Progress):
                    yield gr.skip(), f"Looking at the built-in images: {step.line}"
                elif isinstance(step, Atlas):
                    yield gr.update(value=unit_rows(_units_for(session, step, word.strip())), visible=True), FOUND_NOTE

    return search


def _first(page: Page, opens: dict[str, Any], widgets: tuple[Any, Any, Any]) -> Callable[..., Any]:
    """Return what shows the wall, and opens its first unit; `widgets`: of cards, unit, and units that are off."""
    cards, unit, off = widgets

    def first(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        with page.engine.session(owner(request), typed[page.model], deadline=JOBS.seconds) as session:
            atlas = find_atlas(session, LAST)
        if atlas is None:
            return
        telling = telling_units(atlas.survey, wall.SHOWN)
        number = telling[0].unit
        yield {cards: gr.update(value=wall.wall_html(telling), visible=True), unit: number, off: str(number)}
        for update in opens["fn"]({**typed, unit: number}, request):
            yield dict(zip(opens["outputs"], update, strict=True))

    return first


def _units_for(session: Session, atlas: Atlas, word: str) -> list[FoundUnit]:
    if "*" in word:
        return find_readers(atlas, word)
    return find_units(atlas, word, embed_words(session, [word])[0].numpy())


def _of_address(request: gr.Request) -> tuple[Any, Any, Any]:
    """Fill in the unit that the page's address names."""
    name, _, number = str(request.query_params.get("unit", "")).rpartition("/")
    if not (name and number.isdecimal() and len(number) <= 6):
        return gr.skip(), gr.skip(), gr.skip()
    choices = list(dict.fromkeys([LAST, name[:80]]))
    return gr.update(choices=choices, value=name[:80]), int(number), number


def _layers(page: Page, key: str, visitor: str) -> Any:
    try:
        with page.engine.session(visitor, key, deadline=JOBS.seconds) as session:
            return gr.update(choices=[LAST, *reversed(session.anatomy.layers)], value=LAST)
    except WorkbenchError:
        return gr.update(choices=[LAST], value=LAST)

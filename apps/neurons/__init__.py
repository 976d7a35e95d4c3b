"""Neurons: find units for a concept or on a map, open a unit's page, see who made an answer, and switch units off.

A unit's address is /?unit=LAYER/NUMBER#neurons; it opens on the model that the page has chosen.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps.neurons import answers, dictionaries, heads, mapping, painting, presets, probing, switches, trial
from apps.neurons.opened import JOBS, OpenAtlases
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
from workbench.neurons.unit import report
from workbench.neurons.vocabulary import embed_words
from workbench.progress import Progress
from workbench.results.units import NamedUnit
from workbench.scheduler import CancelToken

LEAD = (
    "What does one unit inside the image tower respond to, in photos, drawings and written words? What does it add to "
    "an answer, and what changes without it?"
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

    def offered(key: str, request: gr.Request) -> Any:
        return _layers(page, key, owner(request))

    event: dict[str, Any] = {
        "fn": open_unit, "inputs": {layer, unit, answer, page.model}, "outputs": [status, shown, *files],
        **QUIET, **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)
    gr.on(
        [find.click, concept.submit], search, [concept, layer, page.model], [units, notes], trigger_mode="multiple",
        **QUIET, **LONG,
    )  # fmt: skip
    chosen = units.select(_chosen, None, unit, trigger_mode="multiple", **ASIDE)
    chosen.success(**event, trigger_mode="multiple")
    gr.on([page.model.input], offered, page.model, layer, **QUIET, **ASKS_MODEL)
    mapping.build(page, atlases, (layer, unit), opens=event)
    painting.build(page, layer, unit)
    answers.build(page, layer)
    probing.build(page, (layer, unit), opens=event)
    heads.build(page)
    dictionaries.build(page, atlases, layer)
    off = switches.build(page, atlases)

    def from_address(request: gr.Request) -> tuple[Any, Any, Any]:
        return _of_address(page, request)

    gr.on(None, from_address, None, [layer, unit, off], **QUIET, **ASKS_MODEL)


def _units_for(session: Session, atlas: Atlas, word: str) -> list[FoundUnit]:
    if "*" in word:
        return find_readers(atlas, word)
    return find_units(atlas, word, embed_words(session, [word])[0].numpy())


def _chosen(event: gr.SelectData) -> int:
    return int(event.row_value[0])


def first_unit(atlas: Atlas) -> int:
    """Return the unit that stands out most on the corpus's first image, to begin with."""
    values = atlas.survey.values
    return int(((values[0] - values.mean(axis=0)) / values.std(axis=0).clip(1e-6)).argmax())


def _of_address(page: Page, request: gr.Request) -> tuple[Any, Any, Any]:
    """Fill in the unit that the page's address names, or one of the default model to begin with."""
    name, _, number = str(request.query_params.get("unit", "")).rpartition("/")
    if name and number.isdecimal() and len(number) <= 6:
        choices = list(dict.fromkeys([LAST, name[:80]]))
        return gr.update(choices=choices, value=name[:80]), int(number), number
    try:
        with page.engine.session(owner(request), page.engine.default, deadline=JOBS.seconds) as session:
            atlas = find_atlas(session, LAST)
    except WorkbenchError:
        return gr.skip(), gr.skip(), gr.skip()
    unit = 0 if atlas is None else first_unit(atlas)
    return gr.skip(), unit, str(unit)


def _layers(page: Page, key: str, visitor: str) -> Any:
    try:
        with page.engine.session(visitor, key, deadline=JOBS.seconds) as session:
            return gr.update(choices=[LAST, *reversed(session.anatomy.layers)], value=LAST)
    except WorkbenchError:
        return gr.update(choices=[LAST], value=LAST)

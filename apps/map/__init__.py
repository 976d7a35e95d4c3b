"""Map: images and texts in one picture, clusters with names, the modality gap, and a lasso that leads on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gradio as gr

from apps import limits
from apps.map import words
from apps.map.points import (
    CLUSTER,
    FEW,
    GIVEN,
    KIND,
    MapPoints,
    find_clusters,
    groups_of,
    labelled_images,
    numbers,
    points_of,
    thumbnails,
)
from apps.shared import index_choice as choice
from apps.shared.events import ALWAYS_LAST, ASKS_MODEL, LIGHT, handler, owner
from apps.shared.examples import shipped_files
from apps.shared.markdown import literal
from apps.shared.page import Labelled, Page
from apps.shared.query import provenance
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import COLLAPSED, images_box, labels_box, table
from workbench.engine import Session
from workbench.labels import parse_labels
from workbench.retrieval.projection import METHODS, Projection, project
from workbench.taught.likeness import together, unlike_notes

SHOWN = 48  # thumbnails of what a lasso holds


def build(page: Page) -> None:
    """Lay out the view."""
    kept, coloured = gr.State(None), gr.State([])  # what is on the map, the group of each point
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            index = choice.menu(GIVEN, "Images of", "map-index")
            given = images_box(height=130, elem_id="map-files")
            shipped = gr.Button("Try the shipped images", elem_id="map-shipped")
            texts = labels_box(elem_id="map-texts")
            go = gr.Button("Draw the map", variant="primary", elem_id="map-go")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("map")
            status = gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="map-status")
            drawn = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="map-canvas")
            inside = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="map-inside")
            lines = table(words.HEADERS, "Chosen points", visible=COLLAPSED, elem_id="map-table")
            chosen = _pointed_at(kept)
            with gr.Column(visible=False) as sending:
                page.exchange.offer_many("map", [kept, chosen, coloured], _sent)
            clusters = table(words.CLUSTER_HEADERS, "Clusters", visible=COLLAPSED, elem_id="map-clusters")
            download = gr.DownloadButton("Parquet, for embedding-atlas", visible=False, elem_id="map-parquet")
            whose = gr.Markdown(elem_classes="provenance")
        with gr.Column(elem_classes="more"):
            method = gr.Radio([(title, key) for key, title in METHODS.items()], value="pca", label="Projection")
            centred = gr.Checkbox(value=True, label="Centre images and texts", info="Closes the modality gap.")
            by = gr.Dropdown([CLUSTER, KIND], value=KIND, label="Colour by", elem_id="map-by")
            count = gr.Slider(0, 30, 0, step=1, label="Clusters", info="0: as many as suit the number of images.")
            with gr.Accordion("How to read the map", open=False):
                gr.Markdown(words.EXPLAINED)

    @handler
    def draw(typed: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        began = time.perf_counter()
        names = parse_labels(typed[texts]) if (typed[texts] or "").strip() else ()
        with opened(typed, request) as session:
            points = points_of(session, typed[index], typed[given] or [], names=names)
            colour = typed[by] if typed[by] in points.columns else KIND
            shown = screen(session, points, typed, by=colour)
            line = provenance(session, page.engine, time.perf_counter() - began, texts=names)
            line += f" {literal(together(unlike_notes(session.spec, points.images)))}"
        return {kept: points, whose: line, by: gr.update(choices=points.columns, value=colour), **shown}

    @handler
    def again(typed: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        points: MapPoints | None = typed[kept]
        if points is None:
            return {status: words.IDLE}
        with opened(typed, request) as session:
            return screen(session, points, typed, by=typed[by])

    def opened(typed: dict[Any, Any], request: gr.Request) -> Any:
        return page.engine.session(owner(request), typed[page.model], deadline=limits.current().answer_seconds)

    def screen(session: Session, points: MapPoints, typed: dict[Any, Any], *, by: str) -> dict[Any, Any]:
        number = int(typed[count])
        named = find_clusters(points, session, number) if by == CLUSTER else []
        groups = groups_of(points, by, number)
        thumbs = thumbnails(points, range(len(points.images)) if len(points.images) <= FEW else ())
        projection = project(points.images, points.texts, method=typed[method], centred=bool(typed[centred]))
        return {
            status: words.status(points.points, projection, centred=bool(typed[centred])),
            drawn: gr.update(value=words.canvas(points.points, groups, projection, thumbs=thumbs, by=by), visible=True),
            lines: gr.update(value=words.rows(points.points, groups), visible=True),
            clusters: gr.update(value=words.cluster_rows(named), visible=bool(named) or COLLAPSED),
            download: gr.update(value=_parquet(points, groups, projection), visible=True),
            coloured: groups,
            sending: gr.update(visible=True),
        }

    outputs = [status, drawn, lines, clusters, download, coloured, sending]
    settings: set[Any] = {method, centred, by, count, page.model}
    shown: dict[str, Any] = {"api_visibility": "private", **ASKS_MODEL}
    event = {"fn": draw, "inputs": {index, given, texts, *settings}, "outputs": [*outputs, kept, whose, by], **shown}
    go.click(**event)
    page.first.show("map", event, {given: shipped_files, by: CLUSTER}, mark=mark)
    gr.on([method.input, centred.input, by.input, count.release], again, {kept, *settings}, outputs, **shown)
    chosen.change(_chosen, [kept, coloured, chosen], [lines, inside], **ALWAYS_LAST, **LIGHT)
    shipped.click(shipped_files, None, given, api_visibility="private")
    page.list_when_opened(index, lambda: choice.beside(GIVEN))


def _sent(key: str, points: MapPoints | None, chosen: str, groups: Sequence[str]) -> Labelled:
    return labelled_images(key, points, chosen, groups=groups)


def _chosen(points: MapPoints | None, groups: Sequence[str], chosen: str) -> tuple[Any, Any]:
    if points is None:
        return gr.skip(), gr.skip()
    wanted = numbers(chosen, points) or list(range(len(points.points)))
    rows = words.rows([points.points[at] for at in wanted], [groups[at] for at in wanted])
    small = thumbnails(points, wanted[:SHOWN]) if len(points.images) > FEW and len(wanted) < len(points.points) else {}
    return (
        gr.update(value=rows, label=f"Chosen points: {len(wanted)} of {len(points.points)}"),
        gr.update(value=words.strip(points.points, small), visible=bool(small) or COLLAPSED),
    )


def _pointed_at(kept: gr.State) -> gr.Textbox:
    """Lay out what `map.js` types into; show the image under the pointer; return the box of the chosen points."""
    near = gr.Textbox(label="Point under the pointer", elem_id="map-near", visible=COLLAPSED)
    image = gr.Markdown(sanitize_html=False, elem_classes="bridge", elem_id="map-near-image")

    def shown(points: MapPoints | None, typed: str) -> str:
        small = thumbnails(points, numbers(typed, points)[:1]) if points else {}
        return "".join(f'<img data-at="{at}" src="{uri}" alt="">' for at, uri in small.items())

    near.change(shown, [kept, near], image, **ALWAYS_LAST, **LIGHT)
    return gr.Textbox(label="Numbers of the chosen points", elem_id="map-chosen", visible=COLLAPSED)


def _parquet(points: MapPoints, groups: Sequence[str], projection: Projection) -> str:
    """Write the map as embedding-atlas reads it (`--x x --y y`); return the path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder_beside_uploads("map-") / "map.parquet"
    x, y = projection.positions.T
    columns = {"name": [one.name for one in points.points], "kind": [one.kind for one in points.points]}
    pq.write_table(pa.table({**columns, "group": list(groups), "x": x, "y": y}), path)
    return str(path)

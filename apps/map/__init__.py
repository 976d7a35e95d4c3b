"""Map: images and texts in one picture, with a lasso; the modality gap is measured, and closed on request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from apps import _index_choice as choice
from apps import limits
from apps._handler import ASIDE, ASKS_MODEL, LIGHT, handler, owner
from apps._image_boxes import images_box
from apps._page import Page
from apps._query import provenance
from apps._uploads import folder_beside_uploads
from apps._widgets import COLLAPSED, labels_box, table
from apps.map import words
from apps.map.words import MapPoint
from workbench.datasets.uploads import read_uploads
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.labels import parse_labels
from workbench.pictures import SAMPLES, sample_path
from workbench.retrieval.memory import table_vectors
from workbench.retrieval.projection import METHODS, Projection, project

MOST = 5000  # points of an index that are drawn
GIVEN = "Images given here"


@dataclass(frozen=True)
class MapPoints:
    """What is on the map."""

    points: tuple[MapPoint, ...]
    images: NDArray[np.float32]  # (n, dim)
    texts: NDArray[np.float32]  # (m, dim)


def build(page: Page) -> None:
    """Lay out the view."""
    kept = gr.State(None)
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            index = gr.Dropdown([GIVEN], value=GIVEN, label="Images of", visible=COLLAPSED, elem_id="map-index")
            given = images_box(height=130, elem_id="map-files")
            shipped = gr.Button("Try the shipped images", elem_id="map-shipped")
            texts = labels_box(elem_id="map-texts")
            go = gr.Button("Draw the map", variant="primary", elem_id="map-go")
        with gr.Column(elem_classes="answer"):
            status = gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="map-status")
            drawn = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="map-canvas")
            lines = table(words.HEADERS, "Chosen points", visible=COLLAPSED, elem_id="map-table")
            chosen = gr.Textbox(label="Numbers of the chosen points", elem_id="map-chosen", visible=COLLAPSED)
            download = gr.DownloadButton("Parquet, for embedding-atlas", visible=False, elem_id="map-parquet")
            whose = gr.Markdown(elem_classes="provenance")
        with gr.Column(elem_classes="more"):
            method = gr.Radio([(title, key) for key, title in METHODS.items()], value="pca", label="Projection")
            centred = gr.Checkbox(value=True, label="Centre images and texts", info="Closes the modality gap.")
            with gr.Accordion("How to read the map", open=False):
                gr.Markdown(words.EXPLAINED)

    @handler
    def draw(typed: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        began = time.perf_counter()
        names = parse_labels(typed[texts]) if (typed[texts] or "").strip() else ()
        seconds = limits.current().answer_seconds
        with page.engine.session(owner(request), typed[page.model], deadline=seconds) as session:
            points = points_of(session, typed[index], typed[given] or [], names=names)
            line = provenance(session, page.engine, time.perf_counter() - began)
        return {kept: points, whose: line, **shown(points, typed[method], bool(typed[centred]))}

    def shown(points: MapPoints, way: str, centre: bool) -> dict[Any, Any]:
        projection = project(points.images, points.texts, method=way, centred=centre)
        return {
            status: words.status(points.points, projection, centred=centre),
            drawn: gr.update(value=words.canvas(points.points, projection), visible=True),
            lines: gr.update(value=words.rows(points.points), visible=True),
            download: gr.update(value=_parquet(points, projection), visible=True),
        }

    @handler
    def again(points: MapPoints | None, way: str, centre: bool) -> dict[Any, Any]:
        return shown(points, way, centre) if points is not None else {status: words.IDLE}

    outputs = [status, drawn, lines, download]
    inputs: set[Any] = {index, given, texts, method, centred, page.model}
    go.click(draw, inputs, [*outputs, kept, whose], api_visibility="private", **ASKS_MODEL)
    gr.on([method.input, centred.input], again, [kept, method, centred], outputs, **LIGHT)
    chosen.change(_chosen, [kept, chosen], lines, trigger_mode="always_last", **LIGHT)
    shipped.click(lambda: [str(sample_path(row.key)) for row in SAMPLES], None, given, api_visibility="private")
    gr.on(None, lambda: _offered(), None, index, **ASIDE)


def points_of(session: Session, index: str, files: list[str], *, names: tuple[str, ...]) -> MapPoints:
    """Embed the images and texts of a map, or take an index's vectors.

    Raises:
        BadInput: no image, or an index that is not offered.
    """
    texts = session.embed_texts(names).numpy() if names else np.zeros((0, session.dim), np.float32)
    labels = tuple(MapPoint(name, "text", "text") for name in names)
    if index == GIVEN:
        if not files:
            raise BadInput("Choose images first, or press “Try the shipped images”.")
        samples = read_uploads(files, limit=limits.current().pictures).samples
        images = session.embed_images([sample.open() for sample in samples]).numpy()
        found = [MapPoint(Path(sample.name).name, "image", sample.label or "image") for sample in samples]
        return MapPoints((*found, *labels), images, texts)
    opened = choice.open_table(choice.place_of(index, ""), session, own=False)
    vectors = table_vectors(opened)
    some = np.sort(np.random.default_rng(0).permutation(len(vectors.ids))[:MOST])
    rows = opened.table.take_row_ids([int(one) for one in vectors.ids[some]]).select(["path", "label"]).with_row_id()
    by_id = {line["_rowid"]: line for line in rows.to_arrow().to_pylist()}
    held = [by_id[int(one)] for one in vectors.ids[some]]
    found = [MapPoint(line["path"], "image", line["label"] or "image") for line in held]
    return MapPoints((*found, *labels), vectors.vectors[some], texts)


def _chosen(points: MapPoints | None, numbers: str) -> Any:
    if points is None:
        return gr.skip()
    wanted = [int(one) for one in numbers.split(",") if one.isdecimal() and int(one) < len(points.points)]
    some = [points.points[at] for at in wanted] or points.points
    return gr.update(value=words.rows(some), label=f"Chosen points: {len(some)} of {len(points.points)}")


def _offered() -> Any:
    names = [GIVEN, *(name for name in choice.offered() if name != choice.OWN)]
    return gr.update(choices=names, value=GIVEN, visible=len(names) > 1 or COLLAPSED)


def _parquet(points: MapPoints, projection: Projection) -> str:
    """Write the map as embedding-atlas reads it (`--x x --y y`); return the path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder_beside_uploads("map-") / "map.parquet"
    x, y = projection.positions.T
    columns = {"name": [one.name for one in points.points], "kind": [one.kind for one in points.points]}
    pq.write_table(pa.table({**columns, "group": [one.group for one in points.points], "x": x, "y": y}), path)
    return str(path)

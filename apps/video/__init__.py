"""Find moments: when a video shows what a sentence says, as a curve, as segments, and as clicks to go there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from apps._handler import LIGHT, LONG, handler, owner
from apps._jobs import Jobs, throttle, wire
from apps._page import Page
from apps._query import provenance
from apps._uploads import folder_beside_uploads
from apps._widgets import COLLAPSED, table
from apps.video import words
from workbench.batch.export import write_csv, write_json
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.retrieval.chance import Chance
from workbench.retrieval.moments import VideoSegment, VideoVectors, curve, embed_video, find_moments
from workbench.retrieval.query import embed_query, parse_query
from workbench.retrieval.stock import stock_vectors
from workbench.scheduler import CancelToken

JOBS = Jobs("video", stopped="Stopped.")
TYPES = [".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi"]
FIELDS = ("start", "end", "score", "deviation", "likely")


@dataclass(frozen=True)
class WatchedVideo:
    """A video whose frames are embedded, for further sentences."""

    path: str
    fingerprint: str
    vectors: VideoVectors


def answer(session: Session, video: VideoVectors, query: str) -> tuple[NDArray[np.float64], list[VideoSegment]]:
    """Return the curve of a sentence and its segments, the best first.

    Raises:
        BadInput: see `parse_query`.
    """
    vector = embed_query(session, parse_query(query))
    cosines, deviations = curve(video, vector, Chance(stock_vectors(session)))
    return deviations, find_moments(video, cosines, deviations)


def build(page: Page) -> None:
    """Lay out the view."""
    watched, segments = gr.State(None), gr.State([])
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            video = gr.File(label="Video", file_types=TYPES, height=110, elem_id="video-file")
            query = gr.Textbox(
                label="Query", placeholder="a rocket lifting off", elem_id="video-query",
                info="What the moment shows. Weights and signs: 2:dog + beach - people.",
            )  # fmt: skip
            with gr.Row():
                go = gr.Button("Find moments", variant="primary", elem_id="video-go")
                stop = gr.Button("Stop", variant="stop", elem_id="video-stop")
        with gr.Column(elem_classes="answer"):
            status, player, line, lines, files, csv_file, json_file, whose = _answer()
        with gr.Column(elem_classes="more"):
            fps = gr.Slider(0.25, 4, 2, step=0.25, label="Frames a second", info="More finds shorter moments.")
            most = gr.Slider(
                64, 4096, 1024, step=64, label="Frames at most", info="Longer videos are looked at less often."
            )
            with gr.Accordion("How moments are found", open=False):
                gr.Markdown(words.EXPLAINED)

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        began = time.perf_counter()
        path, kept = typed[video], typed[watched]
        with page.engine.session(visitor, typed[page.model], token=token, deadline=JOBS.seconds) as session:
            if kept is None or (kept.path, kept.fingerprint) != (path, session.fingerprint) or typed[again]:
                yield {player: gr.update(value=path, visible=True), status: "Reading the video …"}
                reading = embed_video(session, path, fps=float(typed[fps]), max_frames=int(typed[most]),
                                      stopped=lambda: token.cancelled)  # fmt: skip
                for step in throttle(reading, passes=lambda one: isinstance(one, VideoVectors)):
                    if isinstance(step, VideoVectors):
                        kept = WatchedVideo(path, session.fingerprint, step)
                    else:
                        yield {status: f"{step.line} …"}
            deviations, found = answer(session, kept.vectors, typed[query])
            told = provenance(session, page.engine, time.perf_counter() - began)
        drawn = words.timeline(kept.vectors, deviations, found)
        paths = _downloads(found)
        yield {
            status: words.verdict(found, kept.vectors, f"“{typed[query].strip()}”"),
            player: gr.update(playback_position=found[0].start if found else 0, visible=True),
            line: gr.update(value=drawn, visible=True),
            lines: gr.update(value=words.rows(found), visible=True),
            files: gr.update(visible=True),
            **dict(zip((csv_file, json_file), paths, strict=True)),
            **{whose: told, watched: kept, segments: found, again: False},
        }

    again = gr.State(False)  # frames are chosen anew

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        if not typed[video]:
            raise BadInput("Choose a video first.")
        parse_query(typed[query] or "")
        visitor = owner(request)
        yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped={status: JOBS.stopped})

    outputs = [status, player, line, lines, files, csv_file, json_file, whose, watched, segments, again]
    event: dict[str, Any] = {
        "fn": run,
        "inputs": {video, query, fps, most, page.model, watched, again},
        "outputs": outputs,
        "show_progress": "hidden",
        "api_visibility": "private",
        **LONG,
    }
    wire(JOBS, go, stop, status=status, event=event)
    query.submit(**event, trigger_mode="multiple")
    gr.on([fps.input, most.input], lambda: True, None, again, **LIGHT)
    lines.select(_seek, segments, player, **LIGHT)


def _answer() -> tuple[Any, ...]:
    """Lay out the answer; return its widgets."""
    status = gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="video-status")
    player = gr.Video(label="Player", interactive=False, height=300, visible=COLLAPSED, elem_id="video-player")
    line = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="video-timeline")
    lines = table(words.HEADERS, "Segments: choose one to go there", visible=COLLAPSED, elem_id="video-segments")
    with gr.Row(visible=False) as files:
        csv_file = gr.DownloadButton("CSV", elem_id="video-csv")
        json_file = gr.DownloadButton("JSON", elem_id="video-json")
    whose = gr.Markdown(elem_classes="provenance")
    return status, player, line, lines, files, csv_file, json_file, whose


def _seek(segments: list[VideoSegment], event: gr.SelectData) -> Any:
    return gr.update(playback_position=segments[event.index[0]].start)


def _downloads(segments: list[VideoSegment]) -> tuple[str, str]:
    """Write the segments as CSV and JSON; return both paths."""
    folder = folder_beside_uploads("video-")
    rows = [{name: getattr(one, name) for name in FIELDS} for one in segments]
    write_csv(folder / "segments.csv", FIELDS, [[float(row[name]) for name in FIELDS] for row in rows])
    write_json(folder / "segments.json", rows)
    return str(folder / "segments.csv"), str(folder / "segments.json")

"""Find moments: which videos show what a sentence says, and when; a curve, segments, and clicks that go there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared import index_choice as choice
from apps.shared.events import CHOICE, LONG, handler, owner
from apps.shared.jobs import Jobs, throttle, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.what_now import what_now
from apps.shared.widgets import COLLAPSED, table
from apps.video import sentences, words
from apps.video.answering import GIVEN, MOST, AskedMoments, RankedVideos, ReadingVideo, answers
from apps.video.example import QUERY, example_video
from apps.video.watched import Watched, downloads
from workbench.errors import BadInput
from workbench.retrieval.moments import VideoSegment, VideoVectors
from workbench.retrieval.pooling import POOLINGS
from workbench.retrieval.videos import VideoHit
from workbench.scheduler import CancelToken

JOBS = Jobs("video", stopped="Stopped; below stands what was looked at so far.")
TYPES = [".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi"]


def build(page: Page) -> None:
    """Lay out the view."""
    watched, hits, segments, current = gr.State(Watched()), gr.State([]), gr.State([]), gr.State("")
    with gr.Row(elem_classes="asking"):
        with gr.Column(elem_classes="ask"):
            source = choice.menu(GIVEN, "Videos of", "video-source")
            video = gr.File(
                label=f"Videos (up to {MOST})",
                file_types=TYPES,
                file_count="multiple",
                height=110,
                elem_id="video-file",
            )
            query = gr.Textbox(
                label="Query", placeholder=QUERY, elem_id="video-query",
                info="What the moment shows. Weights and signs: 2:dog + beach - people.",
            )  # fmt: skip
            with gr.Row():
                go = gr.Button("Find moments", variant="primary", elem_id="video-go")
                stop = gr.Button("Stop", variant="stop", elem_id="video-stop")
        with gr.Column(elem_classes="answer"):
            mark = page.first.mark("video")
            shown = _answer()
            what_now(
                ("Which sentence fits the video?", "video", "video-texts"),
                ("Search images by sentence", "search", ""),
                ("Name one image with any words", "classify", ""),
            )
        with gr.Column(elem_classes="more"):
            fps, most, pooling = _settings()
    sentences.build(page, watched, current, pooling=pooling)

    def steps(typed: dict[Any, Any], visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        question = _question(*(typed[one] for one in asking))
        work = answers(page.engine, question, typed[watched], visitor=visitor, token=token, seconds=JOBS.seconds)
        for step in throttle(work, passes=lambda one: isinstance(one, RankedVideos)):
            if isinstance(step, ReadingVideo):
                yield {shown["player"]: gr.update(value=step.path, visible=True), shown["status"]: step.line}
                continue
            best, known = step.hits[0], step.watched.shown
            yield {
                shown["status"]: words.verdict(step.hits, known, f"“{question.query.strip()}”")
                + words.failed(step.watched.failed),
                shown["ranking"]: gr.update(value=words.ranking(step.hits), visible=len(step.hits) > 1 or COLLAPSED),
                **dict(zip(screen_outputs, _screen(best, known[best.path]), strict=True)),
                **{shown["whose"]: step.line, watched: step.watched, hits: step.hits},
            }

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        _question(*(typed[one] for one in asking)).check()
        visitor = owner(request)
        stopped = {shown["status"]: JOBS.stopped}
        try:
            yield from JOBS.run(visitor, lambda token: steps(typed, visitor, token), stopped=stopped)
        except BadInput as error:  # nothing is read any more: the screen must not say so
            yield {shown["status"]: literal(str(error)), shown["player"]: gr.update(value=None, visible=COLLAPSED)}
            raise

    asking = (source, video, query, fps, most, pooling, page.model)
    screen_outputs = [*(shown[name] for name in ("player", "line", "lines", "files", "csv", "json")), segments, current]
    outputs = [shown["status"], shown["ranking"], *screen_outputs, shown["whose"], watched, hits]
    event: dict[str, Any] = {
        "fn": run, "inputs": {*asking, watched}, "outputs": outputs,
        "show_progress": "hidden", "api_visibility": "private", **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=shown["status"], event=event)
    query.submit(**event, trigger_mode="multiple")
    page.first.show("video", event, {video: lambda: [example_video()], query: QUERY}, mark=mark)
    shown["lines"].select(_seek, segments, shown["player"], **CHOICE)
    shown["ranking"].select(_picked, [hits, watched], screen_outputs, **CHOICE)
    page.list_when_opened(source, lambda: choice.beside(GIVEN))


def _question(source: str, paths: list[str] | None, query: str | None, *settings: Any) -> AskedMoments:
    fps, most, pooling, model = settings
    return AskedMoments(source, tuple(paths or ()), query or "", float(fps), int(most), pooling, model)


def _answer() -> dict[str, Any]:
    """Lay out the answer; return its widgets by name."""
    status = gr.Markdown(words.IDLE, elem_classes=["verdict", "live"], elem_id="video-status")
    ranking = table(words.RANKING, "Videos: choose one to see it", visible=COLLAPSED, elem_id="video-ranking")
    player = gr.Video(label="Player", interactive=False, height=300, visible=COLLAPSED, elem_id="video-player")
    line = gr.Markdown(sanitize_html=False, visible=COLLAPSED, elem_id="video-timeline")
    lines = table(words.HEADERS, "Segments: choose one to go there", visible=COLLAPSED, elem_id="video-segments")
    with gr.Row(visible=False) as files:
        csv_file = gr.DownloadButton("CSV", elem_id="video-csv")
        json_file = gr.DownloadButton("JSON", elem_id="video-json")
    whose = gr.Markdown(elem_classes="provenance")
    first = {"status": status, "ranking": ranking, "player": player, "line": line, "lines": lines}
    return {**first, "files": files, "csv": csv_file, "json": json_file, "whose": whose}


def _settings() -> tuple[gr.Slider, gr.Slider, gr.Radio]:
    fps = gr.Slider(0.25, 4, 2, step=0.25, label="Frames a second", info="More finds shorter moments.")
    most = gr.Slider(64, 4096, 1024, step=64, label="Frames at most", info="Longer videos are looked at less often.")
    pooling = gr.Radio(
        [(title, key) for key, title in POOLINGS.items()],
        value="mean",
        label="Score of a whole video",
        info="Orders several videos; moments stay the same.",
        elem_id="video-pooling",
    )
    with gr.Accordion("How moments are found", open=False):
        gr.Markdown(words.EXPLAINED)
    return fps, most, pooling


def _screen(hit: VideoHit, video: VideoVectors) -> list[Any]:
    """Return what the widgets show of one video: player, timeline, segments, downloads; its segments and path."""
    moments = list(hit.moments)
    csv_file, json_file = downloads(moments)
    path = _playable(hit.path)
    return [
        gr.update(
            value=path, playback_position=moments[0].start if moments else 0, visible=path is not None or COLLAPSED
        ),
        gr.update(value=words.timeline(video, hit.curve, moments), visible=True),
        gr.update(value=words.rows(moments), visible=True),
        gr.update(visible=True),
        csv_file,
        json_file,
        moments,
        hit.path,
    ]


def _playable(path: str) -> str | None:
    """Return a path that the page may serve: an upload, or a second name of a local file beside the uploads."""
    file, place = Path(path), folder_beside_uploads("video-")
    if place.parent in file.parents:
        return path
    try:
        os.link(file, place / file.name)
    except OSError:  # another disk, or gone: timeline and segments are shown without it
        return None
    return str(place / file.name)


def _picked(hits: list[VideoHit], watched: Watched, event: gr.SelectData) -> list[Any]:
    hit = hits[event.index[0]]
    return _screen(hit, watched.shown[hit.path])


def _seek(segments: list[VideoSegment], event: gr.SelectData) -> Any:
    return gr.update(playback_position=segments[event.index[0]].start)

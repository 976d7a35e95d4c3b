"""From a video to text: which of several sentences fits it best, and when."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from apps import limits
from apps.shared.events import ASKS_MODEL, handler, owner
from apps.shared.page import Page
from apps.shared.widgets import COLLAPSED, table
from apps.video.watched import Watched
from apps.video.words import clock
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.labels import check_labels
from workbench.languages import in_english
from workbench.retrieval.chance import Chance, against
from workbench.retrieval.moments import VideoVectors, curve
from workbench.retrieval.pooling import pooled_scores
from workbench.retrieval.stock import stock_vectors

HEADERS = ["sentence", "score", "above stock sentences", "most at"]


def fitting(session: Session, video: VideoVectors, texts: tuple[str, ...], *, pooling: str) -> list[list[str]]:
    """Return the sentences as rows of text, the one that fits the whole video best first."""
    read = in_english(texts, session.spec)
    rows, stock = session.embed_texts(read).numpy(), stock_vectors(session)
    scores = pooled_scores([video.vectors], rows, pooling)[:, 0]
    null = pooled_scores([video.vectors], stock, pooling)[:, 0]
    _, heights = against(scores, np.broadcast_to(null, (len(scores), len(null))))
    peaks = [int(np.argmax(curve(video, row, Chance(stock))[1])) for row in rows]
    return [
        [
            f"{texts[at]} (read as “{read[at]}”)" if read[at] != texts[at] else texts[at],
            f"{scores[at]:.3f}",
            f"{heights[at]:+.1f} deviations",
            clock(float(video.seconds[peaks[at]])),
        ]
        for at in np.argsort(-scores, kind="stable")
    ]


def build(page: Page, watched: gr.State, current: gr.State, *, pooling: gr.Radio) -> None:
    """Lay out the box below the answer."""
    with gr.Accordion("Which sentence fits the video shown?", open=False, elem_id="video-texts"):
        texts = gr.Textbox(
            label="Sentences", info="One a line.", lines=3, max_lines=12, elem_id="video-sentences",
            placeholder="a cat\na rocket lifting off",
        )  # fmt: skip
        go = gr.Button("Compare", elem_id="video-compare")
        lines = table(HEADERS, "Sentences, the best first", visible=COLLAPSED, elem_id="video-fitting")

    @handler
    def compare(typed: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        kept: Watched = typed[watched]
        if typed[current] not in kept.shown:
            raise BadInput("Press “Find moments” first; then sentences are compared on the video shown.")
        names = check_labels(tuple(line.strip() for line in (typed[texts] or "").splitlines() if line.strip()))
        seconds = limits.current().answer_seconds
        with page.engine.session(owner(request), typed[page.model], deadline=seconds) as session:
            if session.fingerprint != kept.settings[0]:
                raise BadInput("The video was looked at with another model; press “Find moments” again.")
            rows = fitting(session, kept.shown[typed[current]], names, pooling=typed[pooling])
        return {lines: gr.update(value=rows, visible=True)}

    go.click(compare, {texts, watched, current, pooling, page.model}, lines, api_visibility="private", **ASKS_MODEL)

"""What the view computes: videos are embedded once, then ordered for each sentence; it knows no widgets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from apps import limits
from apps.shared import index_choice as choice
from apps.shared.query import provenance
from apps.video.watched import Watched, indexed
from workbench.engine import Engine, Session
from workbench.errors import BadInput, Cancelled
from workbench.languages import language_note
from workbench.progress import Progress
from workbench.retrieval.moments import embed_video
from workbench.retrieval.query import embed_query, parse_query, texts_of
from workbench.retrieval.stock import stock_vectors
from workbench.retrieval.videos import VideoHit, rank_videos
from workbench.scheduler import CancelToken

GIVEN = "Videos given here"
MOST = 20  # videos at once


@dataclass(frozen=True)
class AskedMoments:
    """A question as a visitor typed it."""

    source: str  # GIVEN or the name of an index
    paths: tuple[str, ...]  # of the uploads
    query: str
    fps: float
    most: int  # frames of a video
    pooling: str
    model: str

    def check(self) -> None:
        """Refuse what cannot be answered, before a model is asked.

        Raises:
            BadInput: no video, too many, or a query that cannot be read.
        """
        if self.source == GIVEN and not self.paths:
            raise BadInput("Choose a video first.")
        if self.source == GIVEN and len(self.paths) > MOST:
            raise BadInput(f"At most {MOST} videos at once; got {len(self.paths)}. `index add` takes any number.")
        parse_query(self.query)


@dataclass(frozen=True)
class ReadingVideo:
    """A report while videos are embedded."""

    path: str
    line: str


@dataclass(frozen=True)
class RankedVideos:
    """The answer."""

    watched: Watched
    hits: list[VideoHit]  # the best first
    line: str  # who answered
    note: str  # what the query is read as


def answers(
    engine: Engine, question: AskedMoments, before: Watched, *, visitor: str, token: CancelToken, seconds: float
) -> Iterator[ReadingVideo | RankedVideos]:
    """Embed the videos that are new, and order all for the sentence.

    Args:
        engine: owns the model.
        question: what is looked for, in which videos.
        before: what was embedded earlier.
        visitor: owner id.
        token: stops the embedding; what is done by then is answered from.
        seconds: deadline of the embedding.

    Raises:
        BadInput: no file is a video, or an index without videos.
    """
    began = time.perf_counter()
    with engine.session(visitor, question.model, token=token, deadline=seconds) as session:
        kept = before.of(session.fingerprint, question.fps, question.most)
        if question.source == GIVEN:
            yield from _embedded(session, question, kept, token=token)
        else:
            kept.shown = indexed(choice.open_table(choice.place_of(question.source, ""), session, own=False))
    with engine.session(visitor, question.model, deadline=limits.current().answer_seconds) as session:
        terms = parse_query(question.query)
        vector = embed_query(session, terms)
        hits = rank_videos(kept.shown, vector, stock_vectors(session), pooling=question.pooling)
        line = provenance(session, engine, time.perf_counter() - began, texts=texts_of(terms))
        yield RankedVideos(kept, hits, line, language_note(texts_of(terms), session.spec))


def _embedded(session: Session, question: AskedMoments, kept: Watched, *, token: CancelToken) -> Iterator[ReadingVideo]:
    """Fill `kept`; what a stop leaves of a video is shown, and not kept as whole; an unreadable one is passed over."""
    for number, path in enumerate(question.paths):
        if path in kept.videos:
            kept.shown[path] = kept.videos[path]
            continue
        if token.cancelled and kept.shown:
            return
        part = f"video {number + 1} of {len(question.paths)}: " if len(question.paths) > 1 else ""
        yield ReadingVideo(path, f"{part}reading …")
        reading = embed_video(
            session, path, fps=question.fps, max_frames=question.most, stopped=lambda: token.cancelled
        )
        try:
            for step in reading:
                if isinstance(step, Progress):
                    yield ReadingVideo(path, f"{part}{step.line} …")
                    continue
                kept.shown[path] = step
                if not token.cancelled:
                    kept.videos[path] = step
        except BadInput as error:
            kept.failed[path] = str(error)
        except Cancelled:
            if not kept.shown:
                raise
            return
    if not kept.shown:
        raise BadInput(" ".join(kept.failed.values()))

"""Moments: a video made of known clips, and the measures of them against hand computation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Engine, Session
from workbench.pictures import find_sample, sample
from workbench.retrieval import index
from workbench.retrieval.adding import add
from workbench.retrieval.chance import Chance
from workbench.retrieval.decoding import VideoFacts
from workbench.retrieval.evaluation import (
    average_precision,
    first_hits,
    mean_average_precision,
    overlap,
    ranks,
    summarise,
)
from workbench.retrieval.moments import VideoSegment, VideoVectors, curve, embed_video, find_moments, shots
from workbench.retrieval.pooling import pooled_scores
from workbench.retrieval.query import embed_query, parse_query
from workbench.retrieval.stock import stock_vectors

KNOWN = ("cat", "coffee", "rocket", "motorcycle", "drawn-panda", "drawn-pig", "drawn-bicycle", "drawn-umbrella")
KNOWN_TOO = ("drawn-hippo", "drawn-apple")


def sentence(key: str) -> str:
    kind = "drawing" if key.startswith("drawn") else "photo"
    return f"a {kind} of a {find_sample(key).answer}"


@pytest.mark.heavy
def test_the_clips_of_a_known_video_are_found(tmp_path: Path, pocket: object) -> None:
    """Boundaries within half a second in 95 %, R1@IoU 0.5 of at least 80 %: ten pictures, two orders."""
    generator = np.random.default_rng(3)
    result, truth, errors = [], [], []
    with Engine(device="cpu", dtype="float32") as engine, engine.session("test") as session:
        null = Chance(stock_vectors(session))
        for number in range(2):
            keys = generator.permutation([*KNOWN, *KNOWN_TOO])
            lengths = generator.uniform(2, 6, len(keys)).round(1)
            ends = np.cumsum(lengths)
            clips = [(sample(key), float(seconds)) for key, seconds in zip(keys, lengths, strict=True)]
            path = write_video(tmp_path / f"{number}.mp4", clips)
            *_, video = embed_video(session, path)
            assert isinstance(video, VideoVectors)
            errors += [np.abs(ends[:-1] - at).min() for at in shots(video)]
            assert len(shots(video)) == len(keys) - 1
            for key, start, end in zip(keys, ends - lengths, ends, strict=True):
                vector = embed_query(session, parse_query(sentence(key)))
                result.append(find_moments(video, *curve(video, vector, null)))
                truth.append([(float(start), float(end))])
    share = first_hits(result, truth, 0.5)
    assert share.value is not None
    assert share.value >= 0.8
    near = [one for one, span in zip(result, truth, strict=True) if overlap((one[0].start, one[0].end), span[0]) >= 0.5]
    spans = [span for one, span in zip(result, truth, strict=True) if one in near]
    for one, (span,) in zip(near, spans, strict=True):
        errors += [abs(one[0].start - span[0]), abs(one[0].end - span[1])]
    assert np.mean(np.array(errors) <= 0.5) >= 0.95


def made_video(deviations: list[float], *, step: float = 0.5, shot: list[int] | None = None) -> VideoVectors:
    """A video whose frames are alike within a shot, and unlike between shots."""
    number = np.cumsum([int(at in (shot or [])) for at in range(len(deviations))])
    vectors = np.eye(8, dtype=np.float32)[number]
    seconds = np.arange(len(deviations)) * step
    return VideoVectors(seconds, vectors, step, VideoFacts(len(deviations) * step, 8, 8, 10, "made"))


def test_a_segment_begins_with_its_first_frame_and_ends_where_the_next_begins() -> None:
    height = [0.0] * 6 + [6.0] * 4 + [0.0] * 10
    video = made_video(height)
    (moment,) = find_moments(video, np.array(height, np.float32) / 20, np.array(height))
    assert (moment.start, moment.end, moment.likely) == (3.0, 5.0, True)  # frames 6 to 9 at 2 a second
    assert moment.score == pytest.approx(0.3)
    assert shots(made_video(height, shot=[6, 10])) == [3.0, 5.0]


def test_segments_are_joined_over_short_gaps_and_split_at_shots() -> None:
    height = np.array([0.0] * 6 + [6.0] * 4 + [0.0] * 4 + [5.0] * 4 + [0.0] * 6)
    assert len(find_moments(made_video(list(height)), height.astype(np.float32), height)) == 2
    uneven = np.array([0.0] * 10 + [6.0] * 4 + [3.5] * 6 + [0.0] * 10)
    assert len(find_moments(made_video(list(uneven)), uneven.astype(np.float32), uneven)) == 1
    cut = made_video(list(uneven), shot=[14])
    first, second = find_moments(cut, uneven.astype(np.float32), uneven)
    assert (first.start, first.end, second.start, second.end) == (5.0, 7.0, 7.0, 10.0)
    even = np.array([0.0] * 10 + [6.0] * 4 + [5.5] * 6 + [0.0] * 10)
    assert len(find_moments(made_video(list(even), shot=[14]), even.astype(np.float32), even)) == 1


def test_a_flat_curve_is_one_segment_or_none() -> None:
    high, low = np.full(20, 5.0), np.full(20, 0.5)
    (whole,) = find_moments(made_video(list(high)), high.astype(np.float32), high)
    assert (whole.start, whole.end, whole.likely) == (0.0, 10.0, True)
    assert not any(one.likely for one in find_moments(made_video(list(low)), low.astype(np.float32), low))


def test_frames_of_videos_in_an_index(session: Session, tmp_path: Path, home: Path, run: Callable[[Any], Any]) -> None:
    (tmp_path / "videos").mkdir()
    clips = [(Image.new("RGB", (64, 64), "red"), 2.0), (Image.new("RGB", (64, 64), "blue"), 3.0)]
    path = write_video(tmp_path / "videos" / "x.mp4", clips, size=(64, 64))
    report = run(add("mine", session, [str(tmp_path / "videos")]))
    assert (report.added, report.rows) == (5, 5)
    again = run(add("mine", session, [str(tmp_path / "videos")]))
    assert (again.added, again.unchanged, again.rows) == (0, 1, 5)
    path.unlink()
    other = write_video(tmp_path / "y.mp4", clips[:1], size=(64, 64))
    gone = run(add("mine", session, [str(tmp_path / "videos"), str(other)]))
    assert (gone.removed, index.find_table("mine").rows) == (5, 2)


def test_ranks_count_what_is_better() -> None:
    scores = np.array([[0.9, 0.5, 0.5, 0.1], [0.2, 0.2, 0.2, 0.2], [0.1, 0.3, 0.5, 0.4]], np.float32)
    outcome = ranks(scores, [[1], [3], [0, 3]])
    assert outcome.tolist() == [2, 1, 2]  # ties do not push down
    result = summarise(np.array([1, 2, 3, 12]))
    assert [result.recall[k].value for k in (1, 5, 10)] == [0.25, 0.75, 0.75]
    assert (result.median_rank, result.mean_rank, result.n) == (2.5, 4.5, 4)


def test_overlap_and_average_precision_by_hand() -> None:
    assert overlap((0, 4), (2, 6)) == pytest.approx(2 / 6)
    assert overlap((0, 1), (2, 3)) == 0
    moments = [VideoSegment(0, 4, 0.9, 5, True), VideoSegment(10, 12, 0.8, 5, True), VideoSegment(0, 3, 0.7, 5, True)]
    truth = [(0.0, 3.0), (20.0, 22.0)]
    # at 0.5 the first is right (IoU 0.75), the second and, since its segment is taken, the third are wrong
    assert average_precision(moments, truth, 0.5) == pytest.approx(1 / 2)
    # at 0.8 only the third is right, at precision 1/3
    assert average_precision(moments, truth, 0.8) == pytest.approx(1 / 6)
    late = [VideoSegment(40, 50, 0.9, 5, True), VideoSegment(0, 3, 0.8, 5, True), VideoSegment(20, 22, 0.7, 5, True)]
    assert average_precision(late, truth, 0.5) == pytest.approx(
        2 / 3
    )  # interpolated: the precision that follows counts
    expected = np.mean([1 / 2] * 6 + [1 / 6] * 4)
    assert mean_average_precision([moments], [truth]) == pytest.approx(expected)
    assert first_hits([moments, []], [truth, truth], 0.7).value == 0.5


def test_pooling_by_hand() -> None:
    frames = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    long = np.array([[1.0, 0.0]] * 4 + [[0.0, 1.0]] * 6, np.float32)
    queries = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
    half = np.sqrt(0.5)
    mean = np.array([0.4, 0.6]) / np.sqrt(0.52)
    by_mean = [[half, mean[0]], [1.4 * half, 0.6 * mean[0] + 0.8 * mean[1]]]
    np.testing.assert_allclose(pooled_scores([frames, long], queries), by_mean, rtol=1e-6)
    np.testing.assert_allclose(pooled_scores([frames, long], queries, "max"), [[1, 1], [0.8, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(pooled_scores([frames, long], queries, "top"), [[0.5, 0.8], [0.7, 0.8]], rtol=1e-6)
    assert pooled_scores([], queries).shape == (2, 0)

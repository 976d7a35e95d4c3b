"""Texts, tables and the timeline of the video view."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from apps.shared.markdown import literal
from workbench.retrieval.moments import CUT, VideoSegment, VideoVectors
from workbench.retrieval.videos import VideoHit

IDLE = "Choose one video or several, type a sentence, and press “Find moments”. Click a segment to go there."
RANKING = ["video", "score", "fits", "beats", "stock sentences as good", "best moment"]
HEADERS = ["start", "end", "score", "fits", "from", "to"]
WIDTH, HEIGHT = 800, 140  # of the timeline's drawing
EXPLAINED = """
Frames are taken at equal intervals, whatever the video's own frame rate. The curve shows, for each frame, how many
standard deviations its cosine with your query lies above that of about four hundred stock sentences. A segment is cut
half way between the video's ground and its peak, and where a new shot begins. It **fits** where its peak is three or
more above the stock sentences.

**Several videos** are ordered by one score each: the cosine with the mean of all frames (meanP, as in CLIP4Clip), the
best frame, or the mean of the five best. **Beats** is the share of the videos with a lower score.
"""


def clock(seconds: float) -> str:
    """Return a time as a player shows it: 1:02.5, 1:00:02.5."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def rows(segments: Sequence[VideoSegment]) -> list[list[str]]:
    """Return the segments as rows of text."""
    return [
        [
            clock(one.start),
            clock(one.end),
            f"{one.score:.3f}",
            "yes" if one.likely else "no",
            f"{one.start:.2f} s",
            f"{one.end:.2f} s",
        ]
        for one in segments
    ]


def ranking(hits: Sequence[VideoHit]) -> list[list[str]]:
    """Return videos as rows of text."""
    return [
        [
            hit.path.rsplit("/", 1)[-1],
            f"{hit.score:.3f}",
            "yes" if hit.likely else "no",
            f"{100 * hit.beats:.0f} %",
            f"{100 * hit.chance:.1f} %",
            f"{clock(hit.moments[0].start)}–{clock(hit.moments[0].end)}" if hit.moments else "–",
        ]
        for hit in hits
    ]


def failed(reasons: Mapping[str, str]) -> str:
    """Say which videos were not looked at, or not in full."""
    return f" Not looked at in full: {literal(' '.join(reasons.values()))}" if reasons else ""


def verdict(hits: Sequence[VideoHit], videos: Mapping[str, VideoVectors], query: str) -> str:
    """Say which videos show it, and when the best one does."""
    frames, seconds = sum(len(one.seconds) for one in videos.values()), sum(one.end for one in videos.values())
    seen = f"{frames} frames of {clock(seconds)} looked at."
    best = hits[0]
    fitting = [one for one in best.moments if one.likely]
    several = (
        f"**{sum(hit.likely for hit in hits)} of {len(hits)} videos fit** {literal(query)}. " if len(hits) > 1 else ""
    )
    name = f" in {literal(best.path.rsplit('/', 1)[-1])}" if several else ""
    if not fitting:
        nearest = f" The nearest is at {clock(best.moments[0].start)}{name}." if best.moments else ""
        return f"{several}**No segment fits** {literal(query)} better than chance{name}.{nearest} {seen}"
    first = ", ".join(f"{clock(one.start)}–{clock(one.end)}" for one in fitting[:3])
    return f"{several}**{len(fitting)} segment{'s' * (len(fitting) > 1)}** of {literal(query)}{name}: {first}. {seen}"


def timeline(video: VideoVectors, deviations: NDArray[np.float64], segments: Sequence[VideoSegment]) -> str:
    """Draw the curve with its segments as SVG; colours follow the page's scheme."""
    end, top = max(video.end, 1e-6), max(float(deviations.max()), CUT + 1)
    bottom = min(float(deviations.min()), 0.0)
    across = lambda second: WIDTH * second / end  # noqa: E731
    down = lambda value: HEIGHT * (1 - (value - bottom) / (top - bottom))  # noqa: E731
    bands = "".join(
        f'<rect x="{across(one.start):.1f}" y="0" width="{max(across(one.end) - across(one.start), 2):.1f}" '
        f'height="{HEIGHT}" class="{"fits" if one.likely else "weak"}"><title>{html.escape(_title(one))}</title></rect>'
        for one in segments
    )
    step = max(1, len(deviations) // WIDTH)
    points = " ".join(
        f"{across(float(second)):.1f},{down(float(value)):.1f}"
        for second, value in zip(video.seconds[::step], deviations[::step], strict=True)
    )
    cut = down(CUT)
    return (
        f'<div><svg class="timeline" data-seconds="{end:.3f}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'preserveAspectRatio="none" role="img" '
        f'aria-label="{html.escape(_summary(segments))}">{bands}'
        f'<line x1="0" x2="{WIDTH}" y1="{cut:.1f}" y2="{cut:.1f}" class="cut"/>'
        f'<polyline points="{points}" class="curve"/></svg>'
        f'<div class="notes ends"><span>0:00.0</span><span>{clock(end)}</span></div></div>'
    )


def _title(one: VideoSegment) -> str:
    return f"{clock(one.start)} to {clock(one.end)}, score {one.score:.3f}"


def _summary(segments: Sequence[VideoSegment]) -> str:
    fitting = [_title(one) for one in segments if one.likely]
    return "Timeline. " + ("Segments that fit: " + "; ".join(fitting) if fitting else "No segment fits.")

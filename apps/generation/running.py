"""One image for one visitor: steps become what the widgets show, and Stop keeps the best image so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.shared.upload_folders import folder_beside_uploads
from workbench.generation.judging import Generated, Wanted, looked_at
from workbench.generation.metadata import to_png
from workbench.generation.models import judge_key, needed
from workbench.generation.painting import Best
from workbench.generation.prompts import parse_prompt
from workbench.generation.run import checked, finished_early, generate, start_pixels
from workbench.generation.video import Growth, to_mp4
from workbench.images import safe_open
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.engine import Engine, Session
    from workbench.generation.settings import Settings
    from workbench.progress import Progress
    from workbench.scheduler import CancelToken


@dataclass
class Course:
    """What was seen of one image so far."""

    settings: Settings
    start: str | None = None  # path of the image that it begins with
    images: tuple[str, ...] = ()  # paths of image prompts
    growth: Growth = field(default_factory=Growth)
    values: list[float] = field(default_factory=list)
    best: Best | None = None
    seconds: float = 0.0

    def see(self, step: Progress) -> None:
        """Keep frame and score; the best frame so far."""
        if step.preview is None:
            return
        self.growth.add(step.preview)
        value = step.values.get("similarity")
        if value is None:
            if not self.values:  # within the first round: the image on its way
                self.best = Best(step.preview, self.values)
            return
        better = not self.values or value > max(self.values)
        self.values.append(value)
        self.seconds = step.done / step.rate if step.rate else self.seconds
        if better or self.best is None:
            self.best = Best(step.preview, self.values, strokes=getattr(step, "strokes", None))
        self.best.values, self.best.seconds = self.values, self.seconds


@dataclass(frozen=True)
class Files:
    """A finished image's files, in the visitor's folder."""

    png: Path
    svg: Path | None
    mp4: Path | None


def painting(session: Session, course: Course, *, token: CancelToken) -> Iterator[Progress | Generated]:
    """Yield progress and the image; after Stop the image is the best one so far.

    Raises:
        BadInput: what `generate` raises.
    """
    settings = course.settings
    pixels = start_pixels(safe_open(Path(course.start)), settings.side) if course.start else None
    wanted = _wanted(course)
    with closing(generate(session, settings, pixels, images=wanted.images)) as steps:  # type: ignore[type-var]
        for step in steps:
            if isinstance(step, Generated):
                yield step
                return
            course.see(step)
            if token.cancelled:
                break
            yield step
    if course.best is not None:
        settings = checked(session, settings, pixels, images=wanted.images)
        yield finished_early(session, settings, course.best, wanted=wanted)


def before_and_after(made: Generated, course: Course) -> tuple[Any, Any] | None:
    """The start image and the result, for a slider between them."""
    if course.start is None:
        return None
    return start_pixels(safe_open(Path(course.start)), made.painting.settings.side), made.painting.pixels


def write_files(made: Generated, course: Course, *, with_settings: bool) -> Files:
    """Write PNG, SVG of strokes and mp4 beside the uploads, where they are deleted with these."""
    folder = folder_beside_uploads("generated-")
    png = folder / f"generated-{made.painting.settings.seed}.png"
    write_whole(png, to_png(made, with_settings=with_settings))
    svg = png.with_suffix(".svg") if made.painting.svg else None
    if svg:
        write_whole(svg, made.painting.svg.encode())
    mp4 = png.with_suffix(".mp4") if course.growth.frames else None
    if mp4:
        write_whole(mp4, to_mp4(course.growth.frames))
    return Files(png, svg, mp4)


def run(
    engine: Engine, course: Course, *, visitor: str, token: CancelToken, seconds: float
) -> Iterator[tuple[Any, Any]]:
    """Yield (step or image, the model's row) for one visitor, in turn with everybody else's work.

    The shipped judge is loaded when the image is there: the first preview does not wait for it.
    """
    settings, others, made = course.settings, needed(course.settings), None
    later = judge_key(settings) != settings.judge
    # no token: Stop has to leave a session that looks at the best image once more
    drawing = others[:-1] if later else others
    with engine.session(visitor, settings.model, others=drawing, deadline=seconds) as session:
        for step in painting(session, course, token=token):
            if later and isinstance(step, Generated):
                made = step
            else:
                yield step, session.spec
    if made is not None:
        with engine.session(visitor, settings.model, others=others, deadline=seconds) as session:
            yield looked_at(session, made.painting, _wanted(course)), session.spec


def _wanted(course: Course) -> Wanted:
    images = tuple(safe_open(Path(path)) for path in course.images)
    return Wanted(parse_prompt(course.settings.prompt), images, course.settings.image_weights)

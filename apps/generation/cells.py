"""A grid for one visitor: its images one after the other, and the sheet as it fills."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.generation.running import Course, run
from apps.shared.markdown import literal
from apps.shared.upload_folders import folder_beside_uploads
from workbench.errors import BadInput
from workbench.generation.grids import Grid, grid, sheet
from workbench.generation.judging import Generated
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.engine import Engine
    from workbench.generation.settings import Settings
    from workbench.scheduler import CancelToken


STRENGTHS = (-1.5, -0.75, 0.0, 0.75, 1.5)  # of a row of edits
MOST_CELLS = 24


@dataclass(frozen=True)
class Cells:
    """A grid on its way."""

    layout: Grid
    done: tuple[Generated, ...] = ()
    new: tuple[Generated, Course] | None = field(default=None, compare=False)  # the image that was just made
    line: str = ""  # how far the image after it is
    stopped: bool = False

    def sheet(self) -> Any:
        """All images so far."""
        return sheet(self.layout, [made.painting.pixels for made in self.done])


def run_grid(
    engine: Engine, layout: Grid, course: Course, *, visitor: str, token: CancelToken, seconds: float
) -> Iterator[Cells]:
    """Yield after each step and each image; Stop keeps what is done."""
    state = Cells(layout)
    for settings in (cell for row in layout.cells for cell in row):
        one = Course(settings, course.start, course.images)
        with closing(run(engine, one, visitor=visitor, token=token, seconds=seconds)) as steps:  # type: ignore[type-var]
            for step, _ in steps:
                if isinstance(step, Generated):
                    state = replace(state, done=(*state.done, step), stopped=token.cancelled)
                    yield replace(state, new=(step, one))
                else:
                    yield replace(state, line=step.line)
        if token.cancelled:
            yield replace(state, stopped=True)
            return


def write_sheet(state: Cells) -> Path:
    """Write the sheet beside the uploads."""
    file = io.BytesIO()
    state.sheet().save(file, format="PNG")
    path = folder_beside_uploads("generated-") / "grid.png"
    write_whole(path, file.getvalue())
    return path


def grid_of(values: Mapping[str, Any], settings: Settings) -> Grid | None:
    """The grid that the form asks for; None for one image.

    Raises:
        BadInput: more than a grid's images, or a sentence that cannot be used.
    """
    more = [line.strip() for line in str(values["grid_prompts"] or "").splitlines() if line.strip()]
    strengths = STRENGTHS if values["grid_strengths"] else ()
    if strengths and not (values["start"] and settings.neutral):
        raise BadInput("A row of strengths belongs to an edit: choose a start image and say what it shows now.")
    layout = grid(
        settings,
        prompts=[settings.prompt, *more],
        methods=values["grid_methods"] or (),
        seeds=int(values["grid_seeds"] or 1),
        strengths=strengths,
    )
    if layout.count > MOST_CELLS:
        raise BadInput(f"A grid of the page has at most {MOST_CELLS} images; this one has {layout.count}.")
    return layout if layout.count > 1 else None


def grid_status(state: Cells) -> str:
    """The line above a grid."""
    done, count = len(state.done), state.layout.count
    if state.stopped:
        return f"Stopped after {done} of {count} images."
    if done == count:
        return f"All {count} images are made. Choose one below to restore its settings."
    now = state.layout.cells[done // len(state.layout.columns)][done % len(state.layout.columns)]
    return f"Image {done + 1} of {count}: {literal(now.prompt)}, {now.method}, seed {now.seed}, {state.line}."


def history_title(made: Generated) -> str:
    """What stands below an image of the visit."""
    settings = made.painting.settings
    edited = f" · strength {settings.strength:g}" if settings.neutral else ""
    return f"{settings.prompt} · {settings.method} · {settings.seed}{edited}"

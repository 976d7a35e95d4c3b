"""A grid for one visitor: its images one after the other, and the sheet as it fills."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps._uploads import folder_beside_uploads
from apps.generation.running import Course, run
from workbench.generation.grids import Grid, sheet
from workbench.generation.run import Generated
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.engine import Engine
    from workbench.scheduler import CancelToken


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

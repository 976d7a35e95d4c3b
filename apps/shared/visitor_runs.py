"""The runs of one visitor: their folder, and their titles in a menu.

Runs lie in a private folder among the uploads, which is deleted with them. Does not know about widgets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from apps.shared.upload_folders import VARIABLE as UPLOADS
from apps.shared.upload_folders import folder_beside_uploads
from audits.run_directory.reader import Run, open_run
from workbench.errors import BadInput

NO_RUN = "No run yet: start one under “Run”."


@dataclass(frozen=True)
class RunList:
    """The runs of a visitor so far."""

    folder: str = ""  # of run directories; empty before the first run
    runs: tuple[str, ...] = ()  # run directories, the newest first

    def opened(self) -> RunList:
        """Return the run_list with a folder that exists."""
        if self.folder and Path(self.folder).is_dir():
            return self
        return RunList(str(folder_beside_uploads("audits-")))

    def added(self, run: Path) -> RunList:
        """Return the run_list with one more run in front; one that was there before moves there."""
        return replace(self, runs=(str(run), *(one for one in self.runs if one != str(run))))

    def choices(self) -> list[tuple[str, str]]:
        """Return a menu of the runs that are still there: audit, model, data, time; and the directory."""
        return [(title(Run(Path(one))), one) for one in self.runs if Path(one).is_dir()]

    def get(self, chosen: str | None) -> Run:
        """Return a run of this visitor's.

        Raises:
            BadInput: none was chosen, or it is not (or no longer) this visitor's.
        """
        if not chosen:
            raise BadInput(NO_RUN)
        if chosen not in self.runs or not Path(chosen).is_dir():
            raise BadInput("This run was deleted with the uploads. Run it again.")
        return open_run(chosen)


EMPTY = RunList()


def title(run: Run) -> str:
    """Return the title of a run in a menu."""
    head = run.header
    images = "own images" if UPLOADS in head.dataset.key else head.dataset.key
    time = head.created[11:19]
    return f"{head.spec.audit} · {head.spec.model} · {images} · {head.spec.protocol} · {time}"

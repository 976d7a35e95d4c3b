"""Files of runs that a visitor takes along: the report, the table, and a zip of the runs with every kind of report."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.shared.upload_folders import folder_beside_uploads
from audits import reporting
from audits.run_directory.reader import Run
from workbench.errors import Unsupported

KINDS = ("report.md", "report.json", "junit.xml", "report.card.md")  # beside the page, in the zip


@dataclass(frozen=True)
class RunFiles:
    """Paths; deleted with the uploads."""

    page: Path  # HTML
    numbers: Path  # CSV
    packed: Path  # zip
    pdf: Path | None = None
    no_pdf: str = ""  # the reason, where one was wanted and cannot be made here


def run_files(runs: Sequence[Run], *, pdf: bool = False) -> RunFiles:
    """Write the files of one run or several.

    Args:
        runs: finished runs.
        pdf: also print the report; it takes some seconds more.
    """
    place = folder_beside_uploads("audit-report-")
    folders = [run.folder for run in runs]
    page = reporting.write(folders, place / "report.html")
    numbers = reporting.write(folders, place / "metrics.csv")
    whole = place / "whole"
    for folder in folders:
        shutil.copytree(folder, whole / folder.name)
    shutil.copyfile(page, whole / page.name)
    for name in KINDS:
        reporting.write(folders, whole / name)
    printed, reason = _printed(folders, place / "report.pdf") if pdf else (None, "")
    if printed:
        shutil.copyfile(printed, whole / printed.name)
    name = folders[0].name if len(folders) == 1 else "runs"
    packed = shutil.make_archive(str(place / name), "zip", whole)
    return RunFiles(page, numbers, Path(packed), printed, reason)


def _printed(folders: Sequence[Path], out: Path) -> tuple[Path | None, str]:
    try:
        return reporting.write(folders, out), ""
    except Unsupported as error:
        return None, str(error)

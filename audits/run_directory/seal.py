"""The seal of a run: `SHA256SUMS`, the hashes of its files.

Every command that reads a finished run checks it first, so that no number of an altered run is shown or judged.
"""

from __future__ import annotations

from pathlib import Path

from audits.run_directory import header, results
from audits.run_directory.files import sha256_of, write_text

SUMS, EVENTS = "SHA256SUMS", "events.jsonl"
UNSUMMED = (header.FILE, SUMS, EVENTS)  # change when nothing measured does
REQUIRED = (results.METRICS, f"{results.SAMPLES}/{results.PART}", results.FINDINGS, results.PROTOCOL)


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of every file that holds what was measured."""
    write_text(folder / SUMS, "".join(f"{sha256_of(folder / name)}  {name}\n" for name in summed(folder)))


def summed(folder: Path) -> list[str]:
    """Return the names of the files that `SUMS` is about, sorted."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in names if name not in UNSUMMED and not name.endswith(".part"))

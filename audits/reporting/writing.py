"""A report in the format that its file name asks for; written under another name, and renamed when it is whole.

.html one page   .pdf for print   .md for a pull request   .card.md for a model card
.csv .parquet the metrics table   .json everything, by the shipped schema   .xml JUnit   a folder: CSV files
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from audits.comparing.outcomes import Comparison, GateResult
from audits.reporting import _card, _document, _files, _html, _junit, _markdown, _pdf
from audits.reporting._page import ReportOptions
from audits.run_directory.reader import Run, RunLike, open_runs
from audits.seed_spread import with_spread
from workbench.errors import BadInput, OutOfResources

Maker = Callable[[Sequence[Run], ReportOptions, Path], None]
Content = TypeVar("Content")
_OURS = re.compile(r"(metrics|findings)\.csv|\d\d-[^/]+/(figure|table)-[^/]+\.csv")


def write(
    run_dirs: Sequence[RunLike] | RunLike,
    out: Path | str,
    *,
    thumbnails: str = "none",
    gate: GateResult | None = None,
) -> Path:
    """Write a report about one run or several; runs that differ in their seed alone get rows of the spread.

    Args:
        run_dirs: runs, run directories, or folders that hold some.
        out: its ending sets the format; without one it is a folder of CSV files.
        thumbnails: images in the page: none, blurred, or full. Rights and consent are the caller's.
        gate: the outcome of a gate on these runs; it heads the verdict.

    Returns:
        `out`.

    Raises:
        BadInput: no such format, a damaged run, or no such option for thumbnails.
        UnknownName: no run there.
        Tampered: a run is not what was written.
        Unsupported: PDF without WeasyPrint or what it needs.
        OutOfResources: `out` cannot be written.

    Example:
        >>> import audits
        >>> audits.report(audits.run("limits/counting", "fake", limit=20), "report.md").name
        'report.md'
    """
    out = Path(out)
    make = _maker(out)
    if thumbnails not in ("none", "blurred", "full"):
        raise BadInput(f"Thumbnails are none, blurred or full; got {thumbnails!r}.")
    runs = with_spread(open_runs(run_dirs))
    options = ReportOptions(gate=gate, thumbnails=thumbnails)
    with _written_whole(out) as half:
        make(runs, options, half)
    return out


def write_gate(result: GateResult, out: Path | str) -> Path:
    """Write the outcome of a gate: .md, .xml (JUnit), .json.

    Raises:
        BadInput: another ending.
    """
    forms: dict[str, Callable[[GateResult], str]] = {
        ".md": _markdown.gate,
        ".xml": _junit.gate,
        ".json": _document.gate_text,
    }
    return _text(Path(out), forms, result)


def write_comparison(comparison: Comparison, out: Path | str) -> Path:
    """Write a comparison: .html, .md, .json, .csv.

    Raises:
        BadInput: another ending.
    """
    from audits.reporting import _comparisons

    forms: dict[str, Callable[[Comparison], str]] = {
        ".html": _comparisons.html,
        ".md": _comparisons.markdown,
        ".json": _comparisons.json_text,
        ".csv": lambda comparison: _files.csv_text(comparison.metrics),
    }
    return _text(Path(out), forms, comparison)


FORMATS: dict[str, Maker] = {  # ending -> writer
    ".html": _html.write,
    ".pdf": _pdf.write,
    ".csv": _files.write_csv,
    "": _files.write_folder,
    ".parquet": _files.write_parquet,
    ".json": _document.write,
    ".xml": _junit.write,
    ".card.md": _card.write,
    ".md": _markdown.write,
}


def _maker(out: Path) -> Maker:
    name = out.name.lower()
    if "." not in name or str(out).endswith(os.sep):
        return _files.write_folder
    for ending, make in FORMATS.items():
        if ending and name.endswith(ending):
            return make
    known = ", ".join(filter(None, FORMATS))
    raise BadInput(f"A report's ending sets its format: {known}, or a folder for CSV files; got {out.name!r}.")


def _text(out: Path, forms: Mapping[str, Callable[[Content], str]], content: Content) -> Path:
    form = forms.get(out.suffix.lower())
    if form is None:
        raise BadInput(f"The ending sets the format: {', '.join(forms)}; got {out.name!r}.")
    with _written_whole(out) as half:
        half.write_text(form(content), encoding="utf-8")
    return out


@contextmanager
def _written_whole(out: Path) -> Iterator[Path]:
    """Give another name beside `out`, and rename what was written there; a failure leaves `out` as it was."""
    half = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield half
        if half.is_dir() and out.is_dir():
            _replace_folder(half, out)
        else:
            os.replace(half, out)
    except OSError as error:
        raise OutOfResources(f"The report {out.name!r} could not be written ({error.strerror or error}).") from None
    finally:
        if half.is_dir():
            shutil.rmtree(half, ignore_errors=True)
        half.unlink(missing_ok=True)


def _replace_folder(half: Path, out: Path) -> None:
    """Put new files over those of an earlier report; a folder with anything else in it is refused."""
    old = {path.relative_to(out) for path in out.rglob("*") if path.is_file()}
    strangers = sorted(path.as_posix() for path in old if not _OURS.fullmatch(path.as_posix()))
    if strangers:
        raise BadInput(f"The folder {out.name!r} holds other files ({strangers[0]}); name a new one.")
    for path in old:
        (out / path).unlink()
    for path in (path.relative_to(half) for path in half.rglob("*") if path.is_file()):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(half / path, out / path)

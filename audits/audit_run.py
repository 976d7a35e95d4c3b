"""Runs as a notebook has them: one run, or those of a suite, with tables, findings, charts and reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits import reporting
from audits.run_directory import header
from audits.run_directory.reader import Run
from workbench.errors import BadInput, unknown_name
from workbench.results import html

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.analysis import Finding


@dataclass(frozen=True)
class SvgChart:
    """A chart as SVG, which a notebook shows."""

    svg: str
    alt: str  # text alternative

    def save(self, path: str | Path) -> Path:
        """Write the SVG file."""
        Path(path).write_text(self.svg, encoding="utf-8")
        return Path(path)

    def __repr__(self) -> str:
        return f"SvgChart({self.alt[:80]!r})"

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True, repr=False)
class AuditRun(Run):
    """A run directory with its tables: `metrics`, `findings`, `samples()`, `figures`, `header`.

    Example:
        >>> import audits
        >>> run = audits.run("limits/counting", "fake", limit=20)
        >>> run
        AuditRun(limits/counting, fake, success, 20 images)
        >>> run.report("out.html").name
        'out.html'
    """

    def report(self, out: str | Path) -> Path:
        """Write a report; the ending sets its format: .html .pdf .md .card.md .csv .parquet .json .xml, or a folder.

        Raises:
            BadInput: no such format.
            Tampered: the run is not what was written.
        """
        return reporting.write(self.folder, out)

    def to_frame(self) -> DataFrame:
        """Return `metrics`: one row per measure, with interval, method and n."""
        return self.metrics

    def to_dict(self) -> dict[str, Any]:
        """Return what was asked, how it ended, the sentences found, and the measures."""
        head = self.header
        return {
            "run_id": head.run_id,
            "audit": head.spec.audit,
            "model": head.spec.model,
            "dataset": head.dataset.key,
            "status": head.status,
            "folder": str(self.folder),
            "findings": [one.text for one in self.findings],
            "metrics": self.metrics.to_dict("records"),
        }

    def plot(self, key: str = "") -> SvgChart:
        """Draw one of `figures`, the first where none is named.

        Raises:
            UnknownName: the run has no such figure, or none.
        """
        figure = self.figures.get(key) if key else next(iter(self.figures.values()), None)
        if figure is None:
            raise unknown_name("figure of this run", key, self.figures)
        return SvgChart(reporting.svg(figure, fixed=True), figure.alt)

    def __repr__(self) -> str:
        head = self.header
        return f"AuditRun({head.spec.audit}, {head.spec.model}, {head.status}, {head.dataset.n} images)"

    def _repr_html_(self) -> str:
        if self.status != "success":
            return html.block(repr(self), html.paragraph(self.header.error or ""))
        charts = [self.plot().svg] if self.figures else []
        sentences = [html.paragraph(one.text) for one in self.findings]
        return html.block(f"{self.header.spec.title}: {self.model}", *sentences, *charts, html.table(self.metrics))


@dataclass(frozen=True, eq=False)
class SuiteRun(Sequence[AuditRun]):
    """The runs of a suite, in order.

    Example:
        >>> import audits
        >>> from pathlib import Path
        >>> _ = Path("small.yaml").write_text("{schema: 1, title: Small, jobs: [{audit: limits/counting}]}")
        >>> audits.run_suite("small.yaml", "fake", limit=20)
        SuiteRun(1 of 1 done)
    """

    runs: tuple[AuditRun, ...]
    errors: tuple[str, ...]  # of jobs that failed: which, and why

    @property
    def complete(self) -> bool:
        """Whether every job succeeded."""
        return not self.errors and all(run.status == "success" for run in self.runs)

    @property
    def metrics(self) -> DataFrame:
        """The measures of all finished runs, one below the other."""
        import pandas as pd

        tables = [run.metrics for run in self.runs if run.status == "success"]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    @property
    def findings(self) -> list[Finding]:
        """The sentences that all runs support."""
        return [one for run in self.runs for one in run.findings]

    def report(self, out: str | Path) -> Path:
        """Write one report of all finished runs; see `AuditRun.report`.

        Raises:
            BadInput: no run is finished.
        """
        finished = [run.folder for run in self.runs if run.status == "success"]
        if not finished:
            raise BadInput("No run of this suite is finished; there is nothing to report.")
        return reporting.write(finished, out)

    def to_frame(self) -> DataFrame:
        """Return `metrics`."""
        return self.metrics

    def to_dict(self) -> dict[str, Any]:
        """Return whether all is complete, the runs as dictionaries, and the errors."""
        return {"complete": self.complete, "runs": [run.to_dict() for run in self.runs], "errors": list(self.errors)}

    def __getitem__(self, at: Any) -> Any:
        return self.runs[at]

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[AuditRun]:
        return iter(self.runs)

    def __repr__(self) -> str:
        return f"SuiteRun({len(self.runs)} of {len(self.runs) + len(self.errors)} done)"

    def _repr_html_(self) -> str:
        sentences = [html.paragraph(f"{run.audit}: {one.text}") for run in self.runs for one in run.findings]
        errors = [html.paragraph(error) for error in self.errors]
        return html.block(repr(self), *errors, *sentences, html.table(self.metrics))


def open_run(folder: str | Path) -> AuditRun:
    """Return the run in a directory.

    Raises:
        BadInput: it is no run directory.

    Example:
        >>> import audits
        >>> audits.open_run(audits.run("limits/counting", "fake", limit=20).folder).status
        'success'
    """
    run = AuditRun(Path(folder))
    header.read(run.folder)
    return run

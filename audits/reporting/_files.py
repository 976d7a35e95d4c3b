"""Tables for other programs: CSV that no spreadsheet takes for formulas, and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audits.reporting._evidence import rank
from audits.reporting._page import ReportOptions
from audits.run_directory.files import file_name
from audits.run_directory.reader import Run
from audits.run_directory.rows import missing
from workbench.batch.export import neutralise

if TYPE_CHECKING:
    from pandas import DataFrame


def csv_text(table: DataFrame) -> str:
    """Return a table as CSV: null is empty, numbers have all their digits, dangerous text an apostrophe in front."""
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow([neutralise(str(name)) for name in table.columns])
    for line in table.itertuples(index=False, name=None):
        out.writerow(
            [
                "" if missing(value) else value if isinstance(value, bool | int | float) else neutralise(str(value))
                for value in line
            ]
        )
    return text.getvalue()


def metrics(runs: Sequence[Run]) -> DataFrame:
    """Return the metrics tables of all runs, one below the other."""
    import pandas as pd

    tables = [run.metrics for run in runs if len(run.metrics)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def write_csv(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write the metrics table."""
    _save(out, csv_text(metrics(runs)))


def write_parquet(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write the metrics table."""
    metrics(runs).to_parquet(out, index=False, compression="zstd")


def write_folder(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write metrics, findings, and the numbers of every figure and further table."""
    import pandas as pd

    out.mkdir(parents=True)
    _save(out / "metrics.csv", csv_text(metrics(runs)))
    fields = ("strength", "text", "metric", "effect", "p_adj", "n")
    findings = [
        {"audit": one.run.audit, "run_id": one.run.run_id, **{name: getattr(one.finding, name) for name in fields}}
        for one in rank(runs)
    ]
    _save(out / "findings.csv", csv_text(pd.DataFrame(findings)))
    for at, run in enumerate(runs, 1):
        folder = out / f"{at:02d}-{file_name(run.audit, 60)}"
        for figure in run.figures.values():
            _save(folder / f"figure-{file_name(figure.key, 60)}.csv", csv_text(figure.data))
        for number, (title, table) in enumerate(run.tables.items(), 1):
            _save(folder / f"table-{number:02d}-{file_name(title, 60)}.csv", csv_text(table))


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", errors="backslashreplace"))

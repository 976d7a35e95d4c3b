"""Tables for other programs: CSV that no spreadsheet takes for formulas, and Parquet.

Knows no report.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audits.reporting._evidence import rank
from audits.reporting._page import ReportOptions
from audits.reporting.record import Record
from workbench.batch.export import neutralise

if TYPE_CHECKING:
    from pandas import DataFrame


def csv_text(table: DataFrame) -> str:
    """Return a table as CSV: null is empty, numbers have all their digits, dangerous text an apostrophe in front."""
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow([neutralise(str(name)) for name in table.columns])
    for line in table.itertuples(index=False, name=None):
        out.writerow([_cell(value) for value in line])
    return text.getvalue()


def metrics(records: Sequence[Record]) -> DataFrame:
    """Return the metrics tables of all runs, one below the other."""
    import pandas as pd

    tables = [record.metrics for record in records if len(record.metrics)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def write_csv(records: Sequence[Record], options: ReportOptions, out: Path) -> None:
    """Write the metrics table."""
    _save(out, csv_text(metrics(records)))


def write_parquet(records: Sequence[Record], options: ReportOptions, out: Path) -> None:
    """Write the metrics table."""
    metrics(records).to_parquet(out, index=False, compression="zstd")


def write_folder(records: Sequence[Record], options: ReportOptions, out: Path) -> None:
    """Write metrics, findings, and the numbers of every figure and further table."""
    import pandas as pd

    out.mkdir(parents=True)
    _save(out / "metrics.csv", csv_text(metrics(records)))
    found = [
        {
            "audit": one.record.audit,
            "run_id": one.record.run_id,
            "strength": one.finding.strength,
            "text": one.finding.text,
            "metric": one.finding.metric,
            "effect": one.finding.effect,
            "p_adj": one.finding.p_adj,
            "n": one.finding.n,
        }
        for one in rank(records)
    ]
    _save(out / "findings.csv", csv_text(pd.DataFrame(found)))
    for at, record in enumerate(records, 1):
        folder = out / f"{at:02d}-{_file_name(record.audit)}"
        for figure in record.figures:
            _save(folder / f"figure-{_file_name(figure.key)}.csv", csv_text(figure.data))
        for number, (title, table) in enumerate(record.tables.items(), 1):
            _save(folder / f"table-{number:02d}-{_file_name(title)}.csv", csv_text(table))


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", errors="backslashreplace"))


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:60] or "x"


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and value != value) or str(value) == "<NA>":
        return ""
    return value if isinstance(value, bool | int | float) else neutralise(str(value))

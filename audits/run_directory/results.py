"""What a run leaves in its directory beside the header: samples, metrics, findings, figures and tables.

Every file is written under a temporary name and renamed. Equal numbers give equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.analysis import Analysis
from audits.run_directory.files import file_name, write, write_json
from audits.run_directory.header import Header
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame


METRICS, SAMPLES, FINDINGS, PROTOCOL = "metrics.parquet", "samples", "findings.json", "protocol.yaml"
PART, CSV = "part-0000.parquet", "metrics.csv"


def write_samples(folder: Path, samples: DataFrame) -> None:
    """Write one row an image, form and label set."""
    write(folder / SAMPLES / PART, lambda half: _parquet(half, samples))


def read_parquet(path: Path, columns: list[str] | None = None) -> DataFrame:
    """Return a table of a run.

    Raises:
        BadInput: it is missing, or cannot be read.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path, columns=columns)
    except FileNotFoundError:
        raise BadInput(f"The run has no {path.name!r}; `resume` makes it.") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"{path.name!r} of the run cannot be read: {str(error)[:200]}") from None


def write_analysis(folder: Path, analysis: Analysis, *, header: Header, texts: Mapping[str, str]) -> None:
    """Write measures, findings, figures and tables, in place of those of an earlier analysis.

    `texts` are `how_to_read` and `limits`, Markdown.
    """
    from workbench.statistics import measures

    metrics = named(measures.table(list(analysis.measures)), header)
    write(folder / METRICS, lambda half: _parquet(half, metrics))
    write(folder / CSV, lambda half: metrics.to_csv(half, index=False, lineterminator="\n"))
    _empty(folder / "figures", ".json")
    for figure in analysis.figures:
        facts = {name: value for name, value in vars(figure).items() if name != "data"}
        rows = [list(row) for row in figure.data.itertuples(index=False, name=None)]
        content = {**facts, "columns": list(map(str, figure.data.columns)), "rows": rows}
        write_json(folder / "figures" / f"{file_name(figure.key)}.json", content)
    _empty(folder / "tables", ".parquet")
    tables = []
    for title, table in (analysis.tables or {}).items():
        name = f"tables/{file_name(title)}.parquet"
        write(folder / name, lambda half, table=table: _parquet(half, table))  # type: ignore[misc]
        tables.append({"title": title, "file": name})
    findings = [{**asdict(one), "slice": dict(one.slice or {})} for one in analysis.findings]
    content = {"schema": 1, "findings": findings, "sanity": list(analysis.sanity), "tables": tables, **texts}
    write_json(folder / FINDINGS, content)


def named(metrics: DataFrame, header: Header) -> DataFrame:
    """Put the run's names in front of its measures."""
    spec, hashes = header.spec, header.hashes
    names: dict[str, Any] = {
        "run_id": header.run_id,
        "audit": spec.audit,
        "audit_version": spec.audit_version,
        "protocol": spec.protocol,
        "protocol_hash": hashes.protocol,
        "model": spec.model,
        "model_hash": hashes.model,
        "dataset": header.dataset.key,
        "dataset_hash": hashes.dataset,
    }
    for at, (name, value) in enumerate(names.items()):
        metrics.insert(at, name, value)
    return metrics


def _parquet(half: Path, table: DataFrame) -> None:
    table.reset_index(drop=True).to_parquet(half, index=False, compression="zstd")


def _empty(folder: Path, suffix: str) -> None:
    for old in folder.glob(f"*{suffix}") if folder.is_dir() else ():
        old.unlink()

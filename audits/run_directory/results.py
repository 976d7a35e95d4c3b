"""What a run leaves in its directory beside the header: samples, metrics, findings, figures and tables.

Every file is written under a temporary name and renamed. Equal numbers give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.analysis import Analysis, Figure
from audits.run_directory.files import sha256_of, write, write_json
from audits.run_directory.header import Header
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame


METRICS, SAMPLES, FINDINGS, PROTOCOL = "metrics.parquet", "samples", "findings.json", "protocol.yaml"
PART = "part-0000.parquet"
OF_RUN = (
    "run_id",
    "audit",
    "audit_version",
    "protocol",
    "protocol_hash",
    "model",
    "model_hash",
    "dataset",
    "dataset_hash",
)


def write_samples(folder: Path, samples: DataFrame) -> str:
    """Write one row an image, form and label set; return the hash of the file."""
    place = folder / SAMPLES / PART
    write(place, lambda half: _parquet(half, samples))
    return sha256_of(place)


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

    Args:
        folder: the run directory.
        analysis: what the audit says.
        header: names the run in every row.
        texts: `how_to_read` and `limits`, Markdown.
    """
    metrics = metrics_table(analysis, header)
    write(folder / METRICS, lambda half: _parquet(half, metrics))
    write(folder / "metrics.csv", lambda half: metrics.to_csv(half, index=False, lineterminator="\n"))
    _empty(folder / "figures", ".json")
    for figure in analysis.figures:
        write_json(folder / "figures" / f"{_slug(figure.key)}.json", _figure(figure))
    _empty(folder / "tables", ".parquet")
    tables = []
    for title, table in (analysis.tables or {}).items():
        name = f"tables/{_slug(title)}.parquet"
        write(folder / name, lambda half, table=table: _parquet(half, table))  # type: ignore[misc]
        tables.append({"title": title, "file": name})
    found = [
        {
            "text": one.text,
            "strength": one.strength,
            "metric": one.metric,
            "slice": dict(one.slice or {}),
            "effect": one.effect,
            "p_adj": one.p_adj,
            "n": one.n,
        }
        for one in analysis.findings
    ]
    content = {"schema": 1, "findings": found, "sanity": list(analysis.sanity), "tables": tables, **texts}
    write_json(folder / FINDINGS, content)


def metrics_table(analysis: Analysis, header: Header) -> DataFrame:
    """Return the measures, with the run's names in front."""
    from workbench.statistics.measures import table

    rows: DataFrame = table(list(analysis.measures))
    spec, hashes = header.spec, header.hashes
    named: tuple[str | int, ...] = (
        header.run_id,
        spec.audit,
        spec.audit_version,
        spec.protocol,
        hashes.protocol,
        spec.model,
        hashes.model,
        header.dataset.key,
        hashes.dataset,
    )
    for at, (column, value) in enumerate(zip(OF_RUN, named, strict=True)):
        rows.insert(at, column, value)
    return rows


def _figure(figure: Figure) -> dict[str, Any]:
    data = figure.data
    return {
        "key": figure.key,
        "title": figure.title,
        "kind": figure.kind,
        "x": figure.x,
        "y": figure.y,
        "alt": figure.alt,
        "columns": [str(name) for name in data.columns],
        "rows": [list(row) for row in data.itertuples(index=False, name=None)],
    }


def _parquet(half: Path, table: DataFrame) -> None:
    table.reset_index(drop=True).to_parquet(half, index=False, compression="zstd")


def _empty(folder: Path, suffix: str) -> None:
    for old in folder.glob(f"*{suffix}") if folder.is_dir() else ():
        old.unlink()


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:80] or "table"

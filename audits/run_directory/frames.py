"""Many runs as one table: a row per run, or the measures or samples of all of them one below the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from audits.run_directory.reader import Run, directories
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame


def runs_df(out: str | Path) -> DataFrame:
    """Return one row per run in a folder."""
    import pandas as pd

    rows = []
    for folder in directories(Path(out)):
        head = Run(folder).header
        rows.append(
            {
                "run_id": head.run_id,
                "status": head.status,
                "partial": head.partial,
                "audit": head.spec.audit,
                "audit_version": head.spec.audit_version,
                "model": head.spec.model,
                "dataset": head.dataset.key,
                "protocol": head.spec.protocol,
                "protocol_hash": head.hashes.protocol,
                "n": head.dataset.n,
                "excluded": len(head.dataset.excluded),
                "created": head.created,
                "finished": head.finished,
                "error": head.error,
                "folder": str(folder),
            }
        )
    return pd.DataFrame(rows)


def metrics_df(out: str | Path) -> DataFrame:
    """Return the measures of all finished runs in a folder, one below the other.

    Raises:
        BadInput: no finished run lies there.
    """
    return _together(Path(out), lambda run: run.metrics)


def samples_df(out: str | Path) -> DataFrame:
    """Return the samples of all finished runs in a folder, with their run_id in front.

    Raises:
        BadInput: no finished run lies there.
    """

    def named(run: Run) -> DataFrame:
        table = run.samples()
        table.insert(0, "run_id", run.run_id)
        return table

    return _together(Path(out), named)


def _together(out: Path, read: Callable[[Run], DataFrame]) -> DataFrame:
    import pandas as pd

    runs = [Run(folder) for folder in directories(out)]
    tables = [read(run) for run in runs if run.status == "success"]
    if not tables:
        raise BadInput(f"No finished run lies in {str(out)[-200:]!r}.")
    return pd.concat(tables, ignore_index=True)

"""Many runs as one table: a row per run, or the measures or samples of all of them one below the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from audits.run_directory.reader import Run, RunLike, directories
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame


def runs_df(runs: RunLike | Iterable[RunLike]) -> DataFrame:
    """Return one row per run; `runs` are runs, run directories or folders of them, one or many.

    Example:
        >>> import audits
        >>> run = audits.run("limits/counting", "fake", limit=20)
        >>> audits.runs_df([run])["run_id"].nunique()
        1
    """
    import pandas as pd

    rows = []
    for run in _all(runs):
        head = run.header
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
                "folder": str(run.folder),
            }
        )
    return pd.DataFrame(rows)


def metrics_df(runs: RunLike | Iterable[RunLike]) -> DataFrame:
    """Return the measures of all finished runs, one below the other; for `runs` see `runs_df`.

    Raises:
        BadInput: none of them is finished.

    Example:
        >>> import audits
        >>> run = audits.run("limits/counting", "fake", limit=20)
        >>> audits.metrics_df([run])["run_id"].nunique()
        1
    """
    return _together(runs, lambda run: run.metrics)


def samples_df(runs: RunLike | Iterable[RunLike]) -> DataFrame:
    """Return the samples of all finished runs, with their run_id in front; for `runs` see `runs_df`.

    Raises:
        BadInput: none of them is finished.

    Example:
        >>> import audits
        >>> run = audits.run("limits/counting", "fake", limit=20)
        >>> audits.samples_df([run])["run_id"].nunique()
        1
    """

    def named(run: Run) -> DataFrame:
        table = run.samples()
        table.insert(0, "run_id", run.run_id)
        return table

    return _together(runs, named)


def _together(given: RunLike | Iterable[RunLike], read: Callable[[Run], DataFrame]) -> DataFrame:
    import pandas as pd

    runs = _all(given)
    tables = [read(run) for run in runs if run.status == "success"]
    if not tables:
        names = ", ".join(run.folder.name for run in runs[:3])
        raise BadInput(f"None of the {len(runs)} runs is finished: {names}." if runs else "No run lies there.")
    return pd.concat(tables, ignore_index=True)


def _all(given: RunLike | Iterable[RunLike]) -> list[Run]:
    several = [given] if isinstance(given, str | os.PathLike) else given
    return [Run(folder) for one in several for folder in directories(Path(one))]

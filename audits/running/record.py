"""A run as it lies in its directory: header, metrics, samples, findings; and many runs as one table.

Reads only. Knows no model and no stage.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.running import folders, header, results
from audits.running.header import Header
from audits.running.notes import Provenance
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Run:
    """A run directory."""

    folder: Path

    @cached_property
    def header(self) -> Header:
        """All that is known of the run in short."""
        return header.read(self.folder)

    @property
    def status(self) -> str:
        """`success`, `incomplete`, `error` or `cancelled`."""
        return self.header.status

    @property
    def provenance(self) -> Provenance:
        """Where the numbers come from."""
        return self.header.provenance

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing a number."""
        return self.header.warnings

    @cached_property
    def metrics(self) -> DataFrame:
        """One row a measure, with interval, method and n."""
        return results.read_metrics(self.folder)

    def samples(self, columns: list[str] | None = None) -> DataFrame:
        """Read one row a picture, form and label set."""
        return results.read_samples(self.folder, columns)

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """Sentences that the numbers support."""
        return list(self.told["findings"])

    @cached_property
    def told(self) -> dict[str, Any]:
        """What `findings.json` holds: findings, sanity, tables, how_to_read, limits."""
        return _object(self.folder / results.FINDINGS)

    @cached_property
    def figures(self) -> dict[str, dict[str, Any]]:
        """Charts as data, by key."""
        files = sorted((self.folder / "figures").glob("*.json"))
        return {str(figure["key"]): figure for figure in map(_object, files)}

    def report(self, path: str | Path, *, thumbnails: str = "none") -> Path:
        """Write a report; the ending says which kind.

        Args:
            path: ends in .html, .pdf, .json, .md, .xml, or names a folder for CSV.
            thumbnails: none, blurred or full.
        """
        from audits import reporting

        reporting.write([self.folder], Path(path), thumbnails=thumbnails)
        return Path(path)


def open_run(folder: str | Path) -> Run:
    """Return the run in a directory.

    Raises:
        BadInput: it is no run directory.
    """
    run = Run(Path(folder))
    header.read(run.folder)
    return run


def runs_df(out: str | Path) -> DataFrame:
    """Return one row a run in a folder."""
    import pandas as pd

    rows = []
    for folder in folders.every(Path(out)):
        head = header.read(folder)
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
        table.insert(0, "run_id", run.header.run_id)
        return table

    return _together(Path(out), named)


def _together(out: Path, read: Callable[[Run], DataFrame]) -> DataFrame:
    import pandas as pd

    runs = [Run(folder) for folder in folders.every(out)]
    done = [read(run) for run in runs if run.status == "success"]
    if not done:
        raise BadInput(f"No finished run lies in {str(out)[-200:]!r}.")
    return pd.concat(done, ignore_index=True)


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadInput(
            f"{path.name!r} of the run {path.parent.name!r} cannot be read; `resume` works it out."
        ) from None
    return dict(found)

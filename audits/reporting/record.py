"""One run as a report sees it: the header, the protocol and the tables of a run directory.

Knows no page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.analysis import Figure, Finding
from workbench.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from pandas import DataFrame

HEADER = "run.json"


@dataclass(frozen=True)
class Record:
    """A run directory, read; the samples are read when they are asked for."""

    path: Path
    header: Mapping[str, Any]  # `run.json`
    protocol: Mapping[str, Any]  # `protocol.yaml`
    metrics: DataFrame
    findings: Sequence[Finding] = ()
    sanity: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Mapping[str, DataFrame] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)  # `how_to_read` and `limits`, Markdown

    def samples(self) -> DataFrame:
        """Return the samples: one row a picture, form and label set; empty where the run kept none."""
        import pandas as pd

        parts = sorted((self.path / "samples").glob("*.parquet"))
        return pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True) if parts else pd.DataFrame()

    def of(self, *keys: str, default: Any = "") -> Any:
        """Return what the header says at a path of keys, or `default`."""
        here: Any = self.header
        for key in keys:
            here = here.get(key) if isinstance(here, Mapping) else None
        return default if here is None else here

    @property
    def run_id(self) -> str:
        """The run's own name."""
        return str(self.of("run_id"))

    @property
    def audit(self) -> str:
        """Key of the audit."""
        return str(self.of("spec", "audit"))

    @property
    def model(self) -> str:
        """The model's title, or its key."""
        return str(self.of("model", "title") or self.of("spec", "model"))

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is known of each picture beside its label."""
        return tuple(str(name) for name in self.of("dataset", "attributes", default=()))


def find(paths: Sequence[Path | str] | Path | str) -> list[Path]:
    """Return the run directories among and below some folders, in order of name.

    Raises:
        UnknownName: a folder is not there, or none of them holds a run.
    """
    given = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    runs: list[Path] = []
    for folder in given:
        if not folder.is_dir():
            raise UnknownName(f"There is no run directory {folder.name!r}.")
        below = [] if (folder / HEADER).is_file() else sorted(path.parent for path in folder.glob(f"*/{HEADER}"))
        runs += [folder] if (folder / HEADER).is_file() else below
    if not runs:
        names = ", ".join(repr(folder.name) for folder in given)
        raise UnknownName(f"A run directory holds {HEADER}; neither {names} nor a folder in it does.")
    return runs


def read(path: Path) -> Record:
    """Read a run directory.

    Raises:
        BadInput: a file is missing or damaged.
    """
    import pandas as pd
    import pyarrow as pa
    import yaml

    try:
        header = _json(path / HEADER)
        rules = yaml.safe_load((path / "protocol.yaml").read_text(encoding="utf-8"))
        if not isinstance(header, dict) or not isinstance(rules, dict):
            raise ValueError(f"{HEADER} and protocol.yaml hold names and values")
        said = _json(path / "findings.json") if (path / "findings.json").is_file() else {}
        metrics = path / "metrics.parquet"
        return Record(
            path=path,
            header=header,
            protocol=rules,
            metrics=pd.read_parquet(metrics) if metrics.is_file() else pd.DataFrame(),
            findings=[_finding(row) for row in said.get("findings", ())],
            sanity=[str(line) for line in said.get("sanity", ())],
            figures=[_figure(_json(file)) for file in sorted((path / "figures").glob("*.json"))],
            tables={row["title"]: pd.read_parquet(path / row["file"]) for row in said.get("tables", ())},
            texts={name: str(said.get(name, "")) for name in ("how_to_read", "limits")},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError, pa.ArrowException) as error:
        raise BadInput(f"The run directory {path.name!r} cannot be read: {str(error)[:200]}") from None


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(**{key: value for key, value in row.items() if key in Finding.__dataclass_fields__})


def _figure(told: Mapping[str, Any]) -> Figure:
    import pandas as pd

    data = pd.DataFrame(told["rows"], columns=list(told["columns"]))
    return Figure(told["key"], told["title"], told["kind"], data, told["x"], told["y"], told["alt"])

"""The one reader of run directories: header, protocol, metrics, samples, findings, figures, each when it is needed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from audits.analysis import Figure, Finding
from audits.errors import Tampered
from audits.run_directory import header, results, seal
from audits.run_directory.header import Header
from audits.run_directory.header_parts import Provenance
from workbench.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from pandas import DataFrame

RunLike: TypeAlias = str | os.PathLike[str]  # a run, its directory, or a folder of run directories


@dataclass(frozen=True)
class Run:
    """A run directory."""

    folder: Path
    allow_unfinished: bool = False  # what an unfinished run does not have yet reads as empty, in place of an error

    def __fspath__(self) -> str:
        return str(self.folder)

    @cached_property
    def header(self) -> Header:
        """What was asked, of which model and data, and how the run ended."""
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

    @property
    def run_id(self) -> str:
        """Equal for equal questions."""
        return self.header.run_id

    @property
    def audit(self) -> str:
        """Key of the audit."""
        return self.header.spec.audit

    @property
    def model(self) -> str:
        """The model's title, or its key."""
        return str(self.header.model.get("title") or self.header.spec.model)

    @cached_property
    def protocol(self) -> dict[str, Any]:
        """The protocol as it lies in the directory, with the settings that were used."""
        import yaml

        content = self._read(results.PROTOCOL, yaml.safe_load)
        if not isinstance(content, dict):
            raise BadInput(f"{results.PROTOCOL} of the run {self.folder.name!r} holds no protocol.")
        return content

    @cached_property
    def metrics(self) -> DataFrame:
        """One row per measure, with interval, method and n."""
        import pandas as pd

        if self._unfinished(results.METRICS):
            return pd.DataFrame()
        return results.read_parquet(self.folder / results.METRICS)

    def samples(self, columns: list[str] | None = None) -> DataFrame:
        """Read one row per image, variant and label set.

        Raises:
            BadInput: the run kept none.
        """
        return results.read_parquet(self.folder / results.SAMPLES / results.PART, columns)

    @cached_property
    def findings(self) -> list[Finding]:
        """Sentences that the numbers support."""
        fields = Finding.__dataclass_fields__
        return [Finding(**{key: row[key] for key in row if key in fields}) for row in self._analysis["findings"]]

    @cached_property
    def sanity(self) -> list[str]:
        """Warnings about the run itself."""
        return [str(line) for line in self._analysis.get("sanity", ())]

    @cached_property
    def texts(self) -> dict[str, str]:
        """`how_to_read` and `limits`, Markdown."""
        return {name: str(self._analysis.get(name, "")) for name in ("how_to_read", "limits")}

    @cached_property
    def tables(self) -> dict[str, DataFrame]:
        """Further tables by title."""
        rows = self._analysis.get("tables", ())
        return {row["title"]: results.read_parquet(self.folder / row["file"]) for row in rows}

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Charts as data, by key."""
        import pandas as pd

        figures: dict[str, Figure] = {}
        for path in sorted((self.folder / "figures").glob("*.json")):
            row = self._read(f"figures/{path.name}", json.loads)
            data = pd.DataFrame(row["rows"], columns=list(row["columns"]))
            facts = {name: row[name] for name in ("key", "title", "kind", "x", "y", "alt")}
            figures[row["key"]] = Figure(data=data, **facts)
        return figures

    @cached_property
    def _analysis(self) -> Mapping[str, Any]:
        if self._unfinished(results.FINDINGS):
            return {"findings": ()}
        content = self._read(results.FINDINGS, json.loads)
        if not isinstance(content, dict) or not isinstance(content.get("findings"), list):
            raise BadInput(f"{results.FINDINGS} of the run {self.folder.name!r} holds no findings.")
        return content

    def _unfinished(self, name: str) -> bool:
        """Say whether a file may be missing, and is.

        Raises:
            Tampered: the file of a finished run is missing.
            BadInput: an unfinished run does not have it yet.
        """
        if (self.folder / name).is_file():
            return False
        if self.status == "success":
            raise Tampered(f"The run {self.folder.name!r} is not what was measured: {name} is missing.")
        if not self.allow_unfinished:
            raise BadInput(f"The run {self.folder.name!r} has no {name} yet; `resume` makes it.")
        return True

    def text(self, name: str) -> str:
        """Read a file of the run."""
        content: str = self._read(name, str)
        return content

    def _read(self, name: str, parse: Callable[[str], Any]) -> Any:
        import yaml

        try:
            return parse((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise BadInput(f"{name} of the run {self.folder.name!r} cannot be read: {str(error)[:200]}.") from None


def open_run(folder: str | Path) -> Run:
    """Return the run in a directory.

    Raises:
        BadInput: it is no run directory.
    """
    run = Run(Path(folder))
    header.read(run.folder)
    return run


def open_runs(paths: Iterable[RunLike] | RunLike) -> list[Run]:
    """Return runs, those in run directories, or in folders of them, in order of name, with the seals checked.

    Raises:
        UnknownName: a folder is missing, or none of them holds a run.
        Tampered: a finished run is not what was written.
    """
    folders = [Path(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    for folder in folders:
        if not folder.is_dir():
            raise UnknownName(f"There is no run directory {folder.name!r}.")
    runs = [Run(place, allow_unfinished=True) for folder in folders for place in directories(folder)]
    if not runs:
        names = " or ".join(repr(folder.name) for folder in folders)
        raise UnknownName(f"No run directory (one that holds {header.FILE}) lies in {names}.")
    for run in runs:
        seal.read_checked(run.folder)
    return runs


def directories(folder: Path) -> list[Path]:
    """Return all run directories in a folder, or the folder itself where it is one, in order of their names."""
    if (folder / header.FILE).is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"*/{header.FILE}"))

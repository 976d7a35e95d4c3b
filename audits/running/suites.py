"""Suites: lists of jobs in a YAML file, run as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Unpack

from pydantic import ConfigDict, Field, ValidationError

from audits import catalogue
from audits.run_directory.header import Header
from audits.running.api import Done, run_jobs
from audits.running.jobs import AuditJob, Options, make
from workbench.errors import BadInput, unknown_name
from workbench.strict import Strict, reason
from workbench.yaml_file import load

FOLDER = Path(__file__).parents[1] / "suites"
REPORT = "report.html"


class Entry(Strict):
    """One audit of a suite."""

    audit: str
    dataset: str | None = None  # the audit's own built-in set when not given
    protocol: str | None = None  # the audit's first when not given
    set: dict[str, Any] = Field(default_factory=dict)


class Suite(Strict):
    """A list of jobs."""

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    title: str
    notes: str = ""
    jobs: tuple[Entry, ...] = Field(min_length=1)


def names() -> tuple[str, ...]:
    """Return the names of the suites that are shipped."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def read(name: str) -> Suite:
    """Return a shipped suite by its name, or the one in a file; which audits a shipped one holds stands in their rows.

    Raises:
        UnknownName: no such suite or file.
        BadInput: a file that is no suite.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if path.parent == FOLDER and path.stem not in names():
        raise unknown_name("suite", name, names())
    content = load(path, "suite")
    if path.parent == FOLDER and isinstance(content, dict):
        content["jobs"] = [{"audit": row.key} for row in catalogue.AUDITS.values() if path.stem in row.suites]
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        raise BadInput(f"The suite {path.name!r} cannot be used: {reason(error)}.") from None


def jobs(suite: Suite, models: tuple[str, ...], options: Options) -> list[AuditJob]:
    """Return a suite's jobs for each model.

    Raises:
        UnknownName, BadInput: a name or a setting that cannot be used, before anything runs.
    """
    for entry in suite.jobs:
        catalogue.find(entry.audit)
    return [
        make(entry.audit, model, entry.dataset, rules=entry.protocol, options={**options, "settings": entry.set})
        for model in models
        for entry in suite.jobs
    ]


def report(done: Sequence[Done], out: Path) -> Path | None:
    """Write one report of all finished runs into `out`; None where there is none."""
    folders = [one.run.folder for one in done if one.run is not None and one.run.status == "success"]
    if not folders:
        return None
    from audits import reporting

    path = out / REPORT
    reporting.write(folders, path)
    return path


def run_suite(
    suite: str | Path, model: str | Sequence[str] = "pocket", *, out: str | Path = "runs", **options: Unpack[Options]
) -> tuple[bool, list[Header]]:
    """Run a suite and write one report of it; the same call again continues what was interrupted.

    `suite` is a shipped name or a YAML file; `out` is the folder of run directories and of the report.

    Returns:
        Whether every job succeeded, and the headers of those that did.
    """
    models = (model,) if isinstance(model, str) else tuple(model)
    done = list(run_jobs(jobs(read(str(suite)), models, options), Path(out), **options))
    report(done, Path(out))
    headers = [one.run.header for one in done if one.run is not None]
    return len(headers) == len(done) and all(head.status == "success" for head in headers), headers

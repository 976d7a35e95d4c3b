"""Suites: lists of jobs in a YAML file, run as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast

from pydantic import ConfigDict, Field, ValidationError

from audits import catalogue
from audits.audit_run import SuiteRun
from audits.running.api import Done, opened, run_jobs, watched
from audits.running.jobs import AuditJob, Options, make
from workbench.errors import BadInput, unknown_name
from workbench.strict import Strict, reason
from workbench.yaml_file import load

if TYPE_CHECKING:
    from workbench.surface import ModelLike
    from workbench.watching import Watch

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
    suite: str | Path,
    model: ModelLike | Sequence[ModelLike] = "pocket",
    *,
    out: str | Path = "runs",
    progress: Watch = None,
    **options: Unpack[Options],
) -> SuiteRun:
    """Run a suite and write one report of it; the same call again continues what was interrupted.

    Args:
        suite: a shipped name (quick, standard, release …) or a YAML file.
        model: one or several; see `run`.
        out: the folder of run directories and of the report.
        progress: see `run`.
        options: see `Options`.

    Raises:
        UnknownName, BadInput: a name or a setting that cannot be used, before anything runs.
        WeightsMissing, WeightsRefused, OutOfResources: a model cannot be loaded.
        Cancelled: stopped; all runs can be continued.

    Example:
        >>> import audits
        >>> from pathlib import Path
        >>> _ = Path("small.yaml").write_text("{schema: 1, title: Small, jobs: [{audit: limits/counting}]}")
        >>> audits.run_suite("small.yaml", "fake", limit=20).complete
        True
    """
    several = cast("Sequence[ModelLike]", model if isinstance(model, list | tuple) else [model])
    pairs = [opened(one, options) for one in several]
    planned = [(jobs(read(str(suite)), (key,), given), given) for key, given in pairs]
    done: list[Done] = []
    for rows, given in planned:
        with watched(given, progress) as watch:
            done += run_jobs(rows, Path(out), **watch)
    report(done, Path(out))
    errors = tuple(f"{one.job.name}: {one.error}" for one in done if one.run is None)
    return SuiteRun(tuple(one.run for one in done if one.run is not None), errors)

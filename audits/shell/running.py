"""`run`, `resume` and `score`: audits of models on data sets, each into a run directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audits.shell.job_bar import job_bar
from workbench.cli import options as option
from workbench.cli.output import say, write, write_json, write_result
from workbench.errors import FAILED, INCOMPLETE, UnknownName

if TYPE_CHECKING:
    from audits.run_directory.reader import Run
    from audits.running.api import Done
    from audits.running.jobs import AuditJob, Options


def run(
    audits: Annotated[list[str], typer.Argument(metavar="AUDIT…", help="Keys of `list audits`.")],
    model: option.ModelsOption = ["pocket"],  # noqa: B006
    dataset: option.DatasetsOption = None,
    protocol: option.ProtocolOption = None,
    set_: option.SetOption = None,
    limit: option.LimitOption = None,
    seed: option.SeedOption = 0,
    seeds: option.SeedsOption = 1,
    engine: option.EngineOption = "local",
    workers: option.WorkersOption = 1,
    device: option.DeviceOption = "auto",
    dtype: option.DtypeOption = "float32",
    again: option.AgainOption = False,
    download: option.DownloadOption = False,
    out: option.OutOption = Path("runs"),
    html: option.HtmlOption = False,
    as_json: option.JsonOption = False,
) -> None:
    """Run audits; the same command again continues what was interrupted, and skips what is done."""
    from audits.running import suites
    from audits.running.jobs import make

    options: Options = {"settings": option.settings(set_), "limit": limit, "engine": engine, "workers": workers}
    options |= {"device": device, "dtype": dtype, "download": download}
    jobs = [
        make(audit, key, data, rules=protocol, options={**options, "seed": one})
        for key in dict.fromkeys(model)
        for audit in dict.fromkeys(audits)
        for data in dict.fromkeys(dataset or [None])  # type: ignore[list-item]
        for one in range(seed, seed + seeds)
    ]
    done = go(jobs, out, again=again)
    _print_spread([one.run for one in done if one.run is not None])
    print_runs(done, as_json=as_json, report=suites.report(done, out) if html else None)
    leave(done)


def resume(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, or a folder of them.")],
    engine: option.EngineOption = "local",
    as_json: option.JsonOption = False,
) -> None:
    """Continue interrupted runs as their headers say; finished runs stay as they are."""
    from audits.run_directory import header
    from audits.run_directory.reader import directories
    from audits.running import api

    folders = directories(folder)
    if not folders:
        raise UnknownName(f"No run lies in {str(folder)[-200:]!r}.")
    waiting = [one for one in folders if header.read(one).status != "success"]
    finished = []
    with job_bar() as shown:
        for one in waiting:
            job = api.job_of(one, header.read(one), {})
            finished.append(api.Done(job, api.resume(one, engine=engine, watch=shown)))
    say(f"{len(waiting)} of {len(folders)} runs were continued.")
    print_runs(finished, as_json=as_json)
    if finished:
        leave(finished)


def score(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    stored: Annotated[bool, typer.Option("--stored", help="Keep the samples, and only analyse again.")] = False,
    as_json: option.JsonOption = False,
) -> None:
    """Compute samples and measures again from cached embeddings, without the model."""
    from audits.running import api

    done = api.score(folder, stored=stored)
    result = {"run": str(done.folder), "status": done.status, "measures": len(done.metrics)}
    write_result(result, str(done.folder), as_json=as_json)


def go(jobs: Sequence[AuditJob], out: Path, *, again: bool = False) -> list[Done]:
    """Do jobs with a progress bar; say what became of each."""
    from audits.running.api import run_jobs

    finished: list[Done] = []
    for warning in dict.fromkeys(text for job in jobs for text in (job.audit.intended_use, job.rules.content_warning)):
        if warning:
            say(" ".join(warning.split()))
    with job_bar() as shown:
        for done in run_jobs(jobs, out, again=again, watch=shown):
            finished.append(done)
            where = done.error if done.run is None else str(done.run.folder)
            say(f"{len(finished)}/{len(jobs)}  {done.job.name}: {where}")
            for warning in done.run.warnings if done.run is not None else ():
                say(f"  note: {warning}")
    return finished


def _print_spread(runs: Sequence[Run]) -> None:
    """Say how far the numbers of runs that differ in their seed alone lie apart."""
    from audits.findings import amount
    from audits.seed_spread import PREFIX, between_seeds, groups

    for group in groups(runs):
        spreads = between_seeds(group)
        for row in (row for row in spreads if row.value):
            about = ", ".join(filter(None, (row.label_set, row.slice_by.replace(",", " and "))))
            text = amount(row).replace(f", n = {row.n}", "")
            name = row.metric.removeprefix(PREFIX) + (f" ({about})" if about else "")
            say(f"between {len(group)} seeds, {group[0].audit}: {name}: standard deviation {text}")
        same = sum(not row.value for row in spreads)
        say(f"between {len(group)} seeds, {group[0].audit}: {same} of {len(spreads)} numbers are equal for all.")


def print_runs(finished: Sequence[Done], *, as_json: bool, report: Path | None = None) -> None:
    """Write what was done to stdout: run directories and the report, or all of it as JSON."""
    if as_json:
        write_json([{**outcome(done), **({"report": str(report)} if report else {})} for done in finished])
        return
    for done in finished:
        if done.run is not None:
            write(str(done.run.folder))
    if report:
        write(str(report))


def outcome(done: Done) -> dict[str, Any]:
    """Return what became of a job, for JSON."""
    row: dict[str, Any] = {"audit": done.job.audit.key, "model": done.job.model, "dataset": done.job.dataset}
    if done.run is None:
        return {**row, "status": "error", "error": done.error, "run": None}
    head = done.run.header
    row |= {"status": head.status, "run": str(done.run.folder), "run_id": head.run_id, "partial": head.partial}
    row |= {"excluded": len(head.dataset.excluded), "warnings": head.warnings}
    return {**row, "findings": [finding.text for finding in done.run.findings]}


def leave(finished: Sequence[Done]) -> None:
    """Exit with 3 where a run failed or images are left out; with the failure's own code where all failed alike.

    Raises:
        typer.Exit: with another code than 0.
    """
    failed = [done for done in finished if done.run is None]
    codes = {done.exit_code for done in failed}
    if failed and len(failed) == len(finished) and len(codes) == 1 and FAILED not in codes:
        raise typer.Exit(codes.pop())
    if failed or any(done.run is not None and done.run.header.dataset.excluded for done in finished):
        raise typer.Exit(INCOMPLETE)

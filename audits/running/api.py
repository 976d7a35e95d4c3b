"""Run an audit, or many, from Python: the functions behind `audits.run` and `audits.run_suite`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from audits.audit_run import AuditRun, open_run
from audits.contracts import Audit
from audits.protocol import Protocol as Rules
from audits.run_directory import header, results, seal
from audits.run_directory.header import Header
from audits.running.jobs import AuditJob, Options, make
from audits.running.performing import RunContext, perform, run_context
from audits.running.scoring import analyse, score_again
from audits.running.vectors import VectorStore
from workbench.errors import BadInput, Cancelled, WorkbenchError
from workbench.model import Model
from workbench.surface import as_model
from workbench.watching import Watch, watching

if TYPE_CHECKING:
    from workbench.surface import ModelLike


@dataclass(frozen=True)
class Done:
    """What became of one job."""

    job: AuditJob
    run: AuditRun | None  # None where it failed before there was a directory
    error: str = ""
    exit_code: int = 0


def run(
    audit: str | Audit,
    model: ModelLike = "pocket",
    dataset: str | None = None,
    *,
    protocol: str | Rules | None = None,
    out: str | Path = "runs",
    progress: Watch = None,
    **options: Unpack[Options],
) -> AuditRun:
    """Run one audit, or continue it where an equal run was interrupted; a run that is done is returned as it is.

    Args:
        audit: a key of the catalogue, or a row of one's own.
        model: a key, a folder with a checkpoint, or what `workbench.load` returns.
        dataset: `folder:PATH`, `csv:PATH`, `hf:NAME`, or a built-in key; the audit's own built-in set when not given.
        protocol: name or file of a protocol, or one itself; the audit's first when not given.
        out: the folder of run directories.
        progress: None (a bar where a terminal or a notebook looks), True, False, or a function of each `Progress`.
        options: see `Options`.

    Raises:
        BadInput: something that was given cannot be used.
        NothingMeasured: no image can be used.
        Cancelled: stopped by the token; the run can be continued.

    Example:
        >>> import audits
        >>> run = audits.run("limits/counting", "fake", limit=20)
        >>> run.status, len(run.metrics) > 0
        ('success', True)
    """
    key, given = opened(model, options)
    job = make(audit, key, dataset, rules=protocol, options=given)
    with watched(given, progress) as watch:
        (done,) = _each([job], Path(out), watch, strict=True)
    if done.run is None:
        raise BadInput(done.error)
    return done.run


def opened(model: ModelLike, options: Options) -> tuple[str, Options]:
    """Return a model's key, and the options with the model itself where it is loaded already."""
    if isinstance(model, str | os.PathLike):
        return os.fspath(model), options
    one = as_model(model)
    return one.key, {**options, "session": one, "dtype": one.dtype}


@contextmanager
def watched(options: Options, progress: Watch) -> Iterator[Options]:
    """Give options whose `watch` shows progress, where they have none."""
    if "watch" in options:
        yield options
        return
    with watching(progress) as report:
        yield {**options, "watch": lambda job, now: report(replace(now, stage=f"{job.name} {now.stage}"))}


def run_jobs(jobs: Sequence[AuditJob], out: Path, **options: Unpack[Options]) -> Iterator[Done]:
    """Do jobs one after the other; one that fails does not stop the others.

    Raises:
        WeightsMissing, WeightsRefused, OutOfResources: a model cannot be loaded.
        Cancelled: stopped by the token; all runs can be continued.
    """
    yield from _each(jobs, out, options, strict=False)


def resume(folder: str | Path, **options: Unpack[Options]) -> AuditRun:
    """Continue an interrupted run from what its header says.

    Raises:
        BadInput: no run directory; the data set or the model has changed since.

    Example:
        >>> import audits
        >>> audits.resume(audits.run("limits/counting", "fake", limit=20).folder).status
        'success'
    """
    head = header.read(Path(folder))
    job = job_of(Path(folder), head, options)
    done = next(iter(_each([job], Path(folder).parent, options, strict=True)))
    if done.run is None or done.run.folder.resolve() != Path(folder).resolve():
        raise BadInput(
            f"The run {Path(folder).name!r} cannot be continued: its data set, its model or the audit's version has "
            "changed since. A new run was made beside it."
        )
    return done.run


def again_into(folder: Path, out: Path, options: Options) -> AuditRun:
    """Do a run once more, from the images on, into another folder; nothing that is kept is used."""
    job = job_of(folder, header.read(folder), options)
    fresh: Options = {**options, "store": VectorStore(out / "vectors")}
    (done,) = _each([job], out / "runs", fresh, strict=True)
    if done.run is None:
        raise BadInput(done.error)
    return done.run


def score(folder: str | Path, *, stored: bool = False) -> AuditRun:
    """Compute samples and measures again from cached embeddings, without the model.

    With `stored` the samples stay as they are, and are only analysed again.

    Raises:
        BadInput: no run directory, or embeddings that are no longer cached.
        Tampered: a finished run is not what was written.

    Example:
        >>> import audits
        >>> audits.score(audits.run("limits/counting", "fake", limit=20).folder).status
        'success'
    """
    place = Path(folder)
    head = seal.read_checked(place)
    job = job_of(place, head, {})
    if not stored:
        head = score_again(place, head, job)
    analyse(place, head, job=job)
    return open_run(place)


def job_of(folder: Path, head: Header, options: Options) -> AuditJob:
    """Return the job that a run was made for, with the protocol that lies in its directory."""
    from audits.protocol import read_file

    spec = head.spec
    given: Options = {"seed": spec.seed, "limit": spec.limit, "dtype": spec.dtype, "device": spec.device}
    given["engine"] = options.get("engine", "local")
    rules = read_file(folder / results.PROTOCOL, spec.audit)
    return make(options.get("row", spec.audit), spec.model, spec.dataset, rules=rules, options=given)


def _each(jobs: Sequence[AuditJob], out: Path, options: Options, *, strict: bool) -> Iterator[Done]:
    """Do jobs, those of one model together."""
    groups: dict[tuple[str, str, str], list[AuditJob]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.device, job.dtype), []).append(job)
    for group in groups.values():
        with ExitStack() as stack:
            try:
                context = stack.enter_context(_context(group[0], options))
            except WorkbenchError as error:
                if strict or len(group) == len(jobs):
                    raise
                yield from (Done(job, None, str(error), error.exit_code) for job in group)
                continue
            for job in group:
                yield _one(job, out, context, watch=options.get("watch"), strict=strict)


def _one(job: AuditJob, out: Path, context: RunContext, *, watch: Any, strict: bool) -> Done:
    try:
        going = perform(job, out, context)
        while True:
            try:
                progress = next(going)
            except StopIteration as end:
                return Done(job, AuditRun(end.value))
            if watch is not None:
                watch(job, progress)
    except Cancelled:
        raise
    except WorkbenchError as error:
        if strict:
            raise
        return Done(job, None, str(error), error.exit_code)
    except Exception as error:  # boundary: between jobs; the run directory holds the whole error
        if strict:
            raise
        return Done(job, None, f"{type(error).__name__}: {error}", 1)


@contextmanager
def _context(job: AuditJob, options: Options) -> Iterator[RunContext]:
    """Open a session for a job's model, with an engine of its own, unless one was given."""
    from workbench.engine import Engine

    token, again, store = options.get("token"), options.get("again", False), options.get("store")
    given = options.get("session")
    if given is not None:
        yield run_context(given.session if isinstance(given, Model) else given, store=store, token=token, again=again)
        return
    with (
        Engine(default=job.model, device=job.device, dtype=job.dtype) as engine,
        engine.session("audits", token=token) as session,
    ):
        yield run_context(session, store=store, token=token, again=again)

"""Run an audit, or many, from Python: the functions behind `audits.run` and `audits.run_suite`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from audits.contracts import Audit
from audits.protocol import Protocol as Rules
from audits.run_directory import header, results, seal
from audits.run_directory.header import Header
from audits.run_directory.reader import Run, open_run
from audits.running.jobs import AuditJob, Options, make
from audits.running.performing import RunContext, perform, run_context
from audits.running.scoring import analyse, score_again
from audits.running.vectors import VectorStore
from workbench.errors import BadInput, Cancelled, WorkbenchError


@dataclass(frozen=True)
class Done:
    """What became of one job."""

    job: AuditJob
    run: Run | None  # None where it failed before there was a directory
    error: str = ""
    exit_code: int = 0


def run(
    audit: str | Audit,
    model: str = "pocket",
    dataset: str | None = None,
    *,
    protocol: str | Rules | None = None,
    out: str | Path = "runs",
    **options: Unpack[Options],
) -> Run:
    """Run one audit, or continue it where an equal run was interrupted; a run that is done is returned as it is.

    Args:
        audit: a key of the catalogue, or a row of one's own.
        model: a key of `workbench.models`, or a folder with a checkpoint.
        dataset: `folder:PATH`, `csv:PATH`, `hf:NAME`, or a built-in key; the audit's own built-in set when not given.
        protocol: name or file of a protocol, or one itself; the audit's first when not given.
        out: the folder of run directories.
        options: see `Options`.

    Raises:
        BadInput: something that was given cannot be used.
        NothingMeasured: no image can be used.
        Cancelled: stopped by the token; the run can be continued.
    """
    job = make(audit, model, dataset, rules=protocol, options=options)
    (done,) = _each([job], Path(out), options, strict=True)
    if done.run is None:
        raise BadInput(done.error)
    return done.run


def run_jobs(jobs: Sequence[AuditJob], out: Path, **options: Unpack[Options]) -> Iterator[Done]:
    """Do jobs one after the other; one that fails does not stop the others.

    Raises:
        WeightsMissing, WeightsRefused, OutOfResources: a model cannot be loaded.
        Cancelled: stopped by the token; all runs can be continued.
    """
    yield from _each(jobs, out, options, strict=False)


def resume(folder: str | Path, **options: Unpack[Options]) -> Run:
    """Continue an interrupted run from what its header says.

    Raises:
        BadInput: no run directory; the data set or the model has changed since.
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


def again_into(folder: Path, out: Path, options: Options) -> Run:
    """Do a run once more, from the images on, into another folder; nothing that is kept is used."""
    job = job_of(folder, header.read(folder), options)
    fresh: Options = {**options, "store": VectorStore(out / "vectors")}
    (done,) = _each([job], out / "runs", fresh, strict=True)
    if done.run is None:
        raise BadInput(done.error)
    return done.run


def score(folder: str | Path, *, stored: bool = False) -> Run:
    """Compute samples and measures again from cached embeddings, without the model.

    With `stored` the samples stay as they are, and are only analysed again.

    Raises:
        BadInput: no run directory, or embeddings that are no longer cached.
        Tampered: a finished run is not what was written.
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
                return Done(job, Run(end.value))
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
        yield run_context(given, store=store, token=token, again=again)
        return
    with (
        Engine(default=job.model, device=job.device, dtype=job.dtype) as engine,
        engine.session("audits", token=token) as session,
    ):
        yield run_context(session, store=store, token=token, again=again)

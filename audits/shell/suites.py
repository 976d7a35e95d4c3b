"""`suite` and `plan`: a list of audits as one, ending in one report; and what it would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audits.shell.running import go, leave, outcome
from workbench.cli import options as option
from workbench.cli.output import complain, say, write, write_json, write_rows

if TYPE_CHECKING:
    from audits.running.jobs import AuditJob, Options
    from audits.running.planning import Cost


def suite(
    name: Annotated[str, typer.Argument(metavar="SUITE", help="A name of `list suites`, or a YAML file.")],
    model: option.ModelsOption = ["pocket"],  # noqa: B006
    limit: option.LimitOption = None,
    seed: option.SeedOption = 0,
    engine: option.EngineOption = "local",
    workers: option.WorkersOption = 1,
    device: option.DeviceOption = "auto",
    dtype: option.DtypeOption = "float32",
    again: option.AgainOption = False,
    out: option.OutOption = Path("runs"),
    html: Annotated[
        bool, typer.Option("--html/--no-html", help="Write one HTML report of the suite to report.html in --out.")
    ] = True,
    as_json: option.JsonOption = False,
) -> None:
    """Run a suite and write one report of it; the same command again continues, and skips what is done."""
    from audits.running import suites

    options: Options = {"limit": limit, "seed": seed, "engine": engine, "workers": workers}
    options |= {"device": device, "dtype": dtype}
    jobs = suites.jobs(suites.read(name), tuple(dict.fromkeys(model)), options)
    done = go(jobs, out, again=again)
    report = suites.report(done, out) if html else None
    if as_json:
        write_json({"report": str(report) if report else None, "runs": [outcome(one) for one in done]})
    elif report:
        write(str(report))
    elif html:
        say("No run finished: there is nothing to report.")
    leave(done)


def plan(
    names: Annotated[list[str], typer.Argument(metavar="SUITE|AUDIT…", help="A suite, or keys of audits.")],
    model: option.ModelsOption = ["pocket"],  # noqa: B006
    dataset: option.DatasetsOption = None,
    protocol: option.ProtocolOption = None,
    set_: option.SetOption = None,
    limit: option.LimitOption = None,
    seed: option.SeedOption = 0,
    device: option.DeviceOption = "auto",
    dtype: option.DtypeOption = "float32",
    out: option.OutOption = Path("runs"),
    as_json: option.JsonOption = False,
) -> None:
    """Show what a run would do, what is cached, and what the rest costs; nothing is run."""
    from audits.running import suites
    from audits.running.jobs import make
    from audits.running.planning import costs

    options: Options = {"settings": option.settings(set_), "limit": limit, "seed": seed}
    options |= {"device": device, "dtype": dtype}
    models = tuple(dict.fromkeys(model))
    given: list[str | None] = [*(dataset or [])] or [None]
    jobs: list[AuditJob] = []
    for name in names:
        if name in suites.names() or name.endswith((".yaml", ".yml")):
            jobs += suites.jobs(suites.read(name), models, {**options, "settings": {}})
        else:
            jobs += [make(name, key, data, rules=protocol, options=options) for key in models for data in given]
    estimates = costs(jobs, out)
    if as_json:
        write_json([asdict(one) for one in estimates])
    else:
        _show(estimates)
    if any(one.trouble for one in estimates):
        raise typer.Exit(2)


def _show(estimates: Sequence[Cost]) -> None:
    rows = []
    for one in estimates:
        takes = "unknown" if one.seconds is None else f"{one.seconds:.0f} s"
        state = "cannot run" if one.trouble else "done" if one.done else takes
        shows = "" if one.detectable is None else f"{100 * one.detectable:.1f} points"
        disk = f"{one.disk / 1e6:.1f} MB"
        rows.append((one.audit, one.model, one.dataset, one.pictures, one.kept, state, disk, shows))
    write_rows(("audit", "model", "data", "pictures", "kept", "time to embed", "disk", "smallest difference"), rows)
    for one in estimates:
        if one.trouble:
            complain(f"{one.audit}, {one.model}: {one.trouble}")
    known = sum(one.seconds or 0.0 for one in estimates if not one.done)
    say(f"{len(estimates)} jobs, about {known:.0f} s of embedding; attacks, scoring and analysis are not included.")
    say(
        "Smallest difference: of two shares near 50 %, over all images, that 80 of 100 such runs would find; "
        "groups, and corrections for several tests, show less."
    )

"""Endpoints of “Audits”: run, report, compare, gate, verify."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from apps.api.asking import Ask, Folder, Model, Seed, Steps, allowed, new_place, place_of
from workbench.errors import BadInput

if TYPE_CHECKING:
    from audits.protocol import Protocol

Run = Annotated[str, "what audit_run answered as `run`, or a run directory that `serve --folder` allows"]
Photos = Annotated[
    list[str], "one zip whose folders are the labels, or images with a table; none: the built-in set", "file"
]


def audits(ask: Ask) -> Annotated[dict[str, Any], "audits: key, title, protocols, built-in data set"]:
    """List the audits that `audit_run` takes."""
    from audits.catalogue import AUDITS

    rows = [
        {"key": one.key, "title": one.title, "protocols": one.protocols, "dataset": one.builtin}
        for one in AUDITS.values()
    ]
    return {"audits": rows}


def audit_run(
    ask: Ask,
    audit: Annotated[str, "key of an audit; see audits"],
    photos: Photos = [],  # noqa: B006
    table: Annotated[str, "a CSV with the columns path and label, and attributes such as gender", "file"] = "",
    folder: Folder = "",
    protocol: Annotated[str, "name of one of the audit's protocols; empty for the first"] = "",
    limit: Annotated[int, "images; 0 for all"] = 0,
    read_warning: Annotated[bool, "the protocol's content warning was read"] = False,
    seed: Seed = 0,
    model: Model = "",
) -> Annotated[Steps, "run: its name for later calls; status, findings in sentences, metrics with intervals"]:
    """Run an audit of a model, with intervals and findings in words."""
    from apps.auditing.own_images import from_files
    from apps.shared.audit_jobs import run_jobs
    from audits.audit_run import open_run
    from audits.running.jobs import make
    from workbench.scheduler import CancelToken

    rules = _rules(audit, protocol, read=read_warning)
    reference = f"folder:{allowed(folder, *photos)}" if folder else from_files(photos, table) if photos else None
    job = make(audit, ask.model(model), reference, rules=rules, options={"seed": seed, "limit": limit or None})
    out = new_place("run")
    for step in run_jobs(ask.engine, [job], out, owner=ask.visitor, token=CancelToken(), own_images=bool(photos)):
        if step.error:
            raise BadInput(step.error)
        if step.progress is not None:
            yield step.progress
        elif step.run is not None:
            result = open_run(step.run).to_dict()
            own = {"folder": None, **({"dataset": "own images"} if reference else {})}
            yield {**result, **own, "run": f"{out.name}/{step.run.name}"}


def _rules(audit: str, protocol: str, *, read: bool) -> Protocol:
    from apps.auditing.protocols import warnings
    from audits.catalogue import find, read_protocol

    row = find(audit)
    rules = read_protocol(row, protocol or row.protocols[0])
    if (warning := warnings([rules])) and not read:
        raise BadInput(f"Read the warning, and call again with read_warning: {warning}")
    return rules


def audit_report(
    ask: Ask,
    run: Run,
    kind: Annotated[Literal["html", "pdf", "md", "card.md", "csv", "json", "xml"], "ending of the file"] = "html",
) -> Annotated[dict[str, Any], "report: the file"]:
    """Write the report of a run."""
    from audits import reporting

    return {"report": reporting.write(place_of(run, "run"), new_place("report") / f"report.{kind}")}


def audit_compare(
    ask: Ask,
    base: Run,
    candidate: Run,
    correction: Annotated[Literal["bh", "holm", "none"], "for several tests: bh, holm or none"] = "bh",
    allow_mismatch: Annotated[bool, "also compare runs that were measured differently"] = False,
) -> Annotated[dict[str, Any], "metrics: differences, candidate minus base, with intervals; flips; tests; mismatches"]:
    """Compare two runs image by image."""
    from audits.comparing import compare
    from audits.run_directory.rows import rows

    first, second = place_of(base, "run"), place_of(candidate, "run")
    result = compare(first, second, correction=correction, allow_mismatch=allow_mismatch)
    facts = {name: getattr(result, name) for name in ("correction", "tests", "mismatches")}
    return {
        "base": base,
        "candidate": candidate,
        **facts,
        "flips": len(result.flips),
        "metrics": list(rows(result.metrics)),
    }


def audit_gate(
    ask: Ask,
    run: Run,
    thresholds: Annotated[dict[str, Any], "the rules, as a thresholds file holds them"],
    baseline: Annotated[str, "a run, for rules about differences"] = "",
) -> Annotated[dict[str, Any], "outcome: PASS, FAIL, INCONCLUSIVE …; rules: each with its checks; exit_code"]:
    """Judge a run by thresholds."""
    from audits.comparing import gate

    result = gate(place_of(run, "run"), thresholds, baseline=place_of(baseline, "run") if baseline else None)
    return {**asdict(result), "exit_code": result.exit_code}


def audit_verify(
    ask: Ask, run: Run
) -> Annotated[dict[str, Any], "intact, and what was compared; error where it is not"]:
    """Compare a run with its hashes, and its numbers with its samples."""
    from audits.errors import Tampered
    from audits.running import checking

    try:
        return {"run": run, **asdict(checking.verify(place_of(run, "run"))), "intact": True}
    except Tampered as error:
        return {"run": run, "intact": False, "error": str(error)}

"""`validate`, `verify`, `sign` and `repro`: is something usable, is a run what was written, do its numbers repeat?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from audits.errors import Tampered
from workbench.cli.options import JsonOption, ModelOption, SeedOption
from workbench.cli.output import complain, write, write_json, write_result
from workbench.cli.progress import progress
from workbench.errors import ALTERED, INCOMPLETE, BadInput

if TYPE_CHECKING:
    from audits.datasets.label_errors import LabelCheck

OneRun = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]
Runs = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, or a folder of them.")]

SHOWN = 20  # suspects that are printed as text


def validate(
    kind: Annotated[
        Literal["audit", "dataset", "protocol", "suite", "thresholds"], typer.Argument(help="What to check.")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="A key, a reference or a file.")],
    label_errors: Annotated[
        bool, typer.Option("--label-errors", help="Look for wrong labels of a data set too, with a model's features.")
    ] = False,
    column: Annotated[
        str, typer.Option("--column", metavar="NAME", help="What --label-errors checks: label, or an attribute.")
    ] = "label",
    model: ModelOption = "pocket",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Check whether something can be used; an audit is tried on the fake model, without any weights."""
    from audits.running import validating
    from workbench.models import find

    if label_errors and kind != "dataset":
        raise BadInput(f"--label-errors looks at a data set's labels: validate dataset NAME; got {kind}.")
    find(model)
    result = validating.VALIDATORS[kind](name)
    check = _label_check(name, column, model, seed=seed) if label_errors else None
    if as_json:
        more = {"label_errors": asdict(check)} if check else {}
        write_json({"kind": kind, "name": name, "usable": True, **result, **more})
        return
    for key, value in result.items():
        write(f"{key}: {value}")
    if check:
        _write_label_check(check)


def _label_check(name: str, column: str, model: str, *, seed: int) -> LabelCheck:
    """Look for label errors with a progress bar on stderr."""
    from audits.datasets.label_errors import LabelCheck
    from audits.running import validating
    from workbench.engine import Engine

    with Engine(default=model) as engine, engine.session("audits") as session, progress() as bar:
        task = bar.add_task("Labels", total=None)
        for step in validating.labels(name, session, column=column, seed=seed):
            if isinstance(step, LabelCheck):
                return step
            text = step.line if step.total else "fitting probes"
            bar.update(task, completed=step.done, total=step.total or None, description=text)
    raise RuntimeError("the check of labels ended without a result")


def _write_label_check(check: LabelCheck) -> None:
    write(
        f"label errors: {len(check.suspects)} of {check.checked} labels are suspect ({check.classes} classes of the "
        f"column {check.column}; {check.model}, {check.folds} folds, seed {check.seed}, penalty {check.penalty:.3g})"
    )
    for one in check.suspects[:SHOWN]:
        write(f"  {one.path}: {one.given}, rather {one.suggested} ({100 * one.probability:.1f} %)")
    if len(check.suspects) > SHOWN:
        write(f"  and {len(check.suspects) - SHOWN} more; --json lists them all")
    if check.left_out:
        path, reason = check.left_out[0]
        write(f"  not checked: {len(check.left_out)} images; the first: {path}, {reason}")
    write(f"  how to read: {check.how_to_read}")
    write(f"  limits: {check.limits}")


def verify(
    run: Runs,
    signer: Annotated[
        Path | None, typer.Option("--signer", metavar="KEY.pub", help="The public SSH key that must have signed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare runs with their hashes, and their numbers with their samples; exit code 6 where they differ."""
    from audits.run_directory.reader import directories
    from audits.running import checking

    folders = directories(run) or [run]
    alone = len(folders) == 1
    results: list[dict[str, Any]] = []
    lines: list[str] = []
    codes = set()
    for folder in folders:
        try:
            result = checking.verify(folder, signer)
            results.append({"run": str(folder), **asdict(result), "intact": True})
            lines.append(f"{folder}: {result}.")
        except Tampered as error:
            results.append({"run": str(folder), "intact": False, "error": str(error)})
            codes.add(ALTERED)
            complain(str(error))
        except BadInput as error:  # unfinished
            if alone:
                raise
            results.append({"run": str(folder), "intact": None, "error": str(error)})
            codes.add(INCOMPLETE)
            complain(str(error))
    write_result(results[0] if alone else results, *lines, as_json=as_json)
    if codes:
        raise typer.Exit(max(codes))


def sign(
    run: OneRun,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="A private SSH key, such as ~/.ssh/id_ed25519.")],
    as_json: JsonOption = False,
) -> None:
    """Sign a finished run with your SSH key; `verify --signer KEY.pub` checks the signature."""
    from audits.run_directory import seal

    signature = str(seal.sign(run, key))
    write_result({"run": str(run), "signature": signature}, signature, as_json=as_json)


def repro(
    run: OneRun,
    tol: Annotated[float, typer.Option("--tol", help="Largest allowed difference of a value or a bound.")] = 1e-4,
    as_json: JsonOption = False,
) -> None:
    """Repeat a run from the images on, and compare every number; exit code 6 where one differs by more."""
    from audits.running import checking

    repetition = checking.repeat(run, tolerance=tol, options={})
    line = f"{repetition.rows} measures agree: the largest difference is {repetition.largest:.3g}."
    write_result({"run": str(run), **asdict(repetition)}, line, as_json=as_json)

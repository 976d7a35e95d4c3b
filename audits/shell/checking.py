"""`validate`, `verify` and `repro`: can something be used, is a run what it says, and does it come out the same again?

Changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from audits.running import checking, validating
from audits.shell.options import JsonOption
from audits.shell.output import write, write_json

OneRun = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


def validate(
    kind: Annotated[
        Literal["audit", "dataset", "protocol", "suite", "thresholds"], typer.Argument(help="What is looked at.")
    ],
    name: Annotated[str, typer.Argument(metavar="X", help="A key, a reference or a file.")],
    as_json: JsonOption = False,
) -> None:
    """Look whether something can be used; an audit is tried on the fake model, without any weights."""
    told = validating.VALIDATORS[kind](name)
    if as_json:
        write_json({"kind": kind, "name": name, "usable": True, **told})
        return
    for key, value in told.items():
        write(f"{key}: {value}")


def verify(run: OneRun, as_json: JsonOption = False) -> None:
    """Compare the files of a run with the hashes that were written with them; 6 where they differ."""
    files = checking.verify(run)
    if as_json:
        write_json({"run": str(run), "files": files, "intact": True})
    else:
        write(f"{files} files are what was written.")


def repro(
    run: OneRun,
    tol: Annotated[float, typer.Option("--tol", help="Largest difference of a value or a bound.")] = 1e-4,
    as_json: JsonOption = False,
) -> None:
    """Do a run again from the pictures on, and compare every number; 6 where one differs by more."""
    found = checking.repeat(run, tolerance=tol, options={})
    if as_json:
        write_json({"run": str(run), **asdict(found)})
    else:
        write(f"{found.rows} measures come out the same: the largest difference is {found.largest:.3g}.")

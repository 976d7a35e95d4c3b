"""`validate`, `verify`, `sign` and `repro`: is something usable, is a run what was written, do its numbers repeat?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from audits.errors import Tampered
from audits.run_directory import seal
from audits.run_directory.reader import directories
from audits.running import checking, validating
from audits.shell.options import JsonOption
from audits.shell.output import complain, write_result
from workbench.errors import ALTERED, INCOMPLETE, BadInput

OneRun = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]
Runs = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, or a folder of them.")]


def validate(
    kind: Annotated[
        Literal["audit", "dataset", "protocol", "suite", "thresholds"], typer.Argument(help="What to check.")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="A key, a reference or a file.")],
    as_json: JsonOption = False,
) -> None:
    """Check whether something can be used; an audit is tried on the fake model, without any weights."""
    result = validating.VALIDATORS[kind](name)
    lines = (f"{key}: {value}" for key, value in result.items())
    write_result({"kind": kind, "name": name, "usable": True, **result}, *lines, as_json=as_json)


def verify(
    run: Runs,
    signer: Annotated[
        Path | None, typer.Option("--signer", metavar="KEY.pub", help="The public SSH key that must have signed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the files of runs with the hashes that were written with them; exit code 6 where they differ."""
    folders = directories(run) or [run]
    alone = len(folders) == 1
    results: list[dict[str, Any]] = []
    codes = set()
    for folder in folders:
        try:
            results.append({"run": str(folder), "files": checking.verify(folder, signer), "intact": True})
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
    lines = (f"{row['run']}: {row['files']} files are what was written." for row in results if row["intact"])
    write_result(results[0] if alone else results, *lines, as_json=as_json)
    if codes:
        raise typer.Exit(max(codes))


def sign(
    run: OneRun,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="A private SSH key, such as ~/.ssh/id_ed25519.")],
    as_json: JsonOption = False,
) -> None:
    """Sign a finished run with your SSH key; `verify --signer KEY.pub` checks the signature."""
    signature = str(seal.sign(run, key))
    write_result({"run": str(run), "signature": signature}, signature, as_json=as_json)


def repro(
    run: OneRun,
    tol: Annotated[float, typer.Option("--tol", help="Largest allowed difference of a value or a bound.")] = 1e-4,
    as_json: JsonOption = False,
) -> None:
    """Repeat a run from the images on, and compare every number; exit code 6 where one differs by more."""
    repetition = checking.repeat(run, tolerance=tol, options={})
    line = f"{repetition.rows} measures agree: the largest difference is {repetition.largest:.3g}."
    write_result({"run": str(run), **asdict(repetition)}, line, as_json=as_json)

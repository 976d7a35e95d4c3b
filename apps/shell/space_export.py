"""`space-export`: write a folder that is a ready Hugging Face Space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import JsonOption
from workbench.cli.output import say, write, write_json


def space_export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or does not exist yet.")],
    reports: Annotated[
        Path | None,
        typer.Option("--reports", metavar="RUNS", help="A static Space that shows the report of these runs alone."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a ready Hugging Face Space into a folder; nothing is uploaded."""
    from apps.space_export import export

    export(folder, reports=reports)
    if as_json:
        write_json({"folder": str(folder)})
    else:
        write(str(folder))
    say("Ready: push this folder to a Space to publish it.")

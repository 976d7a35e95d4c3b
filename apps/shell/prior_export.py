"""`prior-export`: write the shipped prior as a folder that diffusers loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import JsonOption
from workbench.cli.output import say, write, write_json


def prior_export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or does not exist yet.")],
    prior: Annotated[
        Path | None,
        typer.Option("--prior", metavar="FOLDER", help="Folder of a prior; default: the shipped one."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the shipped prior, or one of yours, as a pipeline of diffusers."""
    from workbench.generation.exported import export_prior
    from workbench.generation.prior import load_prior
    from workbench.generation.settings import PRIOR_FOLDER

    export_prior(load_prior(prior or PRIOR_FOLDER), folder)
    if as_json:
        write_json({"folder": str(folder)})
    else:
        write(str(folder))
    say(
        "Ready: DiffusionPipeline.from_pretrained(DIR, trust_remote_code=True) loads it; three of its parts are code "
        "that lies in the folder to be read."
    )

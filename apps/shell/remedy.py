"""`remedy`: write a model with a remedy against bias as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.shell._labelled import opened_engine
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import progress
from workbench.errors import Cancelled


def remedy(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    method: Annotated[
        str,
        typer.Option(
            "--method", help="text-direction, image-direction, leace, calibrated-prompts or balanced-prompts."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The model; pass it to --model later.")],
    protocol: Annotated[
        str, typer.Option("--protocol", help="Between which groups: gender, skin-tone, or a file.")
    ] = "gender",
    data: Annotated[
        str, typer.Option("--data", metavar="KIND:PATH", help="Images to fit to (default: drawn people).")
    ] = "",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Write a model with a remedy against bias; `audit run bias/mitigation` measures what each gives and costs."""
    from audits.bias.remedied_models import check_remedy, made

    check_remedy(method, protocol, out)
    with (
        opened_engine(model, device, dtype, cache=False) as engine,
        engine.session("shell") as session,
        progress() as bar,
        stop_on_ctrl_c() as stop,
    ):
        task = bar.add_task("Embedding", total=None)
        for step in made(session, method, protocol=protocol, data=data, folder=out):
            if stop.is_set() and not isinstance(step, Path):
                raise Cancelled("Stopped; nothing was written.")
            if not isinstance(step, Path):
                bar.update(task, completed=step.done, total=step.total)
    if as_json:
        write_json({"model": str(out), "base": model, "method": method, "protocol": protocol})
    else:
        write(str(out))
        say(f"Measure it with: python -m audits run bias/association --model {out}")

"""`neuron`: what one unit responds to, as one offline HTML page and names on stdout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import DeviceOption, JsonOption, SeedOption
from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import watched
from workbench.errors import BadInput
from workbench.image_inputs import image_files


def neuron(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    layer: Annotated[str, typer.Argument(metavar="LAYER", help="A layer of the image tower, or `last`.")],
    unit: Annotated[int, typer.Argument(metavar="UNIT", help="A channel, or a position along the width of tokens.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="PAGE.html", help="Where the page goes.")] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="PATH", help="Files or a folder to look at instead; repeatable."),
    ] = None,
    vector: Annotated[
        Path | None, typer.Option("--vector", metavar="FILE.json", help="Also write direction, names and activations.")
    ] = None,
    without: Annotated[
        Path | None,
        typer.Option("--without", metavar="FOLDER", help="Also write an edited model in which the unit is off."),
    ] = None,
    answer: Annotated[str, typer.Option("--answer", help="The answer of the gallery “used most for”.")] = "",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Name a unit, with evidence, and write its page."""
    if unit < 0:
        raise BadInput(f"Units are numbered from 0; got {unit}.")
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"The page is an HTML file; got {out.name!r}.")
    files = image_files(corpus) if corpus else []
    from apps.shell._loading import load_and_say
    from workbench.checkpoints.edit import check_place, write_edit

    if without is not None:
        check_place(without)
    opened = load_and_say(model, device, "auto")
    with watched("Stopped; the next call goes on from here.") as watch:
        one = opened.unit(layer, unit, images=files, answer=answer, seed=seed, progress=watch)
    if out is not None:
        say(f"The page of {one.title} is {one.save(out)}.")
    if vector is not None:
        say(f"The unit as numbers is {one.save(vector)}.")
    if without is not None:
        from workbench.hooks import ablate
        from workbench.neurons.edits import units_edit

        write_edit(without, units_edit(model, one.layer, [ablate(one.layer, [unit])]))
        say(f"Without unit {unit}: use it as --model {without}.")
    if as_json:
        write_json({**one.to_dict(), "page": None if out is None else str(out)})
        return
    rows = [(name.name, f"{name.score:.2f}", f"{name.shuffled:.2f}") for name in one.report.names]
    write_rows(("name", "score", "shuffled"), rows, right=("score", "shuffled"))
    spelling = one.report.spelling
    if spelling and spelling.above_chance:
        say(f"Written words {spelling.pattern}: AUROC {spelling.auroc.value:.2f} ({', '.join(spelling.words)}).")

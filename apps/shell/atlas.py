"""`atlas`: look at every unit of a layer on a corpus, so that each unit's page opens at once; resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import DeviceOption, JsonOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import watched
from workbench.errors import INCOMPLETE
from workbench.image_inputs import image_files


def atlas(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    layer: Annotated[str, typer.Option("--layer", help="A layer of the image tower, or `last`.")] = "last",
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="PATH", help="Files or a folder (default: the built-in images); repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.safetensors", help="Default: where pages look for it.")
    ] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Stream a corpus through the image tower and save what every unit does; stopped, it goes on from there."""
    files = image_files(corpus) if corpus else []
    from apps.shell._loading import load_and_say
    from workbench.neurons.atlas import Atlas, atlas_path, write_atlas
    from workbench.neurons.atlas_building import find_or_build
    from workbench.neurons.layers import layer_name
    from workbench.watching import outcome

    backend = load_and_say(model, device, "auto").backend
    with watched("Stopped; the next call goes on from here.") as watch:
        made = outcome(find_or_build(backend, layer, files, known=False), watch)
    assert isinstance(made, Atlas)
    path = out or atlas_path(backend.fingerprint, layer_name(backend.anatomy, layer), made.corpus)
    write_atlas(made, path)
    failed = made.survey.failed
    if as_json:
        write_json({"out": str(path), "images": len(made.survey.items), "units": made.units, "failed": failed})
    else:
        write(str(path))
    say(f"{made.units} units on {len(made.survey.items)} images.")
    if failed:
        say(f"{len(failed)} images could not be opened: {', '.join(failed[:5])}.")
        raise typer.Exit(INCOMPLETE)

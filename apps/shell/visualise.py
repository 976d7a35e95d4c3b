"""`visualise`: images painted so that one unit responds to them; every setting stands in the PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, JsonOption, SeedOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import progress
from workbench.errors import BadInput, Cancelled
from workbench.image_inputs import image_files
from workbench.models import find
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.neurons.corpus import CorpusItem


def visualise(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    layer: Annotated[str, typer.Argument(metavar="LAYER", help="A layer of the image tower, or `last`.")],
    unit: Annotated[int, typer.Argument(metavar="UNIT", help="A channel, or a position along the width of tokens.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.png", help="Where the image goes.")],
    facet: Annotated[
        str, typer.Option("--facet", help="In the manner of photo, drawing or word, or of the images of a folder.")
    ] = "",
    canvas: Annotated[str, typer.Option("--canvas", help="fourier, maco, or one that a plugin adds.")] = "fourier",
    count: Annotated[int, typer.Option("--count", help="Images, unlike each other.")] = 3,
    steps: Annotated[int, typer.Option("--steps", help="Steps of the optimiser.")] = 96,
    start: Annotated[
        Path | None, typer.Option("--start", metavar="IMAGE", help="Begin with this image instead of noise.")
    ] = None,
    opposite: Annotated[bool, typer.Option("--opposite", help="What the unit responds to least.")] = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Paint images that a unit responds to, and say how strongly it does."""
    from workbench.neurons.visualisation import UnitImageSettings

    find(model)
    if out.suffix.lower() != ".png":
        raise BadInput(f"The image is a PNG file; got {out.name!r}.")
    settings = UnitImageSettings(layer, unit, canvas, count, steps, seed, opposite=opposite)
    own = _own_images(facet)
    from workbench.engine import Engine
    from workbench.generation.run import start_pixels
    from workbench.images import safe_open
    from workbench.neurons.unit_images import Visualisation, to_png
    from workbench.neurons.unit_images import visualise as painted

    pixels = None if start is None else start_pixels(safe_open(start), settings.side)
    name = Path(facet).name if own else facet
    made: Visualisation | None = None
    with (
        Engine(default=model, device=device) as engine,
        engine.session("shell", model) as session,
        stop_on_ctrl_c() as stop,
        progress() as bar,
    ):
        task = bar.add_task("Visualise", total=None)
        for step in painted(session, settings, facet=name, own=own, start=pixels):
            if stop.is_set():
                raise Cancelled("The visualisation was stopped; nothing was written.")
            if isinstance(step, Visualisation):
                made = step
            else:
                bar.update(task, description=f"{step.stage}: {step.line}")
    assert made is not None
    write_whole(out, to_png(made))
    if as_json:
        write_json({"image": str(out), "seed": seed, **made.description})
        return
    write(str(out))
    values = ", ".join(f"{value:.2f}" for value in made.activations)
    say(f"Activation: {values}; strongest of {made.beats[0].n} corpus images: {made.strongest:.2f}.")


def _own_images(facet: str) -> Sequence[CorpusItem]:
    """Return the images of a facet that is a folder; none for a built-in one."""
    from workbench.neurons.corpus import FORMS, folder

    if not facet or facet in FORMS:
        return ()
    if not Path(facet).is_dir():
        raise BadInput(f"A facet is {', '.join(FORMS)} or a folder of images; got {facet[:80]!r}.")
    return folder(image_files([facet]))

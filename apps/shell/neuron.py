"""`neuron`: what one unit responds to, as one offline HTML page and names on stdout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import DeviceOption, JsonOption, SeedOption
from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import BadInput
from workbench.image_inputs import image_files

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend
    from workbench.neurons.atlas import Atlas
    from workbench.neurons.unit import UnitReport


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
    from workbench.neurons.page import places, render
    from workbench.neurons.unit import report
    from workbench.neurons.vector import spelling_json, vector_json
    from workbench.places import write_whole

    if without is not None:
        check_place(without)
    backend = load_and_say(model, device, "auto").backend
    atlas = find_or_build(backend, layer, files)
    one = report(atlas, unit, model=(backend.spec.title, model), answer=answer, seed=seed)
    if out is not None:
        write_whole(out, render(one, where=places(backend, one)).encode())
        say(f"The page of {one.title} is {out}.")
    if vector is not None:
        write_whole(vector, vector_json(atlas, one))
        say(f"The unit as numbers is {vector}.")
    if without is not None:
        from workbench.hooks import ablate
        from workbench.neurons.edits import units_edit

        write_edit(without, units_edit(model, one.layer, [ablate(one.layer, [unit])]))
        say(f"Without unit {unit}: use it as --model {without}.")
    if as_json:
        names = [{"name": name.name, "score": name.score, "shuffled": name.shuffled} for name in one.names]
        write_json({"names": names, "spelling": spelling_json(one), "page": None if out is None else str(out)})
        return
    _write_names(one)


def _write_names(one: UnitReport) -> None:
    rows = [(name.name, f"{name.score:.2f}", f"{name.shuffled:.2f}") for name in one.names]
    write_rows(("name", "score", "shuffled"), rows, right=("score", "shuffled"))
    if one.spelling and one.spelling.above_chance:
        spelling = one.spelling
        say(f"Written words {spelling.pattern}: AUROC {spelling.auroc.value:.2f} ({', '.join(spelling.words)}).")


def find_or_build(backend: TorchBackend, layer: str, files: list[str]) -> Atlas:
    """Return the shipped atlas or one that was made before; otherwise look at the corpus now."""
    from workbench.neurons.atlas import find_atlas

    known = find_atlas(backend, layer) if not files else None
    return known or built(backend, layer, files)


def built(backend: TorchBackend, layer: str, files: list[str]) -> Atlas:
    """Look at a corpus, and show how far it is."""
    from workbench.neurons import corpus as corpora
    from workbench.neurons.atlas import BUILT_IN, Atlas
    from workbench.neurons.atlas_building import build_atlas
    from workbench.progress import Progress

    items = corpora.folder(files) if files else corpora.built_in()
    name = f"{len(files)} own images" if files else BUILT_IN
    with progress() as bar:
        task = bar.add_task("Looking", total=None)
        for step in build_atlas(backend, items, layer, corpus=name):
            if isinstance(step, Progress):
                bar.update(task, completed=step.done, total=step.total, description=step.stage)
            elif isinstance(step, Atlas):
                return step
    raise AssertionError("an atlas ends in an atlas")

"""`sparse-probe`: which few units decide a class, on a folder of labelled images or on an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shell._labelled import opened_engine, read_and_say, say_parts
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import BadInput, Cancelled, unknown_name
from workbench.models import find

if TYPE_CHECKING:
    from workbench.neurons.sparse_probe import LabelledUnits, SparseProbe, SparseProbeRow
    from workbench.probes.labelled import LabelledImages
    from workbench.statistics.intervals import Interval


def sparse_probe_(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    folder: Annotated[
        str | None,
        typer.Argument(metavar="[FOLDER]", help="Class folders, or a zip or table with labels; or give --index."),
    ] = None,
    index: Annotated[
        str, typer.Option("--index", metavar="NAME", help="Take the images of this index instead of a folder.")
    ] = "",
    column: Annotated[
        str, typer.Option("--column", help="Column of the index that holds the classes: label, caption or a tag.")
    ] = "label",
    where: Annotated[
        str, typer.Option("--where", metavar="FILTER", help='Which rows of the index: "width > 200", or SQL.')
    ] = "",
    name: Annotated[
        list[str] | None, typer.Option("--class", metavar="NAME", help="A class (default: each); repeatable.")
    ] = None,
    layer: Annotated[str, typer.Option("--layer", help="A layer of the image tower, or `last`.")] = "last",
    counts: Annotated[str, typer.Option("--units", help="Numbers of units, separated by commas.")] = "1,2,4,8,16",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Tell a class from all others by 1, 2, 4, 8 and 16 units; list them, with accuracy on images held out."""
    find(model)
    sizes = _sizes(counts)
    images = _images(folder, (index, column, where), seed=seed)
    for given in name or ():
        if given not in images.classes:
            raise unknown_name("class", given, images.classes)
    from workbench.neurons.sparse_probe import enough, sparse_probe

    units = _activations(model, images, layer, how=(device, dtype))
    wanted = name or [one for one in units.classes if enough(units, one)]
    if few := [one for one in units.classes if one not in wanted and not name]:
        say(f"Left out, too few images: {', '.join(few[:8])}{' …' if len(few) > 8 else ''}.")
    if not wanted:
        wanted = list(units.classes[:1])  # says how many are needed
    probes = [sparse_probe(units, given, counts=sizes, seed=seed) for given in wanted]
    if as_json:
        write_json([_plain(one, model) for one in probes])
        return
    for one in probes:
        write(f"{one.name}: {one.images} images, {one.others} of others; {one.held_out} held out. Layer {one.layer}.")
        lines = [(str(len(row.units)), *_figures(row), ", ".join(map(str, row.units))) for row in one.rows]
        lines.append(("all", *_figures(one.every_unit), ""))
        write_rows(("units", "accuracy", "AUROC", "which"), lines)
        chance = [100 * accuracy for accuracy in one.by_chance]
        mean = sum(chance) / len(chance)
        write(f"By chance: {mean:.1f} % (lowest {min(chance):.1f} %, highest {max(chance):.1f} %).")
    say(
        "Accuracy: on the class's images held out and as many others, 50 % is chance. By chance: the largest number of "
        f"units, learned from classes shuffled ten times. Seed {seed}."
    )


def _sizes(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= 4096 for part in parts):
        raise BadInput(f"Numbers of units lie between 1 and 4096 and are separated by commas; got {text[:60]!r}.")
    return tuple(int(part) for part in parts)


def _images(folder: str | None, of_index: tuple[str, str, str], *, seed: int) -> LabelledImages:
    """Read the folder, or the index: its name, column and condition; say on stderr how the images are split."""
    name, column, where = of_index
    if (folder is None) == (not name):
        raise BadInput(
            "Labelled images come from a FOLDER or from --index NAME, one of the two; got "
            f"{'neither' if folder is None else 'both'}."
        )
    if folder is not None and (where or column != "label"):
        raise BadInput("--column and --where choose among the rows of an index; give --index NAME with them.")
    if folder is not None:
        return read_and_say(folder, seed, complete=False)
    from workbench.probes.labelled import labelled
    from workbench.retrieval.filters import filter_or_sql
    from workbench.retrieval.listing import indexed

    with filter_or_sql(where) as condition:
        return say_parts(labelled(indexed(name, column=column, where=condition), seed=seed, complete=False))


def _activations(model: str, images: LabelledImages, layer: str, *, how: tuple[str, str]) -> LabelledUnits:
    """Stream the images with a bar; `how`: device and dtype."""
    from workbench.neurons.sparse_probe import LabelledUnits, labelled_units

    with (
        opened_engine(model, *how, cache=False) as engine,
        engine.session("shell", keep_pictures=False) as session,
        progress() as bar,
        stop_on_ctrl_c() as stop,
    ):
        task = bar.add_task("Looking", total=len(images.samples))
        for step in labelled_units(session, images, layer):
            if isinstance(step, LabelledUnits):
                return step
            bar.update(task, completed=step.done)
            if stop.is_set():
                raise Cancelled("Stopped; nothing was measured.")
    raise AssertionError("looking ends in activations")


def _figures(row: SparseProbeRow) -> tuple[str, str]:
    area = row.area
    shown = "–" if area.value is None or area.low is None else f"{area.value:.3f} ({area.low:.3f} to {area.high:.3f})"
    return str(row.accuracy), shown


def _plain(one: SparseProbe, model: str) -> dict[str, Any]:
    def interval(part: Interval) -> dict[str, Any]:
        return {"value": part.value, "low": part.low, "high": part.high, "method": part.method}

    def row(part: SparseProbeRow) -> dict[str, Any]:
        return {
            "units": list(part.units),
            "weights": list(part.weights),
            "accuracy": interval(part.accuracy) | {"n": part.accuracy.n},
            "auroc": interval(part.area),
        }

    return {
        "class": one.name, "model": model, "layer": one.layer, "images": one.images, "others": one.others,
        "held_out": one.held_out, "seed": one.seed, "probes": [row(part) for part in one.rows],
        "all_units": row(one.every_unit), "by_chance": list(one.by_chance),
    }  # fmt: skip

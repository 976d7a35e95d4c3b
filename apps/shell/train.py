"""`train`: teach a model images with their sentences, by a recipe; stopped at any moment, it goes on from there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, JsonOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import progress
from workbench.errors import INCOMPLETE, BadInput
from workbench.training.order import CAPTIONS

if TYPE_CHECKING:
    from workbench.progress import Progress
    from workbench.training.order import Order

    Rows = Callable[[Order, Callable[[], bool]], Iterator[Progress]]

RACE = "race"  # the race of objectives, a program as captions are


def train(
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            metavar="FILE.yaml",
            help="A YAML file, shapes, captions or race.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Output folder (default: trained); pass it to --model later."),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="KEY", help="Initial model: a key listed by `models`, or a folder."),
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="PATH", help="A folder, a CSV, Parquet files or WebDataset tars.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Number of steps, instead of the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Random seed: order, crops, dropout.")] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help="Number of seeds of a race (default: 3).")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the training in --out.")] = False,
    device: DeviceOption = "auto",
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="auto, float32, bfloat16 or float16 (CUDA); weights stay float32.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on images with captions; several GPUs with `torchrun --nproc-per-node N app.py train …`."""
    from workbench.training.order import Order

    if recipe == RACE:
        if any(value is not None for value in (begin, data, dtype)) or resume or device not in ("auto", "cpu"):
            raise BadInput("A race trains new small models on the CPU and takes --steps, --seed, --seeds and --out.")
        _race(folder, steps, seed, seeds=seeds, as_json=as_json)
        return
    if seeds is not None:
        raise BadInput("--seeds belongs to --recipe race; a training takes one --seed.")
    out = folder or Path("trained")
    order = Order(out, data=data, model=begin, steps=steps, seed=seed, device=device, dtype=dtype, resume=resume)
    rows: Rows
    if recipe == CAPTIONS:
        rows = _captions
    elif recipe is None and not resume:
        raise BadInput(
            "Name a recipe with --recipe (a YAML file, shapes, captions or race), or continue with --resume."
        )
    else:
        rows = _by_recipe(recipe, order)
    with stop_on_ctrl_c() as stop:
        _show(rows(order, stop.is_set))
    if os.environ.get("RANK", "0") == "0":
        if recipe == CAPTIONS:
            _print_captions_record(out, as_json)
        else:
            _print_record(out, as_json)


def _race(out: Path | None, steps: int | None, seed: int | None, *, seeds: int | None, as_json: bool) -> None:
    from apps.shell.race import run_race
    from workbench.training.race import RaceSettings

    default = RaceSettings()
    settings = RaceSettings(
        images=default.images if steps is None else 64 * steps,
        seeds=default.seeds if seeds is None else seeds,
        seed=seed or 0,
    )
    with stop_on_ctrl_c() as stop:
        run_race(settings, out=out, as_json=as_json, stopped=stop.is_set)


def _by_recipe(recipe: str | None, order: Order) -> Rows:
    """Read the recipe, or the one in the folder; a wrong one is refused before torch is imported."""
    from workbench.loading.device import check_names
    from workbench.models import find
    from workbench.training.recipe import read_recipe

    check_names(order.device, order.dtype or "auto")
    if recipe is None:
        from workbench.training.record import read_record

        if given := [word for word in ("data", "model", "steps", "seed", "dtype") if getattr(order, word) is not None]:
            raise BadInput(f"--resume continues with the training's own recipe; leave out: {', '.join(given)}.")
        read = read_record(order.out).recipe
    else:
        words = {"data": order.data, "model": order.model, "steps": order.steps, "seed": order.seed}
        read = read_recipe(recipe, **words, dtype=order.dtype)
    find(read.model)

    def rows(order: Order, stopped: Callable[[], bool]) -> Iterator[Progress]:
        from workbench.training.run import train as steps

        return steps(read, order, stopped=stopped)

    return rows


def _captions(order: Order, stopped: Callable[[], bool]) -> Iterator[Progress]:
    from workbench.training.captions import train

    return train(order, stopped=stopped)


def _show(rows: Iterator[Progress]) -> None:
    """Move the bar with each step, and say what a step has to say."""
    with progress() as bar:
        task = bar.add_task("Training", total=None)
        for row in rows:
            loss = f"loss {row.values['loss']:.4f}" if "loss" in row.values else row.unit
            bar.update(task, completed=row.done, total=row.total, description=loss)
            if row.text:
                say(f"step {row.done}: {row.text}")


def _print_captions_record(out: Path, as_json: bool) -> None:
    """The recipe of captions keeps a record of its own, once it is done."""
    from workbench.places import read_json
    from workbench.training.record import RECORD

    record = read_json(out / RECORD)
    summary = {name: record.get(name) for name in ("steps_done", "seconds")}
    write_json({"out": str(out), **summary}) if as_json else write(str(out))
    if record:
        say(f"{record['steps_done']} steps; {RECORD} holds data, settings and duration.")
    else:
        say("Not finished yet: the same command continues.")


def _print_record(out: Path, as_json: bool) -> None:
    from workbench.training.record import RECORD, read_record

    record = read_record(out)
    if as_json:
        summary: dict[str, Any] = record.model_dump(include={"steps_done", "loss", "accuracy", "seconds", "unreadable"})
        write_json({"out": str(out), **summary, "passed_over": len(record.passed_over)})
    else:
        write(str(out))
    say(f"{record.steps_done} steps in {record.seconds:.0f} s, last loss {record.loss}; validation: {record.accuracy}.")
    if record.passed_over:
        say(f"{len(record.passed_over)} images had no usable sentence; {RECORD} names them.")
    if record.unreadable:
        say(f"{len(record.unreadable)} images could not be opened; {RECORD} names them.")
        raise typer.Exit(INCOMPLETE)

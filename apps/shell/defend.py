"""`defend`: measure a defence against written words on a model, and write the defended model as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shared.percentages import percent
from apps.shell._labelled import opened_engine
from apps.shell._loading import load_and_say
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import BadInput, Cancelled, Unsupported
from workbench.image_inputs import image_files

if TYPE_CHECKING:
    from workbench.statistics.intervals import Interval
    from workbench.typographic.learned import Learned
    from workbench.typographic.measuring import AttackedSet, DefenceRow, Outcomes


def defend(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    method: Annotated[
        str, typer.Option("--method", help="paint-over, prompts, prefix, projection, units, heads; or all.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The defended model; pass it to --model later.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="FOLDER", help="Measure on class folders, or photos with labels.csv (default: drawings)."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", help="Measure on N images only.")] = None,
    finder: Annotated[str | None, typer.Option("--finder", help="Text finder: own, or rapidocr (extra `ocr`).")] = None,
    prefix_file: Annotated[
        Path | None, typer.Option("--prefix-file", metavar="FILE.safetensors", help="Use this prefix; learn none.")
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Defend a model against words on images, and measure what that gives back and costs."""
    from workbench.checkpoints.edit import check_place
    from workbench.typographic.defences import DEFENCES, check_defence, settings_of
    from workbench.typographic.measuring import defence_row, outcomes

    methods = [*DEFENCES] if method == "all" else [method]
    for one in methods:
        check_defence(one, model)
    if prefix_file is not None and method != "prefix":
        raise BadInput(f"--prefix-file belongs to --method prefix; got {method!r}.")
    settings = {one: settings_of(one, model, finder=finder or "" if one == "paint-over" else "") for one in methods}
    if finder and "paint-over" not in methods:
        settings_of(method, model, finder=finder)
    for one in methods:
        check_place(out / one if method == "all" else out)
    images = images_to_measure(data, limit, seed)
    given = {"prefix": read_prefix(prefix_file)} if prefix_file is not None else None
    base, rows = outcomes(load_and_say(model, device, dtype).backend, images), {}
    for one in methods:
        folder = out / one if method == "all" else out
        try:
            _write(one, model, folder, ready=(settings[one], given), names=images.names, how=(device, dtype, seed))
        except Unsupported as error:
            if method != "all":
                raise
            say(f"{one}: {error}")
            continue
        say(f"The defended model is in {folder}; measuring it on {_counted(images)}.")
        row = defence_row(base, outcomes(load_and_say(str(folder), device, dtype).backend, images), images.truth)
        rows[one] = row, {"model": str(folder), "base": model, "method": one, "seed": seed, **plain(base, row)}
    if as_json:
        write_json([row for _, row in rows.values()] if method == "all" else rows[method][1])
    elif method == "all":
        _print_all(base, {one: row for one, (row, _) in rows.items()})
    else:
        _print(base, rows[method][0])


def _write(
    method: str,
    model: str,
    folder: Path,
    *,
    ready: tuple[dict[str, Any], dict[str, Any] | None],
    names: tuple[str, ...],
    how: tuple[str, str, int],
) -> None:
    """Write the folder of a defended model, learning it first where it must be.

    Args:
        method: of defending.
        model: that is defended.
        folder: where.
        ready: settings and tensors, where nothing is to be learned.
        names: that will be asked.
        how: device, dtype, seed.
    """
    from workbench.checkpoints.edit import Edit, write_edit
    from workbench.typographic.defences import DEFENCES
    from workbench.typographic.making import edit_of, tensors_of

    defence, (settings, given) = DEFENCES[method], ready
    if given is not None or defence.quick:
        write_edit(folder, Edit(base=model, kind=defence.kind, settings=settings, title=defence.title), given)
        return
    learned = _learned(method, model, names if defence.for_names else (), how=how)
    write_edit(folder, edit_of(method, model, learned), tensors_of(learned))


def images_to_measure(data: Path | None, limit: int | None, seed: int) -> AttackedSet:
    """Write words on the built-in drawings or the images of class folders, or take photos that bear words already.

    Raises:
        BadInput: a folder without two class folders, or fewer than two images.
    """
    from audits.typographic.drawings import measured_images
    from workbench.datasets.csv_files import read_csv
    from workbench.typographic.comparing import canvas
    from workbench.typographic.measuring import attacked_set
    from workbench.typographic.written_photos import COLUMNS, FILE, read_written

    if data is None:
        return measured_images(seed, limit)
    if (data / FILE).is_file() and set(COLUMNS) <= set(read_csv(data / FILE).columns):
        photos: AttackedSet = read_written(data)
        return photos
    if not data.is_dir():
        raise BadInput(f"--data takes a folder of class folders, or of photos with {FILE}; {data.name!r} is no folder.")
    paths = [Path(path) for path in image_files([str(data)])]
    paths = paths[:: max(1, len(paths) // max(2, limit))][:limit] if limit is not None else paths
    names = [path.parent.name.replace("_", " ") for path in paths]
    return attacked_set([canvas(path) for path in paths], names, seed=seed)


def read_prefix(file: Path) -> Any:
    """Read a prefix: the only tensor of a safetensors file, (rows, width) or (width,).

    Raises:
        BadInput: no safetensors, or not one tensor. The published files are pickles, which are not opened here.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        rows = list(load_file(file).values())
    except (OSError, SafetensorError) as error:
        raise BadInput(
            f"A prefix is read from a safetensors file; {file.name!r} is none ({type(error).__name__}). "
            "Save a published .pt file as safetensors first, where it may be opened."
        ) from None
    if len(rows) != 1 or rows[0].ndim not in (1, 2):
        raise BadInput(f"A prefix file holds one tensor, (rows, width); {file.name!r} holds {len(rows)}.")
    return rows[0].reshape(-1, rows[0].shape[-1]).float()


def _learned(method: str, model: str, names: tuple[str, ...], *, how: tuple[str, str, int]) -> Learned:
    """Learn from drawings of things that are not measured."""
    from audits.typographic.drawings import lesson_images
    from workbench.typographic.learned import Learned
    from workbench.typographic.making import learning

    device, dtype, seed = how
    with (
        opened_engine(model, device, dtype, cache=False) as engine,
        engine.session("shell") as session,
        progress() as bar,
        stop_on_ctrl_c() as stop,
    ):
        task = bar.add_task("Learning", total=None)
        for step in learning(session, lesson_images(seed, names), method, seed=seed):
            if stop.is_set():
                raise Cancelled("Stopped; nothing was written.")
            if isinstance(step, Learned):
                return step
            bar.update(task, completed=step.done, total=step.total)
    raise AssertionError("learning ends with what was learned")


def _counted(images: AttackedSet) -> str:
    return f"{len(images.distinct)} clean and {len(images.truth)} written images"


def plain(base: Outcomes, row: DefenceRow) -> dict[str, Any]:
    """The row as JSON: shares 0..1, each with its interval."""

    def interval(one: Interval) -> dict[str, Any]:
        return {"value": one.value, "low": one.low, "high": one.high, "method": one.method}

    return {
        "n": row.attacked.n,
        "n_clean": row.clean.n,
        "before": {"clean": row.clean.first}
        | {name: float(getattr(base, name).mean()) for name in ("attacked", "clean_two", "attacked_two")},
        "after": {"clean": row.clean.second, "attacked": row.attacked.second, "attacked_two": row.attacked_two.second},
        "back": interval(row.back),
        "back_all": interval(row.back_all),
        "clean_change": interval(row.clean.difference),
        "milliseconds": row.milliseconds,
    }


def _print_all(base: Outcomes, rows: dict[str, DefenceRow]) -> None:
    """One line a defence."""
    clean, attacked = (100 * right.mean() for right in (base.clean_two, base.attacked_two))
    write(f"Undefended, thing against word: clean {clean:.1f} %, written on {attacked:.1f} %.")
    write_rows(
        ("defence", "written on", "lost accuracy back", "clean cost, points", "ms an image"),
        [
            (
                name,
                f"{100 * (row.attacked_two.second or 0):.1f} %",
                shown(row.back),
                shown(row.clean.difference),
                f"{row.milliseconds:+.1f}",
            )
            for name, row in rows.items()
        ],
    )


def _print(base: Outcomes, row: DefenceRow) -> None:
    write_rows(
        ("measure", "before", "after", "change"),
        [
            (
                "written on, thing against word",
                f"{100 * base.attacked_two.mean():.1f} % (clean {100 * base.clean_two.mean():.1f} %)",
                f"{100 * (row.attacked_two.second or 0):.1f} %",
                f"{shown(row.back)} of the loss back",
            ),
            (
                "written on, among all names",
                f"{100 * base.attacked.mean():.1f} % of {row.attacked.n}",
                f"{100 * (row.attacked.second or 0):.1f} %",
                f"{shown(row.back_all)} of the loss back",
            ),
            (
                "clean, among all names",
                f"{100 * (row.clean.first or 0):.1f} % of {row.clean.n}",
                f"{100 * (row.clean.second or 0):.1f} %",
                shown(row.clean.difference),
            ),
            ("time for an image", f"{base.milliseconds:.1f} ms", "", f"{row.milliseconds:+.1f} ms"),
        ],
    )


def shown(one: Interval) -> str:
    """A share as percent with its interval."""
    return percent(one, missing=f"not measured ({one.method})")

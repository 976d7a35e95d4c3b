"""`defend`: measure a defence against written words on a model, and write the defended model as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shell._inputs import picture_paths
from apps.shell._loading import load_and_say
from audits.shell.interrupt import stop_on_ctrl_c
from audits.shell.options import DeviceOption, DtypeOption, JsonOption, SeedOption
from audits.shell.output import say, write_json, write_rows
from audits.shell.progress import progress
from workbench.errors import BadInput, Cancelled

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend
    from workbench.statistics.intervals import Interval
    from workbench.typographic.measuring import AttackedSet, DefenceRow, Outcomes

LEARN = 600  # images to learn from, at most
BEFORE = ("clean", "attacked", "clean_two", "attacked_two")  # of `Outcomes`


def defend(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    method: Annotated[str, typer.Option("--method", help="paint-over, prompts, prefix or projection.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The defended model; pass it to --model later.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Class folders to measure on (default: 600 built-in drawings)."),
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
    from workbench.checkpoints.edit import Edit, write_edit
    from workbench.typographic.defences import check_defence, settings_of
    from workbench.typographic.measuring import defence_row, outcomes

    defence = check_defence(method, model)
    if prefix_file is not None and method != "prefix":
        raise BadInput(f"--prefix-file belongs to --method prefix; got {method!r}.")
    settings, tensors = settings_of(method, model, finder=finder or ""), {}
    images = measured_images(data, limit, seed)
    backend = load_and_say(model, device, dtype)
    if prefix_file is not None:
        tensors = {"prefix": read_prefix(prefix_file)}
    elif not defence.quick:
        settings, tensors = _learned(method, backend, seed)
    folder = write_edit(out, Edit(base=model, kind=defence.kind, settings=settings, title=defence.title), tensors)
    say(f"The defended model is in {folder}; measuring it on {len(images.truth)} images.")
    base = outcomes(backend, images)
    defended = outcomes(load_and_say(str(folder), device, dtype), images)
    row = defence_row(base, defended, images.truth)
    if as_json:
        write_json({"model": str(folder), "base": model, "method": method, "seed": seed, **plain(base, row)})
    else:
        _print(base, row)


def measured_images(data: Path | None, limit: int | None, seed: int) -> AttackedSet:
    """Write words on the built-in drawings, or on the images of class folders.

    Raises:
        BadInput: a folder without two class folders, or fewer than two images.
    """
    from workbench.images import safe_open
    from workbench.typographic.comparing import canvas
    from workbench.typographic.measuring import attacked_set

    if data is None:
        from audits.typographic.drawings import to_measure

        rows = [(one.picture, one.name) for one in to_measure()]
    else:
        paths = [Path(path) for path in picture_paths([str(data)])]
        rows = [(canvas(safe_open(path)), path.parent.name.replace("_", " ")) for path in paths]
    if limit is not None:
        step = max(1, len(rows) // max(2, limit))
        rows = rows[::step][:limit]
    return attacked_set([picture for picture, _ in rows], [name for _, name in rows], seed=seed)


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


def _learned(method: str, backend: TorchBackend, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Learn from drawings of things that are not measured."""
    from audits.typographic.drawings import to_learn
    from workbench.progress import Progress
    from workbench.typographic.defences import learned
    from workbench.typographic.measuring import attacked_set

    drawings = list(to_learn())[:LEARN]
    images = attacked_set([one.picture for one in drawings], [one.name for one in drawings], seed=seed + 1)
    say(f"Learning from {len(drawings)} other drawings.")
    with progress() as bar, stop_on_ctrl_c() as stop:
        task = bar.add_task("Learning", total=None)
        for step in learned(method, backend, images, seed=seed):
            if stop.is_set():
                raise Cancelled("Stopped; nothing was written.")
            if isinstance(step, Progress):
                bar.update(task, completed=step.done, total=step.total)
            else:
                return step
    raise AssertionError("a defence ends with what was learned")


def plain(base: Outcomes, row: DefenceRow) -> dict[str, Any]:
    """The row as JSON: shares 0..1, each with its interval."""

    def interval(one: Interval) -> dict[str, Any]:
        return {"value": one.value, "low": one.low, "high": one.high, "method": one.method}

    return {
        "n": row.clean.n,
        "before": {
            name: float(getattr(base, name).mean()) for name in ("clean", "attacked", "clean_two", "attacked_two")
        },
        "after": {"clean": row.clean.second, "attacked": row.attacked.second, "attacked_two": row.attacked_two.second},
        "back": interval(row.back),
        "back_all": interval(row.back_all),
        "clean_change": interval(row.clean.difference),
        "milliseconds": row.milliseconds,
    }


def _print(base: Outcomes, row: DefenceRow) -> None:
    def shown(one: Interval) -> str:
        if one.value is None or one.low is None or one.high is None:
            return f"not measured ({one.method})"
        return f"{100 * one.value:.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f})"

    write_rows(
        ("measure", "before", "after", "change"),
        [
            (
                "written on, thing against word",
                f"{base.attacked_two.mean():.1%} (clean {base.clean_two.mean():.1%})",
                f"{row.attacked_two.second or 0:.1%}",
                f"{shown(row.back)} of the loss back",
            ),
            (
                "written on, among all names",
                f"{base.attacked.mean():.1%}",
                f"{row.attacked.second or 0:.1%}",
                f"{shown(row.back_all)} of the loss back",
            ),
            (
                "clean, among all names",
                f"{base.clean.mean():.1%}",
                f"{row.clean.second or 0:.1%}",
                shown(row.clean.difference),
            ),
            ("time for an image", f"{base.milliseconds:.1f} ms", "", f"{row.milliseconds:+.1f} ms"),
        ],
    )

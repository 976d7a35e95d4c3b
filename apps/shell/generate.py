"""`generate`: an image out of a sentence, with everything that is needed to make it again inside the PNG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shell._inputs import read_lines
from workbench.cli.options import DeviceOption, JsonOption, ModelOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import watched
from workbench.errors import BadInput
from workbench.models import find
from workbench.places import write_whole

if TYPE_CHECKING:
    from workbench.generation.grids import Grid
    from workbench.generation.settings import Settings
    from workbench.model import Model


ImageOption = Annotated[
    list[str] | None, typer.Option("--image", metavar="FILE[:WEIGHT]", help="An image prompt; repeatable.")
]
CheckpointOption = Annotated[
    Path | None, typer.Option("--checkpoint", metavar="FOLDER", help="A model in diffusers' format, safetensors.")
]
AlsoOption = Annotated[
    list[str] | None, typer.Option("--also", metavar="KEY", help="A further model that steers; repeatable.")
]
JudgeOption = Annotated[
    str | None, typer.Option("--judge", metavar="KEY", help="A model that steers nothing and judges the result.")
]
PromptsOption = Annotated[
    Path | None, typer.Option("--prompts", metavar="FILE", help="A grid: sentences, one a line, in place of TEXT.")
]
MethodsOption = Annotated[
    str | None, typer.Option("--methods", metavar="M,M", help="A grid: several methods, joined by commas.")
]
StrengthsOption = Annotated[
    str | None, typer.Option("--strengths", metavar="S,S", help="A row of edits, such as -1,0,1; needs --edit.")
]


def generate(
    prompt: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="A sentence, or several with weights: 'a castle | fog:-0.3'.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="prior, fourier, strokes, maco, siren, pixels, one that a plugin adds, or with --checkpoint "
            "diffusion or latents.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Random seed (default: 0).")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Seconds for each image (default: 20).")] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Number of steps instead of seconds; makes an image repeatable.")
    ] = None,
    count: Annotated[int, typer.Option("--count", help="Number of images, with the seeds that follow.")] = 1,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Output folder.")] = Path("generated"),
    again: Annotated[
        Path | None, typer.Option("--again", metavar="FILE.png", help="Take all settings from an image made here.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--edit", metavar="IMAGE", help="Edit this image instead of beginning with noise.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other setting: cutouts=16, strokes=90.")
    ] = None,
    images: ImageOption = None,
    checkpoint: CheckpointOption = None,
    also: AlsoOption = None,
    judge: JudgeOption = None,
    prompts: PromptsOption = None,
    methods: MethodsOption = None,
    strengths: StrengthsOption = None,
    plain: Annotated[bool, typer.Option("--no-metadata", help="Leave the settings out of the PNG.")] = False,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Generate an image from a sentence; the PNG holds every setting. Several make a sheet, grid.png, as well."""
    for key in (model, *(also or ()), *((judge,) if judge else ())):
        find(key)
    given: dict[str, Any] = {"prompt": prompt, "method": method, "seed": seed, "seconds": seconds, "steps": steps}
    given |= {"also": tuple(also) if also else None, "judge": judge, "checkpoint": checkpoint and str(checkpoint)}
    begins = _Beginning(start, *_image_prompts(images or []))
    given["image_weights"] = begins.weights or None
    sentences = [line.strip() for line in read_lines(prompts) if line.strip()] if prompts else []
    if prompts and not sentences:
        raise BadInput(f"--prompts is a file with one sentence a line; {prompts.name!r} holds none.")
    given["prompt"] = prompt or next(iter(sentences), None)
    if not method and not again:
        given["method"] = "diffusion" if checkpoint else "prior" if model == "pocket" and not start else None
    settings = _settings({**given, **_assigned(setting or [])}, again, model)
    _check(settings, begins, strengths)
    from workbench.generation.grids import grid

    ways = [way.strip() for way in methods.split(",")] if methods else []
    layout = grid(settings, prompts=sentences, methods=ways, seeds=count, strengths=_numbers(strengths))
    _make(layout, out, begins=begins, with_settings=not plain, device=device, as_json=as_json)


def _make(layout: Grid, out: Path, *, begins: _Beginning, with_settings: bool, device: str, as_json: bool) -> None:
    """Make the images of a grid one after the other, and a sheet of several."""
    from workbench.surface import load

    cells = [cell for row in layout.cells for cell in row]
    opened = load(cells[0].model, device=device)
    rows: list[dict[str, Any]] = []
    try:
        for cell in cells:
            rows.append(_one(opened, cell, out, begins=begins, with_settings=with_settings))
            if not as_json:
                write(rows[-1]["image"])
        if len(cells) > 1:
            _write_sheet(layout, rows, out / "grid.png")
    finally:
        if as_json:
            write_json(rows)


def _write_sheet(layout: Grid, rows: list[dict[str, Any]], path: Path) -> None:
    import io

    from workbench.generation.grids import sheet
    from workbench.generation.run import start_pixels
    from workbench.images import safe_open

    file = io.BytesIO()
    sheet(layout, [start_pixels(safe_open(Path(row["image"])), 192) for row in rows]).save(file, format="PNG")
    write_whole(path, file.getvalue())


def _settings(given: dict[str, Any], again: Path | None, model: str) -> Settings:
    """Settings of the line, over those of an image where one is given."""
    from workbench.generation.metadata import from_png
    from workbench.generation.settings import read_settings
    from workbench.images import read_file

    given = {name: value for name, value in given.items() if value is not None}
    if again is not None:
        return read_settings({**from_png(read_file(again), again.name).model_dump(), **given})
    if "prompt" not in given:
        raise BadInput("Describe the image to make: generate 'a red apple'; or give --again FILE.png.")
    return read_settings({"model": model, **given})


def _check(settings: Settings, begins: _Beginning, strengths: str | None) -> None:
    from workbench.generation.settings import BY_CHECKPOINT

    if strengths and not begins.start:
        raise BadInput(f"--strengths {strengths} makes a row of edits; give the image to edit too: --edit IMAGE.")
    if settings.method in BY_CHECKPOINT and not settings.checkpoint:
        raise BadInput(f"The method {settings.method} draws with a model of yours: give --checkpoint FOLDER.")


def _numbers(text: str | None) -> list[float]:
    """Strengths, joined by commas."""
    try:
        return [float(part) for part in text.split(",")] if text else []
    except ValueError:
        raise BadInput(f"--strengths takes numbers joined by commas, such as -1,0,1; got {text!r}.") from None


def _assigned(pairs: list[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise BadInput(f"--set takes NAME=VALUE, such as cutouts=16; got {pair!r}.")
        values[name.strip()] = value.strip()
    return values


def _one(model: Model, settings: Settings, out: Path, *, begins: _Beginning, with_settings: bool) -> dict[str, Any]:
    with watched("The generation was stopped; nothing of this image was written.") as watch:
        made = model.generate(settings, start=begins.start, images=begins.images, progress=watch)
    if made.note:
        say(made.note)
    edited = f"-{settings.strength:g}" if begins.start and settings.neutral else ""
    path = out / f"{_slug(settings.prompt)}-{settings.method}-{settings.seed}{edited}.png"
    made.save(path, with_settings=with_settings)
    svg = {"svg": str(path.with_suffix(".svg"))} if made.svg else {}
    return {"image": str(path), **made.to_dict(), **svg}


@dataclass(frozen=True)
class _Beginning:
    """Files that an image begins with or is to look like."""

    start: Path | None
    images: tuple[Path, ...] = ()
    weights: tuple[float, ...] = ()


def _image_prompts(given: list[str]) -> tuple[tuple[Path, ...], tuple[float, ...]]:
    """Split FILE:WEIGHT; a colon that no number follows belongs to the name."""
    pairs = []
    for text in given:
        name, _, weight = text.rpartition(":")
        try:
            pairs.append((Path(name), float(weight)) if name else (Path(text), 1.0))
        except ValueError:
            pairs.append((Path(text), 1.0))
    return tuple(path for path, _ in pairs), tuple(weight for _, weight in pairs)


def _slug(prompt: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:48] or "image"

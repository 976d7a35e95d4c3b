"""`generate`: an image out of a sentence, with everything that is needed to make it again inside the PNG."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audits.shell.interrupt import stop_on_ctrl_c
from audits.shell.options import DeviceOption, JsonOption, ModelOption
from audits.shell.output import say, write, write_json
from audits.shell.progress import progress
from workbench.errors import BadInput, Cancelled
from workbench.models import find
from workbench.places import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Engine
    from workbench.generation.run import Generated
    from workbench.generation.settings import Settings


def generate(
    prompt: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="A sentence, or several with weights: 'a castle | fog:-0.3'.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="prior, fourier, strokes, maco, siren or pixels (default: prior with pocket, else fourier).",
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
    plain: Annotated[bool, typer.Option("--no-metadata", help="Leave the settings out of the PNG.")] = False,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Generate an image from a sentence; the PNG holds every setting."""
    find(model)
    if not 1 <= count <= 100:
        raise BadInput(f"--count lies between 1 and 100; got {count}.")
    given = {"prompt": prompt, "method": method, "seed": seed, "seconds": seconds, "steps": steps}
    settings = _settings({**given, **_assigned(setting or [])}, again, model)
    from workbench.engine import Engine

    engine = Engine(default=settings.model, device=device)
    rows = []
    try:
        for number in range(count):
            one = settings.model_copy(update={"seed": settings.seed + number})
            rows.append(_one(engine, one, out, start=start, with_settings=not plain))
            if not as_json:
                write(rows[-1]["image"])
    finally:
        with contextlib.suppress(Exception):  # boundary: an engine that cannot stop must not hide the first error
            engine.close()
        if as_json:
            write_json(rows)


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


def _assigned(pairs: list[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise BadInput(f"--set takes NAME=VALUE, such as cutouts=16; got {pair!r}.")
        values[name.strip()] = value.strip()
    return values


def _one(engine: Engine, settings: Settings, out: Path, *, start: Path | None, with_settings: bool) -> dict[str, Any]:
    from workbench.generation.metadata import to_png
    from workbench.generation.run import Generated

    result: Generated | None = None
    with stop_on_ctrl_c() as stop, progress() as bar:
        task = bar.add_task(f"Seed {settings.seed}", total=None)
        for step in _steps(engine, settings, start):
            if stop.is_set():
                raise Cancelled("The generation was stopped; nothing of this image was written.")
            if isinstance(step, Generated):
                result = step
            else:
                bar.update(task, description=step.line)
    assert result is not None
    if result.painting.note:
        say(result.painting.note)
    path = out / f"{_slug(settings.prompt)}-{settings.method}-{settings.seed}.png"
    write_whole(path, to_png(result, with_settings=with_settings))
    row = {"image": str(path), "seed": settings.seed, "similarity": result.similarity, "judge": None}
    nearest = result.painting.nearest
    row["nearest"] = None if nearest is None else asdict(nearest)
    if result.painting.svg:
        write_whole(path.with_suffix(".svg"), result.painting.svg.encode())
        row["svg"] = str(path.with_suffix(".svg"))
    return {**row, "steps": result.painting.settings.steps, "text_leak": result.text_leak}


def _steps(engine: Engine, settings: Settings, start: Path | None) -> Iterator[Any]:
    from workbench.generation.run import generate as images
    from workbench.generation.run import needed, start_pixels
    from workbench.images import safe_open

    pixels: NDArray[Any] | None = None if start is None else start_pixels(safe_open(start), settings.side)
    with engine.session("shell", settings.model, others=needed(settings)) as session:
        yield from images(session, settings, pixels)


def _slug(prompt: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:48] or "image"

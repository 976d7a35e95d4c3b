"""`attack`: write a word on an image, or find the smallest label that makes a model answer a chosen name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from apps.shell._inputs import read_labels, read_templates
from apps.shell._loading import load_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import watched
from workbench.errors import BadInput
from workbench.labels import parse_labels
from workbench.models import find

if TYPE_CHECKING:
    from PIL import Image

    from workbench.typographic.lettering import Label

LabelsFileOption: TypeAlias = Annotated[
    Path | None, typer.Option("--labels-file", metavar="FILE", help="A file with one label a line.")
]
TargetOption: TypeAlias = Annotated[
    str | None, typer.Option("--find", metavar="TARGET", help="Find the smallest label that makes this the answer.")
]
FontOption: TypeAlias = Annotated[
    str | None, typer.Option("--font", help="printed, serif, typewriter or handwriting; a search tries all.")
]
TemplatesOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--templates", help="As in `classify`; default: “a photo of a {}.”")
]
TransferOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--transfer", metavar="MODELS", help="Ask these models too: keys with commas, or all on this machine."
    ),
]
AlsoOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--also", metavar="WORD,X,Y", help="A further label like the first; repeatable.")
]


def attack(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A file, or the key of a shipped picture.")],
    labels: Annotated[str | None, typer.Option("--labels", help='One CSV row: cat,dog,"cup, full".')] = None,
    labels_file: LabelsFileOption = None,
    word: Annotated[str | None, typer.Option("--word", help="Write this word and say what changes.")] = None,
    target: TargetOption = None,
    also: AlsoOption = None,
    x: Annotated[float, typer.Option("--x", help="Middle of the label, share of the centre square.")] = 0.5,
    y: Annotated[float, typer.Option("--y", help="Middle of the label from the top, as a share likewise.")] = 0.78,
    size: Annotated[float, typer.Option("--size", help="Height of the letters, share of the centre square.")] = 0.14,
    font: FontOption = None,
    ink: Annotated[str, typer.Option("--ink", help="Colour of the letters.")] = "#000000",
    paper: Annotated[str, typer.Option("--paper", help="Colour of the label; empty for bare letters.")] = "#ffffff",
    form: Annotated[str, typer.Option("--form", help="paper or sticker.")] = "paper",
    outline: Annotated[str, typer.Option("--outline", help="Colour of a line around the letters; empty: none.")] = "",
    angle: Annotated[float, typer.Option("--angle", help="Degrees, counter-clockwise.")] = 0.0,
    tilt: Annotated[float, typer.Option("--tilt", help="Perspective, -1..1: right side, or left, recedes.")] = 0.0,
    opacity: Annotated[float, typer.Option("--opacity", help="0..1.")] = 1.0,
    words: Annotated[str | None, typer.Option("--words", help="Words that a search may write: one CSV row.")] = None,
    calls: Annotated[int, typer.Option("--calls", help="Model calls of a search.")] = 256,
    method: Annotated[str, typer.Option("--method", help="guided, or random to compare with.")] = "guided",
    seed: SeedOption = 0,
    templates: TemplatesOption = None,
    transfer: TransferOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.png", help="Write the image.")] = None,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Write a word on an image, or find the smallest label that fools a model; to understand and to defend."""
    from workbench.results.word_attack import AttackSettings, attack_request

    settings = AttackSettings(
        x=x, y=y, size=size, angle=angle, tilt=tilt, opacity=opacity, ink=ink, paper=paper, outline=outline,
        form=form, also=_further(also), calls=calls, method=method, seed=seed,  # type: ignore[typeddict-item]
    )  # fmt: skip
    if font:
        settings["font"] = font
    if words:
        settings["words"] = parse_labels(words)
    given, prompts = read_labels(labels, labels_file), read_templates(templates or [])
    attack_request(given, word=word, find=target, settings=settings)
    opened, others = _opened(image), _others(transfer, model)
    loaded = load_and_say(model, device, dtype)
    with watched("The search was stopped; nothing was found yet.") as watch:
        result = loaded.attack(
            opened, labels=given, word=word, find=target, templates=prompts, progress=watch, **settings
        )
    if out is not None:
        result.save(out)
        say(f"The image is in {out}.")
    row = {**result.to_dict(), "image": image}
    if others:
        names = {"names": result.comparison.answers.labels, "target": result.target, "templates": prompts}
        row |= _transfers(others, opened, [result.label, *result.also], on=(device, dtype), options=names)
    write_json(row) if as_json else _print(row)


def _further(rows: list[str] | None) -> list[Label]:
    """Read further labels, which are written in the style of the first.

    Raises:
        BadInput: not a word and two numbers.
    """
    from workbench.typographic.lettering import Label

    labels = []
    for row in rows or ():
        word, *place = (part.strip() for part in row.rsplit(",", 2))
        try:
            x, y = (float(part) for part in place)
        except ValueError:
            raise BadInput(f"A further label is WORD,X,Y, such as pizza,0.5,0.2; got {row[:60]!r}.") from None
        labels.append(Label(word, x=x, y=y))
    return labels


def _others(given: str | None, model: str) -> tuple[str, ...]:
    """Keys of the models that are asked too; each is known.

    Raises:
        BadInput: none is named.
        UnknownName: no such model.
    """
    from workbench.loading.listing import edits_here, models_here

    if given is None:
        return ()
    here = (*models_here(but=model), *edits_here(but=model))
    keys = here if given == "all" else tuple(one.strip() for one in given.split(",") if one.strip())
    for key in keys:
        find(key)
    if not keys:
        raise BadInput(f"Name models that are asked too, joined by commas, or `all`; got {given!r}.")
    return tuple(dict.fromkeys(keys))


def _transfers(
    keys: tuple[str, ...], picture: Image.Image, labels: list[Label], *, on: tuple[str, str], options: dict[str, Any]
) -> dict[str, Any]:
    """What other models answer to the same words; `on` is device and dtype."""
    from workbench.typographic.transfer import transferred

    rows = [vars(transferred(load_and_say(key, *on).backend, picture, labels, **options)) for key in keys]
    return {"transfer": rows}


def _opened(image: str) -> Image.Image:
    from workbench.images import safe_open
    from workbench.typographic.examples import EXAMPLES, example

    return example(image) if image in EXAMPLES and not Path(image).exists() else safe_open(Path(image))


def _print(row: dict[str, Any]) -> None:
    write(_sentence(row))
    for other in row.get("transfer", ()):
        write(f"{other['title']}: {_sentence({**row, **other})}")


def _sentence(row: dict[str, Any]) -> str:
    end = f"{row['before']} → {row['answer']} ({100 * row['probability']:.1f} %)"
    verdict = "fooled" if row["success"] else "not fooled"
    cover = f"“{row['word']}” covers {100 * row['cover']:.1f} % of the image"
    if "tries" not in row or "title" in row:  # nothing was searched, or another model answers
        return f"{verdict}: {end}; {cover}"
    if not row["success"]:
        return f"{verdict}: {end}; {cover}, nothing found in {row['tries']} tries"
    bound = f"the smallest needs at most {100 * row['bound']:.2f} %"
    return f"{verdict}: {end}; {cover}, smallest found in {row['tries']} tries; {bound}"

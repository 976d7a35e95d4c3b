"""`attack`: write a word on an image, or find the smallest label that makes a model answer a chosen name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from apps.shell._inputs import read_labels, read_templates
from apps.shell._loading import load_and_say
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import progress
from workbench.errors import BadInput, Cancelled
from workbench.labels import meant, with_words
from workbench.models import find

if TYPE_CHECKING:
    from PIL import Image

    from workbench.loading.torch_backend import TorchBackend
    from workbench.typographic.attacking import AttackPlan, FoundAttack
    from workbench.typographic.comparing import WrittenAnswers
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
    from workbench.typographic.lettering import Label
    from workbench.typographic.writing import checked

    _check(word, target, also)
    numbers = {"x": x, "y": y, "size": size, "angle": angle, "tilt": tilt, "opacity": opacity}
    style = {"font": font or "printed", "ink": ink, "paper": paper, "form": form, "outline": outline}
    label = checked(Label(word or target or "", **numbers, **style))  # type: ignore[arg-type]
    written = [label, *_further(also, label)]
    goal = (target or label.text).strip()
    names = with_words(read_labels(labels, labels_file), [goal])
    goal = meant(goal, names)
    prompts, opened = read_templates(templates or []), _opened(image)
    others = _others(transfer, model)
    if word is not None:
        backend = load_and_say(model, device, dtype).backend
        row, drawn = _written(backend, opened, written, names=names, prompts=prompts)
    else:
        plan = _plan(goal, label, words, fonts=font, method=method)
        backend = load_and_say(model, device, dtype).backend
        plan = replace(plan, names=names, templates=prompts, calls=calls, seed=seed)
        row, drawn = _searched(backend, opened, plan)
    if out is not None:
        _save(drawn, out)
    row = {**row, "image": image, "model": backend.spec.key}
    if others:
        put, on = [Label(str(row["word"]), **row["label"]), *written[1:]], (device, dtype)
        row |= _transfers(others, opened, put, on=on, options={"names": names, "target": goal, "templates": prompts})
    write_json(row) if as_json else _print(row)


def _check(word: str | None, target: str | None, also: list[str] | None) -> None:
    if (word is None) == (target is None):
        raise BadInput(f"Give --word W or --find TARGET; got {'neither' if word is None else 'both'}.")
    if also and word is None:
        raise BadInput("Further labels (--also) stand beside --word; a search writes one label.")


def _plan(goal: str, style: Label, words: str | None, *, fonts: str | None, method: str) -> AttackPlan:
    from workbench.labels import parse_labels
    from workbench.typographic.attacking import AttackPlan

    if method not in ("guided", "random"):
        raise BadInput(f"A search is guided or random; got {method[:40]!r}.")
    own = parse_labels(words) if words else ()
    plan = AttackPlan(goal, (goal,), words=own, style=style, method=method)  # type: ignore[arg-type]
    return replace(plan, fonts=(fonts,)) if fonts else plan


def _further(rows: list[str] | None, style: Label) -> list[Label]:
    """Read further labels, in the style of the first.

    Raises:
        BadInput: not a word and two numbers.
    """
    from workbench.typographic.writing import checked

    labels = []
    for row in rows or ():
        word, *place = (part.strip() for part in row.rsplit(",", 2))
        try:
            x, y = (float(part) for part in place)
        except ValueError:
            raise BadInput(f"A further label is WORD,X,Y, such as pizza,0.5,0.2; got {row[:60]!r}.") from None
        labels.append(checked(replace(style, text=word, x=x, y=y)))
    return labels


def _written(
    backend: TorchBackend,
    picture: Image.Image,
    labels: list[Label],
    *,
    names: tuple[str, ...],
    prompts: tuple[str, ...],
) -> tuple[dict[str, Any], Image.Image]:
    from workbench.typographic.comparing import compare

    result = compare(backend, picture, labels, names=names, templates=prompts)
    row = _row(result, labels[0], meant(labels[0].text, names))
    also = [{"word": one.text, "x": one.x, "y": one.y} for one in labels[1:]]
    return (row | {"also": also} if also else row), result.written


def _searched(backend: TorchBackend, picture: Image.Image, plan: AttackPlan) -> tuple[dict[str, Any], Image.Image]:
    from workbench.progress import Progress
    from workbench.typographic.attacking import find_attack

    attack: FoundAttack | None = None
    with progress() as bar, stop_on_ctrl_c() as stop:
        task = bar.add_task("Search", total=plan.calls)
        for step in find_attack(backend, picture, plan):
            if stop.is_set():
                raise Cancelled("The search was stopped; nothing was found yet.")
            if isinstance(step, Progress):
                bar.update(task, completed=step.done)
            else:
                attack = step
    assert attack is not None
    row = _row(attack.comparison, attack.label, plan.target)
    return {**row, "calls": attack.calls, "seed": plan.seed, "method": plan.method}, attack.comparison.written


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


def _row(result: WrittenAnswers, label: Label, target: str) -> dict[str, Any]:
    """The documented keys, and where and how the word is written."""
    answer, probability, _ = result.answers.ranked(1)[0]
    return {
        "target": target,
        "word": label.text,
        "cover": result.cover,
        "success": result.success(target),
        "answer": answer,
        "probability": probability,
        "before": result.top(0),
        "label": {name: value for name, value in vars(label).items() if name != "text"},
    }


def _opened(image: str) -> Image.Image:
    from workbench.images import safe_open
    from workbench.typographic.examples import EXAMPLES, example

    return example(image) if image in EXAMPLES and not Path(image).exists() else safe_open(Path(image))


def _save(picture: Image.Image, out: Path) -> None:
    import io

    from workbench.places import write_whole

    data = io.BytesIO()
    picture.save(data, format="PNG")
    write_whole(out, data.getvalue())
    say(f"The image is in {out}.")


def _print(row: dict[str, Any]) -> None:
    write(_sentence(row))
    for other in row.get("transfer", ()):
        write(f"{other['title']}: {_sentence({**row, **other})}")


def _sentence(row: dict[str, Any]) -> str:
    end = f"{row['before']} → {row['answer']} ({100 * row['probability']:.1f} %)"
    verdict = "fooled" if row["success"] else "not fooled"
    return f"{verdict}: {end}; “{row['word']}” covers {100 * row['cover']:.1f} % of the image"

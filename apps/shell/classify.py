"""`classify`: name images with any labels, from the shell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from apps.shell._inputs import read_labels, read_templates
from apps.shell._loading import load_and_say
from workbench.cli.interrupt import reading, stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption
from workbench.cli.output import printable, say, write
from workbench.cli.progress import progress
from workbench.errors import INCOMPLETE, INTERRUPTED
from workbench.image_inputs import image_files
from workbench.strict_json import strict_json
from workbench.taught.words import MARKS

if TYPE_CHECKING:
    from workbench.results.predictions import Prediction

SHOWN = 5  # labels an image, in the text output


def classify(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGES…", help="Files, folders or patterns such as 'photos/*.jpg'.")
    ],
    labels: Annotated[str | None, typer.Option("--labels", help='One CSV row: cat,dog,"cup, full".')] = None,
    labels_file: Annotated[
        Path | None, typer.Option("--labels-file", metavar="FILE", help="A file with one label a line.")
    ] = None,
    templates: Annotated[
        list[str] | None,
        typer.Option(
            "--templates",
            help="none, one, seven, eighty, a text with {} or a file with one a line; repeatable. "
            "Default: “a photo of a {}.”",
        ),
    ] = None,
    none_of_these: Annotated[bool, typer.Option("--none-of-these", help="Add the label “none of these”.")] = False,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Classify images with any labels: a probability and a cosine for each."""
    paths, names = image_files(images), read_labels(labels, labels_file)
    prompts = read_templates(templates or [])
    opened = load_and_say(model, device, dtype)
    rows = opened.classify_each(paths, names, templates=prompts, none_of_these=none_of_these)
    answers = _watched(rows, total=len(paths))
    failed = _print_json(answers) if as_json else _print_text(answers)
    if failed:
        say(f"{failed} of {len(paths)} images failed.")
        raise typer.Exit(INCOMPLETE)


def _watched(answers: Iterator[Prediction], *, total: int) -> Iterator[dict[str, Any]]:
    """Yield one entry of the documented list an image, and say once what a reader must know."""
    unsaid = True
    with progress() as bar:
        task = bar.add_task("Pictures", total=total)
        for answer in answers:
            bar.advance(task)
            for note in answer.notes if unsaid else ():
                say(note)
            unsaid = unsaid and bool(answer.error)
            yield answer.to_dict()


def _print_json(answers: Iterator[dict[str, Any]]) -> int:
    """Print one JSON list, entry by entry, and end it properly even when stopped; return how many failed."""
    failed, before = 0, "["
    try:
        with stop_on_ctrl_c() as stop:  # an interruption in the middle of an entry would leave half of it
            for entry in answers:
                failed += "error" in entry
                with reading():
                    sys.stdout.write(f"{before}\n{strict_json(entry)}")
                before = ","
                if stop.is_set():
                    raise typer.Exit(INTERRUPTED)
    finally:
        with reading():
            sys.stdout.write("[]\n" if before == "[" else "\n]\n")
            sys.stdout.flush()
    return failed


def _print_text(answers: Iterator[dict[str, Any]]) -> int:
    failed = 0
    for entry in answers:
        if "error" in entry:
            failed += 1
            say(f"{entry['image']}: {entry['error']}")
            continue
        lines = [
            f"  {100 * one['probability']:6.2f} %  {one['cosine']:+.4f}  {printable(one['label'])}{_mark(one)}"
            for one in entry["labels"]
        ]
        hidden = len(lines) - SHOWN
        more = [f"  … and {hidden} more label{'s' * (hidden > 1)}"] if hidden > 0 else []
        write(Text.assemble((printable(entry["image"]), "bold"), "\n" + "\n".join([*lines[:SHOWN], *more])))
        if entry["unlike"]:
            write("  The image is unlike what the model has seen: take the answer for a guess.")
    return failed


def _mark(label: Mapping[str, Any]) -> str:
    return MARKS.get(label.get("taught", ""), "")

"""`classify`: name images with any labels, from the shell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from apps.shell._inputs import picture_paths, read_labels, read_templates
from apps.shell._loading import load_and_say
from workbench.cli.interrupt import reading, stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption
from workbench.cli.output import printable, say, write
from workbench.cli.progress import progress
from workbench.errors import INCOMPLETE, INTERRUPTED
from workbench.strict_json import strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.embedding import EmbeddedFile
    from workbench.loading.torch_backend import TorchBackend

SHOWN = 5  # labels an image, in the text output
CHUNK = 32  # images that are scored together


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
    paths, names = picture_paths(images), read_labels(labels, labels_file)
    prompts = read_templates(templates or [])
    backend = load_and_say(model, device, dtype)
    answers = _answers(backend, paths, names, templates=prompts, none_of_these=none_of_these)
    failed = _print_json(answers) if as_json else _print_text(answers)
    if failed:
        say(f"{failed} of {len(paths)} images failed.")
        raise typer.Exit(INCOMPLETE)


def _answers(
    backend: TorchBackend, paths: Sequence[str], labels: Sequence[str], *, templates: Sequence[str], none_of_these: bool
) -> Iterator[dict[str, Any]]:
    """Yield one entry of the documented list an image."""
    from workbench.embedding import KnownVectors, embed_files
    from workbench.notes import notes
    from workbench.zeroshot import classify as name_pictures

    known, unsaid = KnownVectors(backend), True
    rows = embed_files(backend, paths)
    with progress() as bar:
        task = bar.add_task("Pictures", total=len(paths))
        while chunk := list(islice(rows, CHUNK)):
            bar.advance(task, len(chunk))
            known.vectors = {row.path: row.vector for row in chunk if row.vector is not None}
            ranked: dict[str, Any] = {}
            if good := list(known.vectors):
                answer = name_pictures(known, good, labels, templates=templates, none_of_these=none_of_these)
                for note in notes(known, answer, templates) if unsaid else ():
                    say(note)
                unsaid = False
                ranked = {path: answer.ranked(number) for number, path in enumerate(good)}
            yield from (_entry(row, ranked.get(row.path, ())) for row in chunk)


def _entry(row: EmbeddedFile, ranked: Sequence[tuple[str, float, float]]) -> dict[str, Any]:
    if row.vector is None:
        return {"image": row.path, "error": row.error}
    labels = [{"label": name, "probability": chance, "cosine": cosine} for name, chance, cosine in ranked]
    return {"image": row.path, "labels": labels}


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
            f"  {100 * one['probability']:6.2f} %  {one['cosine']:+.4f}  {printable(one['label'])}"
            for one in entry["labels"]
        ]
        hidden = len(lines) - SHOWN
        more = [f"  … and {hidden} more label{'s' * (hidden > 1)}"] if hidden > 0 else []
        write(Text.assemble((printable(entry["image"]), "bold"), "\n" + "\n".join([*lines[:SHOWN], *more])))
    return failed

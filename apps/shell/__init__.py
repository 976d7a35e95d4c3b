"""The command line: `clip-workbench`, and the same words behind `python app.py`. Without a word it serves the page.

Knows which words there are; what each does stands in a file of its own. Results go to stdout, everything else to
stderr. Nothing heavy is imported before a command needs it, so that `--help` and a mistyped word answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from apps.shell import audit, cache, classify, doctor, embed, models, serve, space_export, train
from apps.shell._output import complain
from workbench.errors import WorkbenchError

EXIT_CODES = {
    0: "all that was asked for is done",
    1: "an error that was not foreseen: please report it",
    2: "an option, a label, a model name or an input that cannot be used",
    3: "done, but some pictures failed; each is named",
    4: "the model's weights are missing or refused",
    5: "memory, disk space or device do not suffice",
    6: "a deadline has passed",
    130: "interrupted, with Ctrl-C or because nobody reads the output any more",
}

_CODES = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."

shell = typer.Typer(
    name="clip-workbench",
    help="Look inside CLIP-style image-text models and audit them. Without a command, the page is served.",
    epilog=_CODES,
    add_completion=False,
    pretty_exceptions_enable=False,  # an unforeseen error is a bug: its plain traceback is what a report needs
    context_settings={"help_option_names": ["-h", "--help"]},
)
shell.command("serve")(serve.serve)
shell.command("models")(models.models)
shell.command("classify")(classify.classify)
shell.command("embed")(embed.embed)
shell.command("train")(train.train)
shell.command("doctor")(doctor.doctor)
shell.command("space-export")(space_export.space_export)
shell.add_typer(cache.cache, name="cache")
shell.add_typer(audit.audit, name="audit")


@shell.callback()
def _root(
    shown: Annotated[
        bool,
        typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=lambda on: _tell(on)),
    ] = False,
) -> None:
    """Look inside CLIP-style image-text models and audit them. Without a command, the page is served."""


def run(arguments: Sequence[str]) -> int:
    """Do what a command line says; return the exit code (`EXIT_CODES`).

    A line that is empty or begins with an option is a line of `serve`.
    """
    words = list(arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "serve")
    try:
        shell(args=words, prog_name="clip-workbench")
    except WorkbenchError as error:
        complain(str(error))
        return error.exit_code
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    return 0


def _tell(on: bool) -> None:
    if not on:
        return
    try:
        typer.echo(f"clip-workbench {version('clip-workbench')}")
    except PackageNotFoundError:  # run from a clone that was never installed
        typer.echo("clip-workbench, from a clone")
    raise typer.Exit

"""The command line: `clip-workbench`, and the same words behind `python app.py`. Without a word it serves the page.

Each command stands in a module of its own. Results go to stdout, everything else to stderr. Nothing heavy is imported
before a command needs it, so that `--help` and a mistyped word answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from apps.shell import (
    atlas,
    attack,
    cache,
    classify,
    defend,
    dictionary,
    doctor,
    embed,
    evaluate,
    flags,
    generate,
    heads,
    index,
    index_evaluate,
    index_moments,
    index_videos,
    labels,
    mcp,
    models,
    neuron,
    prior_export,
    probe,
    prompts,
    remedy,
    serve,
    space_export,
    sparse_probe,
    suite,
    train,
    typographic,
    video,
    visualise,
)
from audits.shell import audit
from workbench.cli.exit_codes import EPILOG, CodedGroup, run_app

shell = typer.Typer(
    name="clip-workbench",
    cls=CodedGroup,
    help="Inspect and audit CLIP-style image-text models. Without a command, the page is served.",
    epilog=EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,  # an unforeseen error is a bug: its plain traceback is what a report needs
    context_settings={"help_option_names": ["-h", "--help"]},
)
shell.command("serve")(serve.serve)
shell.command("models")(models.models)
shell.command("classify")(classify.classify)
shell.command("embed")(embed.embed)
shell.command("attack")(attack.attack)
shell.command("defend")(defend.defend)
shell.command("neuron")(neuron.neuron)
shell.command("dictionary")(dictionary.dictionary)
shell.command("heads")(heads.heads)
shell.command("visualise")(visualise.visualise)
shell.command("atlas")(atlas.atlas)
shell.command("sparse-probe")(sparse_probe.sparse_probe_)
shell.command("probe")(probe.probe)
shell.command("evaluate")(evaluate.evaluate)
shell.command("suite")(suite.suite)
shell.command("prompts")(prompts.prompts)
shell.command("remedy")(remedy.remedy)
shell.command("flags")(flags.flags)
shell.command("labels")(labels.labels)
shell.command("generate")(generate.generate)
shell.command("train")(train.train)
shell.command("video")(video.video)
shell.command("mcp")(mcp.mcp)
shell.command("doctor")(doctor.doctor)
shell.command("prior-export")(prior_export.prior_export)
shell.command("space-export")(space_export.space_export)
shell.add_typer(cache.cache, name="cache")
index.index.command("videos")(index_videos.videos)
index.index.command("evaluate")(index_evaluate.evaluate)
index.index.command("moments")(index_moments.moments)
shell.add_typer(index.index, name="index")
shell.add_typer(typographic.typographic, name="typographic")
shell.add_typer(audit, name="audit")


@shell.callback()
def _root(
    shown: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=lambda on: _version(on)),
    ] = False,
) -> None:
    """Inspect and audit CLIP-style image-text models. Without a command, the page is served."""


def run(arguments: Sequence[str]) -> int:
    """Do what a command line says; return the exit code (`workbench.cli.exit_codes`).

    A line that is empty or begins with an option is a line of `serve`.
    """
    words = list(arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "serve")
    return run_app(shell, words, "clip-workbench")


def _version(on: bool) -> None:
    if not on:
        return
    try:
        typer.echo(f"clip-workbench {version('clip-workbench')}")
    except PackageNotFoundError:  # run from a clone that was never installed
        typer.echo("clip-workbench, from a clone")
    raise typer.Exit

"""`prompts`: templates chosen on a folder's images, beside random words and descriptions; tested once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from apps.shared.percentages import percent
from apps.shell._inputs import read_templates
from apps.shell._labelled import CacheOption, FolderArgument, embed_and_show, opened_engine, read_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import BadInput
from workbench.models import find


def prompts(
    folder: FolderArgument,
    model: ModelOption = "pocket",
    templates: Annotated[
        list[str] | None,
        typer.Option("--templates", help="Templates to choose from, as `classify` takes them; OpenAI's eighty."),
    ] = None,
    most: Annotated[int, typer.Option("--most", help="Templates that are chosen, at most.")] = 7,
    descriptions: Annotated[
        Path | None, typer.Option("--descriptions", metavar="FILE.json", help="{class: [sentence, …]} to test as well.")
    ] = None,
    seed: SeedOption = 0,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Search prompt templates on train and validation images, and test them beside as many random words."""
    from workbench.probes.prompt_search import read_descriptions, search_prompts

    find(model)
    if most < 1:
        raise BadInput(f"--most is 1 or more; got {most}.")
    candidates = read_templates(templates or ["eighty"])
    sentences = read_descriptions(descriptions) if descriptions else None
    images = read_and_say(folder, seed)

    trials = []
    with opened_engine(model, device, dtype, cache=cache) as engine, engine.session("shell", keep_pictures=cache) as at:
        images, made = embed_and_show(at, images)
        with progress() as bar:
            task = bar.add_task("Searching", total=None)
            for trial in search_prompts(at, made, images, candidates=candidates, descriptions=sentences, most=most):
                trials.append(trial)
                bar.update(task, description=trial.name)
    if as_json:
        write_json([_plain(trial) for trial in trials])
        return
    rows = []
    for trial in trials:
        change = trial.difference
        cells = "" if change is None else percent(change, sign="+")
        rows.append((trial.name, percent(trial.accuracy), cells, f"{100 * trial.spread:.1f}" if trial.spread else ""))
    right = ("accuracy", "points to one template", "sd of drawings")
    write_rows(("prompts", *right), rows, right=right)
    best = next(trial for trial in trials if trial.name.startswith("best"))
    for template in best.prompts:
        say(f"chosen: {template}")
    say(f"Chosen on {int((~images.rows('test')).sum())} images, tested once on {int(images.rows('test').sum())}.")


def _plain(trial: Any) -> dict[str, Any]:
    share, change = trial.accuracy, trial.difference
    return {
        "name": trial.name,
        "prompts": list(trial.prompts),
        "accuracy": share.value,
        "low": share.low,
        "high": share.high,
        "difference": change.value if change else None,
        "difference_low": change.low if change else None,
        "difference_high": change.high if change else None,
        "spread": trial.spread,
    }

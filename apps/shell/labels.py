"""`labels`: images of a folder whose label is probably wrong, and images that stand twice."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from apps.shell._labelled import CacheOption, FolderArgument, embed_and_show, opened_engine, read_and_say
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption, SeedOption
from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import progress
from workbench.models import find


def labels(
    folder: FolderArgument,
    model: ModelOption = "pocket",
    seed: SeedOption = 0,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Print the N likeliest errors.")
    ] = None,
    cache: CacheOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Find probable label errors, the likeliest first, and images that stand both in train and in test."""
    find(model)
    images = read_and_say(folder, seed, complete=False)
    from workbench.probes.duplicates import duplicates, thumbnails
    from workbench.probes.label_errors import named, out_of_sample, suspects

    with opened_engine(model, device, dtype, cache=cache) as engine, engine.session("shell", keep_pictures=cache) as at:
        images, made = embed_and_show(at, images)
    with progress() as bar:
        bar.add_task("Fitting", total=None)
        probabilities, strength = out_of_sample(made.features, images.y, seed=seed)
        chosen = suspects(probabilities, images.y)
        twice = duplicates(made.embeddings, thumbnails(images.samples))
    tests = images.rows("test")
    leaks = [pair for pair in twice if tests[pair.first] != tests[pair.second]]
    paths = [sample.name for sample in images.samples]
    rows: list[dict[str, Any]] = [asdict(one) for one in named(chosen, paths, images.classes)[:limit]]
    if as_json:
        write_json(rows)
    else:
        shown = [(row["path"], row["given"], row["suggested"], f"{100 * row['probability']:.1f} %") for row in rows]
        write_rows(("path", "given", "suggested", "probability"), shown, right=("probability",))
    say(f"{len(chosen)} of {len(images.samples)} labels are suspect (penalty {strength:.3g}, seed {seed}).")
    if twice:
        say(f"{len(twice)} pairs of images are the same or nearly; {len(leaks)} of them join train and test:")
    for pair in (leaks or twice)[:10]:
        say(f"  {images.samples[pair.first].name} and {images.samples[pair.second].name}")

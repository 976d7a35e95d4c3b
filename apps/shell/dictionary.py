"""`dictionary`: a sparse dictionary of a model's image embeddings, with figures on images held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import DeviceOption, JsonOption, SeedOption
from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import progress, watched
from workbench.errors import BadInput
from workbench.image_inputs import image_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.loading.torch_backend import TorchBackend
    from workbench.neurons.atlas import Atlas
    from workbench.neurons.dictionary import DictionarySettings, SparseDictionary
    from workbench.neurons.dictionary_file import DictionaryFeature


def dictionary(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A key listed by `models`, or a folder.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.safetensors", help="Where it goes.")] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="PATH", help="Files or a folder (default: the built-in images); repeatable."),
    ] = None,
    features: Annotated[int, typer.Option("--features", help="Features of the dictionary.")] = 1024,
    active: Annotated[int, typer.Option("--active", help="Features that an image may use.")] = 16,
    nested: Annotated[bool, typer.Option("--nested", help="From coarse to fine (Matryoshka).")] = False,
    steps: Annotated[int, typer.Option("--steps", help="Steps of the optimiser.")] = 1000,
    feature: Annotated[int | None, typer.Option("--feature", help="Write the page of this feature.")] = None,
    page: Annotated[Path | None, typer.Option("--page", metavar="PAGE.html", help="Where that page goes.")] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Learn a sparse dictionary twice, with two seeds, on four of five images; measure it on the fifth."""
    from workbench.neurons.dictionary import DictionarySettings, measure

    settings = DictionarySettings(features, active, nested, steps, seed=seed)
    if (feature is None) != (page is None) or (feature is not None and not 0 <= feature < features):
        raise BadInput(f"A feature's page takes --feature, 0 to {features - 1}, and --page; got {feature} and {page}.")
    files = image_files(corpus) if corpus else []
    import numpy as np

    from apps.shell._loading import load_and_say
    from workbench.neurons.dictionary_file import describe_features, write_dictionary

    backend = load_and_say(model, device, "auto").backend
    atlas = _atlas(backend, files)
    rows = atlas.survey.embeddings
    held_out = np.random.default_rng(seed).permutation(len(rows)) < len(rows) // 5
    first, second = (_learned(rows[~held_out], replace(settings, seed=seed + number)) for number in (0, 1))
    measures = measure(first, rows[held_out], texts=atlas.lexicon.rows, other=second)
    if out is not None:
        write_dictionary(first, out, fingerprint=backend.fingerprint)
        say(f"The dictionary is {out}.")
    if feature is not None and page is not None:
        _write_page(first, atlas, feature, page=page, model=(backend.spec.title, model))
    described = describe_features(first, first.encode(rows), atlas.survey.items, table=atlas.lexicon)
    kept = measures.kept
    assert kept is not None
    facts: dict[str, Any] = {
        "out": None if out is None else str(out), "images": len(rows), "held_out": int(held_out.sum()), "seed": seed,
        "explained": measures.explained, "active": measures.active, "alive": measures.alive.value,
        "same_answer": kept.value, "low": kept.low, "high": kept.high, "agreement": measures.agreement,
    }  # fmt: skip
    if as_json:
        write_json({**facts, "features": [_plain(one) for one in described]})
        return
    _write_table(described)
    say(
        f"On {facts['held_out']} images held out: {100 * measures.explained:.1f} % of the variance explained by "
        f"{measures.active:.1f} features an image; {measures.alive} features in use; the same answer among "
        f"{len(atlas.lexicon.words)} words for {kept}; agreement of two seeds {measures.agreement:.2f}."
    )


def _write_page(
    dictionary: SparseDictionary, atlas: Atlas, feature: int, *, page: Path, model: tuple[str, str]
) -> None:
    from workbench.neurons.dictionary_atlas import dictionary_atlas
    from workbench.neurons.page import render
    from workbench.neurons.unit import report
    from workbench.places import write_whole

    one = report(dictionary_atlas(dictionary, atlas), feature, model=model)
    write_whole(page, render(one).encode())
    say(f"The page of {one.title.replace('unit', 'feature')} is {page}.")


def _write_table(described: Sequence[DictionaryFeature]) -> None:
    rows = [
        (
            one.number,
            ", ".join(word for word, _ in one.words),
            f"{one.words[0][1]:.2f}",
            f"{one.shuffled:.2f}",
            one.uses,
        )
        for one in described
    ]
    write_rows(("feature", "words", "cosine", "shuffled", "images"), rows, right=("cosine", "shuffled", "images"))


def _plain(one: DictionaryFeature) -> dict[str, Any]:
    return {
        "feature": one.number,
        "words": [list(pair) for pair in one.words],
        "shuffled": one.shuffled,
        "uses": one.uses,
        "strongest": [item.key for item in one.strongest],
    }


def _learned(rows: NDArray[np.float32], settings: DictionarySettings) -> SparseDictionary:
    from workbench.neurons.dictionary import SparseDictionary, learn

    with progress() as bar:
        task = bar.add_task(f"Seed {settings.seed}", total=settings.steps)
        for step in learn(rows, settings):
            if isinstance(step, SparseDictionary):
                return step
            bar.update(task, completed=step.done)
    raise AssertionError("learning ends in a dictionary")


def _atlas(backend: TorchBackend, files: list[str]) -> Atlas:
    from workbench.neurons.atlas import Atlas
    from workbench.neurons.atlas_building import find_or_build
    from workbench.watching import outcome

    with watched("Stopped; the next call goes on from here.") as watch:
        atlas = outcome(find_or_build(backend, "last", files), watch)
    assert isinstance(atlas, Atlas)
    return atlas

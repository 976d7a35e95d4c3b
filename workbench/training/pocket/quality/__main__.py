"""Measure a checkpoint and write its table: `python -m workbench.training.pocket.quality MODEL --photos … --out …`.

`--speed`, `--pruning` and `--beside` ask more, and write it beside the table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from workbench.backend import ClipBackend
from workbench.errors import BadInput, WorkbenchError
from workbench.loading import load
from workbench.places import write_whole
from workbench.statistics.intervals import proportion
from workbench.training.pocket import emoji, opening
from workbench.training.pocket.quality import measuring, pruning, speed
from workbench.training.pocket.quality.answers import HeldOut, QualityAnswer, write
from workbench.training.pocket.quality.beside import beside
from workbench.training.pocket.quality.units import units
from workbench.training.pocket.settings import Settings


def main() -> None:
    """Read the options, measure, write a Markdown table and the same as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("model", help="a key of the catalogue, or a folder")
    options.add_argument("--photos", type=Path, required=True, help="the recipe's photos; the small ones kept apart")
    options.add_argument("--modules", type=Path, required=True, help="node_modules with names and artwork")
    options.add_argument("--validation", type=Path, required=True, help="photos with labels.csv")
    options.add_argument("--half", choices=("selection", "acceptance"), help="of those photos; left out: all")
    options.add_argument("--style", choices=(*emoji.TO_CHOOSE, *emoji.TO_REPORT), default="fluent")
    options.add_argument("--work", type=Path, required=True, help="where drawings and fonts are remembered")
    options.add_argument("--out", type=Path, required=True, help="a .md file; .json goes beside it")
    options.add_argument("--seed", type=int, default=0, help="of words, colours, counts, pairs and labels")
    options.add_argument("--speed", action="store_true", help="milliseconds a photo beside the bare image tower")
    options.add_argument("--pruning", action="store_true", help="the same checkpoint with all word pieces, beside it")
    options.add_argument("--beside", metavar="MODEL", help="another checkpoint on the same pictures, case by case")
    arguments = options.parse_args()
    try:
        _measured(arguments)
    except WorkbenchError as error:
        options.exit(2, f"{error}\n")


def _measured(arguments: argparse.Namespace) -> None:
    other = load(arguments.beside, device="cpu") if arguments.beside else None  # refused before anything else
    half = {None: None, "selection": measuring.SELECTION, "acceptance": measuring.ACCEPTANCE}[arguments.half]
    settings = Settings(photos=arguments.photos, modules=arguments.modules)
    held_out = measuring.held_out(settings, arguments.validation, work=arguments.work, half=half, style=arguments.style)
    held_out = replace(held_out, seed=arguments.seed)
    backend = load(arguments.model, device="cpu")
    if arguments.speed:
        _speed(arguments.out, backend, held_out, model=arguments.model)
    answers: list[QualityAnswer] = []
    for answer in measuring.measure(backend, held_out):
        answers.append(answer)
        write(arguments.out, answers)
    if arguments.pruning:
        with tempfile.TemporaryDirectory(dir=arguments.work) as place:
            pruning.restored(_folder(arguments.model), Path(place) / "whole")
            whole = load(str(Path(place) / "whole"), device="cpu")
            _beside(arguments.out.with_suffix(".pruning.json"), answers, whole, held_out)
    if other is not None:
        _beside(arguments.out.with_suffix(".beside.json"), answers, other, held_out)
    features = measuring.last_block(backend)
    found_units, chance = units(features, held_out)
    channels = features([held_out.photos[0][0]]).shape[1]
    how = f"AUROC of 0.9 in all three forms; {chance} with mixed-up concepts"
    answers.append(QualityAnswer("multimodal units of the last block", proportion(len(found_units), channels), how))
    write(arguments.out, answers)
    arguments.out.with_suffix(".units.json").write_text(
        json.dumps([asdict(unit) for unit in found_units], indent=1) + "\n"
    )


def _folder(model: str) -> Path:
    """Where a checkpoint of this recipe lies."""
    folder = opening.folder_of(model)
    if folder is None or not opening.image_tower(folder):
        raise BadInput(
            f"--speed and --pruning need a checkpoint of the pocket recipe, by key or folder; got {model!r}."
        )
    return folder


def _speed(out: Path, backend: Any, held_out: HeldOut, *, model: str) -> None:
    """Write how long a photo takes, and how long the bare tower does."""
    tower = speed.bare(f"tf_efficientnet_{opening.image_tower(_folder(model))}", backend.image_size)
    ours, bare = speed.a_photo(backend.embed_images, [photo for photo, _ in held_out.photos], tower)
    rows = {"ours_ms": ours, "bare_tower_ms": bare, "ratio": ours / bare, "threads": torch.get_num_threads()}
    out.with_suffix(".speed.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _beside(out: Path, answers: list[QualityAnswer], other: ClipBackend, held_out: HeldOut) -> None:
    """Write how often only one of both is right: this checkpoint, and another one or itself with all word pieces."""
    rows = beside(answers, list(measuring.measure(other, held_out)))
    write_whole(out, (json.dumps(rows, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()

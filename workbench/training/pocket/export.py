"""Writes a model in the hub's format: float16 shards under 10 MiB that plain transformers loads, and their record."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.errors import OutOfResources
from workbench.training.pocket import emoji, folding, towers, vocabulary
from workbench.training.record import RECORD, versions

SHARD = "9.9MB"
BLEND = "blend"  # in a record: what the weights were blended of
BEFORE = "before"  # in a record: how the checkpoint was made that this began from
HANDED_ON = ("recipe", "settings", "began_from", "steps_done", "seconds", BEFORE)
SIDES = {"lite0": 224, "lite2": 224}


def write(made: towers.Towers, settings: Any, out: Path, *, sources: Any, steps: int, seconds: float) -> None:
    """Write a model's folder; what lies in it under other names stays.

    Args:
        made: the towers, folded.
        settings: what decided the weights: `Settings`, of this recipe or of the recipe of texts.
        out: the folder; `work/vocab.txt` in it has the word pieces.
        sources: the ingredients.
        steps: how far it was trained.
        seconds: how long, pauses apart.
    """
    with _folder(out) as half:
        model = dual_encoder(made, towers.locked(settings.image_tower), settings.image_tower)
        model.half().save_pretrained(half, max_shard_size=SHARD)
        for file in half.glob("*.safetensors"):  # which are written for the owner's eyes only
            shutil.copymode(half / "config.json", file)
        _rewrite(half / "config.json")
        shutil.copyfile(out / "work" / "vocab.txt", half / "vocab.txt")
        vocabulary.tokenizer(half / "vocab.txt").save_pretrained(half)
        _processor(settings.image_tower).save_pretrained(half)
        _write_record(half, record(settings, sources, steps=steps, seconds=seconds))


def write_again(new: dict[str, Tensor], settings: Any, out: Path, *, sources: Any, steps: int, seconds: float) -> None:
    """Write a checkpoint again with some weights of its own; all others and all files are the same to the byte.

    Args:
        new: these weights by name.
        settings: what decided them; `start` is the checkpoint.
        out: the folder.
        sources: the ingredients.
        steps: how far it was trained.
        seconds: how long, pauses apart.
    """
    facts, earlier = record(settings, sources, steps=steps, seconds=seconds), _record(settings.start)
    if (blend := earlier.get(BLEND)) is not None:
        facts[BLEND] = blend
    facts[BEFORE] = {name: earlier[name] for name in HANDED_ON if name in earlier}
    _write_changed(settings.start, new, facts, out)


def write_blend(
    made: towers.Towers, start: Path, out: Path, *, name: str, blend: dict[str, Any], same: tuple[str, ...] = ()
) -> None:
    """Write a checkpoint again with other weights; its other files stay to the byte.

    Args:
        made: the towers with their projections.
        start: the checkpoint.
        out: the folder.
        name: of the image tower.
        blend: what it was blended of, for the record.
        same: how the names of weights begin that are the same, to the byte.

    Raises:
        OutOfResources: the folder cannot be made.
    """
    every = dual_encoder(made, towers.locked(name), name).state_dict()
    new = {key: value for key, value in every.items() if not key.startswith(same)}
    facts = _record(start)
    if BLEND in facts:
        blend = {**blend, BEFORE: facts[BLEND]}
    _write_changed(start, new, {**facts, BLEND: blend}, out)


def image_weights(made: towers.Towers, original: torch.nn.Module, name: str) -> dict[str, Tensor]:
    """An image tower's weights by the names that a checkpoint has for them; arguments as `dual_encoder` has them."""
    every = dual_encoder(made, original, name).state_dict()
    return {key: value for key, value in every.items() if key.startswith("vision_model.")}


def hashes(folder: Path) -> dict[str, str]:
    """The shards of a checkpoint and their hashes."""
    return {file.name: _sha256(file) for file in sorted(folder.glob("*.safetensors"))}


def _write_changed(start: Path, new: dict[str, Tensor], facts: dict[str, Any], out: Path) -> None:
    """A checkpoint's files with these weights, by name, in place of its own, and with a new record."""
    from safetensors.torch import load_file, save_file

    with _folder(out) as half:
        for file in sorted(start.iterdir()):
            if file.suffix == ".safetensors" and (state := load_file(file)).keys() & new.keys():
                both = {name: new.get(name, value).to(value.dtype).contiguous() for name, value in state.items()}
                save_file(both, half / file.name, {"format": "pt"})
                shutil.copymode(file, half / file.name)
            elif file.is_file() and file.suffix != ".md" and file.name != RECORD:
                shutil.copy(file, half / file.name)
        _write_record(half, facts)


def _record(folder: Path) -> dict[str, Any]:
    """The record beside a checkpoint's weights; none where there is none."""
    file = folder / RECORD
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A folder to write a model into, whose files come to `out` when all are written, in place of its shards."""
    half = out / f".{uuid.uuid4().hex[:8]}.part"
    try:
        half.mkdir(parents=True)
    except OSError as error:
        raise OutOfResources(f"The folder {out.name!r} cannot be made or written to ({error.strerror}).") from None
    try:
        yield half
        for old in out.glob("*.safetensors"):  # a folder holds the shards of one model
            old.unlink()
        for file in half.iterdir():
            os.replace(file, out / file.name)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def dual_encoder(made: towers.Towers, original: torch.nn.Module, name: str) -> Any:
    """The towers as transformers' `VisionTextDualEncoderModel`, float32.

    Args:
        made: the towers, folded.
        original: the tower that was folded; its running means and variances are kept.
        name: `lite0` or `lite2`.
    """
    import transformers

    library: Any = transformers

    architecture, side = f"tf_efficientnet_{name}", SIDES[name]
    pretrained = {
        **{"architecture": architecture, "input_size": [3, side, side], "mean": [0.5] * 3, "std": [0.5] * 3},
        **{"interpolation": "bicubic", "crop_pct": 0.875, "num_classes": 0},
    }
    vision = library.TimmWrapperConfig(
        architecture=architecture, num_classes=0, hidden_size=towers.WIDTH, do_pooling=True, pretrained_cfg=pretrained
    )
    image = library.TimmWrapperModel(vision)
    state = folding.unfolded(made.image.state_dict(), original)
    image.load_state_dict({f"timm_model.{k}": v for k, v in state.items() if not k.startswith("classifier.")})
    both = library.VisionTextDualEncoderConfig.from_vision_text_configs(
        vision, made.text.config, projection_dim=made.visual_projection.out_features
    )
    model = library.VisionTextDualEncoderModel(config=both, vision_model=image, text_model=made.text)
    own: dict[str, Tensor] = {
        "visual_projection.weight": made.visual_projection.weight,
        "text_projection.weight": made.text_projection.weight,
        "logit_scale": made.logit_scale,
    }
    with torch.no_grad():
        for key, value in own.items():
            model.get_parameter(key).copy_(value)
    return model.eval()


def record(settings: Any, sources: Any, *, steps: int, seconds: float) -> dict[str, Any]:
    """What the weights were made from and with, as JSON holds it; `seconds` are training's, pauses apart."""
    photos = sources.photos
    files = {"full": photos.full, "small": photos.small, "apart": photos.apart}
    fonts = [{"family": font.family, "licence": font.licence, "test": font.test} for font in sources.fonts]
    return {
        "recipe": settings.recipe,
        "settings": json.loads(settings.model_dump_json(exclude={"photos", "modules", "fonts", "start"})),
        "began_from": hashes(settings.start) if settings.start else None,
        "steps_done": steps,
        "seconds": round(seconds),
        "versions": versions(),
        "data": {kind: {"count": len(rows), "sha256": _of_photos(rows)} for kind, rows in files.items()},
        "artwork": {"trained": list(emoji.TRAINED), "apart": [*emoji.TO_CHOOSE, *emoji.TO_REPORT]},
        "fonts": [json.loads(row) for row in sorted({json.dumps(font, sort_keys=True) for font in fonts})],
        "words": len(sources.bank.words),
        "names": len(sources.bank.names),
    }


def _write_record(half: Path, facts: dict[str, Any]) -> None:
    """Write a record with the hashes of the shards that lie there."""
    (half / RECORD).write_text(json.dumps({**facts, "weights": hashes(half)}, indent=1) + "\n", encoding="utf-8")


def _of_photos(rows: Any) -> str:
    """One hash over classes and contents, in the order of the files' names."""
    whole = hashlib.sha256()
    for photo in rows:
        whole.update(f"{photo.label}:".encode() + hashlib.sha256(photo.path.read_bytes()).digest())
    return whole.hexdigest()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _rewrite(file: Path) -> None:
    """Have the shards loaded as float32, since half is what they are kept in, and name no folder of this machine."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: inner for key, inner in value.items() if key != "_name_or_path"}
            return {k: "float32" if k in ("dtype", "torch_dtype") else cleaned(inner) for k, inner in kept.items()}
        return value

    config = cleaned(json.loads(file.read_text(encoding="utf-8")))
    file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _processor(name: str) -> Any:
    from transformers import CLIPImageProcessor

    side, half = SIDES[name], [0.5, 0.5, 0.5]
    return CLIPImageProcessor(
        size={"shortest_edge": side},
        crop_size={"height": side, "width": side},
        image_mean=half,
        image_std=half,
        resample=3,
    )

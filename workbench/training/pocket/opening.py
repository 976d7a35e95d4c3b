"""Loads a checkpoint that `export` wrote as towers that can be trained further."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import BadInput, WeightsRefused
from workbench.models import find
from workbench.training.pocket import folding, towers, vocabulary
from workbench.training.pocket.towers import Towers

IMAGE, TEXT = "vision_model.timm_model.", "text_model."


def opened(folder: Path, *, net: nn.Module, text: nn.Module, frozen: int) -> Towers:
    """Read a checkpoint's weights into towers.

    Args:
        folder: in the hub's format, as `export.write` leaves it.
        net: the locked classifier; gets the checkpoint's weights, but for its last layer, which stays what it is.
        text: a text tower over the checkpoint's word pieces.
        frozen: how many stages of the image tower stay as they are.

    Raises:
        WeightsRefused: it has other word pieces or other layers, or is of another image tower.
    """
    from safetensors.torch import load_file

    files = sorted(folder.glob("*.safetensors"))
    state: dict[str, Tensor] = {key: value for file in files for key, value in load_file(file).items()}
    net.load_state_dict(_fitting(state, IMAGE, net), strict=False)
    text.load_state_dict(_fitting(state, TEXT, text), strict=False)
    image = folding.folded(net).to(memory_format=torch.channels_last)
    image.requires_grad_(True)
    made = Towers(image, text, dim=len(state["visual_projection.weight"]), frozen=frozen)
    with torch.no_grad():
        for key in ("visual_projection.weight", "text_projection.weight", "logit_scale"):
            made.get_parameter(key).copy_(state[key])
    return made


def reopened(folder: Path, *, net: nn.Module, frozen: int) -> Towers:
    """Read a checkpoint's weights into towers of its own word pieces; arguments and errors as `opened` has them."""
    known = vocabulary.tokenizer(towers.minilm_folder() / "vocab.txt").get_vocab()
    pieces = [known[piece] for piece in (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()]
    text = towers.text_tower(towers.minilm(), torch.tensor(pieces))
    return opened(folder, net=net, text=text, frozen=frozen)


def folder_of(key: str) -> Path | None:
    """Where a checkpoint lies: a shipped one's folder, or `key` as a path.

    A published one, which lies in a cache of its own form, has none.
    """
    try:
        return find(key).folder
    except BadInput:  # no key, and no checkpoint lies there
        return Path(key)


def image_tower(folder: Path) -> str:
    """Which image tower a checkpoint has: `lite0`, `lite2`, or "" where it is none of this recipe's."""
    config = folder / "config.json"
    if not config.is_file():
        return ""
    architecture: Any = json.loads(config.read_text(encoding="utf-8")).get("vision_config", {}).get("architecture", "")
    return str(architecture).removeprefix("tf_efficientnet_")


def same_pieces(folder: Path, file: Path) -> None:
    """Check that a checkpoint has the word pieces of this run.

    Args:
        folder: of the checkpoint.
        file: this run's `vocab.txt`.

    Raises:
        WeightsRefused: it has others.
    """
    theirs, ours = ((place / "vocab.txt").read_text(encoding="utf-8").split() for place in (folder, file.parent))
    if theirs != ours:
        raise WeightsRefused(
            f"The checkpoint in {folder.name!r} has other word pieces ({len(theirs)}) than this recipe chooses from "
            f"the names at hand ({len(ours)}); begin from lite0 or lite2 instead."
        )


def _fitting(state: dict[str, Tensor], prefix: str, part: nn.Module) -> dict[str, Tensor]:
    """A part's weights in float32; everything that is there must fit."""
    own = part.state_dict()
    fitting = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    wrong = [key for key, value in fitting.items() if key not in own or own[key].shape != value.shape]
    if wrong or not fitting:
        raise WeightsRefused(
            f"The checkpoint is not of this recipe: {', '.join(wrong[:3]) or prefix + '… is missing'}."
        )
    return {key: value.to(own[key].dtype) for key, value in fitting.items()}

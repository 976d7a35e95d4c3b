"""What pruning the word pieces costs: the same checkpoint with all of MiniLM's pieces again, to be measured alike.

Pieces that were kept have the vectors that training gave them; those that were dropped get MiniLM's own back, as they
would have if they had been there and never been met.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from workbench.errors import BadInput
from workbench.training.pocket import towers, vocabulary

TABLE = "text_model.embeddings.word_embeddings.weight"
SHARD = "model.safetensors"


def restored(folder: Path, out: Path) -> None:
    """Write a checkpoint with all word pieces beside a pruned one.

    Args:
        folder: the pruned checkpoint.
        out: a new folder; its weights are one file, larger than a shard may be.

    Raises:
        BadInput: `out` is there already.
    """
    from safetensors.torch import load_file, save_file

    if out.exists():
        raise BadInput(f"{out.name!r} exists already; the checkpoint with all word pieces needs a new folder.")
    out.mkdir(parents=True)
    state = {key: value for file in sorted(folder.glob("*.safetensors")) for key, value in load_file(file).items()}
    pieces, known = _pieces(folder / "vocab.txt"), _pieces(towers.minilm_folder() / "vocab.txt")
    whole = towers.minilm().state_dict()["embeddings.word_embeddings.weight"].to(state[TABLE].dtype)
    place = {piece: number for number, piece in enumerate(known)}
    whole[torch.tensor([place[piece] for piece in pieces])] = state[TABLE]
    save_file({**state, TABLE: whole}, out / SHARD, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["text_config"]["vocab_size"] = len(known)
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(folder / "preprocessor_config.json", out / "preprocessor_config.json")
    shutil.copyfile(towers.minilm_folder() / "vocab.txt", out / "vocab.txt")
    vocabulary.tokenizer(out / "vocab.txt").save_pretrained(out)


def _pieces(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()

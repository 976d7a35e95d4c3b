"""The sequential head against a transformer written out by hand, and what is no head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Engine
from workbench.errors import BadInput, Unsupported, WeightsRefused
from workbench.pictures import sample
from workbench.retrieval import index
from workbench.retrieval.adding import add
from workbench.retrieval.captions import CaptionPair, evaluate_captions
from workbench.retrieval.sequence import read_head

HEADS = 2  # of width 64


def made_head(dim: int, *, layers: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "attn.in_proj_weight": (3 * dim, dim),
        "attn.in_proj_bias": (3 * dim,),
        "attn.out_proj.weight": (dim, dim),
        "attn.out_proj.bias": (dim,),
        "mlp.c_fc.weight": (4 * dim, dim),
        "mlp.c_fc.bias": (4 * dim,),
        "mlp.c_proj.weight": (dim, 4 * dim),
        "mlp.c_proj.bias": (dim,),
        "ln_1.weight": (dim,),
        "ln_1.bias": (dim,),
        "ln_2.weight": (dim,),
        "ln_2.bias": (dim,),
    }
    tensors = {"frame_position_embeddings.weight": 0.3 * torch.randn(77, dim, generator=generator)}
    for layer in range(layers):
        for name, shape in shapes.items():
            tensors[f"transformerClip.resblocks.{layer}.{name}"] = 0.2 * torch.randn(shape, generator=generator)
    return tensors


def by_hand(tensors: dict[str, torch.Tensor], rows: np.ndarray) -> np.ndarray:
    """Softmax attention, QuickGELU and layer norms in float64, frame by frame."""
    have = {name: tensor.double().numpy() for name, tensor in tensors.items()}
    hidden = rows + have["frame_position_embeddings.weight"][: len(rows)]

    def norm(values: np.ndarray, name: str) -> np.ndarray:
        unit = (values - values.mean(-1, keepdims=True)) / np.sqrt(values.var(-1, keepdims=True) + 1e-12)
        return unit * have[name + ".weight"] + have[name + ".bias"]

    for layer in range(2):
        block = f"transformerClip.resblocks.{layer}."
        mixed = norm(hidden, block + "ln_1") @ have[block + "attn.in_proj_weight"].T + have[block + "attn.in_proj_bias"]
        heads = []
        for head in range(HEADS):
            query, key, value = (part[:, head * 64 : (head + 1) * 64] for part in np.split(mixed, 3, axis=1))
            weights = np.exp(query @ key.T / 8)
            heads.append(weights / weights.sum(1, keepdims=True) @ value)
        out = np.concatenate(heads, axis=1)
        hidden = hidden + out @ have[block + "attn.out_proj.weight"].T + have[block + "attn.out_proj.bias"]
        inner = norm(hidden, block + "ln_2") @ have[block + "mlp.c_fc.weight"].T + have[block + "mlp.c_fc.bias"]
        inner = inner / (1 + np.exp(-1.702 * inner))
        hidden = hidden + inner @ have[block + "mlp.c_proj.weight"].T + have[block + "mlp.c_proj.bias"]
    hidden = hidden + rows
    mean = (hidden / np.linalg.norm(hidden, axis=1, keepdims=True)).mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_a_head_is_the_transformer_written_out(tmp_path: Path) -> None:
    tensors = made_head(64 * HEADS)
    save_file(tensors, tmp_path / "head.safetensors")
    head = read_head(tmp_path / "head.safetensors")
    rows = (4 * np.random.default_rng(0).normal(size=(7, 64 * HEADS))).astype(np.float32)
    np.testing.assert_allclose(head(rows), by_hand(tensors, rows), atol=2e-5)
    assert len(head.sha256) == 64
    for wrong in (np.zeros((78, 128), np.float32), np.zeros((3, 64), np.float32)):
        with pytest.raises(BadInput, match="up to 77 frames of width 128"):
            head(wrong)


def test_what_is_no_head(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "pickle.bin").write_bytes(b"\x80\x04nothing")
    for name in ("other.safetensors", "pickle.bin"):
        with pytest.raises(WeightsRefused, match="no seqTransf head"):
            read_head(tmp_path / name)
    with pytest.raises(BadInput):
        read_head(tmp_path / "missing.safetensors")


@pytest.mark.heavy
def test_videos_are_embedded_anew_for_a_head(
    tmp_path: Path, home: Path, run: Callable[[Any], Any], pocket: object, session: Any
) -> None:
    """With blocks that add nothing, a head is the mean of the frames, whatever their lengths."""
    films = tmp_path / "films"
    films.mkdir()
    for key in ("cat", "rocket"):
        write_video(films / f"{key}.mp4", [(sample(key), 3.0)])
    pairs = [CaptionPair("cat", "a photo of a cat"), CaptionPair("rocket", "a photo of a rocket")]
    with Engine(device="cpu", dtype="float32") as engine, engine.session("test") as pocket_session:
        run(add("films", pocket_session, [str(films)]))
        opened = index.find_table("films", model="pocket")
        zero = {name: torch.zeros_like(tensor) for name, tensor in made_head(pocket_session.dim).items()}
        save_file(zero, tmp_path / "zero.safetensors")
        head = read_head(tmp_path / "zero.safetensors")
        result = run(evaluate_captions(pocket_session, opened, pairs, head=head))
        assert (result.to_items.recall[1].value, result.pooling) == (1.0, "seqTransf")
    run(add("films", session, [str(films)]))
    with pytest.raises((BadInput, Unsupported)):
        run(evaluate_captions(session, index.find_table("films", model="fake"), pairs, head=head))

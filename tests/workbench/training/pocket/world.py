"""Towers with random weights and few word pieces, all that they are held to, and small batches."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from transformers import BertConfig, BertModel

from workbench.training.pocket import (
    export,
    folding,
    joint,
    lessons,
    losses,
    opening,
    sources,
    stream,
    towers,
    vocabulary,
)
from workbench.training.pocket.head import Head
from workbench.training.pocket.material import Material

PIECES = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"abcdefghijklmnopqrstuvwxyz.0123456789",
    "photo",
    "of",
    "cat",
    "tree",
)
PIECES = (*PIECES, *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"))


def world(material: Material, tokenizer, device: str = "cpu") -> tuple[joint.JointRun, losses.Teachers]:  # type: ignore[no-untyped-def]
    """A run at step 0 and its teachers."""
    torch.manual_seed(0)
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    config = BertConfig(
        **{"vocab_size": len(PIECES), "hidden_size": towers.TEXT_WIDTH, "num_hidden_layers": 3},
        **{"num_attention_heads": 12, "intermediate_size": 64, "max_position_embeddings": towers.POSITIONS},
        **{"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},  # as in `towers.text_tower`
    )
    image = folding.folded(net).to(memory_format=torch.channels_last)
    both = towers.Towers(image, BertModel(config), dim=16, frozen=3)
    locked = folding.folded(net)
    locked.requires_grad_(False)
    head = Head(
        both.visual_projection.weight.detach().clone(), torch.nn.functional.normalize(torch.randn(1000, 16)), 20.0
    )
    words = ["cat", "tree", "a photo"]
    vectors = torch.nn.functional.normalize(torch.randn(3, towers.TEXT_WIDTH), dim=-1)
    units = lessons.channels(net.classifier.weight, material.bank)
    besides = lessons.Lessons(units, material.bank.alike, middle=towers.MIDDLE_WIDTHS["lite0"])
    teachers = losses.Teachers(locked, head, tokenizer, material.lexicon.first(), words, vectors)
    return joint.begin(both.to(device), besides.to(device)), teachers.to(torch.device(device))


def begin_from(
    monkeypatch: pytest.MonkeyPatch, material: Material, tokenizer: Any, *, read: Any
) -> tuple[joint.JointRun, list[Any]]:
    """Have the recipes of texts and of projections begin from a world; its run, and a list of what they write."""
    run, teachers = world(material, tokenizer)
    written: list[Any] = []
    monkeypatch.setattr(sources, "read", lambda settings, work: work.mkdir(parents=True, exist_ok=True) or read)
    monkeypatch.setattr(sources, "material", lambda settings, read, work: material)
    monkeypatch.setattr(towers, "locked", lambda name: None)
    monkeypatch.setattr(folding, "folded", lambda net: teachers.image)
    monkeypatch.setattr(opening, "reopened", lambda folder, *, net, frozen: run.towers)
    monkeypatch.setattr(vocabulary, "tokenizer", lambda file: tokenizer)
    monkeypatch.setattr(export, "write_again", lambda *given, **facts: written.append((given, facts)))
    return run, written


FEW = stream.Mix(  # a dozen pictures, of all kinds
    {"photo": 2, "drawing": 1, "colour": 1, "count": 1, "pair": 1},
    {"photo": 1, "attacked": 1, "noted": 1, "blank": 1, "word": 1, "penned": 1},
)

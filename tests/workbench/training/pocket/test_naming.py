"""Drawings are asked for their names, and pictures for the true one of their captions: against numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from workbench.training.pocket.material import Material
from workbench.training.texts.naming import SHARES, CaptionChoice, Naming
from workbench.training.texts.vectors import Choices, Vectors

DIM = 6


def _naming(material: Material, scale: float) -> Naming:
    generator = torch.Generator().manual_seed(0)
    names = len(material.bank.names)
    tables = {
        kind: functional.normalize(torch.randn(names, DIM, generator=generator), dim=-1)
        for kind in ("bare", "photo", "drawn")
    }
    return Naming.of(Vectors.begun(tables), Choices.of(material.bank, material.first_names), scale=scale)


def test_the_loss_by_hand(material: Material) -> None:
    naming = _naming(material, scale=3.0)
    assert naming.tables.shape == (len(SHARES), len(naming.column), DIM)
    rows = torch.randn(3, DIM, generator=torch.Generator().manual_seed(1))
    shown = [{"cat": 2.0, "tree": 1.0}, {"never heard of": 1.0}, {"tabby": 2.0, "never heard of": 5.0}]
    total, shares = 0.0, {"drawn": 1.0, "photo": 0.5, "bare": 0.5}
    for (kind, share), table in zip(shares.items(), naming.tables.numpy(), strict=True):
        assert kind in SHARES
        for row, names in ((0, {"cat": 2 / 3, "tree": 1 / 3}), (2, {"tabby": 1.0})):  # nobody knows the second's
            unit = rows[row].numpy() / np.linalg.norm(rows[row].numpy())
            logits = 3.0 * table @ unit
            chances = np.exp(logits) / np.exp(logits).sum()
            total -= share * sum(part * np.log(chances[naming.column[name]]) for name, part in names.items()) / 2
    assert naming.loss(rows, shown).item() == pytest.approx(total / 2.0, rel=1e-5)


def test_nothing_known_is_no_loss_and_has_a_gradient(material: Material) -> None:
    rows = torch.randn(2, DIM, requires_grad=True)
    loss = _naming(material, scale=3.0).loss(rows, [{"never heard of": 1.0}, {}])
    assert loss.item() == 0
    loss.backward()  # type: ignore[no-untyped-call]
    assert rows.grad is not None
    assert not rows.grad.any()


CAPTIONS = {"a red box": (0.0, 1.0), "a blue box": (1.0, 0.0), "a green box": (0.6, -0.8), "two cats": (0.8, 0.6)}


def _embed(texts: Sequence[str]) -> Tensor:
    assert len(set(texts)) == len(texts)  # each is embedded once
    return torch.tensor([CAPTIONS[text] for text in texts])


def test_a_true_caption_among_false_ones_by_hand() -> None:
    red, blue, green, cats = CAPTIONS
    rows = torch.tensor([[3.0, 4.0], [0.0, 0.5]])  # (.6, .8) and (0, 1)
    asked = [(red, blue, cats), (blue, red, green, cats)]
    first = [2 * 0.8, 2 * 0.6, 2 * (0.6 * 0.8 + 0.8 * 0.6)]
    second = [0.0, 2.0, 2 * -0.8, 2 * 0.6]
    expected = sum(np.log(np.exp(logits).sum()) - logits[0] for logits in (first, second)) / 2
    assert CaptionChoice(_embed, scale=2.0).loss(rows, asked).item() == pytest.approx(expected, rel=1e-5)


def test_no_captions_are_no_loss_and_have_a_gradient() -> None:
    rows = torch.zeros(0, 2, requires_grad=True)
    loss = CaptionChoice(_embed, scale=2.0).loss(rows, [])
    assert loss.item() == 0
    loss.backward()  # type: ignore[no-untyped-call]
    assert rows.grad is not None

"""Drawings are asked for their names: against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from workbench.training.pocket.material import Material
from workbench.training.texts.naming import SHARES, Naming
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

"""Checkpoints: what goes in comes out to the bit, none is ever half there, and damage is told."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from workbench.errors import OutOfResources, WeightsRefused
from workbench.training import checkpoints


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {
        "a": {"b": torch.arange(6.0).reshape(2, 3), 7: torch.tensor(1, dtype=torch.int64)},
        "a/b": torch.tensor([True, False]),
        "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        "words": ["x", None, 2.5, True, 2**70, float("-inf")],
        "pair": (1, {"betas": (0.9, 0.98)}),
        "empty": {},
        "array": np.arange(3, dtype=np.uint32),
        "number": np.float32(0.5),
    }
    result = checkpoints.load(checkpoints.save(tmp_path, 1, state))
    assert result.keys() == state.keys()
    assert torch.equal(result["a"]["b"], state["a"]["b"])  # type: ignore[index]
    assert int(result["a"][7]) == 1
    assert torch.equal(result["a/b"], state["a/b"])  # type: ignore[arg-type]
    assert torch.equal(result["half"], state["half"])  # type: ignore[arg-type]
    assert result["half"].dtype == torch.bfloat16
    assert (result["words"], result["pair"], result["empty"]) == (state["words"], state["pair"], {})
    assert result["array"].dtype == np.uint32
    assert result["array"].tolist() == [0, 1, 2]
    assert result["number"] == 0.5


def test_tied_weights_and_slices_are_kept_apart(tmp_path: Path) -> None:
    weight = torch.arange(8.0).reshape(4, 2)
    result = checkpoints.load(checkpoints.save(tmp_path, 1, {"a": weight, "b": weight, "c": weight.T[1]}))
    assert torch.equal(result["a"], result["b"])
    assert result["c"].tolist() == [1, 3, 5, 7]


def test_an_optimizer_goes_on_to_the_bit(tmp_path: Path) -> None:
    def step(model: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        model(torch.randn(4, 3)).square().sum().backward()
        optimizer.step()

    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    step(model, optimizer)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": checkpoints.random_states(),
    }
    saved = checkpoints.save(tmp_path, 1, state)
    step(model, optimizer)

    torch.manual_seed(99)
    other = torch.nn.Linear(3, 2)
    again = torch.optim.AdamW(other.parameters(), lr=0.5)
    result = checkpoints.load(saved)
    other.load_state_dict(result["model"])
    again.load_state_dict(result["optimizer"])
    checkpoints.restore_random_states(result["random"])
    step(other, again)
    assert torch.equal(model.weight, other.weight)
    assert torch.equal(model.bias, other.bias)


def test_all_shared_generators_are_kept(tmp_path: Path) -> None:
    saved = checkpoints.save(tmp_path, 1, {"random": checkpoints.random_states()})
    first = (torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random())
    checkpoints.restore_random_states(checkpoints.load(saved)["random"])
    assert (torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()) == first


def test_only_the_newest_stay(tmp_path: Path) -> None:
    assert checkpoints.latest(tmp_path) is None
    assert checkpoints.latest(tmp_path / "nowhere") is None
    for step in (9, 10, 100):
        checkpoints.save(tmp_path, step, {"step": step})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000100"]
    newest = checkpoints.latest(tmp_path)
    assert newest is not None
    assert checkpoints.load(newest) == {"step": 100}
    checkpoints.save(tmp_path, 100, {"step": "again"})
    assert checkpoints.load(newest) == {"step": "again"}


def test_what_was_cut_off_while_writing_is_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.save(tmp_path, 1, {"step": 1})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutOfResources, match="No space left"):
        checkpoints.save(tmp_path, 2, {"step": 2})
    (tmp_path / ".step-00000003.abc.part").mkdir()  # as a kill leaves it
    newest = checkpoints.latest(tmp_path)
    assert newest is not None
    assert newest.name == "step-00000001"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".step-00000003.abc.part", "step-00000001"]


@pytest.mark.parametrize("harm", ["cut", "no json", "no tensors", "other json"])
def test_a_damaged_checkpoint_is_refused_with_its_name(tmp_path: Path, harm: str) -> None:
    saved = checkpoints.save(tmp_path, 1, {"a": torch.arange(100.0)})
    if harm == "cut":
        file = saved / checkpoints.TENSORS
        file.write_bytes(file.read_bytes()[:-8])
    elif harm == "no json":
        (saved / checkpoints.FACTS).write_text("{")
    elif harm == "no tensors":
        (saved / checkpoints.TENSORS).unlink()
    else:
        (saved / checkpoints.FACTS).write_text(json.dumps({"state": {"what": 1}}))
    with pytest.raises(WeightsRefused, match="step-00000001"):
        checkpoints.load(saved)


def test_what_json_cannot_hold_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="object"):
        checkpoints.save(tmp_path, 1, {"a": object()})
    assert list(tmp_path.iterdir()) == []

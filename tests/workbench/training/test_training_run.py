"""Whole trainings of tiny models: what is written, what is refused, and that a pause changes not one bit."""

from __future__ import annotations

import csv
import json
import shutil
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from workbench.errors import BadInput, Cancelled, Unsupported, WeightsRefused
from workbench.loading import load
from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.losses import MAX_SCALE
from workbench.training.order import Order
from workbench.training.recipe import Recipe
from workbench.training.run import train


def trained(recipe: Recipe, out: Path, **more: Any) -> list[Progress]:
    return list(train(recipe, Order(out, device="cpu", **more)))


def weights(out: Path) -> dict[str, torch.Tensor]:
    result: dict[str, torch.Tensor] = {}
    for file in out.glob("*.safetensors"):
        result |= load_file(file)
    return result


def equal(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_training_leaves_a_model_a_record_and_a_figure(recipe: Recipe, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows = trained(recipe, out)
    assert [row.done for row in rows] == [1, 2, 3, 4, 5, 6]
    assert {row.total for row in rows} == {6}
    assert rows[0].values["learning rate"] == pytest.approx(5e-4)
    assert "validation" in rows[2].text
    backend = load(str(out), device="cpu")
    assert backend.embed_texts(["a small red circle"]).shape == (1, 8)
    assert not equal(out, tiny)
    output = json.loads((out / "training.json").read_text())
    assert (output["state"], output["steps_done"], output["data"]["pairs"]) == ("done", 6, 40)
    assert output["data"]["validation_pairs"] == 8
    assert len(output["data"]["content_sha256"]) == 64
    assert output["recipe"]["from"] == str(tiny)
    assert output["weights"].keys() == output["began_with"]["sha256"].keys() == {"model.safetensors"}
    assert output["weights"] != output["began_with"]["sha256"]
    assert {"torch", "python"} <= output["versions"].keys()
    history = list(csv.DictReader((out / "training.csv").read_text().splitlines()))
    assert [row["step"] for row in history] == ["1", "2", "3", "4", "5", "6"]
    assert history[2]["accuracy"] != ""
    assert history[0]["accuracy"] == ""
    assert (out / "training.svg").read_bytes().startswith(b"<?xml")
    assert not (out / "checkpoints").exists()
    assert not list(out.glob("*.part"))


def test_the_same_seed_gives_the_same_weights_and_moves_nobody_elses_draws(recipe: Recipe, tmp_path: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    trained(recipe, tmp_path / "a")
    assert torch.equal(torch.rand(2), expected)
    torch.manual_seed(2)
    trained(recipe, tmp_path / "b")
    assert equal(tmp_path / "a", tmp_path / "b")
    trained(recipe.model_copy(update={"seed": 1}), tmp_path / "c")
    assert not equal(tmp_path / "a", tmp_path / "c")


@pytest.mark.parametrize("chunk", [0, 3])
def test_a_pause_changes_not_one_bit(recipe: Recipe, tmp_path: Path, chunk: int) -> None:
    recipe = recipe.model_copy(update={"chunk": chunk})
    trained(recipe, tmp_path / "straight")
    seen: list[Progress] = []
    rows = train(recipe, Order(tmp_path / "paused", device="cpu"), stopped=lambda: len(seen) == 4)
    with pytest.raises(Cancelled, match=r"after step 4 of 6.*--resume --out"):
        deque(map(seen.append, rows))
    assert json.loads((tmp_path / "paused" / "training.json").read_text())["state"] == "stopped"
    assert not (tmp_path / "paused" / "config.json").exists()
    torch.manual_seed(77)  # what others draw meanwhile
    rest = trained(recipe, tmp_path / "paused", resume=True)
    assert [row.done for row in rest] == [5, 6]
    assert equal(tmp_path / "straight", tmp_path / "paused")
    first, second = ((tmp_path / name / "training.csv").read_text() for name in ("straight", "paused"))
    assert first == second


def test_a_kill_between_two_checkpoints_goes_on_from_the_last_one(recipe: Recipe, tmp_path: Path) -> None:
    recipe = recipe.model_copy(update={"save_every": 2})
    trained(recipe, tmp_path / "straight")
    rows = train(recipe, Order(tmp_path / "killed", device="cpu"))
    for _ in range(5):
        next(rows)
    newest = checkpoints.latest(tmp_path / "killed" / "checkpoints")
    assert newest is not None
    assert newest.name == "step-00000004"
    kept = tmp_path / "kept"
    kept.mkdir()
    newest.rename(kept / newest.name)
    rows.close()  # saves step 5, which a kill would not have
    for later in (tmp_path / "killed" / "checkpoints").iterdir():
        later.rename(kept / f"not-{later.name}")
    (kept / newest.name).rename(newest)
    assert [row.done for row in trained(recipe, tmp_path / "killed", resume=True)] == [5, 6]
    assert equal(tmp_path / "straight", tmp_path / "killed")


def test_a_listener_that_leaves_loses_nothing(recipe: Recipe, tmp_path: Path) -> None:
    rows = train(recipe, Order(tmp_path / "out", device="cpu"))
    assert (next(rows).done, next(rows).done) == (1, 2)
    rows.close()
    newest = checkpoints.latest(tmp_path / "out" / "checkpoints")
    assert newest is not None
    assert newest.name == "step-00000002"


def test_a_sigmoid_model_learns_scale_and_bias_and_stays_one(siglip: Path, recipe: Recipe, tmp_path: Path) -> None:
    trained(recipe.model_copy(update={"model": str(siglip)}), tmp_path / "out")
    backend = load(str(tmp_path / "out"), device="cpu")
    assert backend.spec.score == "sigmoid"
    before = load(str(siglip), device="cpu")
    assert backend.logit_bias != before.logit_bias
    with pytest.raises(BadInput, match="sigmoid loss"):
        trained(recipe.model_copy(update={"model": str(siglip), "loss": "softmax"}), tmp_path / "other")


def test_batch_norm_stays_frozen_unless_asked(openclip: Path, recipe: Recipe, tmp_path: Path) -> None:
    recipe = recipe.model_copy(update={"model": str(openclip), "steps": 1})
    trained(recipe, tmp_path / "frozen")
    trained(recipe.model_copy(update={"batch_norm": "learning"}), tmp_path / "learning")
    before, frozen, learning = (weights(path) for path in (openclip, tmp_path / "frozen", tmp_path / "learning"))
    name = "visual.bn1.running_mean"
    assert torch.equal(before[name], frozen[name])
    assert not torch.equal(before[name], learning[name])
    assert not torch.equal(before["visual.bn1.weight"], frozen["visual.bn1.weight"])
    assert load(str(tmp_path / "frozen"), device="cpu").anatomy.kind == "convolutional"


@pytest.mark.parametrize(("lock", "moved"), [("image", "text_model"), ("text", "vision_model")])
def test_a_locked_side_keeps_its_weights(recipe: Recipe, tiny: Path, tmp_path: Path, lock: str, moved: str) -> None:
    trained(recipe.model_copy(update={"lock": lock, "steps": 2}), tmp_path / "out")
    before, after = weights(tiny), weights(tmp_path / "out")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    sides = {name.split(".")[0].replace("visual_projection", "vision_model") for name in changed} - {"logit_scale"}
    assert {side.replace("text_projection", "text_model") for side in sides} == {moved}
    assert "logit_scale" in changed


def test_bfloat16_trains_and_the_weights_stay_float32(recipe: Recipe, tmp_path: Path) -> None:
    rows = trained(recipe.model_copy(update={"dtype": "bfloat16", "steps": 2}), tmp_path / "out")
    assert all(row.values["loss"] == row.values["loss"] for row in rows)
    assert {one.dtype for one in weights(tmp_path / "out").values() if one.is_floating_point()} == {torch.float32}


def test_the_scale_never_exceeds_its_bound(recipe: Recipe, tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "hot")
    planted = {**weights(tiny), "logit_scale": torch.tensor(5.0)}  # a scale of 148, and a rate that leaves it there
    save_file(planted, tmp_path / "hot" / "model.safetensors", metadata={"format": "pt"})
    trained(recipe.model_copy(update={"model": str(tmp_path / "hot"), "rate": 1e-9, "steps": 1}), tmp_path / "out")
    assert float(weights(tmp_path / "out")["logit_scale"].exp()) == pytest.approx(MAX_SCALE, rel=1e-5)


def test_unreadable_pictures_are_counted_and_named(recipe: Recipe, drawings: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(drawings, data)
    for number in range(0, 40, 4):
        (data / f"{number:02}.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    (data / "39.txt").unlink()
    settings = recipe.data.model_copy(update={"path": str(data)})
    rows = trained(recipe.model_copy(update={"data": settings}), tmp_path / "out")
    output = json.loads((tmp_path / "out" / "training.json").read_text())
    assert 0 < len(output["unreadable"]) <= 10
    assert all(name.endswith(".png") for name in output["unreadable"])
    assert output["passed_over"] == ["39.png: it has no caption"]
    assert any("damaged" in row.text for row in rows)
    few = recipe.data.model_copy(update={"path": str(data), "unreadable": 1})
    with pytest.raises(BadInput, match="more than 1 could not be opened"):
        trained(recipe.model_copy(update={"data": few}), tmp_path / "other")


def test_what_cannot_go_on_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no training"):
        trained(recipe, tmp_path / "none", resume=True)
    out = tmp_path / "out"
    rows = train(recipe, Order(out, device="cpu"))
    next(rows)
    rows.close()
    with pytest.raises(BadInput, match="holds a training; pass --resume"):
        trained(recipe, out)
    with pytest.raises(BadInput, match="settings differ: rate"):
        trained(recipe.model_copy(update={"rate": 1e-4}), out, resume=True)
    trained(recipe, out, resume=True)
    with pytest.raises(BadInput, match="is already finished"):
        trained(recipe, out, resume=True)
    (out / "training.json").unlink()
    with pytest.raises(BadInput, match="holds a model already"):
        trained(recipe, out)


def test_other_data_than_before_are_refused(recipe: Recipe, drawings: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    shutil.copytree(drawings, data)
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"path": str(data)})})
    rows = train(recipe, Order(out, device="cpu"))
    next(rows)
    rows.close()
    (data / "00.txt").write_text("a large blue star")
    with pytest.raises(BadInput, match="data changed"):
        trained(recipe, out, resume=True)


def test_what_does_not_fit_is_refused_before_any_step(recipe: Recipe, tmp_path: Path) -> None:
    for update, message, kind in (
        ({"model": "fake"}, "no weights", Unsupported),
        ({"batch": 100}, "at least as many pairs", BadInput),
        ({"dtype": "float16"}, "needs CUDA", BadInput),
        ({"rate": 1.0, "model": str(tmp_path)}, "holds none of them", BadInput),
    ):
        with pytest.raises(kind, match=message):
            trained(recipe.model_copy(update=update), tmp_path / "out")
        assert not list(tmp_path.glob("out/*.safetensors"))


def test_a_damaged_checkpoint_is_told(recipe: Recipe, tmp_path: Path) -> None:
    rows = train(recipe, Order(tmp_path / "out", device="cpu"))
    next(rows)
    rows.close()
    newest = checkpoints.latest(tmp_path / "out" / "checkpoints")
    assert newest is not None
    (newest / checkpoints.FACTS).write_text("{}")
    with pytest.raises(WeightsRefused, match="step-00000001"):
        trained(recipe, tmp_path / "out", resume=True)

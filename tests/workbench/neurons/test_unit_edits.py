"""Edited models in which units are off: loaded from a folder, with a fingerprint of their own, the base unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from apps.neurons.switches import edit_file
from workbench.checkpoints.edit import read_edit, write_edit
from workbench.errors import BadInput, UnknownName, Unsupported
from workbench.fake import FakeBackend
from workbench.hooks import ablate, add, open_blocks
from workbench.loading import load
from workbench.neurons.edits import change_units, units_edit
from workbench.neurons.switching import UnitChange
from workbench.pictures import sample

LAYER = "conv_head"


def test_an_edited_model_answers_as_its_base_with_the_units_off(tmp_path: Path) -> None:
    base = load("pocket")
    changes = [ablate(LAYER, [953, 44]), add(LAYER, [3], 1.5)]
    folder = write_edit(tmp_path / "without", units_edit("pocket", LAYER, changes))
    edited = load(str(folder))
    picture = sample("cat")
    before = base.embed_images([picture])
    with base.intervened(*changes):
        expected = base.embed_images([picture])
    assert torch.allclose(edited.embed_images([picture]), expected, atol=1e-6)
    assert not torch.allclose(before, expected, atol=1e-3)
    assert torch.equal(base.embed_images([picture]), before)
    assert edited.fingerprint != base.fingerprint
    assert torch.equal(edited.embed_texts(["a cat"]), base.embed_texts(["a cat"]))
    assert open_blocks() == 0
    values = edited.activations(torch.rand(1, 3, base.image_size, base.image_size), ["last"])["last"]
    assert values.shape[1] == 1280
    assert edited.anatomy.head is None  # no exact sum: layers are read before the change


def test_the_views_file_is_an_edited_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    update = edit_file("pocket", LAYER, UnitChange((953,), "clamp", 2.0))
    edit = read_edit(Path(update["value"]).parent)
    assert (edit.base, edit.kind) == ("pocket", "units")
    assert edit.settings == {"layer": LAYER, "changes": [{"units": [953], "kind": "set", "value": 2.0}]}
    assert json.loads(Path(update["value"]).read_text(encoding="utf-8"))["title"] == "units 953 of conv_head changed"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"layer": LAYER, "changes": []},
        {"layer": LAYER, "changes": [{"units": [], "kind": "set", "value": 0}]},
        {"layer": LAYER, "changes": [{"units": [1], "kind": "drop", "value": 0}]},
        {"layer": LAYER, "changes": [{"units": ["x"], "kind": "set", "value": 0}]},
    ],
)
def test_settings_that_are_no_change_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="changes"):
        change_units(load("pocket"), settings, {})


def test_layers_and_units_that_do_not_exist_are_refused() -> None:
    row = {"units": [5000], "kind": "set", "value": 0.0}
    with pytest.raises(Unsupported, match="no layers"):
        change_units(FakeBackend(), {"layer": LAYER, "changes": [row]}, {})
    base = load("pocket")
    with pytest.raises(UnknownName, match="conv_head"):
        change_units(base, {"layer": "nosuch", "changes": [row]}, {})
    towers = change_units(base, {"layer": LAYER, "changes": [row]}, {})
    with pytest.raises(BadInput, match="0 to 1279"):
        towers.image(torch.zeros(1, 3, base.image_size, base.image_size))
    assert open_blocks() == 0
    assert np.isfinite(base.embed_images([sample("cat")]).numpy()).all()

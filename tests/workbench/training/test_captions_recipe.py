"""The recipe of captions, on a tiny model: it learns, keeps what it knew, and a pause changes nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from workbench.errors import BadInput, Cancelled
from workbench.loading import load
from workbench.training import captions
from workbench.training.captions import Settings, find_photos, known_texts, make, split
from workbench.training.order import Order

pytestmark = pytest.mark.heavy


def settings(tiny: Path, data: Path, **more: float) -> Settings:
    given = {"model": str(tiny), "data": str(data), "steps": 100, "batch": 16, "rate": 0.003, **more}
    return Settings.model_validate(given)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def before_projection(folder: Path) -> int:
    return weights(folder)["visual_projection.weight"].shape[1]


def recall(folder: Path, data: Path, wanted: Settings) -> float:
    """Share of held-out captions whose own photo comes first, asked of the model that was written."""
    photos = find_photos(wanted)
    held = [photos[row] for row in split(photos, wanted)]
    model = load(str(folder), device="cpu", dtype="float32")
    images = model.embed_images([data / photo.sample.name for photo in held])
    texts = model.embed_texts([photo.captions[0] for photo in held])
    scores = texts @ images.T
    own = scores.diagonal()
    return float((scores > own[:, None]).sum(1).eq(0).float().mean())


def test_it_learns_captions_and_keeps_image_tower_and_known_texts(tiny: Path, drawings: Path, tmp_path: Path) -> None:
    wanted = settings(tiny, drawings, keep_texts=0.0, keep_images=0.0, keep_names=0.0, keep_projection=0.0)
    rows = list(make(wanted, tmp_path / "free", device="cpu"))
    losses = [row.values["contrast"] for row in rows if "contrast" in row.values]
    assert len(losses) == 100
    assert sum(losses[-5:]) < sum(losses[:5]) - 1
    record = json.loads((tmp_path / "free" / "training.json").read_text())
    assert (record["recipe"], record["steps_done"], record["photos"], record["held_out"]) == ("captions", 100, 40, 8)
    for when, folder in (("before", tiny), ("after", tmp_path / "free")):
        shown = record["scores"][when]["sentence to photo"]["R@1"][0]
        assert shown == pytest.approx(recall(folder, drawings, wanted), abs=1e-9)
    assert "held out" in rows[-1].text
    features = load_file(tmp_path / "free" / "work" / "features.safetensors")["features"]
    assert features.shape == (40, 2, before_projection(tiny))  # each photo and its mirror image
    before, after = weights(tiny), weights(tmp_path / "free")
    assert before.keys() == after.keys()
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith("vision_model.")} <= same
    assert {"logit_scale"} <= same
    assert not {"visual_projection.weight", "text_projection.weight"} & same
    list(make(settings(tiny, drawings, keep_texts=1000.0), tmp_path / "kept", device="cpu"))
    texts = list(known_texts()[::40])
    moved = {
        name: float(
            (load(str(tmp_path / name)).embed_texts(texts) - load(str(tiny)).embed_texts(texts)).norm(dim=1).mean()
        )
        for name in ("free", "kept")
    }
    assert moved["kept"] < moved["free"] / 4


def test_a_pause_changes_nothing(tiny: Path, drawings: Path, tmp_path: Path) -> None:
    wanted = settings(tiny, drawings, steps=6)
    list(make(wanted, tmp_path / "whole", device="cpu"))

    def after(steps: int) -> Callable[[], bool]:
        asked = iter(range(1000))
        return lambda: next(asked) >= steps

    with pytest.raises(Cancelled, match="same command"):
        list(make(wanted, tmp_path / "parts", after(3), device="cpu"))
    assert not (tmp_path / "parts" / "model.safetensors").exists()
    list(make(wanted, tmp_path / "parts", device="cpu"))
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_rows_of_one_photo_are_its_captions(tmp_path: Path) -> None:
    for number in range(20):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    with (tmp_path / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "caption"])
        table.writerows([f"{number}.png", f"caption {part} of {number}"] for number in range(20) for part in range(3))
    photos = find_photos(Settings(data=str(tmp_path / "captions.csv")))
    assert len(photos) == 20
    assert photos[4].captions == ("caption 0 of 4", "caption 1 of 4", "caption 2 of 4")


def test_what_cannot_be_learned_from_is_refused(tiny: Path, drawings: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    (tmp_path / "one.txt").write_text("one")
    with pytest.raises(BadInput, match="at least 20"):
        list(make(settings(tiny, tmp_path), tmp_path / "out", device="cpu"))
    with pytest.raises(BadInput, match="--data"):
        list(captions.train(Order(tmp_path / "out"), stopped=lambda: False))
    with pytest.raises(BadInput, match="steps"):
        list(captions.train(Order(tmp_path / "out", data=str(drawings), steps=0), stopped=lambda: False))
    with pytest.raises(BadInput, match="holds a model"):
        list(make(settings(tiny, drawings), tiny, device="cpu"))
    with pytest.raises(Cancelled):
        list(make(settings(tiny, drawings), tmp_path / "begun", lambda: True, device="cpu"))
    with pytest.raises(BadInput, match="another training"):
        list(make(settings(tiny, drawings, seed=1), tmp_path / "begun", device="cpu"))

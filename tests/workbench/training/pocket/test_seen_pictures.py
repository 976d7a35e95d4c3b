"""Pictures are drawn and embedded once, whatever interrupts it; what they show is what they are made of."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.workbench.training.pocket.world import world
from workbench.training.pocket.example import TrainingExample, choose
from workbench.training.pocket.material import Material
from workbench.training.texts import seen
from workbench.training.texts.seen import NAMES, NONE, Seen


def _example(weights: dict[str, float], written: str = "") -> TrainingExample:
    return TrainingExample(None, weights, "", frozenset(), written=written)  # type: ignore[arg-type]


def test_the_parts_of_a_picture(material: Material) -> None:
    place = material.bank.place

    def parts(kind: str, weights: dict[str, float], written: str = "") -> tuple[int, int]:
        return seen._parts(kind, _example(weights, written), material.bank)

    assert parts("colour", {"red": 1.0, "red circle": 1.0, "circle": 0.7}) == (place["red"], place["circle"])
    assert parts("count", {"two": 1.0, "tree": 0.5}) == (place["two"], place["tree"])
    assert parts("pair", {"tabby": 1.0, "tree": 1.0}) == (place["tabby"], place["tree"])
    assert parts("attacked", {"tabby": 0.2, "bird": 0.1, "cat": 0.7}, "cat") == (place["cat"], place["tabby"])
    assert parts("attacked", {"tabby cat": 0.2, "tabby": 0.7}, "tree") == (place["tree"], place["tabby"])
    assert parts("attacked", {"crane": 0.2, "cra": 0.7}, "cra") == (NONE, place["crane"])  # no "cra ne"
    assert parts("word", {"tree": 1.0}, "tree") == (place["tree"], NONE)
    assert parts("pair", {"tabby": 1.0, "no such name": 1.0}) == (place["tabby"], NONE)
    assert parts("photo", {"tabby": 1.0}) == (NONE, NONE)


def test_what_a_picture_is_answered_with(material: Material) -> None:
    bank = material.bank
    shown, weights = torch.full((2, NAMES), NONE), torch.zeros(2, NAMES)
    shown[0, :2], weights[0, :2] = torch.tensor([bank.place["cat"], bank.place["tabby"]]), torch.tensor([0.25, 0.75])
    answer = torch.zeros(2, 1000)
    answer[0, 5] = 1.0  # a motorcycle, says the classifier
    empty = torch.zeros(2, dtype=torch.long)
    soft = torch.tensor([0.4, 0.0])
    one = Seen(
        torch.eye(4), torch.zeros(2, 4), empty, shown, weights, soft, answer, empty, torch.zeros(2, 2, dtype=torch.long)
    )
    target = one.target(torch.tensor([0, 1]), bank)
    assert target.shape == (2, len(bank.names))
    want = 0.4 * bank.spread[5]
    want[bank.place["cat"]] += 0.15
    want[bank.place["tabby"]] += 0.45
    torch.testing.assert_close(target[0], want)
    assert target[1].sum() == 0


@pytest.mark.heavy
def test_drawing_goes_on_wherever_it_was_interrupted(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seen, "SAVE_EVERY", 20)
    run, teachers = world(material, tokenizer)

    def rows(folder: str, seed: int = 0):  # type: ignore[no-untyped-def]
        pictures = seen.Pictures(material, seed, 0, 50, seen.KINDS, 10, 64)
        return seen.see(run.towers, teachers.image, pictures, folder=tmp_path / folder)

    *steps, whole = rows("whole")
    assert [(step.done, step.total, step.unit) for step in steps] == [(k, 50, "pictures") for k in range(10, 60, 10)]
    for step in rows("parts"):
        if step.done == 30:  # 20 are kept
            break
    *steps, again = rows("parts")
    assert [step.done for step in steps] == [30, 40, 50]
    for name, value in vars(whole).items():
        assert torch.equal(value, getattr(again, name)), name
    assert len(list(rows("parts"))) == 1  # nothing is left to do
    *_, other = rows("other", seed=1)
    assert not torch.equal(other.features, whole.features)
    assert torch.equal(whole.projection, run.towers.visual_projection.weight)
    some = torch.tensor([7, 3])
    want = whole.features[some].float() @ whole.projection.T
    torch.testing.assert_close(whole.embedded(some), want / want.norm(dim=-1, keepdim=True))
    assert (whole.features.shape, whole.answer.shape, whole.parts.shape) == ((50, 1280), (50, 1000), (50, 2))
    assert whole.shown.shape == whole.weights.shape == (50, NAMES)
    photos = whole.of("photo")
    assert len(photos) + sum(len(whole.of(kind)) for kind in seen.KINDS if kind != "photo") == 50
    assert (whole.label[photos] >= 0).all()
    torch.testing.assert_close(whole.answer[photos].float().sum(-1), torch.ones(len(photos)), rtol=0, atol=1e-2)
    assert (whole.answer[whole.of("word")] == 0).all()


@pytest.mark.parametrize("part", [0.0, 0.8, 1.0])
def test_as_many_photos_are_of_full_size_as_the_material_says(material: Material, part: float) -> None:
    rng, some = random.Random(0), replace(material, full_part=part)
    sides = [choose(some, rng)[0].width for _ in range(1000)]
    assert np.mean([side == 120 for side in sides]) == pytest.approx(part, abs=0.05)

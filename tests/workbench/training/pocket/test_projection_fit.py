"""The projection goes to where the texts are; towers and texts stay, bit for bit."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.workbench.training.pocket.test_free_vectors import DIM, pictures
from tests.workbench.training.pocket.world import begin_from
from workbench.training import projection
from workbench.training.pocket.material import Material
from workbench.training.texts import tower_vectors, vectors
from workbench.training.texts.settings import ProjectionSettings
from workbench.training.texts.tower_vectors import TowerVectors
from workbench.training.texts.vectors import Choices, Goals, Vectors


def _unit(*shape: int, seed: int) -> Tensor:
    return functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_it_goes_to_where_the_texts_are(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures lie where the texts are, but for a turn of the space, which is to be undone."""
    monkeypatch.setattr(projection, "RATE", 1e-2)  # it is a long way
    n, turn = len(material.bank.names), torch.linalg.qr(_unit(DIM, DIM, seed=5)).Q
    tables = {kind: _unit(n, DIM, seed=k) for k, kind in enumerate(vectors.FORMS)}
    truth = Vectors(**tables, colour=_unit(11, DIM, seed=7), count=_unit(5, DIM, seed=8), pair=torch.zeros(DIM))
    straight = pictures(material, truth)
    turned = replace(straight, features=straight.features @ turn)
    choices, goals = Choices.of(material.bank, material.first_names), Goals((20.0, 40.0), own=0.0)
    wanted = ProjectionSettings(photos=Path(), start=Path(), size=48, steps=200, stay=0.0)

    def fitted(wanted: ProjectionSettings) -> tuple[list[dict[str, float]], Tensor]:
        *steps, made = projection.fit(turned, truth, choices, wanted=wanted, goals=goals)
        assert isinstance(made, Tensor)
        assert [step for step, _ in steps] == list(range(1, wanted.steps + 1))  # type: ignore[misc]
        return [losses for _, losses in steps], made  # type: ignore[misc]

    def read(matrix: Tensor) -> float:
        rows = replace(turned, projection=matrix).embedded(turned.of("word"))
        best = choices.read[(rows @ truth.bare[choices.read].T).argmax(1)]
        return float((best == turned.parts[turned.of("word"), 0]).float().mean())

    losses, made = fitted(wanted)
    assert made.shape == (DIM, DIM)
    assert set(losses[0]) == {*vectors.WEIGHTS, "moved"} - {"synonyms"}  # names, which stay where they are
    assert losses[0]["moved"] == 0
    assert all(losses[-1][name] < 0.7 * losses[0][name] for name in ("read", "drawing", "colour", "pair"))
    assert read(torch.eye(DIM)) < 0.5 < 0.95 < read(made)
    assert torch.equal(turned.projection, torch.eye(DIM))  # what was given stays
    assert torch.equal(fitted(wanted)[1], made)
    few = wanted.model_copy(update={"steps": 20})
    near = fitted(few.model_copy(update={"stay": 1000.0}))[0][-1]["moved"]
    assert near < 0.5 * fitted(few)[0][-1]["moved"]
    other = fitted(few.model_copy(update={"seed": 1}))[1]
    assert not torch.equal(other, fitted(few)[1])


def test_sentences_are_embedded_once(material: Material) -> None:
    asked: list[str] = []

    def embed(texts: Any) -> Tensor:
        asked.extend(texts)
        return torch.stack([torch.full((3,), float(len(text))) for text in texts])

    place = material.bank.place
    tables = {kind: torch.zeros(1, 3) for kind in vectors.FORMS}
    made = TowerVectors(**vars(Vectors.begun(tables)), embed=embed, names=material.bank.names)
    cat, tree = torch.tensor(place["cat"]), torch.tensor(place["tree"])
    rows = made.counted(torch.arange(5)[None], torch.stack([cat, tree])[:, None])
    assert rows.shape == (2, 5, 3)
    assert asked[:2] == ["a photo of one cat.", "a photo of two cats."]
    assert rows[1, 4, 0] == len("a photo of five trees.")
    assert made.coloured(torch.arange(11)[None], cat[None, None]).shape == (1, 11, 3)
    assert "a photo of a red cat." in asked
    assert made.paired(cat[None], tree[None]).shape == (1, 3)
    assert asked[-1] == "a photo of a cat and a tree."
    count = len(asked)
    made.paired(cat[None], tree[None])
    assert len(asked) == count


@pytest.mark.heavy
def test_the_recipe_stops_and_writes_the_projection_alone(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, written = begin_from(monkeypatch, material, tokenizer, read="read")
    before = {name: value.clone() for name, value in run.towers.state_dict().items()}
    monkeypatch.setattr(tower_vectors, "AT_ONCE", 20)
    (tmp_path / "vocab.txt").touch()
    wanted = ProjectionSettings(photos=tmp_path, start=tmp_path, size=48, pictures=400, steps=3)
    rows = list(projection.make(wanted, tmp_path / "out", lambda: True))  # asked to stop after the first pictures
    assert [(row.done, row.total, row.unit) for row in rows] == [(50, 400, "pictures")]
    assert not written
    rows = list(projection.make(wanted, tmp_path / "out", lambda: False))
    steps = [(row.stage, row.done, row.total) for row in rows if row.unit == "steps"]
    assert steps == [("projection", step, 3) for step in (1, 2, 3)]
    assert all(math.isfinite(row.values["loss"]) for row in rows if row.unit == "steps")
    (((new, *given), facts),) = written
    assert given == [wanted, tmp_path / "out"]
    assert (facts["steps"], facts["sources"]) == (3, "read")
    assert new.keys() == {"visual_projection.weight"}
    assert new["visual_projection.weight"].shape == (16, 1280)
    assert not torch.equal(new["visual_projection.weight"], before["visual_projection.weight"])
    assert all(torch.equal(value, before[name]) for name, value in run.towers.state_dict().items())
    texts = [form.format(name) for form in vectors.FORMS.values() for name in material.bank.names]
    begun = tower_vectors.begun(run.towers, tokenizer, material.bank)
    alone = tower_vectors.embed(run.towers, tokenizer, texts[-1:])
    assert alone.shape == (1, 16)
    torch.testing.assert_close(begun.drawn[-1:], alone, rtol=0, atol=3e-2)  # bfloat16

"""A text tower learns where free vectors have names; the image tower stays, bit for bit."""

from __future__ import annotations

import copy
import itertools
import math
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.workbench.training.pocket.world import begin_from, world
from workbench.training.pocket import joint, texts
from workbench.training.pocket.material import Material
from workbench.training.texts import learning, making, vectors
from workbench.training.texts.learning import Sentences, TextLesson
from workbench.training.texts.settings import Settings
from workbench.training.texts.vectors import Vectors


def _vectors(material: Material) -> tuple[Vectors, torch.Tensor]:
    """Vectors of names, and of pictures."""
    generator = torch.Generator().manual_seed(1)

    def rows(n: int) -> torch.Tensor:
        return functional.normalize(torch.randn(n, 16, generator=generator), dim=-1)

    n = len(material.bank.names)
    tables = {kind: rows(n) for kind in vectors.FORMS}
    return Vectors(**tables, colour=rows(11), count=rows(5), pair=torch.zeros(16)), rows(200)


def _lesson(material: Material, steps: int, before: Any = None, seed: int = 0) -> TextLesson:
    made, rows = _vectors(material)
    return TextLesson(Sentences(made, material.bank), rows, ["lamp", "river"], before, steps, seed)


@pytest.mark.heavy
def test_the_text_tower_alone_learns(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning, "RATES", {"tower": 1e-3, "words": 2e-3, "projection": 1e-2})  # it has 40 steps
    monkeypatch.setattr(learning, "BATCH", 24)
    monkeypatch.setattr(learning, "KEPT", 4)
    run, _ = world(material, tokenizer)
    before = {name: value.clone() for name, value in run.towers.state_dict().items()}
    rows = list(learning.learn(run.towers, tokenizer, _lesson(material, 40, copy.deepcopy(run.towers))))
    assert [step for step, _ in rows] == list(range(1, 41))
    early, late = (sum(losses["named"] for _, losses in part) for part in (rows[:10], rows[-10:]))
    assert late < 0.95 * early
    after = run.towers.state_dict()
    for name, value in before.items():
        same = torch.equal(value, after[name])
        assert same is name.startswith(("image.", "visual_projection.", "logit_scale")) or "position_ids" in name, name

    again, _ = world(material, tokenizer)
    lesson = _lesson(material, 40, run.towers)  # nouns stay where these have them now
    early = list(itertools.islice(learning.learn(again.towers, tokenizer, lesson), 10))
    assert [losses["named"] for _, losses in early[:1]] == [losses["named"] for _, losses in rows[:1]]
    assert early[0][1]["kept"] > rows[0][1]["kept"]
    other, _ = world(material, tokenizer)
    assert next(iter(learning.learn(other.towers, tokenizer, _lesson(material, 40, other.towers, seed=1)))) != rows[0]


@pytest.mark.heavy
def test_texts_are_embedded_in_their_order(material: Material, tokenizer) -> None:  # type: ignore[no-untyped-def]
    run, _ = world(material, tokenizer)
    every = ["a photo of a cat.", "tree", "a cat and a tree and a cat", "cat"]
    with torch.no_grad():
        rows = learning.embedded(run.towers, tokenizer, every)
        alone = torch.cat([run.towers.embed_tokens(texts.tokens(tokenizer, [text])) for text in every])
    assert rows.shape == (4, 16)
    torch.testing.assert_close(rows.float(), alone, rtol=0, atol=3e-2)  # bfloat16
    assert (rows.float() @ alone.T).argmax(1).tolist() == [0, 1, 2, 3]


def test_texts_and_their_vectors(material: Material) -> None:
    place, (made, _), rng = material.bank.place, _vectors(material), random.Random(0)
    sentences = Sentences(made, material.bank)
    drawn = [sentences.draw(rng) for _ in range(6000)]
    some, rows = sentences.some(5, rng)
    assert (len(some), rows.shape) == (5, (5, 16))
    assert all(vector.shape == (16,) for _, vector in drawn)
    known = dict(drawn)
    for form, table in (("an emoji of a {}", made.drawn), ("{}", made.bare), ("a photo of a {}.", made.photo)):
        some = [name for name in material.bank.names if " " not in name and form.format(name) in known]
        assert some
        assert all(torch.equal(known[form.format(name)], table[place[name]]) for name in some)
    for text, vector in drawn:
        words = text.removeprefix("a photo of ").removeprefix("a picture of ").removesuffix(".").split()
        if len(words) == 2 and words[0] == "two" and words[1].removesuffix("s") in place:
            want = functional.normalize(made.photo[place[words[1].removesuffix("s")]] + made.count[1], dim=0)
            torch.testing.assert_close(vector, want)
            break
    else:
        raise AssertionError("no two of a kind among 6,000 texts")


def test_directions_in_which_pictures_differ_count_more() -> None:
    rows = torch.zeros(100, 4)
    rows[:, 0] = 1
    matters = learning._matters(rows)
    torch.testing.assert_close(matters.trace(), torch.tensor(4.0))
    assert matters.shape == (4, 4)
    assert matters[0, 0] == pytest.approx(0.3 + 0.7 * 4)
    assert matters[1, 1] == pytest.approx(0.3)


def test_the_rate_rises_and_falls() -> None:
    rates = [joint.rate(step, 200, learning.WARM) for step in range(200)]
    assert rates[0] == pytest.approx(1 / 40, rel=0.01)
    assert max(rates) == pytest.approx(rates[39], rel=0.02)
    assert rates[-1] == pytest.approx(0.02, abs=0.001)


@pytest.mark.heavy
def test_the_recipe_stops_goes_on_and_writes_a_model(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = SimpleNamespace(lexicon=SimpleNamespace(nouns=(SimpleNamespace(words=("Lamp", "cat")),)))
    run, written = begin_from(monkeypatch, material, tokenizer, read=read)
    image = {name: value.clone() for name, value in run.towers.state_dict().items() if name.startswith("image.")}
    monkeypatch.setattr(learning, "BATCH", 12)
    settings = Settings(photos=tmp_path, start=tmp_path, size=48, pictures=400, vector_steps=3, steps=4, cycles=2)
    rows = list(making.make(settings, tmp_path / "out", lambda: True))  # asked to stop after the first pictures
    assert [(row.done, row.total, row.unit) for row in rows] == [(50, 400, "pictures")]
    assert not written
    rows = list(making.make(settings, tmp_path / "out", lambda: False))
    steps = [(row.stage, row.done, row.total) for row in rows if row.unit == "steps"]
    assert steps == [*(("vectors", step, 3) for step in (1, 2, 3)), *(("texts", step, 8) for step in range(1, 9))]
    assert all(math.isfinite(row.values["loss"]) for row in rows if row.unit == "steps")
    ((given, facts),) = written
    assert given[1:] == (settings, tmp_path / "out")
    assert facts["steps"] == 8
    assert facts["seconds"] > 0
    after = run.towers.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in image.items())
    tower = {name.replace("text.", "text_model.", 1): value for name, value in after.items() if name.startswith("text")}
    assert given[0].keys() == tower.keys()
    assert all(torch.equal(value, tower[name]) for name, value in given[0].items())
    last = tmp_path / "out" / "work" / "texts" / "step-00000002"
    last.rename(last.with_name("step-00000001"))  # as if it was stopped in the second cycle
    again = list(making.make(settings, tmp_path / "out", lambda: False))
    assert not [row for row in again if row.unit == "pictures"]  # which are drawn once
    assert [row.done for row in again if row.stage == "texts"] == [5, 6, 7, 8]
    assert written[1][1]["seconds"] > facts["seconds"]
    assert (tmp_path / "out" / "work" / "vocab.txt").read_text() == (tmp_path / "vocab.txt").read_text()

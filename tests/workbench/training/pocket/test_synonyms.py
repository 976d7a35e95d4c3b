"""Other names of a class come nearer to its first in sentences that show it, and nowhere else."""

from __future__ import annotations

import copy
import math
import random
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.workbench.training.pocket.world import begin_from
from workbench.training import synonyms
from workbench.training.pocket import texts
from workbench.training.pocket.material import Material
from workbench.training.texts import learning, looking
from workbench.training.texts.settings import SynonymsSettings
from workbench.training.texts.vectors import Choices

HERE = {"a photo of a lift.": [1.0, 0, 0], "a photo of a crane.": [0, 1.0, 0], "lift": [0, 0, 1.0]}


class _Lift:
    """The name, by itself or in a sentence."""

    def draw(self, rng: random.Random) -> tuple[str, torch.Tensor]:
        return rng.choice(["lift", "a photo of a lift."]), torch.zeros(3)


def test_another_name_goes_a_part_of_the_way_and_a_name_by_itself_stays() -> None:
    asked: list[list[str]] = []

    def embed(every: list[str]) -> torch.Tensor:
        asked.append(every)
        return torch.tensor([HERE[text] for text in every])

    moved = {"a photo of a lift.": "a photo of a crane."}
    source = synonyms.NearerSentences(_Lift(), moved, nearer=0.75, embed=embed)  # type: ignore[arg-type]
    drawn, vectors = source.some(200, random.Random(0))
    assert vectors.shape == (200, 3)
    assert sorted(asked[0]) == sorted(HERE)  # each once
    part = math.hypot(0.25, 0.75)
    want = {"lift": HERE["lift"], "a photo of a lift.": [0.25 / part, 0.75 / part, 0]}
    torch.testing.assert_close(vectors, torch.tensor([want[text] for text in drawn]))
    assert 0.25 < drawn.count("lift") / 200 < 0.45  # half of seven tenths


def test_sentences_of_what_has_several_names(material: Material) -> None:
    start = SimpleNamespace(material=material, choices=Choices.of(material.bank, material.first_names))
    found = synonyms.synonymous(start)  # type: ignore[arg-type]
    assert found["a photo of a tabby cat."] == "a photo of a tabby."
    assert found["an emoji of a tabby cat"] == "an emoji of a tabby"
    assert not found.keys() & {"tabby cat", "a tabby cat", "the tabby cat", "a photo of a tabby."}
    assert {text.replace("lift", "tabby cat") for text in found if "lift" in text} <= found.keys()


@pytest.mark.heavy
def test_the_recipe_teaches_the_text_tower_alone(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = SimpleNamespace(lexicon=SimpleNamespace(nouns=(SimpleNamespace(words=("Lamp", "cat")),)))
    run, written = begin_from(monkeypatch, material, tokenizer, read=read)
    before = copy.deepcopy(run.towers)
    monkeypatch.setattr(learning, "BATCH", 24)
    monkeypatch.setattr(learning, "KEPT", 4)
    wanted = SynonymsSettings(photos=tmp_path, start=tmp_path, size=48, pictures=400, steps=60, nearer=1.0, pace=1.0)
    rows = list(synonyms.make(wanted, tmp_path / "out", lambda: True))  # asked to stop after the first pictures
    assert [(row.done, row.total, row.unit) for row in rows] == [(50, 400, "pictures")]
    assert not written
    rows = list(synonyms.make(wanted, tmp_path / "out", lambda: False))
    assert [(row.stage, row.done) for row in rows if row.unit == "steps"] == [("synonyms", k + 1) for k in range(60)]
    ((given, facts),) = written
    assert given[1:] == (wanted, tmp_path / "out")
    assert (facts["steps"], facts["sources"]) == (60, read)
    assert {name.split(".")[0] for name in given[0]} == {"text_model", "text_projection"}
    after = run.towers.state_dict()
    assert all(torch.equal(one, after[name]) for name, one in before.state_dict().items() if name.startswith("image."))

    looked = looking.look(wanted, tmp_path / "out", lambda: False)  # all pictures are seen
    with pytest.raises(StopIteration) as end:
        next(looked)
    start = end.value.value
    assert start.rows.shape == (400, 16)
    torch.testing.assert_close(start.rows.norm(dim=1), torch.ones(400))
    assert start.nouns == ["lamp"]  # a cat is in the bank

    def apart(towers: torch.nn.Module, one: str, other: str) -> float:
        with torch.no_grad():
            rows = towers.embed_tokens(texts.tokens(tokenizer, [one, other]))  # type: ignore[operator]
        return 1 - float(rows[0] @ rows[1])

    sentence = "a photo of a tabby cat.", "a photo of a tabby."
    assert apart(run.towers, *sentence) < 0.8 * apart(before, *sentence)

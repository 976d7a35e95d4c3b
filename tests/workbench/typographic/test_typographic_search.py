"""The search finds the smallest label of a model whose smallest label is known, and beats chance at equal calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from workbench.errors import BadInput
from workbench.loading import load
from workbench.pictures import sample
from workbench.progress import Progress
from workbench.typographic import attacking
from workbench.typographic.attacking import AttackPlan, FoundAttack, find_attack
from workbench.typographic.comparing import LARGEST, canvas, compare
from workbench.typographic.lettering import Label
from workbench.typographic.search import LabelSearch, Trial, best, candidate_words, search
from workbench.typographic.writing import covered, write

TEXTS = np.eye(2, dtype=np.float32)


class Corner:
    """Answers 1 exactly where more than 250 of 36 x 36 pixels in the upper left corner are white."""

    calls = 0

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        self.calls += len(pixels)
        white = (pixels[:, :, :36, :36] > 200).all(dim=1).sum(dim=(1, 2)).float()
        angle = torch.atan(white / 250)  # 45 degrees at the edge
        return torch.stack([angle.cos(), angle.sin()], dim=1)


def request(**changes: object) -> LabelSearch:
    black = np.zeros((3, 112, 112), np.uint8)
    return replace(LabelSearch(black, TEXTS, 1, ("i", "long word"), calls=160), **changes)  # type: ignore[arg-type]


def result(model: Corner, wanted: LabelSearch) -> Trial:
    *reports, last = search(model, wanted)  # type: ignore[arg-type]
    assert isinstance(last, Trial)
    assert all(isinstance(report, Progress) for report in reports)
    return last


def test_the_smallest_label_is_found_where_only_one_corner_counts() -> None:
    model = Corner()
    trial = result(model, request())
    assert model.calls == 160
    assert trial.success
    assert trial.answer == 1
    assert trial.label.x < 0.6
    assert trial.label.y < 0.6
    assert trial.cover < 0.05  # 250 white pixels of 112 x 112 are 2 %; letters come on top
    drawn = write(Image.new("RGB", (112, 112)), [trial.label])
    rows = model.encode_pixels(torch.from_numpy(np.asarray(drawn).transpose(2, 0, 1)[None].copy()))
    assert float(rows[0, 1] - rows[0, 0]) == pytest.approx(trial.margin, abs=1e-6)
    assert trial.cover == covered((112, 112), [trial.label])


def test_it_needs_less_than_chance_with_as_many_calls() -> None:
    covers = {
        method: np.median([result(Corner(), request(method=method, seed=seed, calls=96)).cover for seed in range(5)])
        for method in ("guided", "random")
    }
    assert covers["guided"] < covers["random"]


def test_the_same_seed_finds_the_same_label() -> None:
    first, again, other = (result(Corner(), request(seed=seed)).label for seed in (3, 3, 4))
    assert first == again != other


def test_a_target_that_nothing_reaches_is_a_miss_and_the_nearest_is_told() -> None:
    trial = result(Corner(), request(target=0))
    assert trial.success  # black answers 0 already
    never = LabelSearch(np.zeros((3, 112, 112), np.uint8), np.eye(3, dtype=np.float32)[:, :2], 2, ("i",), calls=32)
    miss = result(Corner(), never)
    assert not miss.success
    assert miss.margin < 0


def test_the_best_trial_covers_least_among_successes() -> None:
    rows = [
        Trial(Label(str(at)), cover, 0, margin) for at, (cover, margin) in enumerate([(0.1, -1), (0.3, 1), (0.2, 2)])
    ]
    assert best(rows) is rows[2]
    assert best(rows[:1]) is rows[0]


def test_words_are_the_targets_own() -> None:
    assert candidate_words("hot dog")[:4] == ("hot dog", "hot", "dog", "HOT DOG")
    assert "piz" in candidate_words("pizza")
    with pytest.raises(BadInput, match="letter"):
        candidate_words(" ")


@pytest.mark.parametrize("change", [{"words": ()}, {"calls": 3}, {"texts": TEXTS[:1]}])
def test_a_search_without_a_choice_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="A search needs"):
        result(Corner(), request(**change))


@pytest.mark.heavy
def test_pocket_is_fooled_on_the_image_itself_and_refined_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pocket = load("pocket", device="cpu")
    names = ("cat", "dog", "pizza", "rocket")
    *_, outcome = find_attack(pocket, sample("cat"), AttackPlan("pizza", names, calls=64))
    assert isinstance(outcome, FoundAttack)
    assert outcome.success
    clean = sample("cat")
    again = compare(pocket, clean, [outcome.label], names=names)
    assert again.top(1) == "pizza" != again.top(0)
    assert again.cover == outcome.comparison.cover
    assert outcome.calls <= 64 + attacking.TIMES
    monkeypatch.setattr(attacking, "REFINING", 10**6)  # the same search with nothing refined afterwards
    *_, rough = find_attack(pocket, clean, AttackPlan("pizza", names, calls=48))
    assert isinstance(rough, FoundAttack)
    assert outcome.comparison.cover < rough.comparison.cover


def test_a_target_must_be_a_label_and_no_answer_yet() -> None:
    fake = load("fake")
    red = Image.new("RGB", (80, 80), (220, 20, 20))
    with pytest.raises(BadInput, match="already"):
        next(find_attack(fake, red, AttackPlan("red", ("red", "blue"))))
    with pytest.raises(BadInput, match="one of the labels"):
        next(find_attack(fake, red, AttackPlan("green", ("red", "blue"))))


def test_large_images_are_made_smaller_first() -> None:
    assert canvas(Image.new("RGB", (3000, 2000))).size == (1008, LARGEST)
    small = Image.new("RGB", (300, 200), "teal")
    assert canvas(small) == small

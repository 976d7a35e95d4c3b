"""Photos come to be seen as the classifier sees them; all else, and all that does not learn, stays."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from scipy.spatial.distance import cosine
from scipy.special import softmax
from scipy.stats import entropy
from torch import Tensor
from torch.nn import functional

from tests.workbench.training.pocket.world import begin_from
from workbench.training import checkpoints, distillation
from workbench.training.distillation import (
    Distillation,
    DistillationSettings,
    distance,
    rectified,
    share_of,
)
from workbench.training.pocket import folding, opening, sources, towers, views, vocabulary
from workbench.training.pocket.example import TrainingExample
from workbench.training.pocket.material import Material
from workbench.training.pocket.towers import Towers
from workbench.training.texts import looking
from workbench.training.texts.naming import CaptionChoice, ClassAnswers, Naming, word_first
from workbench.training.texts.seen import Pictures
from workbench.training.texts.vectors import FORMS, Choices, Vectors

SIDE = 48  # pixels of a picture, small enough for a test


def _wanted(**values: Any) -> DistillationSettings:
    return DistillationSettings(photos=Path(), start=Path(), size=SIDE, **values)


def _lesson(material: Material, made: Towers, locked: Any, wanted: DistillationSettings) -> Distillation:
    """Names anywhere."""
    generator = torch.Generator().manual_seed(5)
    size = len(material.bank.names), made.visual_projection.out_features
    tables = {kind: functional.normalize(torch.randn(size, generator=generator), dim=-1) for kind in FORMS}
    choices = Choices.of(material.bank, material.first_names)
    vectors = Vectors.begun(tables)
    naming = Naming.of(vectors, choices, scale=wanted.scale)
    captions = CaptionChoice(functools.partial(_anywhere, made.visual_projection.out_features), wanted.scale)
    answers = ClassAnswers(vectors.photo[choices.first], wanted.scale)
    return Distillation(made, locked, material.bank, (naming, captions, answers), wanted)


def _anywhere(dim: int, texts: Sequence[str]) -> Tensor:
    """Unit rows, the same for the same text."""
    rows = [np.random.default_rng(list(text.encode())).normal(size=dim) for text in texts]
    return functional.normalize(torch.tensor(np.stack(rows), dtype=torch.float32), dim=-1)


def _unlike(image: Any, *, seed: int) -> Any:
    """A copy whose last convolution is another."""
    other, generator = copy.deepcopy(image), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in other.conv_head.parameters():
            part.mul_(1 + 2 * torch.randn(part.shape, generator=generator))
    return other


@pytest.fixture
def made(material: Material, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Towers:
    """Towers that have seen nothing."""
    return begin_from(monkeypatch, material, tokenizer, read=None)[0].towers


def test_a_distance_by_hand() -> None:
    now, aim = torch.zeros(2, 2, 1, 2), torch.zeros(2, 2, 1, 2)
    now[0, 0] = torch.tensor([[3.0, -1.0]])  # on average 1, squares 9 and 1
    aim[1, 1] = 4.0
    away = distance(now, aim, torch.tensor([1.0, 2.0]))
    assert away.shape == (2,)
    first = (1 / 2 + 0.1 * (9 + 1) / 4) / 2
    second = (2**2 / 2 + 0.1 * (2**2 + 2**2) / 4) / 2  # in units of 2
    torch.testing.assert_close(away, torch.tensor([first, second]))


def test_how_far_answers_are_apart() -> None:
    rng = np.random.default_rng(3)
    classes = rng.normal(size=(7, 5))
    classes /= np.linalg.norm(classes, axis=1, keepdims=True)
    now, aim = rng.normal(size=(2, 4, 5))
    said, to_say = (
        softmax(9.0 * rows @ classes.T / np.linalg.norm(rows, axis=1, keepdims=True), axis=1) for rows in (now, aim)
    )
    apart = ClassAnswers(torch.tensor(classes), 9.0).loss
    assert float(apart(torch.tensor(now), torch.tensor(aim))) == pytest.approx(entropy(to_say, said, axis=1).mean())
    assert float(apart(torch.tensor(aim), torch.tensor(3 * aim))) == pytest.approx(0, abs=1e-12)
    assert float(apart(torch.zeros(0, 5).double(), torch.zeros(0, 5).double())) == 0.0


def test_how_surprised_labels_are() -> None:
    answers = ClassAnswers(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), 2.0)
    rows, labels = torch.tensor([[3.0, 4.0], [-5.0, 0.0]]), torch.tensor([1, 0])
    chances = [math.exp(1.6) / (math.exp(1.2) + math.exp(1.6)), math.exp(-2.0) / (math.exp(-2.0) + 1)]
    assert float(answers.surprise(rows, labels)) == pytest.approx(-sum(map(math.log, chances)) / 2)
    assert float(answers.surprise(rows[:0], labels[:0])) == 0.0


def test_which_pictures_go_how_far() -> None:
    def share(kind: str, soft: float = 0.0) -> float:
        example = TrainingExample(None, {}, "", frozenset(), soft=soft)  # type: ignore[arg-type]
        return share_of(kind, example, _wanted(photo=0.8, small=0.1, blank=0.4, attacked=0.3, noted=-0.2))

    assert [share("photo", 1.0), share("photo", 0.5), share("photo", 0.3)] == [0.8, 0.8, 0.1]
    assert [share("blank", 0.9), share("attacked", 0.9)] == [0.4, 0.3]
    assert share("noted") == -0.2
    assert [share(kind) for kind in ("word", "penned", "drawing", "colour", "count", "pair")] == [0.0] * 6


def test_it_begins_with_a_share_of_the_classifier_and_is_held_to_what_it_was(material: Material, made: Towers) -> None:
    was, locked = copy.deepcopy(made.image), _unlike(made.image, seed=0)
    lesson = _lesson(material, made, locked, _wanted(classifier=0.25))
    own, theirs = was.state_dict(), locked.state_dict()
    assert any(not torch.equal(own[name], theirs[name]) for name in own)
    for name, weight in made.image.state_dict().items():
        torch.testing.assert_close(weight, 0.75 * own[name] + 0.25 * theirs[name])
        torch.testing.assert_close(lesson.average.state_dict()[name], weight)
        torch.testing.assert_close(lesson._before.state_dict()[name], own[name], rtol=0, atol=0)


@pytest.mark.heavy
def test_photos_go_to_the_classifier_and_the_rest_stays(material: Material, made: Towers) -> None:
    locked = copy.deepcopy(made.image)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for part in made.image.conv_head.parameters():
            part.mul_(1 + 0.3 * torch.randn(part.shape, generator=generator))
    before = {name: value.clone() for name, value in made.state_dict().items()}
    lesson = _lesson(material, made, locked, _wanted(steps=30, rate=5e-4, photo=1.0, batch=16, units=0.0))
    batch = Pictures(material, 0, 0, 16, {"photo": 1, "word": 1}, 16, SIDE)[0]
    photos = torch.tensor([share_of(*one, lesson._wanted) > 0 for one in batch])

    def away(image: Any, other: Any) -> Tensor:
        pixels = distillation.views.pixels([one.picture for _, one in batch])
        with torch.no_grad():
            early = made.early(pixels)
            rows = [rectified(tower, early, made.frozen) for tower in (image, other)]
            assert rows[0].shape == (16, 1280, 2, 2)
            return distance(rows[0], rows[1], rows[1].mean((2, 3)).std(0).clamp(min=0.02))

    first = away(lesson._before, locked)
    losses = [lesson.learn(batch) for _ in range(30)]
    assert lesson.step == 30
    assert losses[0]["stayed"] == 0
    assert all(math.isfinite(value) for row in losses for value in row.values())
    assert losses[-1]["taught"] < 0.7 * losses[0]["taught"]
    after, moved = away(made.image, locked), away(made.image, lesson._before)
    assert after[photos].mean() < 0.7 * first[photos].mean()  # photos come closer
    assert moved[~photos].mean() < 0.9 * moved[photos].mean()  # words are nearer to where they were
    changed = {name for name, value in made.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(
        name.startswith(("image.blocks.3", "image.blocks.4", "image.blocks.5", "image.blocks.6", "image.conv_head"))
        for name in changed
    )
    average = lesson.average.state_dict()
    assert not torch.equal(average["conv_head.weight"], made.image.state_dict()["conv_head.weight"])
    assert not torch.equal(average["conv_head.weight"], before["image.conv_head.weight"])


@pytest.mark.heavy
def test_what_is_taught_is_to_lie_in_the_joint_space_where_its_aim_does(material: Material, made: Towers) -> None:
    locked = _unlike(made.image, seed=1)
    lesson = _lesson(material, made, locked, _wanted(photo=0.75, batch=12))
    batch = Pictures(material, 0, 0, 12, {"photo": 1, "word": 1, "drawing": 1}, 12, SIDE)[0]
    photos = [one.picture for kind, one in batch if kind == "photo" and one.soft >= 0.5]
    assert 0 < len(photos) < 12
    with torch.no_grad():
        early = made.early(distillation.views.pixels(photos))
        now, known = (rectified(tower, early, made.frozen).mean((2, 3)) for tower in (made.image, locked))
        aim = now / 4 + known * 3 / 4
        aim[:, lesson._asked.units] = now[:, lesson._asked.units]
        lies, to_lie = (rows.numpy() @ made.visual_projection.weight.numpy().T for rows in (now, aim))
        losses = lesson._losses(batch)
    cosines = [1 - cosine(one, other) for one, other in zip(lies, to_lie, strict=True)]
    assert 1 - float(losses["joint"]) == pytest.approx(np.mean(cosines), abs=2e-3)
    assert float(losses["joint"]) > 0.1

    def after(weight: float) -> float:
        wanted = _wanted(steps=10, rate=1e-3, photo=0.75, batch=12, units=0.0, drawn=0.0, joint=weight)
        other = _lesson(material, copy.deepcopy(made), locked, wanted)
        return [other.learn(batch)["joint"] for _ in range(10)][-1]

    assert after(30.0) < 0.9 * after(0.0)


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "asked"), [("answers", "photo"), ("answered", "attacked")])
def test_photos_come_to_be_called_what_the_classifier_has_them_called(
    name: str, asked: str, material: Material, made: Towers
) -> None:
    locked = _unlike(made.image, seed=2)
    batch = Pictures(material, 0, 0, 12, {"photo": 2, "attacked": 2, "drawing": 1}, 12, SIDE)[0]
    photos = [one.picture for kind, one in batch if kind == asked and (asked == "attacked" or one.soft >= 0.5)]
    assert 0 < len(photos) < len([kind for kind, _ in batch if kind in ("photo", "attacked")])

    def lesson(weight: float) -> Distillation:
        weights = {"units": 0.0, "drawn": 0.0, name: weight}
        wanted = _wanted(steps=10, rate=1e-3, photo=1.0, attacked=1.0, batch=12, scale=20.0, **weights)
        return _lesson(material, copy.deepcopy(made), locked, wanted)

    one = lesson(30.0)
    with torch.no_grad():
        early = made.early(distillation.views.pixels(photos))
        now, known = (rectified(tower, early, made.frozen).mean((2, 3)) for tower in (made.image, locked))
        known[:, one._asked.units] = now[:, one._asked.units]
        lies = [rows.numpy() @ made.visual_projection.weight.numpy().T for rows in (now, known)]
        classes = one._answers.vectors.numpy()
        assert classes.shape == (len(material.first_names), made.visual_projection.out_features)
        said, to_say = (softmax(20 * (r / np.linalg.norm(r, axis=1, keepdims=True)) @ classes.T, axis=1) for r in lies)
        answers = float(one._losses(batch)[name])
    assert answers == pytest.approx(entropy(to_say, said, axis=1).mean(), rel=2e-2)
    other = lesson(0.0)
    first, *_, last = [one.learn(batch)[name] for _ in range(10)]
    assert last < 0.9 * [other.learn(batch)[name] for _ in range(10)][-1]
    assert last < 0.9 * first


@pytest.mark.heavy
def test_parts_that_are_held_stay_to_the_bit(material: Material, made: Towers) -> None:
    lesson = _lesson(material, made, _unlike(made.image, seed=3), _wanted(batch=12, held=("blocks.6", "conv_head")))
    before = {name: value.clone() for name, value in made.image.named_parameters()}
    batch = Pictures(material, 0, 0, 12, {"photo": 2, "drawing": 1}, 12, SIDE)[0]
    for _ in range(2):
        lesson.learn(batch)
    changed = {name.rsplit(".", 1)[0] for name, value in made.image.named_parameters() if not value.equal(before[name])}
    assert {".".join(name.split(".")[:2]) for name in changed} == {"blocks.3", "blocks.4", "blocks.5"}


@pytest.mark.heavy
def test_small_photos_come_to_be_called_by_their_labels(material: Material, made: Towers) -> None:
    batch = Pictures(replace(material, full_part=0.5), 0, 0, 12, {"photo": 3, "drawing": 1}, 12, SIDE)[0]
    small = [one for kind, one in batch if kind == "photo" and one.soft < 0.5]
    assert 0 < len(small) < len([kind for kind, _ in batch if kind == "photo"])

    def lesson(weight: float) -> Distillation:
        wanted = _wanted(steps=10, rate=1e-3, batch=12, units=0.0, drawn=0.0, scale=20.0, labels=weight)
        return _lesson(material, copy.deepcopy(made), copy.deepcopy(made.image), wanted)

    one = lesson(30.0)
    with torch.no_grad():
        early = made.early(distillation.views.pixels([picture.picture for picture in small]))
        averages = rectified(made.image, early, made.frozen).mean((2, 3)).numpy()
        lies = averages @ made.visual_projection.weight.numpy().T
        cosines = lies @ one._answers.vectors.numpy().T / np.linalg.norm(lies, axis=1, keepdims=True)
        right = softmax(20 * cosines, axis=1)[np.arange(len(small)), [picture.label for picture in small]]
        assert float(one._losses(batch)["labels"]) == pytest.approx(-np.log(right).mean(), rel=2e-2)
    other = lesson(0.0)
    first, *_, last = [one.learn(batch)["labels"] for _ in range(10)]
    assert last < 0.9 * first
    assert last < 0.9 * [other.learn(batch)["labels"] for _ in range(10)][-1]


@pytest.mark.heavy
@pytest.mark.parametrize("each", [1, 2])
def test_what_photos_are_called_is_not_left_to_the_first_unit_of_a_concept(
    each: int, material: Material, made: Towers
) -> None:
    locked = _unlike(made.image, seed=4)
    lesson = _lesson(material, made, locked, _wanted(photo=1.0, batch=12, answers=2.0, joint=4.0, each=each))
    losses = lesson._losses(Pictures(material, 0, 0, 12, {"photo": 1}, 12, SIDE)[0])
    assert losses["answers"].item() > 0.01
    assert len(lesson._asked.units) == each * len(lesson._untaught) == each * len(material.bank.alike)
    for name in ("answers", "joint"):
        head = made.image.conv_head.weight
        (slope,) = torch.autograd.grad(losses[name], head, retain_graph=True)
        sizes = slope.abs().amax((1, 2, 3))
        others = torch.ones(1280, dtype=torch.bool)
        others[lesson._untaught] = False
        assert sizes[lesson._untaught].max() == 0
        assert (sizes[others] > 0).float().mean() > 0.5


@pytest.mark.heavy
def test_units_learn_their_concepts_and_not_the_classifier(material: Material, made: Towers) -> None:
    locked = copy.deepcopy(made.image)
    lesson = _lesson(material, made, locked, _wanted(steps=25, rate=1e-3, photo=1.0, small=1.0, drawn=0.0, batch=12))
    batch = Pictures(material, 0, 0, 12, {"photo": 1, "drawing": 1}, 12, SIDE)[0]
    units = lesson._asked.units
    assert len(units) == len(material.bank.alike)
    with torch.no_grad():
        locked.conv_head.weight[units] += 0.5
        assert lesson._losses(batch)["taught"] == 0
        locked.conv_head.weight += 0.5
        assert lesson._losses(batch)["taught"] > 0
    losses = [lesson.learn(batch)["units"] for _ in range(25)]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.heavy
def test_drawings_come_to_be_called_by_their_names_and_are_not_held(material: Material, made: Towers) -> None:
    locked = copy.deepcopy(made.image)
    lesson = _lesson(material, made, locked, _wanted(steps=25, rate=1e-3, batch=12, units=0.0, drawn=1.0, scale=20.0))
    batch = Pictures(material, 0, 0, 12, {"drawing": 1}, 12, SIDE)[0]
    losses = [lesson.learn(batch) for _ in range(25)]
    assert {row["stayed"] for row in losses} == {row["taught"] for row in losses} == {0.0}
    assert losses[-1]["drawn"] < 0.9 * losses[0]["drawn"]


@pytest.mark.heavy
def test_colours_counts_and_pairs_come_to_be_told_by_their_true_captions(material: Material, made: Towers) -> None:
    batch = Pictures(material, 0, 0, 12, {"colour": 2, "count": 1, "pair": 1, "photo": 1}, 12, SIDE)[0]
    captioned = [one for kind, one in batch if kind != "photo"]
    assert {kind for kind, _ in batch} == {"colour", "count", "pair", "photo"}

    def lesson(weight: float) -> Distillation:
        wanted = _wanted(steps=25, rate=1e-3, batch=12, units=0.0, stay=0.0, photo=0.0, drawn=0.0, captions=weight)
        towers = copy.deepcopy(made)
        return _lesson(material, towers, copy.deepcopy(made.image), wanted)

    one = lesson(1.0)
    with torch.no_grad():
        early = made.early(distillation.views.pixels([picture.picture for picture in captioned]))
        averages = rectified(made.image, early, made.frozen).mean((2, 3)).numpy()
        lies = averages @ made.visual_projection.weight.numpy().T
        losses = []
        for row, picture in zip(lies, captioned, strict=True):
            texts = _anywhere(len(row), [picture.caption, *picture.false]).numpy()
            logits = 40.0 * texts @ row / np.linalg.norm(row)
            losses.append(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[0])
        assert float(one._losses(batch)["captions"]) == pytest.approx(np.mean(losses), rel=2e-2)
    first, *_, last = [one.learn(batch)["captions"] for _ in range(25)]
    assert last < 0.8 * first
    other = lesson(0.0)
    assert [other.learn(batch)["captions"] for _ in range(25)][-1] > 0.9 * first


def test_a_word_is_asked_before_every_other_name_of_what_it_is_written_on() -> None:
    weights = {"apple": 0.1, "fruit": 0.05, "ipod": 0.85}
    noted = TrainingExample(Image.new("RGB", (8, 8)), weights, "the word ipod", frozenset(["ipod"]), written="ipod")
    assert word_first(noted) == ("a photo of a ipod.", "a photo of a apple.", "a photo of a fruit.")


@pytest.mark.heavy
def test_handwritten_words_come_to_beat_what_they_are_written_on(material: Material, made: Towers) -> None:
    wanted = _wanted(steps=10, notes=5.0, rate=2e-3, stay=0.0)
    pictures = Pictures(material, 3, 0, 12, {"noted": 1}, 12, SIDE)[0]
    names = [word_first(one) for _, one in pictures]
    words, others = (_anywhere(made.visual_projection.out_features, [row[k] for row in names]) for k in (0, 1))

    def ahead() -> float:
        with torch.inference_mode(), made.mixed():
            maps = made.last(made.early(views.pixels([one.picture for _, one in pictures])), made.frozen)
            seen = functional.normalize(made.visual_projection(made.averaged(maps).float()), dim=-1)
        return float(((seen * words).sum(-1) - (seen * others).sum(-1)).mean())

    lesson, before = _lesson(material, made, copy.deepcopy(made.image), wanted), ahead()
    for _ in range(wanted.steps):
        lesson.learn(pictures)
    assert ahead() > before + 0.1


@pytest.mark.heavy
def test_the_recipe_goes_on_where_it_stopped_and_writes_the_image_tower_alone(
    material: Material,
    tokenizer,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distillation, "SAVE_EVERY", 2)
    run, written = begin_from(monkeypatch, material, tokenizer, read="read")
    begun = copy.deepcopy(run.towers)
    with torch.no_grad():
        begun.image.conv_head.weight.mul_(1.1)
    monkeypatch.setattr(opening, "reopened", lambda folder, *, net, frozen: copy.deepcopy(begun))
    monkeypatch.setattr(
        towers, "locked", lambda name: timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    )
    (tmp_path / "vocab.txt").touch()
    wanted = DistillationSettings(photos=tmp_path, start=tmp_path, size=48, steps=4, batch=6, rate=0.01)

    def rows(folder: str, stop_after: int = 9) -> list[int]:
        made: list[int] = []
        for row in distillation.make(wanted, tmp_path / folder, lambda: len(made) >= stop_after):
            assert (row.total, row.unit, row.stage) == (4, "steps", "distillation")
            made.append(row.done)
        return made

    assert rows("whole") == [1, 2, 3, 4]
    assert rows("parts", stop_after=3) == [1, 2, 3]
    assert len(written) == 1
    assert rows("parts") == [3, 4]  # the last checkpoint was the second step's
    (((whole, *_), facts), ((again, given, out), _)) = written
    assert (given, out, facts["steps"], facts["sources"]) == (wanted, tmp_path / "parts", 4, "read")
    assert whole.keys() == again.keys()
    assert all(name.startswith("vision_model.timm_model.") for name in whole)
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
    state = checkpoints.load(checkpoints.latest(tmp_path / "parts" / "work" / "distillation"))  # type: ignore[arg-type]
    assert state["step"] == 4
    head, factor = (
        again["vision_model.timm_model.conv_head.weight"],
        1.001**-0.5,
    )  # of a normalisation that did not learn
    torch.testing.assert_close(head * factor, state["average"]["conv_head.weight"])


def test_the_classifier_that_teaches_is_not_the_checkpoint(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a checkpoint loads its weights into the network that it is given."""
    torch.manual_seed(0)
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    true = folding.folded(net).conv_head.weight.clone()

    def reopened(folder: Path, *, net: Any, frozen: int) -> Any:
        with torch.no_grad():
            net.conv_head.weight.zero_()
        return folding.folded(net)

    monkeypatch.setattr(towers, "locked", lambda name: net)
    monkeypatch.setattr(opening, "reopened", reopened)
    monkeypatch.setattr(vocabulary, "tokenizer", lambda file: None)
    monkeypatch.setattr(looking.shutil, "copyfile", lambda one, other: None)
    monkeypatch.setattr(sources, "read", lambda settings, work: None)
    monkeypatch.setattr(sources, "material", lambda settings, read, work: material)
    start = looking.begin(_wanted(), Path())
    assert not start.made.conv_head.weight.any()
    assert torch.equal(start.locked.conv_head.weight, true)

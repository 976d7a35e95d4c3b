"""Each defence helps where the fault was planted and changes nothing elsewhere; figures are those of a hand count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from audits.typographic.drawings import to_learn, to_measure
from workbench import fake
from workbench.engine import Engine
from workbench.errors import BadInput, UnknownName, Unsupported
from workbench.fake import FakeBackend
from workbench.heads import MeanHead
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.progress import Progress
from workbench.typographic import edits
from workbench.typographic.defences import DEFENCES, applied, check_defence, settings_of
from workbench.typographic.finding import TextBox, TextMap, boxes, finder, prepared
from workbench.typographic.learning import DefenceLesson, Learned, learn
from workbench.typographic.lettering import Label
from workbench.typographic.making import made, read_lesson
from workbench.typographic.measuring import AttackedSet, Outcomes, attacked_set, defence_row, outcomes
from workbench.typographic.painting import cover
from workbench.typographic.writing import corners, write

COLOURS = ("red", "green", "blue", "yellow")


def marked() -> AttackedSet:
    """Squares of one colour, each with another colour's name in the marks that the fake model reads."""
    rng = np.random.default_rng(0)
    rows = [(name, COLOURS[(at + 1 + turn) % 4]) for turn in range(3) for at, name in enumerate(COLOURS)] * 3
    clean = []
    for name, _ in rows:
        noise = rng.integers(-9, 10, (80, 80, 3))
        clean.append(Image.fromarray(np.clip(np.array(fake.COLOURS[name]) + noise, 0, 255).astype(np.uint8)))
    written = tuple(fake.write(picture, word) for picture, (_, word) in zip(clean, rows, strict=True))
    truth, words = zip(*rows, strict=True)
    return AttackedSet(tuple(clean), written, truth, words, COLOURS)


def defended(base: TorchBackend) -> TorchBackend:
    return TorchBackend(base.spec, edits.paint_over(base, {"finder": "marks"}, {}), "defended")


def test_painting_over_gives_back_all_that_the_planted_fault_costs() -> None:
    images, base = marked(), FakeBackend(gullibility=1.0)
    before, after = (outcomes(model, images) for model in (base, defended(base)))
    assert (before.clean.mean(), before.attacked.mean(), before.attacked_two.mean()) == (1, 0, 0)
    row = defence_row(before, after, [str(at) for at in range(len(images.truth))])
    assert row.back.value == row.back_all.value == 1.0
    assert row.clean.difference.value == 0
    assert row.back.low is not None
    assert row.back.low > 0.8


def test_it_changes_nothing_where_no_fault_was_planted() -> None:
    images, base = marked(), FakeBackend(gullibility=0.0)
    before, after = (outcomes(model, images) for model in (base, defended(base)))
    row = defence_row(before, after, [str(at) for at in range(len(images.truth))])
    assert row.attacked.difference.value == row.clean.difference.value == 0
    assert row.back.value is None
    assert "cost nothing" in row.back.method


def test_half_a_fault_is_half_a_loss() -> None:
    before = outcomes(FakeBackend(gullibility=0.5), marked())
    assert 0.2 < before.attacked.mean() < 0.8


def test_the_row_is_a_hand_count() -> None:
    yes, no = np.ones(100, bool), np.zeros(100, bool)
    half = np.arange(100) < 50
    base = Outcomes(yes, no, yes, np.arange(100) < 20, 10.0)
    after = Outcomes(np.arange(100) < 98, half, yes, np.arange(100) < 80, 14.0)
    row = defence_row(base, after, [str(at) for at in range(100)])
    assert row.back.value == pytest.approx((80 - 20) / (100 - 20))
    assert row.back_all.value == pytest.approx(50 / 100)
    assert row.clean.difference.value == pytest.approx(-0.02)
    assert (row.clean.lost, row.clean.gained, row.attacked_two.gained) == (2, 0, 60)
    assert row.milliseconds == pytest.approx(4.0)
    nine = replace(base, distinct=np.arange(0, 99, 11))  # 0, 11, … 88: nine photos, none of which is lost
    row = defence_row(nine, after, [str(at) for at in range(100)])
    assert (row.clean.n, row.clean.lost, row.attacked.n) == (9, 0, 100)


def test_words_are_wrong_and_the_seed_decides_them() -> None:
    picture = Image.new("RGB", (224, 224), "white")
    first, again, other = (attacked_set([picture] * 6, list("aabbcc"), seed=seed) for seed in (1, 1, 2))
    assert all(word != truth for word, truth in zip(first.words, first.truth, strict=True))
    assert first.words == again.words
    assert [one.tobytes() for one in first.written] == [one.tobytes() for one in again.written]
    assert [one.tobytes() for one in first.written] != [one.tobytes() for one in other.written]
    with pytest.raises(BadInput, match="two or more things"):
        attacked_set([picture], ["a"], seed=0)


def test_a_painted_box_continues_what_lies_around_it() -> None:
    ramp = torch.arange(40).expand(3, 40, 40).contiguous().to(torch.uint8)  # grows to the right
    damaged = ramp.clone()
    damaged[:, 10:20, 10:30] = 255
    painted = cover(damaged, [TextBox(10, 10, 30, 20, 1.0)])
    assert (painted.int() - ramp.int()).abs().max() <= 6
    assert torch.equal(painted[:, :10], damaged[:, :10])
    assert cover(damaged, []) is damaged
    assert cover(damaged, [TextBox(-5, -5, 99, 99, 1.0)]).float().std() == 0
    assert torch.equal(cover(damaged, [TextBox(50, 50, 60, 60, 1.0)]), damaged)


def test_scores_become_boxes_in_pixels() -> None:
    scores = np.zeros((28, 28))
    scores[10:12, 4:10], scores[20, 20] = 0.9, 0.9  # one cell alone is no text
    (box,) = boxes(scores, 56, 0.5)
    assert box[:4] == pytest.approx((8 - 1.2, 20 - 1.2, 20 + 1.2, 24 + 1.2))
    assert box.score == pytest.approx(0.9)
    assert boxes(scores, 56, 0.95) == []


def test_the_finders_network_has_the_stated_shapes() -> None:
    square = torch.randint(0, 256, (3, 96, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    seen = prepared(square)
    assert seen.shape == (1, 3, 224, 224)
    assert -1 <= seen.min() < 0 < seen.max() <= 1
    network, two = TextMap().eval(), seen.expand(2, -1, -1, -1)
    with torch.inference_mode():
        assert network.maps(two).shape == (2, 152, 28, 28)
        assert network(two).shape == (2, 28, 28)


def test_the_finder_finds_rendered_words_and_few_in_clean_drawings() -> None:
    find, rng = finder(), np.random.default_rng(0)
    drawings = [one.picture for at, one in enumerate(to_measure()) if at % 50 == 0]
    inside, empty = 0, 0
    for picture in drawings:
        label = Label("umbrella", x=0.5, y=float(rng.uniform(0.2, 0.8)), size=0.12)
        (left, top), _, (right, bottom), _ = corners(picture.size, label)
        written = torch.from_numpy(np.asarray(write(picture, [label])).copy()).permute(2, 0, 1)
        x, y = (left + right) / 2, (top + bottom) / 2
        inside += any(box.left <= x <= box.right and box.top <= y <= box.bottom for box in find(written))
        empty += not find(torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1))
    assert len(drawings) == 12
    assert inside == 12
    assert empty >= 8


def test_what_is_measured_is_never_learned_from() -> None:
    measured = {one.name for one in to_measure()}
    names = {one.name for at, one in zip(range(40), to_learn(), strict=False)}
    assert len(measured) == 150
    assert not measured & names


def lesson(method: str, rows: tuple[torch.Tensor, torch.Tensor]) -> DefenceLesson:
    """Of `marked`: rows clean and written on; the features before the projection are the rows themselves."""
    images = marked()
    clean, written = (one.numpy() for one in rows)
    truth, words = (np.array([COLOURS.index(name) for name in row]) for row in (images.truth, images.words))
    return DefenceLesson(method, clean, written, clean, written, truth, words, COLOURS, 0)


def pushed(axis: int, far: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Clean rows are the thing's axis; written ones go some way along one more."""
    images, axes = marked(), torch.eye(5)
    clean = torch.stack([axes[COLOURS.index(name)] for name in images.truth])
    return clean, torch.nn.functional.normalize(clean + far * axes[axis], dim=1)


class Tower:
    """Texts lie on their colours' axes and lean along the fifth, one more than the other."""

    dim, logit_scale = 5, 30.0
    spec = load("fake").spec

    def embed_texts(self, texts: list[str]) -> torch.Tensor:
        axis, numbers = torch.eye(5), [COLOURS.index(text.split()[-1][:-1]) for text in texts]
        rows = torch.stack([axis[number] + 0.8 * number * axis[4] for number in numbers])
        return torch.nn.functional.normalize(rows, dim=1)


def test_a_model_that_has_no_tokens_learns_no_prefix_and_says_so() -> None:
    with pytest.raises(Unsupported, match="no table of token"):
        next(learn(FakeBackend(), lesson("prefix", pushed(4, 0.0))))
    with pytest.raises(Unsupported, match="ends in an average"):
        next(learn(FakeBackend(), lesson("units", pushed(4, 0.0))))


def test_a_projection_removes_what_the_words_add() -> None:
    """Where all words push one way, that direction goes and the clean answers stay."""
    *_, learned = learn(Tower(), lesson("projection", pushed(4, 3.0)))  # type: ignore[arg-type]
    assert isinstance(learned, Learned)
    removed = torch.from_numpy(learned.tensors["removed"])
    assert removed.shape == (2, 5)
    assert float((removed @ torch.eye(5)[4]).norm()) > 0.75  # the fifth axis lies in what is removed
    with pytest.raises(Unsupported, match="nothing to remove"):
        [*learn(Tower(), lesson("projection", pushed(4, 0.0)))]  # type: ignore[arg-type]


class Averaged(Tower):
    """A tower of seven units behind an average: the first four see colours, the sixth is moved by words alone."""

    anatomy = SimpleNamespace(layers={"early": None, "late": None}, head=MeanHead(torch.nn.Linear(7, 5, bias=False)))


def test_the_unit_that_words_move_is_the_one_switched_off() -> None:
    projection = Averaged.anatomy.head.projection
    with torch.no_grad():
        projection.weight.zero_()
        projection.weight[range(4), range(4)] = 1.0
        projection.weight[4, 5] = 1.0
    clean, _ = pushed(4, 0.0)
    clean = torch.cat([clean[:, :4], torch.zeros(len(clean), 3)], dim=1)
    written = clean.clone()
    written[:, 5] = 6.0
    given = replace(lesson("units", pushed(4, 3.0)), clean_features=clean.numpy(), written_features=written.numpy())
    *_, learned = learn(Averaged(), given)  # type: ignore[arg-type]
    assert isinstance(learned, Learned)
    assert learned.settings["layer"] == "late"
    (change,) = learned.settings["changes"]
    assert 5 in change["units"]
    assert (change["kind"], change["value"]) == ("set", 0.0)
    with pytest.raises(Unsupported, match="No number of units"):
        [*learn(Averaged(), replace(given, written_features=clean.numpy()))]  # type: ignore[arg-type]
    with pytest.raises(Unsupported, match="do not fool"):
        [*learn(Averaged(), lesson("units", pushed(4, 0.0)))]  # type: ignore[arg-type]


def test_a_lesson_holds_each_image_clean_and_written_on() -> None:
    images = marked()

    class Session:
        def embed_features(self, pictures: list[Image.Image]) -> tuple[torch.Tensor, torch.Tensor]:
            means = torch.tensor(np.array([np.asarray(one).mean(axis=(0, 1)) for one in pictures])).float()
            return means, 2 * means

    *reports, last = read_lesson(Session(), images, "prefix", seed=3)  # type: ignore[arg-type]
    assert isinstance(last, DefenceLesson)
    assert (reports[-1].done, reports[-1].total) == (72, 72)  # type: ignore[union-attr]
    half = len(images.truth)
    assert last.clean.shape == last.written.shape == last.clean_features.shape == (half, 3)
    assert last.truth.shape == last.words.shape == (half,)
    assert last.clean[5] == pytest.approx(np.asarray(images.clean[5]).mean(axis=(0, 1)), abs=1e-3)
    assert last.written[5] == pytest.approx(np.asarray(images.written[5]).mean(axis=(0, 1)), abs=1e-3)
    assert (last.written_features == 2 * last.written).all()
    assert [COLOURS[at] for at in last.truth] == list(images.truth)
    assert [COLOURS[at] for at in last.words] == list(images.words)


def test_a_learned_defence_is_kept_and_learned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    calls = []

    def images(names: tuple[str, ...]) -> AttackedSet:
        assert names == ()
        calls.append(1)
        return marked()

    with Engine(default="fake", device="cpu") as engine, engine.session("test") as session:
        *reports, folder = made(session, "projection", images, seed=0)
        assert all(isinstance(one, Progress) for one in reports)
        assert isinstance(folder, Path)
        *_, again = made(session, "projection", images, seed=0)
        assert (again, len(calls)) == (folder, 1)
        *_, other = made(session, "projection", images, seed=1)
        assert other != folder
        assert len(calls) == 2
    edited = load(str(folder), device="cpu")
    assert edited.fingerprint != load("fake").fingerprint
    assert edited.spec.title.endswith("Forget to spell")


def test_an_applied_defence_is_a_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    first, again = applied("paint-over", "fake"), applied("paint-over", "fake")
    assert first == again
    assert len(list((tmp_path / "edits").iterdir())) == 1
    edited = load(str(first), device="cpu")
    assert edited.spec.title == "Fake (no weights), Paint over text"
    assert edited.fingerprint != load("fake").fingerprint
    square = edited.prepare(fake.write(Image.new("RGB", (80, 80), (220, 20, 20)), "blue"))
    assert not fake.written(square)
    with pytest.raises(Unsupported, match="already"):
        check_defence("paint-over", str(first))


def test_settings_fit_the_model_and_the_method() -> None:
    assert settings_of("paint-over", "fake") == {"finder": "marks"}
    assert settings_of("paint-over", "pocket", finder="rapidocr") == {"finder": "rapidocr"}
    assert settings_of("prompts", "pocket") == {}
    with pytest.raises(BadInput, match="paint-over"):
        settings_of("prompts", "pocket", finder="own")
    with pytest.raises(UnknownName, match="text finder"):
        settings_of("paint-over", "pocket", finder="eyes")
    with pytest.raises(UnknownName, match="defence"):
        check_defence("pray", "pocket")
    with pytest.raises(UnknownName, match="text finder"):
        finder("eyes")
    assert {one.kind for one in DEFENCES.values()} <= {
        "paint over",
        "prompts",
        "prefix",
        "projection",
        "units",
        "heads",
    }
    assert replace(DEFENCES["prompts"]).quick

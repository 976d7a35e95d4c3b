"""A prefix is learned for the names that are written: they lose to what is shown, and stay as they were elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from audits.typographic.drawings import lesson_images
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.pictures import sample
from workbench.typographic.edits import prefixed
from workbench.typographic.learned import OPENING, Learned
from workbench.typographic.learning import DefenceLesson, learn_prefix
from workbench.typographic.making import made
from workbench.typographic.measuring import AttackedSet, attacked_set

THINGS, WORDS = ("apple", "teapot", "bicycle", "owl", "hammer", "piano"), ("dog", "pizza", "castle")


@pytest.fixture(scope="module")
def pocket() -> TorchBackend:
    return load("pocket", device="cpu")


def prompts(names: tuple[str, ...]) -> list[str]:
    return [f"a photo of a {name}." for name in names]


def planted(pocket: TorchBackend, *, pull: float, words: tuple[str, ...] = WORDS) -> DefenceLesson:
    """Clean rows are the thing's text and noise; written ones go `pull` of the way to the written word's text."""
    rng, names = np.random.default_rng(0), (*THINGS, *words)
    texts = pocket.embed_texts(prompts(names)).numpy()
    truth = np.repeat(np.arange(len(THINGS)), 12)
    written_names = len(THINGS) + np.arange(len(truth)) % len(words)
    if words == THINGS:
        names, texts, written_names = THINGS, texts[: len(THINGS)], (truth + 1) % len(THINGS)
    noise = rng.standard_normal((len(truth), pocket.dim)) / pocket.dim**0.5
    clean = texts[truth] + 0.7 * noise
    written = clean + pull * texts[written_names]
    rows = [(one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in (clean, written)]
    return DefenceLesson("prefix", rows[0], rows[1], rows[0], rows[1], truth, written_names, names, 0)


def after(pocket: TorchBackend, learned: Learned) -> torch.Tensor:
    """Texts of things, then of words, with what was learned; unit rows."""
    rows, own = (torch.from_numpy(learned.tensors[name]) for name in ("prefix", "named"))
    tower = prefixed(pocket, rows, OPENING, names=learned.settings["names"], own=own)
    tokens = pocket.tokenize(prompts((*THINGS, *WORDS)))
    with torch.inference_mode():
        return functional.normalize(tower(tokens.ids, tokens.mask).float(), dim=1)


def test_a_written_name_loses_where_it_is_written_and_stays_elsewhere(pocket: TorchBackend) -> None:
    lesson = planted(pocket, pull=2.0)
    *steps, learned = learn_prefix(pocket, lesson, steps=60)
    assert isinstance(learned, Learned)
    assert [one.stage for one in steps] == [""] * 60 + ["names"] * 60  # type: ignore[union-attr]
    assert learned.settings == {"after": OPENING, "names": list(WORDS)}
    assert learned.tensors["prefix"].shape == (1, 384)
    assert learned.tensors["named"].shape == (len(WORDS), 1, 384)
    texts, plain = after(pocket, learned), pocket.embed_texts(prompts((*THINGS, *WORDS)))
    every = torch.arange(len(lesson.truth))

    def wins(rows: torch.Tensor) -> float:
        scores = torch.from_numpy(lesson.written) @ rows.T
        return float((scores[every, lesson.truth] > scores[every, lesson.words]).float().mean())

    assert wins(plain) < 0.05
    assert wins(texts) > 0.9
    moved = pocket.logit_scale * torch.from_numpy(lesson.clean) @ (texts - plain)[len(THINGS) :].T
    would = pocket.logit_scale * torch.from_numpy(lesson.clean) @ plain[len(THINGS) :].T
    assert float(moved.square().mean().sqrt()) < 0.35 * float(would.std())


def test_a_word_that_moves_nothing_moves_no_name(pocket: TorchBackend) -> None:
    *_, learned = learn_prefix(pocket, planted(pocket, pull=0.0), steps=60)
    assert isinstance(learned, Learned)
    texts, plain = after(pocket, learned)[len(THINGS) :], pocket.embed_texts(prompts(WORDS))
    assert float((texts * plain).sum(dim=1).min()) > 0.9


def test_the_same_seed_learns_the_same_and_names_that_are_shown_share_one_prefix(pocket: TorchBackend) -> None:
    first, again = ([*learn_prefix(pocket, planted(pocket, pull=2.0), steps=4)][-1] for _ in "ab")
    assert isinstance(first, Learned)
    assert isinstance(again, Learned)
    assert np.array_equal(first.tensors["named"], again.tensors["named"])
    *_, shared = learn_prefix(pocket, planted(pocket, pull=2.0, words=THINGS), steps=4)
    assert isinstance(shared, Learned)
    assert (shared.settings, [*shared.tensors]) == ({"after": OPENING}, ["prefix"])


@pytest.mark.heavy
def test_a_lesson_writes_the_names_that_are_asked_on_drawings_of_other_things() -> None:
    drawn = "taco"  # a drawing of one is learned from where nobody asks for it
    asked = ("dog", "volcano", drawn, "x" * 61, *(f"thing {number}" for number in range(97)))
    images = lesson_images(0, asked)
    each = len(set(images.truth))
    assert set(images.words) == set(asked) - {"x" * 61}
    assert not set(images.truth) & set(asked)
    assert 3 * each == len(images.truth) == len(images.written) == len(images.clean)  # 16 times a hundred, at least
    assert all(images.clean[at] is images.clean[at + each] for at in range(each))
    assert min(images.words.count(word) for word in set(images.words)) >= 6
    assert images.written[3].tobytes() == images.written[3:4][0].tobytes() != images.clean[3].tobytes()


def test_words_to_choose_from_are_chosen_alone() -> None:
    picture = Image.new("RGB", (224, 224), "white")
    images = attacked_set([picture] * 8, ["a", "b"] * 4, seed=0, words=["b", "c", "d"])
    assert images.names == ("a", "b", "c", "d")
    assert set(images.words) <= {"b", "c", "d"}
    assert all(word != truth for word, truth in zip(images.words, images.truth, strict=True))
    with pytest.raises(BadInput, match="at most 60 letters"):
        attacked_set([picture], ["a"], seed=0, words=["x" * 61])


class _Stop(Exception):
    """Raised where images to learn from are asked for."""


def test_names_are_handed_to_what_learns_them_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    given = []

    def images(names: tuple[str, ...]) -> AttackedSet:
        given.append(names)
        raise _Stop

    with Engine(default="fake", device="cpu") as engine, engine.session("test") as session:
        for key in ("prefix", "projection"):
            with pytest.raises(_Stop):
                next(made(session, key, images, seed=0, names=("dog", "cat", "dog")))
    assert given == [("cat", "dog"), ()]


@pytest.mark.heavy
def test_a_prefix_is_learned_once_for_the_same_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    calls = []

    def images(names: tuple[str, ...]) -> AttackedSet:
        if calls:
            raise _Stop
        calls.append(names)
        keys = ("cat", "coffee", "rocket", "clock")
        return attacked_set([sample(key) for key in keys], keys, seed=0, words=names)

    with Engine(default="pocket", device="cpu") as engine, engine.session("test") as session:
        *_, folder = made(session, "prefix", images, seed=0, names=("dog", "pizza"))
        assert [*made(session, "prefix", images, seed=0, names=("pizza", "dog"))] == [folder]
        with pytest.raises(_Stop):
            [*made(session, "prefix", images, seed=0, names=("dog", "castle"))]
    assert calls == [("dog", "pizza")]
    assert isinstance(folder, Path)
    defended = load(str(folder), device="cpu")
    assert not torch.allclose(*(defended.embed_texts(["a photo of a dog.", "a photo of a dog"])), atol=1e-3)

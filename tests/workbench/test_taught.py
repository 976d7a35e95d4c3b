"""Labels outside of what a model was taught are marked, and images unlike those that it has seen are called so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

import workbench
from workbench.loading import fingerprint
from workbench.loading.torch_backend import TorchBackend
from workbench.models import find
from workbench.pictures import sample
from workbench.places import shipped
from workbench.taught import likeness, words
from workbench.taught.words import TaughtWords, taught_notes, taught_words

KNOWN = TaughtWords(
    frozenset({"cat", "polar bear", "bus", "knife", "red", "goose"}),
    frozenset({"person", "red car", "car", "bear", "sunset"}),
    frozenset({"small", "happy"}),
)
CASES = {
    **dict.fromkeys(("cat", "Cats", "a photo of a cat.", "a small happy cat", "polar bears"), "photos"),
    **dict.fromkeys(("buses", "knives", "geese", "cat and bus", "a black-and-white photo of the cat"), "photos"),
    **dict.fromkeys(
        ("bears", "people", "a drawing of a person", "cat in a car", "red car", "happy people"), "drawings"
    ),
    **dict.fromkeys(("no cat", "cat riding a bus", "happy", "class", "", "small", "sofa", "photo of a sofa"), "no"),
}


@pytest.mark.parametrize("label", CASES)
def test_a_label_is_known_by_all_its_words(label: str) -> None:
    assert KNOWN.taught(label) == CASES[label]


def test_shipped_words_hold_what_was_shown() -> None:
    known = taught_words(find("pocket"))
    assert known is not None
    assert shipped("taught", "words.json").stat().st_size < 200_000
    expected = {
        "tench": "photos",
        "owl": "photos",
        "astronaut": "drawings",
        "a man climbing a rock": "photos",
        "carburettor": "no",
        "pears": "drawings",
    }
    assert {label: known.taught(label) for label in expected} == expected
    assert taught_words(replace(find("pocket"), key="edited", base="pocket")) is known
    assert taught_words(find("openai/clip-vit-base-patch32")) is None


def test_a_sentence_names_the_labels_and_the_larger_model() -> None:
    spec = find("pocket")
    (note,) = taught_notes(spec, ["cat", "astronautics", "none of these"])
    assert note == (
        "“astronautics” is not among the words that Pocket was taught: it can only guess. "
        "A published CLIP knows it: download OpenAI CLIP ViT-B/32, 605 MB."
    )
    assert taught_notes(spec, ["cat", "dog"]) == taught_notes(find("fake"), ["astronautics"]) == []
    assert "and 2 more are not among" in taught_notes(spec, [f"zzz{letter}" for letter in "vwxyz"])[0]


def test_python_and_json_have_the_mark_and_the_sentence() -> None:
    answer = workbench.load("pocket", device="cpu").classify(sample("cat"), ["cat", "astronaut", "qzqz"]).to_dict()
    assert {one["label"]: one["taught"] for one in answer["labels"]} == {
        "cat": "photos",
        "astronaut": "drawings",
        "qzqz": "no",
    }
    assert len(answer["notes"]) == 2
    assert answer["unlike"] is False


def test_noise_is_unlike_and_photos_are_not(pocket: TorchBackend) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8))
    assert "unlike what Pocket has seen" in likeness.unlike_note(pocket, noise)
    assert likeness.unlike_note(pocket, sample("cat")) == ""
    answers = workbench.Model(pocket).classify([noise, sample("cat")], ["cat", "dog"])
    assert [bool(one.unlike) for one in answers] == [True, False]
    assert answers.notes == answers[1].notes
    assert likeness.together(["", "x"]).startswith("1 of 2 images")
    assert likeness.together(["x"]) == "x"


@pytest.mark.parametrize("key", ["pocket", "pocket-lite2"])
def test_places_were_made_with_the_shipped_weights(key: str) -> None:
    with safe_open(likeness.file(key), framework="numpy") as kept:
        assert kept.metadata()["model"] == fingerprint(key)
    known = likeness.seen(find(key))
    assert known is not None
    assert np.allclose(np.linalg.norm(known.rows, axis=1), 1, atol=1e-6)
    assert known.score(known.rows[:5]).shape == (5,)


def test_the_threshold_keeps_its_rate() -> None:
    rng = np.random.default_rng(0)
    assert likeness.threshold(np.arange(1, 20, dtype=np.float32)) == 1  # the least of 19: one in twenty is below
    assert likeness.threshold(np.arange(18, dtype=np.float32)) == -1  # too few to say
    below = [
        (rng.normal(size=1000) < likeness.threshold(rng.normal(size=152).astype(np.float32))).mean() for _ in range(400)
    ]
    assert 0.04 < np.mean(below) <= 0.051


def test_labels_are_compared_as_plain_words() -> None:
    assert words.plain("St. Bernard's T-shirt") == "st bernard s t shirt"

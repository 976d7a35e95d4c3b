"""Notes appear where a reader needs them, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from workbench import languages
from workbench.loading.torch_backend import TorchBackend
from workbench.notes import notes
from workbench.pictures import sample_path
from workbench.zeroshot import classify

ONE = ("a photo of a {}.",)


@pytest.fixture
def english_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As without the extra `languages`."""
    monkeypatch.setattr(languages, "has_extra", lambda: False)
    languages.english_reading.cache_clear()
    yield
    languages.english_reading.cache_clear()


@pytest.mark.parametrize(
    ("labels", "none", "words"),
    [
        (("cat", "dog"), False, []),
        (("cat",), False, ["single label"]),
        (("cat", "собака"), False, ["собака", "taught"]),
        (("cat", "dog"), True, ["none of these"]),
        (("cat", "qz " * 60 + "end"), False, ["cut off", "taught"]),
    ],
)
@pytest.mark.usefixtures("english_alone")
def test_each_note_has_its_reason(pocket: TorchBackend, labels: tuple[str, ...], none: bool, words: list[str]) -> None:
    result = notes(pocket, classify(pocket, [sample_path("cat")], labels, none_of_these=none), ONE)
    assert len(result) == len(words)
    assert all(word in note for word, note in zip(words, result, strict=True))


def test_sigmoid_scores_say_that_they_do_not_sum_to_one(pocket: TorchBackend) -> None:
    answer = replace(classify(pocket, [sample_path("cat")], ["cat"]), score="sigmoid")
    assert "sigmoid" in notes(pocket, answer, ONE)[0]

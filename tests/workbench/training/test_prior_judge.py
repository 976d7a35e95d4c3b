"""The judge of generated images ranks the forty sentences, and its own accuracy is a share of drawings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.training.pocket import emoji
from workbench.training.prior.measure import SENTENCES, Judge, accuracy, main


def test_the_likeliest_of_forty_sentences_is_named() -> None:
    judge = Judge.loaded("fake", list(SENTENCES.values()))  # which sees colours alone
    best = judge.best([Image.new("RGB", (80, 80), "red"), Image.new("RGB", (80, 80), "yellow")])
    assert [list(SENTENCES.values())[number].split()[1] for number in best.tolist()] == ["red", "yellow"]


def test_its_accuracy_is_that_on_drawings_of_a_style_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    judge = Judge.loaded("fake", list(SENTENCES.values()))
    red = list(SENTENCES)[int(judge.best([Image.new("RGB", (224, 224), "red")])[0])]
    names = (red, "banana", "no such thing")
    every = tuple(emoji.Emoji(name, "", "", (), (), skinned=False) for name in names)

    def sprites(modules: Path, style: str, wanted: tuple[emoji.Emoji, ...]) -> list[tuple[emoji.Emoji, np.ndarray]]:
        assert (modules, style) == (tmp_path, "fluent")
        return [(one, np.full((8, 8, 4), (255, 0, 0, 255), np.uint8)) for one in wanted]

    monkeypatch.setattr(emoji, "emoji", lambda modules: every)
    monkeypatch.setattr(emoji, "sprites", sprites)
    share = accuracy(judge, tmp_path)
    assert (share.value, share.n) == (0.5, 2)  # the banana is drawn in red, and one thing has no sentence


def test_a_method_that_there_is_not_is_answered_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--methods", "prior-best,nope"])
    assert "prior-unguided, prior-one, prior-best, " in (error := capsys.readouterr().err)
    assert error.rstrip().endswith("; got 'nope'")

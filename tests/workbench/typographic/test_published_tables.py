"""The article's tables on models whose answers are planted: counts are those of a hand count."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from workbench.checkpoints.shipped import FAKE
from workbench.errors import BadInput
from workbench.typographic.lettering import Label
from workbench.typographic.nine_targets import TARGETS, NineTargets, changed, eight_times, nine_targets, split
from workbench.typographic.stroop import INKS, card, stroop
from workbench.typographic.transfer import transferred

COLOURS = {"red": (220, 20, 20), "green": (20, 160, 20), "blue": (20, 20, 220), "pizza": (200, 180, 40)}


class Texts:
    """One axis a name, in the order in which names come."""

    spec, logit_scale, logit_bias = FAKE, 10.0, 0.0
    width = 24

    def __init__(self) -> None:
        self.names: list[str] = []

    def axis(self, text: str) -> int:
        name = text.removeprefix("a photo of a ").removeprefix("my favorite word, written in the color ").rstrip(".")
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def embed_texts(self, texts: list[str]) -> Tensor:
        return torch.eye(self.width)[[self.axis(text) for text in texts]]


class Cards(Texts):
    """Answers cards by the shape of the letters for the words that it can read, and by the ink for others."""

    def __init__(self, reads: tuple[str, ...]) -> None:
        super().__init__()
        self.shapes = {word: self.shape(card(word, "#000000")) for word in reads}
        self.inks = {tuple(int(code[at : at + 2], 16) for at in (1, 3, 5)): name for name, code in INKS.items()}

    def shape(self, picture: Image.Image) -> np.ndarray:
        return (np.asarray(picture) < 250).any(axis=2)

    def read(self, picture: Image.Image) -> str:
        seen = self.shape(picture)  # soft edges differ a little between inks
        alike = {word: (one & seen).sum() / (one | seen).sum() for word, one in self.shapes.items()}
        return next((word for word, share in alike.items() if share > 0.85), "")

    def embed_images(self, pictures: list[Image.Image]) -> Tensor:
        rows = []
        for picture in pictures:
            colours = picture.getcolors(1 << 20) or []
            ink = next(pixel for _, pixel in sorted(colours, reverse=True) if pixel in self.inks)
            rows.append(self.axis(self.read(picture) or self.inks[ink]))
        return torch.eye(self.width)[rows]


class Boxes(Texts):
    """Sees the colour of the upper left pixel, and answers "pizza" to every image with white letters, if gullible."""

    dim = 24

    def __init__(self, gullible: bool) -> None:
        super().__init__()
        self.gullible = gullible

    def embed_features(self, pictures: list[Image.Image]) -> tuple[Tensor, Tensor]:
        rows = []
        for picture in pictures:
            seen = np.asarray(picture).astype(int)
            written = (seen == 255).all(axis=2).any() and self.gullible
            colour = min(COLOURS, key=lambda name: abs(np.array(COLOURS[name]) - seen[0, 0]).sum())
            rows.append(self.axis("pizza" if written else colour))
        made = torch.eye(self.width)[rows]
        return made, 3 * made


def squares() -> tuple[list[Image.Image], list[str]]:
    truth = [name for name in COLOURS for _ in range(8)]
    return [Image.new("RGB", (224, 224), COLOURS[name]) for name in truth], truth


def result(gullible: bool) -> NineTargets:
    *_, table = nine_targets(Boxes(gullible), *squares())  # type: ignore[arg-type]
    assert isinstance(table, NineTargets)
    return table


def test_a_planted_word_wins_its_row_alone() -> None:
    table = result(gullible=True)
    rows = {row.target.name: row for row in table.rows}
    assert [row.target for row in table.rows] == list(TARGETS)
    assert (rows["pizza"].zero_shot.value, rows["pizza"].zero_shot.n) == (1.0, 6)  # 8 are attacked, 2 show pizza
    probed = rows["pizza"].probe
    assert probed is not None
    assert (probed.value, probed.n) == (1.0, 6)
    assert (rows["radio"].zero_shot.value, rows["radio"].zero_shot.n) == (0.0, 8)
    assert rows["radio"].probe is None
    assert table.zero_shot_clean.value == table.probe_clean.value == 1.0


def test_a_model_that_does_not_read_is_fooled_by_none() -> None:
    assert {row.zero_shot.value for row in result(gullible=False).rows} == {0.0}


def test_cover_counts_the_pixels_that_changed() -> None:
    clean, written = Image.new("RGB", (10, 10)), Image.new("RGB", (10, 10))
    for at in range(7):
        written.putpixel((at, 0), (0, 0, 9))
    assert changed(clean, written) == pytest.approx(0.07)
    grey = Image.new("RGB", (224, 224), "#888888")
    assert 0.02 < changed(grey, eight_times(grey, "radio")) < 0.25


def test_a_quarter_is_attacked_and_small_classes_are_refused() -> None:
    images = split(["a"] * 8 + ["b"] * 4, seed=1)
    assert [(images.rows("test") & (images.y == at)).sum() for at in (0, 1)] == [2, 1]
    with pytest.raises(BadInput, match="fewer of b"):
        split(["a"] * 4 + ["b"] * 3, seed=0)
    with pytest.raises(BadInput, match="1 classes"):
        split(["a"] * 9, seed=0)


@pytest.mark.parametrize(("reads", "words"), [((), 0), (tuple(INKS), 56), (tuple(INKS)[:3], 21)])
def test_what_wins_on_a_stroop_card_is_counted(reads: tuple[str, ...], words: int) -> None:
    matrix = stroop(Cards(reads))  # type: ignore[arg-type]
    counts = matrix.counts
    assert counts["word"].n == 56
    assert round(56 * (counts["word"].value or 0)) == words
    assert round(56 * (counts["ink"].value or 0)) == 56 - words
    assert counts["another"].value == 0
    assert round(56 * (matrix.two_way.value or 0)) == words
    assert [row[at] for at, row in enumerate(matrix.answers)] == list(INKS)  # congruent cards name their colour


class White(Texts):
    """Answers "wide" where white covers more than a share of the picture."""

    def __init__(self, needs: float) -> None:
        super().__init__()
        self.needs = needs

    def embed_images(self, pictures: list[Image.Image]) -> Tensor:
        wide = [float((np.asarray(one) == 255).all(axis=2).mean()) > self.needs for one in pictures]
        return torch.eye(self.width)[[self.axis("wide" if one else "other") for one in wide]]


def test_an_attack_carries_to_models_that_fall_for_it() -> None:
    black, label = Image.new("RGB", (200, 200)), Label("wide", size=0.3, y=0.5)
    rows = [
        transferred(White(needs), black, [label], names=("other", "wide"), target="wide")  # type: ignore[arg-type]
        for needs in (0.05, 0.95, -1.0)
    ]
    assert [row.success for row in rows] == [True, False, False]  # the third answered so without the word
    assert [(row.before, row.answer) for row in rows] == [("other", "wide"), ("other", "other"), ("wide", "wide")]
    assert rows[0].target == rows[0].probability > 0.99
    assert rows[1].target < 0.01

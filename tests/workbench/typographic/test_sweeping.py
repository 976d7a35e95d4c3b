"""A map of success has each way of writing where its row and column say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from statsmodels.stats.proportion import proportion_confint

from workbench.checkpoints.shipped import FAKE
from workbench.errors import BadInput, UnknownName
from workbench.typographic.lettering import Label
from workbench.typographic.sweeping import SHARES, SIZES, SWEEPS, _ways, sweep
from workbench.typographic.writing import write

NAMES = ("wide", "other")


class WhiteShare:
    """Answers "wide" with a cosine that grows with the white of a picture."""

    spec, logit_scale, logit_bias = FAKE, 10.0, 0.0

    def embed_images(self, pictures: list[Image.Image]) -> torch.Tensor:
        share = torch.tensor([sum(one.convert("L").histogram()[128:]) / (one.width * one.height) for one in pictures])
        angle = share * 3
        return torch.stack([angle.sin(), angle.cos()], dim=1)

    def embed_texts(self, texts: list[str]) -> torch.Tensor:
        return torch.stack([torch.eye(2)[0 if "wide" in text else 1] for text in texts])


def drawn(kind: str, ways: int = 1) -> Any:
    white = WhiteShare()
    return sweep(white, Image.new("RGB", (200, 200)), Label("wide", y=0.5), kind=kind, names=NAMES, ways=ways)  # type: ignore[arg-type]


def test_larger_labels_win_and_rows_are_sizes() -> None:
    result = drawn("size and place")
    assert (result.rows, result.columns) == (("size", SIZES), ("y", SHARES))
    assert result.probability.shape == result.won.shape == (len(SIZES), len(SHARES))
    middle = result.probability[:, 2]
    assert list(middle) == sorted(middle)
    assert result.won[-1, 2] == 1
    assert result.won[0, 2] == 0
    assert (result.won == (result.probability > 0.5)).all()


def test_a_cell_of_several_ways_has_a_share_with_its_interval() -> None:
    once, often = drawn("size and place"), drawn("size and place", ways=5)
    assert often.won.shape == (5, 5)
    assert often.won.max() <= 5
    assert ((often.won == 5) <= (once.won == 1)).all()  # the first way is the label itself
    for line, counts in zip(often.shares, often.won, strict=True):
        for share, won in zip(line, counts, strict=True):
            low, high = proportion_confint(int(won), 5, method="beta")
            assert share.n == 5
            assert share.value == won / 5
            assert (share.low, share.high) == pytest.approx((low, high))
    assert len({share.value for row in often.shares for share in row}) > 1  # fonts differ in how much they cover
    row, column = np.argwhere((often.won > 0) & (often.won < 5))[0]
    size, y = SIZES[row], SHARES[column]
    ways = _ways(Label("wide", y=y, size=size), 5)
    assert ways[0] == Label("wide", y=y, size=size)
    request = WhiteShare().embed_images([write(Image.new("RGB", (200, 200)), [one]) for one in ways])
    assert often.won[row, column] == int((request[:, 0] > request[:, 1]).sum())
    for count in (0, 17):
        with pytest.raises(BadInput, match="1 to 16"):
            drawn("place", count)


def test_a_label_at_the_edge_covers_less() -> None:
    result = drawn("place")
    assert result.probability[2, 2] > result.probability[0, 0]
    assert result.probability[0, 2] == pytest.approx(result.probability[-1, 2], abs=0.02)


def test_opacity_runs_along_the_columns() -> None:
    result = drawn("contrast and opacity")
    assert result.columns[0] == "opacity"
    assert result.probability[0, 0] < result.probability[0, -1]
    assert result.probability[0, -1] > result.probability[-1, -1]  # white ink on white paper is the whitest


def test_unknown_maps_and_words_are_refused() -> None:
    with pytest.raises(UnknownName, match="map"):
        drawn("taste")
    white: Any = WhiteShare()
    shouted = sweep(white, Image.new("RGB", (200, 200)), Label("WIDE", y=0.5), kind="size and place", names=NAMES)
    assert shouted.probability[-1, 2] > 0.3  # of “wide”, which it means
    with pytest.raises(UnknownName, match="label"):
        sweep(WhiteShare(), Image.new("RGB", (9, 9)), Label("x"), kind="place", names=NAMES)  # type: ignore[arg-type]
    assert all(len(values) == 5 for axes in SWEEPS.values() for _, values in axes)

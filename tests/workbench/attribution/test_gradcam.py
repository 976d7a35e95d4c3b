"""Grad-CAM on planted cases: the only live channel, the only patch that is lit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_boxes import SIDE, Conv, Vit, ask, hooks, noise

from workbench.errors import UnknownName


def _red_square(rows: slice, columns: slice) -> np.ndarray:
    pixels = np.zeros((3, SIDE, SIDE), dtype=np.uint8)
    pixels[0, rows, columns] = 255
    return pixels


@pytest.mark.parametrize(
    ("rows", "columns"), [(slice(0, 8), slice(4, 12)), (slice(4, 12), slice(0, 8)), (slice(16, 24), slice(12, 20))]
)
def test_the_square_that_fires_carries_the_mass(rows: slice, columns: slice) -> None:
    box = Conv()
    result = ask(box, "grad-cam", _red_square(rows, columns))
    # by hand: the channel is 1 in the square's 4 cells and 0 in the other 32; the label is its mean, so a cell's
    # gradient is 1 / 36 where ReLU6 lets it through, in the 4 lit cells, and their mean over all cells is 4 / 36 / 36,
    # divided by the length of the embedding (4 / 36, -4 / 36, 0)
    cells = torch.zeros(1, 1, 6, 6)
    cells[:, :, rows.start // 4 : rows.stop // 4, columns.start // 4 : columns.stop // 4] = 1
    coarse = cells * (4 / 36) / 36 / (2**0.5 * 4 / 36)
    expected = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")[0, 0]
    np.testing.assert_allclose(result.map, expected, atol=1e-7)
    assert result.positive_share == 1
    assert not list(hooks(box))


def test_the_opposite_label_gets_the_opposite_map() -> None:
    pixels = _red_square(slice(0, 8), slice(4, 12))
    np.testing.assert_allclose(ask(Conv(), "grad-cam", pixels, 1).map, -ask(Conv(), "grad-cam", pixels, 0).map)


def test_tokens_are_laid_out_as_a_grid() -> None:
    pixels = np.zeros((3, SIDE, SIDE), dtype=np.uint8)
    pixels[1, 0:8, 16:24] = 255  # green in patch 2: first row, last column
    pixels[2, 8:16, 16:24] = 255  # blue in patch 5, which is seen: the embedding is blue, of length 1
    result = ask(Vit(seen=5), "grad-cam", pixels, 1)
    # by hand: a token's gradient in the label's channel is the attention it gets; the weight is the mean of the 9
    attention = float(torch.tensor([20.0] + [0.0] * 9).softmax(dim=0)[0])
    coarse = torch.zeros(1, 1, 3, 3)
    slope = (attention + 8 * (1 - attention) / 9) / 9
    coarse[0, 0, 0, 2] = slope
    expected = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")[0, 0]
    np.testing.assert_allclose(result.map, expected, atol=1e-7)


def test_an_unknown_layer_lists_the_known_ones() -> None:
    box = Conv()
    with pytest.raises(UnknownName, match="conv"):
        ask(box, "grad-cam", noise(), layer="con")
    assert not list(hooks(box))

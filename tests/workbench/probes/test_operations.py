"""Operations of an image tower, counted: by hand for one layer, and the same for any number of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.engine.tasks import COUNT_OPERATIONS, TASKS


class OneConvolution:
    """3 -> 8 channels, a kernel of 4, in steps of 4, on 16 x 16 pixels."""

    def __init__(self) -> None:
        self.layer = torch.nn.Conv2d(3, 8, 4, stride=4)

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            rows: torch.Tensor = self.layer(pixels.float()).flatten(1)
        return rows


@pytest.mark.parametrize("n", [1, 3])
def test_a_convolution_by_hand(n: int) -> None:
    pixels = np.zeros((n, 3, 16, 16), np.uint8)
    (gmacs,) = COUNT_OPERATIONS.run(OneConvolution(), pixels)
    assert gmacs * 1e9 == pytest.approx(4 * 4 * 8 * 3 * 4 * 4)  # places, channels out, channels in, kernel
    assert TASKS[COUNT_OPERATIONS.name] is COUNT_OPERATIONS

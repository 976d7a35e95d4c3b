"""What is kept of an image file is the same wherever it is made: in this process or in a worker."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.errors import BadPicture
from workbench.loading.torch_backend import TorchBackend
from workbench.prepared import THUMBNAIL, prepare_file
from workbench.worker import supervised


def png(width: int, height: int) -> bytes:
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows, columns, rows + columns], axis=2).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("size", [(300, 200), (2100, 2000)], ids=["small", "large"])
def test_a_worker_prepares_what_this_process_prepares(pocket: TorchBackend, size: tuple[int, int]) -> None:
    data = png(*size)
    here = prepare_file(pocket, data, "a.png", small=True)
    with supervised():
        there = prepare_file(pocket, data, "a.png", small=True)
    side = pocket.image_size
    assert (here.square.shape, here.square.dtype) == ((3, side, side), torch.uint8)
    assert torch.equal(here.square, there.square)
    assert torch.equal(here.square, pocket.prepare(Image.open(io.BytesIO(data)).convert("RGB")))
    assert (there.width, there.height, there.thumbnail) == (*size, here.thumbnail)
    assert max(Image.open(io.BytesIO(there.thumbnail)).size) == THUMBNAIL


def test_no_thumbnail_unless_asked_for_and_no_square_of_what_is_no_image(pocket: TorchBackend) -> None:
    with supervised():
        assert prepare_file(pocket, png(40, 30), "a.png").thumbnail == b""
        for data in (b"", b"GIF89a"):
            with pytest.raises(BadPicture):
                prepare_file(pocket, data, "a.gif")

"""Grids: which settings each cell has, and where its image stands on the sheet."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import BadInput
from workbench.generation.grids import grid, sheet
from workbench.generation.settings import read_settings

SETTINGS = read_settings({"prompt": "a cat", "seed": 5, "side": 64})


def test_prompts_are_rows_and_seeds_are_columns() -> None:
    layout = grid(SETTINGS, prompts=["a cat", "a dog"], seeds=3)
    assert layout.rows == ("a cat", "a dog")
    assert [[(cell.prompt, cell.seed) for cell in row] for row in layout.cells] == [
        [(text, seed) for seed in (5, 6, 7)] for text in ("a cat", "a dog")
    ]


def test_methods_are_rows_of_one_prompt_and_columns_of_several() -> None:
    one = grid(SETTINGS, methods=["fourier", "strokes"], seeds=2)
    assert one.rows == ("Fourier", "Strokes")
    assert [[(cell.method, cell.seed) for cell in row] for row in one.cells] == [
        [(way, seed) for seed in (5, 6)] for way in ("fourier", "strokes")
    ]
    many = grid(SETTINGS, prompts=["a", "b"], methods=["fourier", "strokes"])
    assert [[(cell.prompt, cell.method) for cell in row] for row in many.cells] == [
        [(text, way) for way in ("fourier", "strokes")] for text in "ab"
    ]
    assert many.columns == ("Fourier, seed 5", "Strokes, seed 5")


def test_strengths_are_columns_of_an_edit() -> None:
    layout = grid(SETTINGS, strengths=[-1, 0, 1.5])
    assert [cell.strength for cell in layout.cells[0]] == [-1, 0, 1.5]
    assert layout.columns == ("strength -1", "strength 0", "strength 1.5")


@pytest.mark.parametrize(
    "given", [{"seeds": 0}, {"seeds": 101}, {"methods": ["magic"]}, {"prompts": [""]}, {"strengths": [9]}]
)
def test_grids_that_cannot_be_made_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        grid(SETTINGS, **given)  # type: ignore[arg-type]


def test_images_stand_in_their_cells_and_missing_ones_are_grey() -> None:
    layout = grid(SETTINGS, prompts=["a", "b"], seeds=3)
    images = [np.full((10, 10, 3), 40 * number, np.uint8) for number in range(5)]
    page = np.asarray(sheet(layout, images, side=50))
    middles = [page[top + 22 + 25, left + 25, 0] for top in (22, 22 + 78) for left in (6, 62, 118)]
    assert middles == [0, 40, 80, 120, 160, 225]

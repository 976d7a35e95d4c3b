"""What is counted of edits, and the sheet of many images, on made-up numbers and images."""

from __future__ import annotations

import numpy as np
from PIL import Image

from workbench.training.prior.contact_sheet import PROMPTS, laid_out
from workbench.training.prior.edits import MEASURES, summary


def test_an_edit_follows_its_strength_where_no_step_falls() -> None:
    """Three drawings: one rises at each step, one falls once below zero, one falls at the last step."""
    rising, late, over = [0.0, 0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.2, 0.3, 0.4], [0.0, 0.1, 0.2, 0.3, 0.25]
    apart = [0.2, 0.1, 0.0, 0.1, 0.2]
    rows = [np.array([values, values, values, apart]).T for values in (rising, late, over)]
    result = summary("gradient", rows)
    assert rows[0].shape == (5, len(MEASURES))
    assert (result["target follows"], result["target follows from 0 on"]) == (1, 2)
    assert result["difference follows"] == 3
    assert result["target"] == [0.0667, 0.1, 0.2, 0.3, 0.35]
    back = [np.array([rising, rising, rising, [*apart[::-1][:4], 0.05]]).T]
    assert summary("gradient", back)["difference follows"] == 0


def test_a_sheet_has_ten_images_in_a_row_each_over_its_prompt() -> None:
    assert len(PROMPTS) == len(set(PROMPTS)) == 100
    colours = [(255, 10 * number, 0) for number in range(12)]
    sheet = laid_out(["a red thing that has a very long name"] * 12, [Image.new("RGB", (8, 8), one) for one in colours])
    width, height = sheet.size
    step = (width - 4) // 10
    assert sheet.getpixel((4 + 9 * step + 50, 50)) == colours[9]
    assert sheet.getpixel((4 + step + 50, height // 2 + 50)) == colours[11]
    captions = np.asarray(sheet.convert("L"))[108:118, 4:108]
    assert captions.min() < 100

"""Coloured squares, no two alike: what the fake model sees rightly, and what can be written on."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from audits.datasets.dataset import About, Dataset
from workbench.fake import COLOURS

COPIES = 12


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """8 colours x 12 squares of 80 x 80 pixels, in two kinds."""
    root = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(3)
    rows = []
    for name, colour in COLOURS.items():
        for copy in range(COPIES):
            pixels = np.clip(np.array(colour) + rng.integers(-9, 10, size=(80, 80, 3)), 0, 255)
            path = root / f"{name}-{copy:02d}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            rows.append((path.stem, path.name, name, "odd" if copy % 2 else "even"))
    table = pd.DataFrame(rows, columns=["sample_id", "path", "label", "kind"])
    table["sha256"] = [hashlib.sha256((root / name).read_bytes()).hexdigest() for name in table["path"]]
    table["cluster"], table["split"] = table["sample_id"], "test"
    table = table.sort_values("sample_id").reset_index(drop=True)
    return Dataset("test:squares", About("Squares"), table, root, ("kind",))


@pytest.fixture(scope="session")
def few(squares: Dataset) -> Dataset:
    """A third of the squares, four of each colour."""
    return replace(squares, table=squares.table.iloc[::3].reset_index(drop=True))

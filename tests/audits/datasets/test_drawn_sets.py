"""Data sets that are drawn: the same bytes each time, and tables that say what is on the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from audits.datasets import characters, styles
from audits.datasets.builtin import BUILTIN

ROWS = {row.key: row for row in BUILTIN}
SETS = {"things": (104, 256), "cctv": (144, 256), "characters": (360, 160), "styles": (360, 224)}  # images, side


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


@pytest.fixture(scope="module")
def built(drawn: Callable[[str], Path]) -> dict[str, tuple[Path, pd.DataFrame]]:
    result = {}
    for key in SETS:
        folder = drawn(key)
        assert ROWS[key].about.title
        result[key] = folder, pd.read_csv(folder / "samples.csv", dtype=str, keep_default_na=False)
    return result


@pytest.mark.heavy
@pytest.mark.parametrize("key", SETS)
def test_a_set_is_whole_and_built_to_the_same_bytes(
    key: str, built: dict[str, tuple[Path, pd.DataFrame]], tmp_path: Path
) -> None:
    n, side = SETS[key]
    folder, table = built[key]
    assert len(table) == table["sample_id"].nunique() == n
    assert list(table["sample_id"]) == sorted(table["sample_id"])
    assert {"sample_id", "path", "cluster", "split", "label"} <= set(table)
    assert {opened(folder / path).size for path in table["path"]} == {(side, side)}
    ROWS[key].build(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in tmp_path.iterdir()
    }


@pytest.mark.heavy
def test_tables_say_what_is_drawn(built: dict[str, tuple[Path, pd.DataFrame]]) -> None:
    scenes = built["cctv"][1]
    assert all(row.label not in row.distractor.split("|") for row in scenes.itertuples())
    assert all(row.fine_true in row.fine.split("|") for row in scenes.itertuples())
    assert Counter(scenes["cluster"]) == Counter({name: 6 for name in set(scenes["cluster"])})
    assert 0.3 < (scenes["light"] == "grey").mean() < 0.7
    assert (scenes["fine_true"].str.contains("a box")).mean() == 0.5
    people = built["characters"][1]
    assert set(Counter(people["label"])) == set(people["cluster"])
    assert Counter(people["split"]) == {"gallery": 120, "probe": 240}
    assert Counter(people["skin tone"]) == {tone: 72 for tone in characters.TONES}
    assert people["label"].str.fullmatch(r"[A-Z]-\d{3}").all()  # ids, no names
    kinds = built["styles"][1]
    assert Counter(kinds["style"]) == {**{style: 49 for style in styles.STYLES}, "symbol": 17}


@pytest.mark.heavy
def test_a_watched_box_is_drawn_where_the_caption_says(built: dict[str, tuple[Path, pd.DataFrame]]) -> None:
    folder, scenes = built["cctv"]
    colour = scenes[(scenes["light"] == "colour") & (scenes["place"] == "warehouse")]
    for row in colour.itertuples():
        red, _, blue = opened(folder / row.path).crop((222, 230, 242, 240)).resize((1, 1)).getpixel((0, 0))
        assert (red - blue > 35) == ("a box in the corner" in row.fine_true)


@pytest.mark.heavy
def test_a_style_keeps_the_thing_and_loses_what_it_should(built: dict[str, tuple[Path, pd.DataFrame]]) -> None:
    folder, _ = built["styles"]
    dark = {}
    for style in ("colour", "grey", "outline", "silhouette"):
        picture = opened(folder / f"strawberry-{style}.png")
        dark[style] = sum(n for n, colour in picture.getcolors(224 * 224) if sum(colour) < 150)
        if style != "colour":
            assert all(colour[0] == colour[1] == colour[2] for _, colour in picture.getcolors(224 * 224))
    assert dark["silhouette"] > 2 * dark["outline"] > 0

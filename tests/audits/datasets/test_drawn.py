"""How drawn data sets are written: pictures and table, in order, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from audits.datasets.drawn import SAMPLES, write_pictures


def test_pictures_and_their_table_are_written_in_order_and_alike_each_time(tmp_path: Path) -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_pictures(tmp_path / name, [("b", blue, {"label": "blue, deep"}), ("a", red, {"label": "red"})])
    table = (tmp_path / "one" / SAMPLES).read_bytes()
    assert table == b'sample_id,path,label\na,a.png,red\nb,b.png,"blue, deep"\n'
    for file in (SAMPLES, "a.png", "b.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert Image.open(tmp_path / "one" / "a.png").getpixel((0, 0)) == (255, 0, 0)

"""Readers: what is read from folders and tables, and what hostile ones are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from audits.datasets import builtin, readers
from audits.datasets.builtin import Builtin
from audits.datasets.dataset import About, Dataset
from audits.datasets.drawn import Picture
from audits.datasets.fairface import fairface_rows
from audits.datasets.published_counts import COUNTS, beside_published
from workbench.errors import BadInput, UnknownName


@pytest.fixture(autouse=True)
def _own_home(own_home: Path) -> None:
    pass


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., str]:
    """Write a CSV beside pictures a.png to d.png."""
    for at, name in enumerate("abcd"):
        Image.new("RGB", (20 + at, 20), "red").save(tmp_path / f"{name}.png")

    def write(text: str) -> str:
        (tmp_path / "rows.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
        return f"csv:{tmp_path / 'rows.csv'}"

    return write


def test_a_folder_of_classes(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/deep/2.png", "dog/1.jpg", "top.png", ".hidden/x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    result = readers.read(f"folder:{tmp_path}").table
    rows = list(zip(result["sample_id"], result["label"], strict=True))
    assert rows == [("cat/1.png", "cat"), ("cat/deep/2.png", "cat"), ("dog/1.jpg", "dog"), ("top.png", "")]


def test_a_table_with_all_columns(table: Callable[..., str]) -> None:
    text = "sample_id,path,label,cluster,split,race,gender\n2,b.png,x,k,val,Black,Male\n1,a.png,y,k,val,White,Female\n"
    result = readers.read(table(text))
    assert result.attributes == ("race", "gender")
    assert result.table["sample_id"].tolist() == ["1", "2"]
    assert result.table.loc[1, ["path", "label", "cluster", "split", "race"]].tolist() == [
        "b.png",
        "x",
        "k",
        "val",
        "Black",
    ]
    assert (result.table["sha256"].str.len() == 64).all()


def test_fairfaces_own_columns_are_taken(table: Callable[..., str]) -> None:
    result = readers.read(table("file,age,gender,race,service_test\na.png,20-29,Male,Indian,True\n"))
    assert result.table.loc[0, ["sample_id", "age", "race"]].tolist() == ["a.png", "20-29", "Indian"]
    assert result.attributes == ("age", "gender", "race", "service_test")


LABELS = "file,age,gender,race,service_test\n"


def test_fairfaces_folder_is_read_whatever_a_spreadsheet_made_of_its_ages(tmp_path: Path) -> None:
    ages = {"train": ("3-9", "9-Mar", "Oct-19", "more than 70"), "val": ("03-Sep", "19-Oct", "20-29")}
    for folder, groups in ages.items():
        (tmp_path / folder).mkdir()
        lines = [f"{folder}/{at}.jpg,{age},Male,East Asian,FALSE" for at, age in enumerate(groups)]
        (tmp_path / f"fairface_label_{folder}.csv").write_text(LABELS + "\n".join(lines))
        for at in range(len(groups)):
            Image.new("RGB", (8, 8), (at, at, 0)).save(tmp_path / folder / f"{at}.jpg")
    result = readers.read(f"fairface:{tmp_path}")
    rows = result.table[["split", "age"]].to_numpy().tolist()
    assert [age for split, age in rows if split == "train"] == ["3-9", "3-9", "10-19", "more than 70"]
    assert [age for split, age in rows if split == "test"] == ["3-9", "10-19", "20-29"]
    assert result.attributes == ("age", "gender", "race")
    assert result.about.people
    beside = beside_published(result)
    assert beside is not None
    assert beside["differ"][:2] == ["images: 3, published 10954", "race=White: 0, published 2085"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "has neither"),
        ("file,age\na.jpg,3-9\n", "gender"),
        (LABELS + "a.jpg,3-9,Male,Martian,x\n", "line 2 of .* has 'Martian'"),
        (LABELS + "a.jpg,may,Male,White,x\n", "more than 70; line 2"),
    ],
)
def test_what_is_not_fairface_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    if text:
        (tmp_path / "fairface_label_val.csv").write_text(text)
    with pytest.raises(BadInput, match=says):
        fairface_rows(tmp_path)


def test_published_counts_add_up_and_a_whole_copy_agrees() -> None:
    """Races, genders and ages each add up to all images; rows with those margins agree, one fewer does not."""
    counts = dict(COUNTS["fairface"].counts)
    total = counts.pop("")
    columns = {
        name: [group.partition("=")[2] for group, n in counts.items() if group.startswith(f"{name}=") for _ in range(n)]
        for name in ("race", "gender", "age")
    }
    assert {len(values) for values in columns.values()} == {total}
    table = pd.DataFrame({**columns, "split": "test"})
    whole, short = (Dataset("fairface:x", About("x"), part, Path()) for part in (table, table.iloc[:-1]))
    assert beside_published(whole) == {"agree": 19, "of": 19, "differ": [], "source": COUNTS["fairface"].source}
    assert beside_published(short)["differ"][0] == "images: 10953, published 10954"
    assert beside_published(Dataset("folder:x", About("x"), table, Path())) is None


def test_utkfaces_names_are_read(tmp_path: Path) -> None:
    for name in ("25_1_2_20170116.jpg", "80_0_1_20170117.jpg", "other.jpg"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    result = readers.read(f"utkface:{tmp_path}")
    rows = result.table[["age", "gender", "race"]].to_numpy().tolist()
    assert rows == [["20-29", "Female", "Asian"], ["more than 70", "Male", "Black"]]
    assert result.about.people


def test_what_lies_beside_says_what_the_pictures_are(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "about.json").write_text(json.dumps({"title": "Mine", "people": True}))
    assert readers.read(f"folder:{tmp_path}").about == About("Mine", people=True)
    (tmp_path / "about.json").write_text(json.dumps({"name": "Mine"}))
    with pytest.raises(BadInput, match="title, licence"):
        readers.read(f"folder:{tmp_path}")


def test_a_limit_keeps_clusters_together() -> None:
    from audits.datasets.rows import limited

    rows = [{"path": f"{at}.png", "cluster": f"person {at % 5}"} for at in range(20)]
    for limit in (4, 9, 12, 20):
        kept = limited(rows, limit)
        counts = {row["cluster"]: sum(one["cluster"] == row["cluster"] for one in kept) for row in kept}
        assert set(counts.values()) == {4}
        assert len(kept) == limit - limit % 4
    assert len(limited(rows, 3)) == 3


def test_missing_and_broken_pictures_are_left_out_and_named(table: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"no picture")
    wrong = "0" * 64
    result = readers.read(table(f"path,sha256\na.png,\nb.png,\nnone.png,\nc.png,{wrong}\n"))
    assert result.table["path"].tolist() == ["a.png"]
    output = dict(result.excluded)
    assert "PNG, JPEG or WebP" in output["b.png"]
    assert "no such file (row 3)" in output["none.png"]
    assert "recorded" in output["c.png"]


def test_a_picture_that_was_mended_is_looked_at_again(table: Callable[..., str], tmp_path: Path) -> None:
    reference = table("path\na.png\n")
    first = readers.read(reference)
    Image.new("RGB", (30, 30), "blue").save(tmp_path / "a.png")
    assert readers.read(reference).hash != first.hash
    (tmp_path / "a.png").write_bytes(b"")
    assert len(readers.read(reference).table) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path\n../outside.png\n", "leads outside"),
        ("path\n/etc/passwd\n", "leads outside"),
        ("path\n\n\n,\n", "line 4 has 2"),
        ("path,label\na.png\n", "line 2 has 1"),
        ("path,label\n,x\n", "line 2: it names no image"),
        ("path\na\0.png\n", "NUL"),
        ("path\na\udcff.png\n", "UTF-8"),
        ("label\nx\n", "names the image files"),
        ("", "is empty"),
        ("path,path\na.png,b.png\n", "name of its own"),
        ("path,scores\na.png,1\n", "may be called 'scores'"),
        ("path,outcome:x\na.png,1\n", "outcome:x"),
        ("sample_id,path\n1,a.png\n1,b.png\n", "rows 1 and 2"),
        ('path\n"a.png\n', "not a valid CSV"),
        ("path,label\na.png," + "x" * 3000 + "\n", "2000 characters"),
        ("path," + ",".join(f"c{at}" for at in range(300)) + "\n", "200 columns"),
    ],
)
def test_hostile_tables_are_told_what_is_wrong(table: Callable[..., str], text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        readers.read(table(text))


def test_a_link_that_leads_outside_is_refused(table: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "in" / "rows.csv").write_text("path\nlink.png\n")
    table("path\n")
    with pytest.raises(BadInput, match="outside"):
        readers.read(f"csv:{tmp_path / 'in' / 'rows.csv'}")


def test_a_huge_table_is_refused_unread(
    table: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = table("path\n")
    with (tmp_path / "rows.csv").open("r+b") as file:
        file.truncate(300_000_000)
    with pytest.raises(BadInput, match="200 MB"):
        readers.read(reference)


@pytest.mark.parametrize("reference", ["drawn-peeple", "builtin:none", "ftp:x", "http://x"])
def test_unknown_references_are_told_what_there_is(reference: str) -> None:
    with pytest.raises(UnknownName, match="csv:PATH"):
        readers.known(reference)
    with pytest.raises(UnknownName, match="csv:PATH"):
        readers.read(reference)


def test_every_kind_has_a_title() -> None:
    assert {*readers.TITLES, "builtin"} == set(readers.KINDS)


def test_a_built_in_set_is_made_once(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    made = []

    def pictures() -> Iterator[Picture]:
        made.append("grey")
        yield "a", Image.new("RGB", (8, 8)), {"label": "grey"}

    about = About("Grey", licence="CC0-1.0")
    monkeypatch.setattr(builtin, "BUILTIN", (Builtin("grey", about, pictures),))
    for reference in ("grey", "builtin:grey"):
        result = readers.read(reference)
        assert (result.key, result.about.licence, len(result.table)) == ("builtin:grey", "CC0-1.0", 1)
    assert len(made) == 1
    assert not list((own_home / "audit-data").glob("*.part"))
    monkeypatch.setattr(builtin, "BUILTIN", (Builtin("grey", about, pictures, version=2),))
    readers.read("grey")
    assert len(made) == 2


def test_a_set_whose_making_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    def pictures() -> Iterator[Picture]:
        yield "a", Image.new("RGB", (8, 8)), {"label": "grey"}
        raise ArithmeticError

    monkeypatch.setattr(builtin, "BUILTIN", (Builtin("grey", About("Grey"), pictures),))
    with pytest.raises(ArithmeticError):
        readers.read("grey")
    assert not list((own_home / "audit-data").iterdir())

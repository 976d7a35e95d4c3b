"""Uploads become data sets: folders, zips, files with a CSV; what is hostile or unusable is refused with a sentence."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from gradio.data_classes import FileData, ListFiles

from apps.auditing import audit_request
from apps.auditing.audit_request import COLLECTED, FOLDER, UPLOAD, AuditRequest
from apps.auditing.own_images import from_collected, from_files, from_folder
from apps.shared.audit_jobs import run_jobs
from apps.shared.folder_box import SCRIPT, SLASH, folder_box, inside
from apps.shared.run_downloads import run_files
from apps.shared.upload_folders import folder_beside_uploads
from audits.datasets import readers
from audits.run_directory.reader import Run
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.pictures import sample_path
from workbench.scheduler import CancelToken

OVERLAY = "typographic/overlay"
CAT, COFFEE = str(sample_path("cat")), str(sample_path("coffee"))


def sent(*path: str) -> str:
    """A path as the browser's script sends it."""
    return SLASH.join(path)


def test_a_folder_s_folders_are_its_labels() -> None:
    given = ((CAT, sent("mine", "cat", "deep", "one.png")), (COFFEE, sent("mine", "cup", "one.png")))
    (job,) = audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), FOLDER, folder=given))
    result = readers.read(job.dataset)
    assert sorted(zip(result.table["label"], result.table["path"], strict=True)) == [
        ("cat", "cat/deep/one.png"),
        ("cup", "cup/one.png"),
    ]
    again = readers.read(from_folder([(file, name.removeprefix(f"mine{SLASH}")) for file, name in given]))
    assert again.hash == result.hash  # dropped piece by piece, without the folder around


def test_a_csv_in_a_folder_says_what_its_pictures_show(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("file,label,gender\npictures/a.png,cat,female\nb.png,cup,male\n", encoding="utf-8")
    given = [
        (str(table), sent("mine", "people.csv")),
        (CAT, sent("mine", "pictures", "a.png")),
        (COFFEE, sent("mine", "b.png")),
    ]
    result = readers.read(from_folder(given))
    assert result.attributes == ("gender",)
    assert sorted(zip(result.table["label"], result.table["gender"], strict=True)) == [
        ("cat", "female"),
        ("cup", "male"),
    ]
    with pytest.raises(BadInput, match=r"holds 2: people\.csv, other\.csv"):
        from_folder([*given, (str(table), sent("mine", "other.csv"))])


def test_a_csv_in_a_folder_reaches_nothing_outside(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"path,label\n{CAT},cat\n", encoding="utf-8")
    with pytest.raises(BadInput, match="leads outside"):
        readers.read(from_folder([(str(table), sent("mine", "t.csv")), (CAT, sent("mine", "a.png"))]))


@pytest.mark.parametrize(
    "hostile",
    [
        *("../a.png", f"mine{SLASH}..{SLASH}..{SLASH}a.png", "/etc/a.png", f"{SLASH}etc{SLASH}a.png", "..\\a.png"),
        *("C:a.png", "mine/a\0.png", "mine/\na.png", "", "/".join("a" * 9), "mine/" + "a" * 300 + ".png"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(hostile: str) -> None:
    with pytest.raises(BadInput, match="got"):
        inside(hostile)
    with pytest.raises(BadInput):
        from_folder([(CAT, hostile), (COFFEE, sent("mine", "cup", "a.png"))])


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "the given one has none"),
        ([("mine", "notes.txt")], "the given one has none"),
        ([("mine", "a.png"), ("mine", "b.png")], "not in labelled folders"),
        ([("mine", "cat", "a.png"), ("mine", "cat", "A.PNG")], "is there twice"),
        ([("mine", "cat", f"{number}.png") for number in range(2001)], "At most 2000 images at once.*holds 2001"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(paths: list[tuple[str, ...]], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        from_folder([(CAT, sent(*path)) for path in paths])


def test_images_sent_from_other_views_go_into_a_folder_per_label() -> None:
    collected = ((CAT, "cat"), (COFFEE, "coffee cup"), (COFFEE, "cat"))
    request = AuditRequest((OVERLAY,), ("fake",), COLLECTED, collected=collected)
    (job,) = audit_request.jobs(request)
    table = readers.read(job.dataset).table
    assert sorted(zip(table["label"], table["path"], strict=True)) == [
        ("cat", "cat/0001.png"),
        ("cat", "cat/0003.png"),
        ("coffee cup", "coffee cup/0002.png"),
    ]
    for unusable, message in (((), "Send images here"), (((CAT, "a/b"),), "a slash"), (((CAT, ".."),), "got")):
        with pytest.raises(BadInput, match=message):
            from_collected(unusable)


def test_the_box_hands_on_paths_and_keeps_the_uploaded_file() -> None:
    box = folder_box("A folder", elem_id="box")
    assert box.preprocess(None) is None
    given = ListFiles(root=[FileData(path=CAT, orig_name=sent("mine", "a.png")), FileData(path=COFFEE)])
    assert box.preprocess(given) == [(CAT, sent("mine", "a.png")), (COFFEE, Path(COFFEE).name)]
    from_folder([(CAT, sent("mine", "cat", "a.png"))])
    assert Path(CAT).is_file()
    assert json.dumps(SLASH).strip('"') in SCRIPT


def test_a_zip_s_folders_are_its_labels(tmp_path: Path) -> None:
    bundle = tmp_path / "mine.zip"
    with zipfile.ZipFile(bundle, "w") as packed:
        packed.write(sample_path("cat"), "cat/one.png")
        packed.write(sample_path("coffee"), "cup/two.png")
    (job,) = audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), UPLOAD, (str(bundle),)))
    assert sorted(readers.read(job.dataset).table["label"]) == ["cat", "cup"]


def test_images_of_a_zip_with_equal_tails_all_arrive(tmp_path: Path) -> None:
    paths = ("cat/x/y/z/p.png", "dog/x/y/z/p.png", "x/y/z/p.png")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as packed:
        for path, key in zip(paths, ("cat", "coffee", "rocket"), strict=True):
            packed.write(sample_path(key), path)
    table = readers.read(from_files([str(tmp_path / "mine.zip")])).table
    assert list(zip(table["path"], table["label"], strict=True)) == list(zip(paths, ("cat", "dog", "x"), strict=True))
    assert table["sha256"].nunique() == 3


def test_paths_of_a_zip_that_one_disk_may_take_for_equal_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as packed:
        packed.write(CAT, "cat/p.png")
        packed.write(COFFEE, "Cat/P.PNG")
    with pytest.raises(BadInput, match="twice"):
        from_files([str(tmp_path / "mine.zip")])


def test_single_pictures_come_with_a_table(tmp_path: Path) -> None:
    table = tmp_path / "what.csv"
    table.write_text(f"path,label,gender\n{sample_path('cat').name},cat,female\n", encoding="utf-8")
    (job,) = audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), UPLOAD, (str(sample_path("cat")),), str(table)))
    result = readers.read(job.dataset)
    assert result.attributes == ("gender",)
    assert list(result.table["label"]) == ["cat"]
    with pytest.raises(BadInput, match="need a CSV"):
        audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), UPLOAD, (str(sample_path("cat")),)))
    with pytest.raises(BadInput, match="Choose images"):
        audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), UPLOAD))


def test_a_table_is_bounded(tmp_path: Path) -> None:
    """Two million rows would take a minute and gigabytes; no upload of images needs them."""
    table = tmp_path / "what.csv"
    for line, most in (("a.png,cat\n", "10,000 rows"), ("a.png," + "x" * 1000 + "\n", "5 MB")):
        table.write_text("path,label\n" + line * 10_001, encoding="utf-8")
        with pytest.raises(BadInput, match=most):
            from_files([CAT], str(table))
        with pytest.raises(BadInput, match=most):
            from_folder([(CAT, "mine/a.png"), (str(table), "mine/what.csv")])


def test_a_folder_beside_the_uploads_is_made_where_there_were_no_uploads_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "not" / "yet"))
    made = folder_beside_uploads("mine-")
    assert made.parent == tmp_path / "not" / "yet"
    assert made.name.startswith("mine-")
    assert (made.stat().st_mode & 0o777, list(made.iterdir())) == (0o700, [])


def test_no_path_of_this_machine_stands_in_a_run_of_uploads(tmp_path: Path) -> None:
    given = [(CAT, sent("mine", "cat", "one.png")), (COFFEE, sent("mine", "cup", "one.png"))]
    (job,) = audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), FOLDER, folder=tuple(given)))
    place = str(folder_beside_uploads("x").parent)
    with Engine(default="fake", device="cpu") as engine:
        *_, last = run_jobs(engine, [job], tmp_path, owner="a", token=CancelToken(), own_images=True)
    assert last.run is not None
    assert readers.read(job.dataset).key == job.dataset
    texts = {file.name: file.read_text() for file in last.run.rglob("*") if file.suffix in (".json", ".csv", ".yaml")}
    files = run_files([Run(last.run)])
    texts |= {file.name: file.read_text() for file in (files.page, files.numbers)}
    assert len(texts) >= 4
    assert [name for name, text in texts.items() if place in text] == []

"""Sets that the package `datasets` reads from this machine; nothing is fetched unless that is allowed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from audits.datasets import readers
from workbench.errors import BadInput, Unsupported


@pytest.fixture
def hub(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package, with its own cache in the test's folder."""
    monkeypatch.setenv("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return datasets


@pytest.fixture
def rows(hub: Any, tmp_path: Path) -> Any:
    """Four pictures of two classes."""
    paths = []
    for at, colour in enumerate(("red", "blue", "red", "blue")):
        paths.append(str(tmp_path / f"{at}.png"))
        Image.new("RGB", (10 + at, 10), colour).save(paths[-1])
    kinds = {"image": hub.Image(), "label": hub.ClassLabel(names=["red", "blue"]), "age": hub.Value("int64")}
    content = {"image": paths, "label": [0, 1, 0, 1], "age": [3, 4, None, 6]}
    return hub.Dataset.from_dict(content, features=hub.Features(kinds))


def check(reference: str) -> None:
    result = readers.read(reference)
    assert result.table["label"].tolist() == ["red", "blue", "red", "blue"]
    assert result.table["age"].tolist() == ["3", "4", "", "6"]
    assert result.attributes == ("age",)
    sizes = []
    for path in result.table["path"]:
        with Image.open(result.file(path)) as picture:
            sizes.append(picture.width)
    assert sizes == [10, 11, 12, 13]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_set_that_was_saved_to_disk(rows: Any, tmp_path: Path) -> None:
    rows.save_to_disk(str(tmp_path / "saved"))
    check(f"hf:{tmp_path / 'saved'}")
    check(f"hf:{tmp_path / 'saved'}")  # written down already
    rows.select([0, 1]).save_to_disk(str(tmp_path / "saved"))
    assert len(readers.read(f"hf:{tmp_path / 'saved'}").table) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_folder_of_parquet(rows: Any, tmp_path: Path) -> None:
    (tmp_path / "parquet").mkdir()
    rows.to_parquet(str(tmp_path / "parquet" / "part.parquet"))
    check(f"hf:{tmp_path / 'parquet'}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_folder_of_classes(hub: Any, tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "classes" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8), "red" if name == "cat" else "blue").save(tmp_path / "classes" / name / "1.png")
    result = readers.read(f"hf:{tmp_path / 'classes'}")
    assert result.table["label"].tolist() == ["cat", "dog"]


def test_a_name_is_fetched_only_on_request(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "load_dataset", lambda *_, **__: pytest.fail("something was fetched"))
    with pytest.raises(BadInput, match="--download"):
        readers.read("hf:someone/pictures")


def test_without_the_package_the_extra_is_named(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(Unsupported, match=r"clip-workbench\[datasets\]"):
        readers.read("hf:someone/pictures")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_set_without_pictures_is_refused(hub: Any, tmp_path: Path) -> None:
    hub.Dataset.from_dict({"text": ["a"]}).save_to_disk(str(tmp_path / "texts"))
    with pytest.raises(BadInput, match="got none of text"):
        readers.read(f"hf:{tmp_path / 'texts'}")

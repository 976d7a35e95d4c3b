"""A remedied model is made once, carries its name and groups, and is offered where bias was found."""

from __future__ import annotations

from pathlib import Path

import pytest

from audits.bias.remedied_models import check_remedy, made
from workbench.errors import BadInput, UnknownName, Unsupported
from workbench.loading import load
from workbench.models import find
from workbench.places import home
from workbench.progress import Progress

PROTOCOL = """
schema: 1
name: small
audit: bias/mitigation
title: Small
templates: ["a drawing of a {}"]
label_sets:
  task: {labels: [cook, judge]}
  searches: {labels: [person]}
  harmful: {labels: [person, thief], groups: {harmful: [thief]}}
  good: {labels: [love]}
  bad: {labels: [hate]}
settings:
  attribute: gender
  sides: [{values: [m], word: male}, {values: [f], word: female}]
  tests: [[good, bad]]
"""


@pytest.fixture
def small(tmp_path: Path, own_home: Path) -> tuple[str, str]:
    from PIL import Image

    rows = ["path,label,gender"]
    for at in range(6):
        Image.new("RGB", (32, 32), (40 * at, 90, 200 - 30 * at)).save(tmp_path / f"{at}.png")
        rows.append(f"{at}.png,{'cook' if at % 2 else 'judge'},{'m' if at < 3 else 'f'}")
    (tmp_path / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "small.yaml").write_text(PROTOCOL, encoding="utf-8")
    return str(tmp_path / "small.yaml"), f"csv:{tmp_path / 'people.csv'}"


def test_a_remedy_is_made_once_and_the_model_says_what_it_is(small: tuple[str, str]) -> None:
    protocol, data = small
    base = load("fake", device="cpu")
    *steps, folder = made(base, "leace", protocol=protocol, data=data)
    assert isinstance(folder, Path)
    assert folder.parent == home() / "edits"
    assert [step.done for step in steps if isinstance(step, Progress)] == [6]
    assert list(made(base, "leace", protocol=protocol, data=data)) == [folder]
    spec = find(str(folder))
    assert "LEACE: male and female" in spec.title
    edited = load(str(folder), device="cpu")
    assert edited.fingerprint != base.fingerprint
    with pytest.raises(Unsupported, match="already"):
        list(made(edited, "leace", protocol=protocol, data=data))


def test_what_cannot_be_made_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UnknownName, match="remedy"):
        check_remedy("prayer", "gender")
    with pytest.raises(UnknownName, match="protocol"):
        check_remedy("leace", "age")
    with pytest.raises(BadInput, match="other files"):
        check_remedy("leace", "gender", tmp_path)

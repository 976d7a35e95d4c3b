"""No installed package is older than the version in which a known flaw is mended (row S22)."""

from __future__ import annotations

import datetime
import importlib.metadata
import tomllib
import warnings
from pathlib import Path

import pytest
from packaging.version import Version

TABLE = tomllib.loads(Path(__file__).with_name("floors.toml").read_text(encoding="utf-8"))
REVIEW_DAYS = 180


@pytest.mark.parametrize("name", TABLE["floors"])
def test_s22_no_package_is_older_than_its_floor(name: str) -> None:
    floor = TABLE["floors"][name]
    assert Version(importlib.metadata.version(name)) >= Version(floor["version"]), floor["reason"]


def test_the_table_was_reviewed_lately() -> None:
    age = datetime.date.today() - TABLE["reviewed"]
    if age > datetime.timedelta(days=REVIEW_DAYS):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"floors.toml was reviewed {age.days} days ago", stacklevel=1)
    assert TABLE["reviewed"] <= datetime.date.today()

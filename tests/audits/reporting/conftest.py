"""Run directories that several tests read, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audits.reporting.made_run import make

HOSTILE = {
    "A": '<script>alert("A")</script></table>',
    "B": '"><img src=x onerror=alert(1)> \u202etxt.exe\x07 $\\frac{1}{$',
    "C": "=cmd|' /C calc'!A0",
    "D": "long " * 2000,
}


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("runs") / "plain")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose data set names its groups to break whatever shows them."""
    return make(tmp_path_factory.mktemp("runs") / "hostile", names=HOSTILE)

"""An engine over the shipped model for the tabs' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine(device="cpu", dtype="float32") as opened:
        yield opened

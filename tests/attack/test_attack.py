"""The short form of `python -m tests.attack`: what an attacker does to a real server, and what others notice."""

from __future__ import annotations

import pytest

from tests.attack.__main__ import attack
from tests.attack.promises import SHORT


@pytest.mark.heavy
@pytest.mark.attack
def test_what_is_promised_is_kept_under_attack() -> None:
    assert attack(
        ["protocols", "sockets", "odd_requests", "uploads", "broken_uploads", "honest_uploads", "sessions", "images"],
        SHORT,
    )

"""What an attack returns, and how much of each there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.attack.server import Server


@dataclass(frozen=True)
class Row:
    """One line of the result."""

    attack: str
    promise: str
    figure: str
    kept: bool
    seconds: float = 0.0  # that it took


@dataclass(frozen=True)
class Size:
    """How much of each attack."""

    seconds: float = 20.0  # that one attack goes on
    jobs: int = 16
    half_open: int = 1100
    sessions: int = 200
    visitors: int = 200  # who come and go
    small_uploads: int = 10_000
    odd_calls: int = 1000
    upload_mb: int = 200  # of each of eight uploads at once
    rest_seconds: float = 60.0  # in which memory is given back
    median: float = 1.0  # seconds of another visitor's single question
    worst: float = 3.0


SHORT = Size(
    seconds=3.0,
    jobs=8,
    half_open=400,
    sessions=40,
    visitors=40,
    small_uploads=400,
    odd_calls=300,
    upload_mb=20,
    rest_seconds=60.0,
    median=2.0,
    worst=6.0,
)
Scenario = Callable[[Server, Size], Iterator[Row]]


def at_once(number: int, work: Callable[[int], object]) -> list[object]:
    """Run `work(0)` to `work(number - 1)` in threads, and return what came of each."""
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(work, range(number)))

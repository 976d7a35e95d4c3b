"""Jobs that go wrong, as a decoder may: run in workers by the tests of the pool."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def echo(data: bytes, **arguments: Any) -> Iterator[tuple[Any, Iterable[bytes]]]:
    yield arguments, [data]


def crash(data: bytes) -> Iterator[tuple[Any, Iterable[bytes]]]:
    yield ctypes.string_at(0), ()


def eat(data: bytes) -> Iterator[tuple[Any, Iterable[bytes]]]:
    yield len(bytearray(3_000_000_000)), ()


def spin(data: bytes) -> Iterator[tuple[Any, Iterable[bytes]]]:
    yield "begun", ()
    while True:
        sum(range(10_000))


def count(data: bytes, *, file: str) -> Iterator[tuple[Any, Iterable[bytes]]]:
    """Count to five; die once in the middle, as if the system had taken this process."""
    for number in range(5):
        if number == 3 and not Path(file).exists():
            Path(file).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield number, ()


def sleep(data: bytes, *, seconds: float) -> Iterator[tuple[Any, Iterable[bytes]]]:
    time.sleep(seconds)
    yield "woken", ()

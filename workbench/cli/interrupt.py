"""Ctrl-C, and an output pipe that closes: both end with finished work in good order."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from workbench.errors import INTERRUPTED


@contextmanager
def stop_on_ctrl_c() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets, so that finished work is kept; a second one interrupts at once."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop.set()

    with _handling(first):
        yield stop


@contextmanager
def remember_ctrl_c() -> Iterator[threading.Event]:
    """Raise KeyboardInterrupt at Ctrl-C as Python does, and give an event that it sets.

    A library may swallow the exception, in a finaliser for instance; whoever looks at the event later can raise again.
    """
    pressed = threading.Event()

    def press(*_: object) -> None:
        pressed.set()
        raise KeyboardInterrupt

    with _handling(press):
        yield pressed


@contextmanager
def _handling(handler: Callable[..., None]) -> Iterator[None]:
    """Handle Ctrl-C within a `with` block; in another thread than the main one, where no signal arrives, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def reading() -> Iterator[None]:
    """Leave quietly when the reader of stdout has left, as `head` does."""
    try:
        yield
    except BrokenPipeError:
        # the interpreter flushes stdout once more when it ends: give it a place where that cannot fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(INTERRUPTED) from None

"""Ctrl-C, and an output pipe that closes: both end with finished work in good order."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from workbench.errors import INTERRUPTED


@contextmanager
def stop_on_ctrl_c() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets, so that what is done so far is kept; a second one interrupts at once.

    In another thread than the main one, where no signal arrives, the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    kept = signal.getsignal(signal.SIGINT)

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, kept)
        stop.set()

    signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, kept)


@contextmanager
def remember_ctrl_c() -> Iterator[threading.Event]:
    """Raise KeyboardInterrupt at Ctrl-C as Python does, and give an event that it sets.

    A library may swallow the exception, in a finaliser for instance; whoever looks at the event later can raise again.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.getsignal(signal.SIGINT)

    def press(*_: object) -> None:
        pressed.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
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

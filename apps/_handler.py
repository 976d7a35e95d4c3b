"""Between Gradio's events and our functions: errors that a user can mend become messages, visitors get an owner id.

Knows no model and no widget.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from workbench.errors import Cancelled, WorkbenchError

MODEL_QUEUE = "model"  # the shared concurrency id of every short question to a model
MODEL_LIMIT = 8  # events of that id at once; the engine decides who gets the device
LONG: dict[str, Any] = {"concurrency_id": "long", "concurrency_limit": 4}  # runs of many steps: no short question waits
READING: dict[str, Any] = {"concurrency_id": "reading", "concurrency_limit": 2}  # of a text that a visitor edits
LIGHT: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 4}  # no model, but more than constant work


def handler(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an event's function: a `WorkbenchError` is shown as a message, every other error crashes.

    A generator that was `Cancelled` ends quietly, and leaves on the screen what it showed last.
    """
    if inspect.isgeneratorfunction(function):
        return _stepwise(function)

    @functools.wraps(function)
    def whole(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except WorkbenchError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return whole


def _stepwise(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @functools.wraps(function)
    def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from function(*args, **kwargs)
        except Cancelled:
            return
        except WorkbenchError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return steps


def owner(request: gr.Request | None) -> str:
    """Return the id under which the engine knows this visitor: one per open page."""
    return (request.session_hash if request is not None else None) or "local"

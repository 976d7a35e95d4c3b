"""Between Gradio's events and our functions: errors that a user can mend become messages, visitors get an owner id."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from apps.serving.turns import LIGHT_LINE, VISITOR, owner_id
from apps.serving.visits import visit
from workbench.errors import Cancelled, WorkbenchError
from workbench.scheduler import waiting

MODEL_QUEUE = "model"  # the shared concurrency id of every short query to a model
MODEL_LIMIT = 8  # events of that id at once; the engine decides who gets the device
ALWAYS_LAST: dict[str, Any] = {"trigger_mode": "always_last"}  # what was typed or asked last is answered
ASKS_MODEL: dict[str, Any] = {"concurrency_id": MODEL_QUEUE, "concurrency_limit": MODEL_LIMIT, **ALWAYS_LAST}
LONG: dict[str, Any] = {"concurrency_id": "long", "concurrency_limit": 4}  # jobs of many steps: no short query waits
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
READING: dict[str, Any] = {"concurrency_id": "reading", "concurrency_limit": 2, **ALWAYS_LAST, **QUIET}  # of a text
ASIDE: dict[str, Any] = {"queue": False, **QUIET}  # takes choices only: it skips the queue
LIGHT: dict[str, Any] = {"concurrency_id": LIGHT_LINE, "concurrency_limit": 4, **QUIET}  # no model; any input
PAUSE = 0.2  # seconds between looks whether a view is drawn
_END = object()
CHOICE: dict[str, Any] = {"trigger_mode": "multiple", **LIGHT}  # of a row or picture: "once" ignores the next meanwhile


def handler(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an event's function: a `WorkbenchError` is shown as a message, every other error crashes.

    A generator that was `Cancelled` ends quietly, and leaves on the screen what it showed last.
    """
    if inspect.isgeneratorfunction(function):
        return _stepwise(function)

    @functools.wraps(function)
    def whole(*args: Any, **kwargs: Any) -> Any:
        try:
            with visit(_current_owner()) as scope, waiting(scope):
                return function(*args, **kwargs)
        except WorkbenchError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return whole


def _stepwise(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @functools.wraps(function)
    def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            with visit(_current_owner()) as scope, closing(function(*args, **kwargs)) as updates:  # type: ignore[type-var]
                while True:
                    with waiting(scope):  # each step has a context of its own
                        update = next(updates, _END)
                    if update is _END:
                        return
                    yield update
        except Cancelled:
            return
        except WorkbenchError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return steps


def _current_owner() -> str:
    return owner(LocalContext.request.get(None))


def when_drawn(function: Callable[..., Sequence[Any]], inputs: Any, outputs: list[Any], **event: Any) -> Any:
    """Fill in widgets once, when the view that this is called in is drawn: before, Gradio drops what is filled in.

    Args:
        function: returns a value for each output.
        inputs: as a listener takes them.
        outputs: widgets.
        **event: as a listener takes it.
    """
    timer = gr.Timer(PAUSE)

    @functools.wraps(function)
    def once(*args: Any, **kwargs: Any) -> list[Any]:
        return [gr.Timer(active=False), *function(*args, **kwargs)]

    return timer.tick(once, inputs, [timer, *outputs], **event)


def owner(request: gr.Request | None) -> str:
    """Return the id under which the engine knows this visitor: its address and, for each open page, a word."""
    if request is None:
        return "local"
    scope = getattr(request.request, "scope", {})
    return owner_id(scope.get(VISITOR, ""), request.session_hash)

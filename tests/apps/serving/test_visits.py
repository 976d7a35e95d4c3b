"""Work in workers ends when the visitor leaves whose event asked for it, and nobody else's does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.context import LocalContext

from apps.serving.turns import VISITOR, owner_id
from apps.serving.visits import leave
from apps.shared.events import handler
from tests.workbench.worker.test_pool import planted, value
from workbench import worker
from workbench.embedding import prefetch
from workbench.worker import supervised


@pytest.fixture(scope="module", autouse=True)
def workers() -> Iterator[None]:
    with supervised():
        yield


@pytest.fixture(autouse=True)
def page() -> Iterator[None]:
    """Let this thread handle an event of page p at address a."""
    request: Any = SimpleNamespace(request=SimpleNamespace(scope={VISITOR: "a"}), session_hash="p")
    before = LocalContext.request.set(request)
    yield
    LocalContext.request.reset(before)


def sleep(seconds: float) -> str:
    pool = worker.active()
    assert pool is not None
    return str(pool.call(planted("sleep"), {"seconds": seconds}, read=value)[0])


def stepwise(seconds: float) -> Iterator[str]:
    yield "begun"
    yield sleep(seconds)


def by_threads(seconds: float) -> list[str]:
    return next(prefetch([[seconds]], sleep))


@pytest.mark.parametrize("function", [sleep, by_threads])
def test_a_job_ends_when_its_visitor_leaves(function: Any) -> None:
    threading.Timer(0.5, leave, [owner_id("a", "p")]).start()
    begun = time.monotonic()
    with pytest.raises(gr.Error, match="Stopped"):
        handler(function)(60.0)
    assert time.monotonic() - begun < 2.5


def test_a_job_of_many_steps_ends_when_its_visitor_leaves() -> None:
    steps = handler(stepwise)(60.0)
    assert next(steps) == "begun"
    threading.Timer(0.5, leave, [owner_id("a", "p")]).start()
    begun = time.monotonic()
    assert list(steps) == []
    assert time.monotonic() - begun < 2.5


def test_nobody_elses_job_ends() -> None:
    threading.Timer(0.1, leave, [owner_id("a", "another")]).start()
    assert handler(sleep)(0.5) == "woken"
    assert list(handler(stepwise)(0.0)) == ["begun", "woken"]

"""Who is being worked for: what an event's function asks of workers ends when its visitor leaves."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.scheduler import CancelScope, CancelToken

_lock = threading.Lock()
_tokens: defaultdict[str, set[CancelToken]] = defaultdict(set)  # of each visitor's pieces of work


@contextmanager
def visit(owner: str) -> Iterator[CancelScope]:
    """Give a scope that is over when the visitor leaves, or with the block.

    Args:
        owner: id of an open page; see `turns.owner_id`.
    """
    token = CancelToken()
    with _lock:
        _tokens[owner].add(token)
    try:
        yield CancelScope(token)
    finally:
        with _lock:
            _tokens[owner].discard(token)
            if not _tokens[owner]:
                del _tokens[owner]


def leave(owner: str) -> None:
    """End all that is done for a visitor."""
    with _lock:
        tokens = list(_tokens.get(owner, ()))
    for token in tokens:
        token.cancel()

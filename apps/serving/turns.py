"""Whose job runs next: gradio's queue, but fair between addresses, and nothing runs that nobody listens to.

Of one page, edits, choices and questions of a kind are answered one after the other: it may send two at once, and the
older answer could come last.

Does not know about HTTP. The guard tells it who listens; gradio asks it for the next job.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from apps.limits import Limits
from apps.serving.visitors import Queued
from apps.serving.visits import leave
from workbench.scheduler import OWNER_PART

if TYPE_CHECKING:
    from gradio.queueing import Event, Queue

LIGHT_LINE = "light"  # of what needs no model: choices, edits, answers shown in another way
VISITOR = "clip_workbench.visitor"  # where the guard notes the address in a request's scope
BACK_SECONDS = 0.5  # in which a page that lost its connection is back
JUST_COME = 1.0  # seconds in which a client opens the stream that it listens to
POLL_SECONDS = 0.005  # gradio asks a thousand times a second while jobs wait
REMEMBERED = 10_000  # addresses; the oldest are forgotten
ERROR = "Something went wrong on the server, and this job was not finished. Check the inputs, or try again."


class Turns:
    """Takes the place of `Queue.get_events`; used on the server's event loop only."""

    def __init__(
        self,
        queue: Queue,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        *,
        left: Callable[[str], object] = lambda owner: None,
    ) -> None:
        self._left = left
        self._queue = queue
        self._limits = limits
        self._clock = clock
        self._listening: Counter[str] = Counter()  # page, or id of one job -> open streams
        self._served: OrderedDict[tuple[str, str], float] = OrderedDict()  # line and address -> when it was served last
        self._again = 0.0  # when it is worth to look once more
        self._send = queue.send_message

    def install(self) -> None:
        """Let gradio's queue ask here."""
        self._queue.get_events = self.get_events  # type: ignore[method-assign]
        self._queue.send_message = self.send_message  # type: ignore[method-assign]

    @contextmanager
    def listener(self, name: str) -> Iterator[None]:
        """Note, while a stream is open, that somebody listens to a page or to one job."""
        self._listening[name] += 1
        try:
            yield
        finally:
            self._listening[name] -= 1
            if not self._listening[name]:
                del self._listening[name]
                asyncio.get_running_loop().call_later(BACK_SECONDS, self._tell, name)

    def _tell(self, name: str) -> None:
        """Say whose job computes on though nobody listens to it any more."""
        for event in [one for job in self._queue.active_jobs if job for one in job]:
            if name in (event.session_hash, event._id) and not self._heard(event):
                leave(owner_id(visitor(event), event.session_hash))
                self._left(owner_id(visitor(event), event.session_hash))

    def queued(self) -> Iterator[Queued]:
        """Yield each job that has not begun."""
        running = self._running()
        for line in self._queue.event_queue_per_concurrency_id.values():
            for event in line.queue:
                unheard = not self._heard(event) and self._clock() - event.enqueue_time > JUST_COME
                yield Queued(visitor(event), event.session_hash, unheard or self._full(event, line, running))

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Return the next job: of those who have the fewest running, whoever was served longest ago."""
        if self._clock() < self._again:
            return None
        self._again = self._clock() + POLL_SECONDS
        running = self._running()
        for name, line in self._queue.event_queue_per_concurrency_id.items():
            left = self._clock() - self._limits.listen_seconds
            for event in [one for one in line.queue if one.enqueue_time < left and not self._heard(one)]:
                self._drop(event, line)
            able = [one for one in line.queue if self._heard(one) and not self._full(one, line, running)]
            if able:
                event = min(able, key=lambda one: self._rank(name, visitor(one), running))
                line.queue.remove(event)
                self._queue.event_queue_per_concurrency_id[name] = self._queue.event_queue_per_concurrency_id.pop(name)
                self._note(name, visitor(event))
                self._again = 0.0
                return [event], False, name
        return None

    def send_message(self, event: Event, event_message: Any) -> None:
        """Send what gradio sends; an error without words gets some."""
        output = getattr(event_message, "output", None)
        if isinstance(output, dict) and output.get("error", "") is None:
            output["error"] = ERROR
        self._send(event, event_message)

    def _full(self, event: Event, line: Any, running: Counter[tuple[int | str, str]]) -> bool:
        """Whether the line has no slot for this address, or what the page asked before is not answered yet.

        Half of a line stays for others.
        """
        in_order = event.fn.trigger_mode == "always_last" or event.concurrency_id == LIGHT_LINE
        if in_order and running[event.fn._id, event.session_hash]:
            return True
        if line.concurrency_limit is None:
            return False
        own = running[line.concurrency_id, visitor(event)]
        return bool(line.current_concurrency >= line.concurrency_limit or own >= max(1, line.concurrency_limit // 2))

    def _heard(self, event: Event) -> bool:
        return bool(self._listening[event.session_hash] or self._listening[event._id])

    def _drop(self, event: Event, line: Any) -> None:
        line.queue.remove(event)
        self._queue.event_ids_to_events.pop(event._id, None)
        ids = self._queue.pending_event_ids_session.get(event.session_hash, set())
        ids.discard(event._id)
        if not ids:
            self._queue.pending_event_ids_session.pop(event.session_hash, None)

    def _rank(self, line: str, who: str, running: Counter[tuple[int | str, str]]) -> tuple[int, float]:
        return running[line, who], self._served.get((line, who), 0.0)

    def _note(self, line: str, who: str) -> None:
        self._served.pop((line, who), None)
        self._served[line, who] = self._clock()
        while len(self._served) > REMEMBERED:
            self._served.popitem(last=False)

    def _running(self) -> Counter[tuple[int | str, str]]:
        """Count what runs: of a line and an address, and of an event and a page."""
        jobs = [event for job in self._queue.active_jobs if job for event in job]
        of_address = Counter[tuple[int | str, str]]((event.concurrency_id, visitor(event)) for event in jobs)
        return of_address + Counter((event.fn._id, event.session_hash) for event in jobs)


def owner_id(address: str, page: str | None) -> str:
    """Return the id under which the engine knows an open page."""
    return f"{address}{OWNER_PART}{page or 'local'}"


def visitor(event: Event) -> str:
    """Return the address that a job came from, as the guard noted it."""
    return str(event.request.scope.get(VISITOR, ""))

"""Fair shares: what one address and one open page may have waiting, under way, and ask for in a while.

Does not know about bodies and routes. A page is known by the random word that it made up (gradio's session hash);
since a visitor can make up many, addresses are counted too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from apps.limits import Limits
from apps.serving.refusal import Refused

REMEMBERED = 10_000  # addresses; the oldest are forgotten


def address(headers: Mapping[str, str], peer: str, *, proxied: bool) -> str:
    """Return where a visitor comes from.

    Behind a Space's proxy that is the last public address of X-Forwarded-For: what stands left of it, a visitor could
    have written. Elsewhere the header is not believed.
    """
    if proxied:
        for part in reversed(headers.get("x-forwarded-for", "").split(",")):
            try:
                given = ipaddress.ip_address(part.strip())
            except ValueError:
                continue
            if given.is_global:
                return _network(given)
    try:
        return _network(ipaddress.ip_address(peer))
    except ValueError:
        return peer


def _network(given: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """One household has 2**64 IPv6 addresses: its network counts as one visitor."""
    if given.version == 6 and given.is_global:
        return str(ipaddress.ip_network((given, 64), strict=False))
    return str(given)


@dataclass(frozen=True)
class Queued:
    """A job that has not begun."""

    visitor: str  # its address
    page: str
    waits: bool  # for a slot, or for a listener that does not come


class Visitors:
    """Counters of all visitors; used on the server's event loop only, so without a lock.

    Args:
        limits: the table.
        queued: yields each job that has not begun.
        clock: seconds.
    """

    def __init__(
        self,
        limits: Limits,
        queued: Callable[[], Iterable[Queued]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._queued = queued
        self._clock = clock
        self._writes = Bucket(limits.requests_burst, limits.requests_per_second, clock)
        self._reads = Bucket(limits.reads_burst, limits.reads_per_second, clock, debt=limits.reads_open)
        self._open: Counter[tuple[str, str]] = Counter()  # kind, address -> requests under way

    @contextmanager
    def request(self, who: str) -> Iterator[None]:
        """Count a state-changing request while it is answered.

        Raises:
            Refused: 429.
        """
        if self._writes.spend(who):
            raise Refused(429, "Too many requests in a short time; try again in a few seconds.")
        with self._one_of("write", who, self._limits.requests_open):
            yield

    @asynccontextmanager
    async def reading(self, who: str, *, progress: bool) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        """Count any other request while it is answered; one too many per second waits.

        Yields what an answer that costs more than one reading is paid with, in readings: it waits in the same way.

        Args:
            who: the address.
            progress: it asks how far an upload is, which costs more than other reading.

        Raises:
            Refused: 429.
        """
        if progress and self._writes.spend(who):
            raise Refused(429, "Too many requests in a short time; try again in a few seconds.")
        kind, most = ("progress", self._limits.progress_open) if progress else ("read", self._limits.reads_open)
        with self._one_of(kind, who, most):

            async def pay(readings: float) -> None:
                if pause := self._reads.spend(who, readings):
                    await asyncio.sleep(pause)

            await pay(1.0)
            yield pay

    @contextmanager
    def _one_of(self, kind: str, who: str, most: int) -> Iterator[None]:
        if self._open[kind, who] >= most:
            raise Refused(429, f"More than {most} requests at once; wait for some to end.")
        self._open[kind, who] += 1
        try:
            yield
        finally:
            self._open[kind, who] -= 1
            if not self._open[kind, who]:
                del self._open[kind, who]

    def check_job(self, who: str, page: str) -> None:
        """Let a page put one more job into the queue.

        Raises:
            Refused: 429.
        """
        queued = list(self._queued())
        mine = sum(job.waits and job.page == page for job in queued)
        ours = [job for job in queued if job.visitor == who]
        waiting, limits = sum(job.waits for job in ours), self._limits
        if (
            mine >= limits.waiting_per_page
            or waiting >= limits.waiting_per_visitor
            or len(ours) >= limits.queued_per_visitor
        ):
            raise Refused(
                429,
                f"{limits.waiting_per_page} jobs of a page and {limits.waiting_per_visitor} of a visitor may wait; "
                "wait until one finishes, or stop one.",
            )


class Bucket:
    """Tokens of each address: `most` at once, `per_second` in the long run.

    Args:
        most: tokens of an address that has not come for a while.
        per_second: tokens that come back.
        clock: seconds.
        debt: tokens that may be owed by an address that waits for them.
    """

    def __init__(
        self, most: float, per_second: float, clock: Callable[[], float] = time.monotonic, *, debt: float = 0.0
    ) -> None:
        self._most, self._debt = most, debt
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> tokens left, when

    def spend(self, who: str, tokens: float = 1.0) -> float:
        """Take tokens; return the seconds until they are there, 0 where they were."""
        now = self._clock()
        left, then = self._left.pop(who, (self._most, now))
        left = min(self._most, left + (now - then) * self._per_second)
        self._left[who] = (max(left - tokens, -self._debt), now)
        while len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        return max(0.0, tokens - left) / self._per_second

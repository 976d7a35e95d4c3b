"""Fair shares: what one address and one open page may have waiting, under way, and ask for in a while.

Knows no body and no route. A page is known by the random word that it made up (gradio's session hash); since a
visitor can make up many, addresses are counted too.
"""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from apps.limits import Limits
from apps.serving.refusal import Refused

T = TypeVar("T")

REMEMBERED = 10_000  # pages and addresses; the oldest are forgotten


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


class Visitors:
    """Counters of all visitors; used on the server's event loop only, so without a lock."""

    def __init__(
        self,
        limits: Limits,
        waiting: Callable[[], Iterable[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start empty.

        Args:
            limits: the table.
            waiting: tells the page of each job that waits in the queue.
            clock: seconds.
        """
        self._limits = limits
        self._waiting = waiting
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> tokens left, when
        self._pages: OrderedDict[str, str] = OrderedDict()  # page -> address that came with it first
        self._open: Counter[str] = Counter()  # address -> requests under way

    @contextmanager
    def request(self, who: str) -> Iterator[None]:
        """Count a state-changing request while it is answered.

        Raises:
            Refused: 429.
        """
        self._spend(who)
        if self._open[who] >= self._limits.requests_open:
            raise Refused(429, f"More than {self._limits.requests_open} requests at once; wait for some to end.")
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    def _spend(self, who: str) -> None:
        now, most = self._clock(), float(self._limits.requests_burst)
        left, then = self._buckets.pop(who, (most, now))
        left = min(most, left + (now - then) * self._limits.requests_per_second)
        _remember(self._buckets, who, (max(left - 1, 0), now))
        if left < 1:
            raise Refused(429, "Too many requests in a short time; try again in a few seconds.")

    def check_job(self, who: str, page: str) -> None:
        """Let a page put one more job into the queue.

        Raises:
            Refused: 429.
        """
        _remember(self._pages, page, self._pages.pop(page, who))
        waiting = list(self._waiting())
        mine = sum(other == page for other in waiting)
        ours = sum(self._pages.get(other) == who for other in waiting)
        if mine >= self._limits.waiting_per_page or ours >= self._limits.waiting_per_visitor:
            raise Refused(
                429,
                f"{self._limits.waiting_per_page} jobs of a page and {self._limits.waiting_per_visitor} of a visitor "
                "may wait; let one finish or stop it first.",
            )


def _remember(table: OrderedDict[str, T], key: str, value: T) -> None:
    table[key] = value
    while len(table) > REMEMBERED:
        table.popitem(last=False)

"""Whatever visitors do in whatever order: one thing at a time on the device, nothing lost, doubled or left over."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from workbench.errors import Busy, Cancelled, DeadlinePassed, OutOfResources
from workbench.scheduler import CancelScope, CancelToken, Scheduler
from workbench.scheduler.work import END, LongJob

OWNERS = st.sampled_from(["ann", "ben", "cem"])
BATCH, EACH, ALL = 4, 2, 4


class Poison(Exception):
    """What a planted bad item raises."""


@dataclass(eq=False)
class Value:
    """One picture or text; a weak reference to it tells whether anybody still holds it."""

    name: str
    good: bool = True


@dataclass
class Device:
    """Counts who computes at the same time, and runs out of memory beyond `room` items."""

    room: int = BATCH
    active: int = 0
    most: int = 0
    seen: list[str] = field(default_factory=list)

    def enter(self) -> None:
        self.active += 1
        self.most = max(self.most, self.active)

    def encode(self, values: Sequence[Value]) -> list[str]:
        self.enter()
        try:
            if len(values) > self.room:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            if not all(value.good for value in values):
                raise Poison
            self.seen += [value.name for value in values]
            return [f"row of {value.name}" for value in values]
        finally:
            self.active -= 1


@dataclass(eq=False)
class Small:
    """A small request and what became of it."""

    name: str
    good: bool
    scope: CancelScope
    future: Future[Any]
    ref: weakref.ref[Value]


@dataclass(eq=False)
class Long:
    """A long job and what its visitor saw of it."""

    job: LongJob
    steps: int
    fails_at: int | None
    taken: list[int] = field(default_factory=list)
    begun: bool = False
    closed: bool = False
    ended: bool = False


class Visitors(RuleBasedStateMachine):
    """Submit, cancel, fail, disconnect, run late and out of memory, in any order."""

    smalls = Bundle("smalls")
    longs = Bundle("longs")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.device = Device()
        self.scheduler = Scheduler(batch=BATCH, jobs=(ALL, EACH), clock=lambda: self.now, threaded=False)
        self.all_small: list[Small] = []
        self.all_long: list[Long] = []
        self.tokens: list[CancelToken] = []

    def scope(self, seconds: float | None) -> CancelScope:
        token = CancelToken()
        self.tokens.append(token)
        return CancelScope(token, None if seconds is None else self.now + seconds, clock=lambda: self.now)

    @rule(
        target=smalls,
        owner=OWNERS,
        key=st.sampled_from(["images", "texts"]),
        good=st.integers(0, 4),
        seconds=st.sampled_from([None, None, 5.0]),
    )
    def submit(self, owner: str, key: str, good: int, seconds: float | None) -> Small:
        value = Value(f"{owner}/{key}/{len(self.all_small)}", good > 0)
        scope = self.scope(seconds)
        future = self.scheduler.submit(key, value, self.device.encode, owner=owner, scope=scope)
        small = Small(value.name, value.good, scope, future, weakref.ref(value))
        self.all_small.append(small)
        return small

    @rule(
        target=longs,
        owner=OWNERS,
        steps=st.integers(0, 3),
        fails_at=st.sampled_from([None, None, 0, 1, 2]),
        seconds=st.sampled_from([None, None, 5.0]),
    )
    def open(self, owner: str, steps: int, fails_at: int | None, seconds: float | None) -> Long | None:
        mine = sum(1 for one in self.all_long if one.job.owner == owner and self.alive(one))
        alive = sum(1 for one in self.all_long if self.alive(one))
        long = Long(LongJob(lambda: iter(()), owner, CancelScope()), steps, fails_at)
        try:
            long.job = self.scheduler.open(lambda: self.work(long), owner=owner, scope=self.scope(seconds))
        except Busy:
            assert mine >= EACH or alive >= ALL
            return None
        assert mine < EACH
        assert alive < ALL
        self.all_long.append(long)
        return long

    def alive(self, long: Long) -> bool:
        return long.job in list(self.scheduler._turns.jobs())

    def work(self, long: Long) -> Iterator[int]:
        long.begun = True
        try:
            for step in range(long.steps):
                self.device.enter()
                self.device.active -= 1
                if step == long.fails_at:
                    raise Poison
                yield step
        finally:
            long.closed = True

    @rule(long=longs)
    def take(self, long: Long | None) -> None:
        """The visitor looks at the finished step, if there is one."""
        if long is None or long.ended or not long.job.slot.done():
            return
        error = long.job.slot.exception()
        if error is not None or long.job.slot.result() is END:
            long.ended = True
            return
        long.taken.append(long.job.slot.result())
        self.scheduler.advance(long.job)

    @rule(long=longs)
    def disconnect(self, long: Long | None) -> None:
        if long is not None:
            self.scheduler.abandon(long.job)

    @rule(small=smalls)
    def leave(self, small: Small) -> None:
        small.scope.stop_listening()

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.tokens)).cancel()

    @rule(seconds=st.sampled_from([1.0, 6.0]))
    def later(self, seconds: float) -> None:
        self.now += seconds

    @rule(room=st.integers(0, BATCH))
    def memory(self, room: int) -> None:
        self.device.room = room

    @rule(times=st.integers(1, 3))
    def turn(self, times: int) -> None:
        for _ in range(times):
            self.scheduler.turn()

    @invariant()
    def one_at_a_time_and_nothing_twice(self) -> None:
        assert self.device.most <= 1
        assert self.device.active == 0
        assert len(set(self.device.seen)) == len(self.device.seen)

    def teardown(self) -> None:
        for _ in range(200):
            for long in self.all_long:
                self.take(long)
            if not self.scheduler.turn():
                break
        for small in self.all_small:
            self.check_small(small)
        for long in self.all_long:
            self.check_long(long)
        self.nothing_left()

    def check_small(self, small: Small) -> None:
        assert small.future.done(), "lost"
        error = small.future.exception()
        if error is None:
            assert small.future.result() == f"row of {small.name}"
            assert small.good
        elif isinstance(error, Poison):
            assert not small.good, "failed because of somebody else's item"
        else:
            assert isinstance(error, (Cancelled, DeadlinePassed, OutOfResources))
            assert small.name not in self.device.seen

    def check_long(self, long: Long) -> None:
        assert long.job.slot.done(), "still stands in line"
        assert not long.begun or long.closed, "a generator was left open"
        assert long.taken == list(range(len(long.taken)))
        if long.job.slot.exception() is None:
            assert long.taken == list(range(long.steps))
        if isinstance(long.job.slot.exception(), Poison):
            assert len(long.taken) == long.fails_at

    def nothing_left(self) -> None:
        assert self.scheduler.waiting == 0
        assert not any(token._listeners for token in self.tokens)
        refs = [small.ref for small in self.all_small if small.future.exception() is None]
        assert [ref for ref in refs if ref() is not None] == []


TestVisitors = Visitors.TestCase
TestVisitors.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)

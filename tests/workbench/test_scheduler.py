"""Fair turns, micro-batches, cancellation and lack of memory, each alone; `test_scheduler_machine` mixes them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch

from workbench.errors import Busy, Cancelled, DeadlinePassed, OutOfResources
from workbench.scheduler import CancelScope, CancelToken, Scheduler


@pytest.fixture
def still() -> Scheduler:
    """A scheduler without a thread: the test is the device."""
    return Scheduler(batch=4, threaded=False)


@pytest.fixture
def live() -> Iterator[Scheduler]:
    scheduler = Scheduler(batch=8)
    yield scheduler
    scheduler.close()


def double(values: Sequence[int]) -> list[int]:
    return [2 * value for value in values]


def counting(log: list[str], name: str, steps: int) -> Iterator[int]:
    for step in range(steps):
        log.append(f"{name}{step}")
        yield step


def test_requests_of_all_owners_share_a_batch_and_keep_their_own_answers(still: Scheduler) -> None:
    sizes: list[int] = []

    def encode(values: Sequence[int]) -> list[int]:
        sizes.append(len(values))
        return double(values)

    futures = [still.submit("k", number, encode, owner=f"owner {number}") for number in range(6)]
    assert still.turn()
    assert still.turn()
    assert not still.turn()
    assert sizes == [4, 2]
    assert [future.result(0) for future in futures] == [0, 2, 4, 6, 8, 10]


def test_passes_of_a_slow_model_are_shortened_to_about_a_second() -> None:
    now, sizes, each = [0.0], list[int](), [2.0]

    def encode(values: Sequence[int]) -> list[int]:
        sizes.append(len(values))
        now[0] += each[0] * len(values)
        return double(values)

    scheduler = Scheduler(batch=8, clock=lambda: now[0], threaded=False)
    for number in range(60):
        scheduler.submit("k", number, encode, owner="a")
    scheduler.turn()
    scheduler.turn()
    each[0] = 0.25
    for _ in range(5):
        scheduler.turn()
    each[0] = 0.001
    while scheduler.turn():
        pass
    assert sizes[:7] == [8, 1, 1, 2, 2, 2, 2]  # half a second is no reason to grow
    assert sizes[7:11] == [2, 4, 8, 8]


def test_different_models_never_share_a_batch(still: Scheduler) -> None:
    seen: list[list[str]] = []

    def encode(values: Sequence[str]) -> list[str]:
        seen.append(list(values))
        return list(values)

    for key in ("a", "b", "a", "b"):
        still.submit(key, key, encode, owner="ann")
    while still.turn():
        pass
    assert seen == [["a", "a"], ["b", "b"]]


def test_one_who_asks_for_much_does_not_hold_up_one_who_asks_for_little(still: Scheduler) -> None:
    for number in range(100):
        still.submit("k", number, double, owner="ann")
    little = still.submit("k", 7, double, owner="ben")
    still.turn()
    assert little.result(0) == 14


def test_the_pages_of_one_visitor_have_one_turn_together(still: Scheduler) -> None:
    order: list[str] = []

    def encode(values: Sequence[str]) -> list[str]:
        order.extend(values)
        return list(values)

    for page in range(5):
        still.submit(f"model {page}", f"many {page}", encode, owner=f"10.0.0.1|page {page}")
    still.submit("model", "one", encode, owner="10.0.0.2|page")
    while still.turn():
        pass
    assert order.index("one") <= 1


def test_a_small_request_waits_one_step_of_a_long_job(still: Scheduler) -> None:
    log: list[str] = []
    job = still.open(lambda: counting(log, "ann", 10), owner="ann")
    still.turn()
    still.advance(job)
    small = [still.submit(key, 1, double, owner=owner) for owner in ("ben", "cem") for key in ("x",)]
    other = still.submit("y", 1, double, owner="dan")
    still.turn()
    still.advance(job) if job.slot.done() else None
    still.turn()
    still.turn()
    assert all(future.done() for future in (*small, other))
    assert len(log) <= 2


def test_a_question_in_two_parts_waits_for_one_step(live: Scheduler) -> None:
    """Its texts are embedded first and its image a moment later; no long step comes in between."""
    steps: list[float] = []

    def long() -> Iterator[int]:
        while True:
            time.sleep(0.02)
            steps.append(time.monotonic())
            yield len(steps)

    def listen() -> None:
        with pytest.raises(Cancelled):
            list(stream)

    token = CancelToken()
    stream = live.stream(long, owner="audit", scope=CancelScope(token))
    thread = threading.Thread(target=listen)
    thread.start()
    try:
        between = []
        for number in range(20):
            live.submit("text", number, double, owner="visitor").result(5)
            before = len(steps)
            time.sleep(0.01)  # the image is prepared
            live.submit("image", number, double, owner="visitor").result(5)
            between.append(len(steps) - before)
            time.sleep(0.1)
        assert sorted(between)[15] == 0  # nearly always; a step may come where this machine sleeps longer
        assert len(steps) >= 20  # the long job goes on after each question
        before = len(steps)
        end = time.monotonic() + 2.0
        while time.monotonic() < end:  # a stream of questions without a pause
            live.submit("text", 1, double, owner="visitor").result(5)
        assert len(steps) - before >= 2
    finally:
        token.cancel()
        thread.join(5)


def test_a_long_job_goes_on_under_a_stream_of_small_requests(still: Scheduler) -> None:
    log: list[str] = []
    job = still.open(lambda: counting(log, "ann", 10), owner="ann")
    for _ in range(20):
        for owner in ("ben", "cem"):
            still.submit("k", 1, double, owner=owner)
        still.turn()
        if job.slot.done():
            still.advance(job)
    assert len(log) >= 5


def test_long_jobs_of_two_owners_take_turns(still: Scheduler) -> None:
    log: list[str] = []
    jobs = [still.open(lambda name=name: counting(log, name, 3), owner=name[0]) for name in ("a1-", "a2-", "b1-")]
    for _ in range(9):
        still.turn()
        for job in jobs:
            if job.slot.done() and isinstance(job.slot.result(), int):
                still.advance(job)
    assert log.index("b1-0") <= 1
    assert [entry[0] for entry in log[:6]] == ["a", "b"] * 3


def test_a_poisoned_item_fails_alone(still: Scheduler) -> None:
    def encode(values: Sequence[int]) -> list[int]:
        if 2 in values:
            raise ValueError("two")
        return double(values)

    futures = [still.submit("k", number, encode, owner="ann") for number in range(4)]
    still.turn()
    assert [future.result(0) for future in futures if future.exception(0) is None] == [0, 2, 6]
    assert isinstance(futures[2].exception(0), ValueError)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: not enough memory: you tried to"),
        MemoryError(),
    ],
)
def test_without_memory_the_batch_is_halved_and_stays_so_for_a_while(still: Scheduler, error: Exception) -> None:
    sizes: list[int] = []

    def encode(values: Sequence[int]) -> list[int]:
        sizes.append(len(values))
        if len(values) > 1:
            raise error
        return double(values)

    futures = [still.submit("k", number, encode, owner="ann") for number in range(6)]
    while still.turn():
        pass
    assert [future.result(0) for future in futures] == [0, 2, 4, 6, 8, 10]
    assert sizes[:3] == [4, 2, 1]
    assert max(sizes[1:]) == 2


def test_what_does_not_fit_alone_is_refused_in_words(still: Scheduler) -> None:
    def encode(values: Sequence[int]) -> list[int]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    future = still.submit("k", 1, encode, owner="ann")
    still.turn()
    with pytest.raises(OutOfResources, match="does not fit into the device's memory"):
        future.result(0)


def test_a_lack_of_memory_lets_go_of_what_the_failed_step_held(still: Scheduler) -> None:
    held: list[Any] = []

    class Tensor:
        def __del__(self) -> None:
            held.append("freed")

    def work() -> Iterator[int]:
        big = Tensor()
        yield 1
        raise torch.OutOfMemoryError(f"CUDA out of memory. {type(big)}")

    job = still.open(work, owner="ann")
    still.turn()
    still.advance(job)
    still.turn()
    assert isinstance(job.slot.exception(0), OutOfResources)
    assert held == ["freed"]


def test_who_cancels_returns_at_once_and_the_generator_is_closed_in_the_worker(live: Scheduler) -> None:
    closed: list[str] = []

    def work() -> Iterator[int]:
        try:
            while True:
                time.sleep(0.3)
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    token = CancelToken()
    threading.Timer(0.05, token.cancel).start()
    before = time.monotonic()
    with pytest.raises(Cancelled):
        next(live.stream(work, owner="ann", scope=CancelScope(token)))
    assert time.monotonic() - before < 0.25
    live.close()
    assert closed == ["device"]


def test_what_is_cancelled_before_it_starts_is_never_computed(still: Scheduler) -> None:
    seen: list[int] = []
    token = CancelToken()
    future = still.submit("k", 1, lambda values: seen.extend(values) or values, owner="a", scope=CancelScope(token))
    token.cancel()
    still.turn()
    assert isinstance(future.exception(0), Cancelled)
    assert seen == []


def test_a_deadline_ends_a_job_that_nobody_steps(live: Scheduler) -> None:
    closed = threading.Event()

    def work() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    live.open(work, owner="ann", scope=CancelScope(until=time.monotonic() + 0.05))
    assert closed.wait(2.0)
    with pytest.raises(DeadlinePassed):
        CancelScope(until=time.monotonic() - 1).check()


def test_who_stops_listening_ends_the_job(live: Scheduler) -> None:
    closed = threading.Event()

    def work() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    stream = live.stream(work, owner="ann")
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    stream.close()  # type: ignore[attr-defined]
    assert closed.wait(2.0)
    assert live.waiting == 0


def test_one_finished_step_waits_and_no_more(live: Scheduler) -> None:
    log: list[str] = []
    stream = live.stream(lambda: counting(log, "s", 100), owner="ann")
    next(stream)
    time.sleep(0.1)
    assert len(log) <= 2
    stream.close()  # type: ignore[attr-defined]


def test_too_many_long_jobs_are_refused(still: Scheduler) -> None:
    for _ in range(3):
        still.open(lambda: iter([1]), owner="ann")
    with pytest.raises(Busy, match="3 long jobs"):
        still.open(lambda: iter([1]), owner="ann")
    still.open(lambda: iter([1]), owner="ben")
    crowded = Scheduler(jobs=(2, 3), threaded=False)
    for owner in ("ann", "ben"):
        crowded.open(lambda: iter([1]), owner=owner)
    with pytest.raises(Busy, match="2 long jobs are waiting"):
        crowded.open(lambda: iter([1]), owner="cem")


def test_closing_finishes_the_small_and_stops_the_long() -> None:
    others = set(threading.enumerate())
    scheduler = Scheduler()
    stream = scheduler.stream(lambda: iter(range(10**6)), owner="ann")
    next(stream)
    small = [scheduler.submit("k", number, double, owner="ben") for number in range(50)]
    before = time.monotonic()
    scheduler.close()
    assert time.monotonic() - before < 5.0
    assert [future.result(0) for future in small] == double(range(50))
    with pytest.raises(Cancelled):
        list(stream)
    with pytest.raises(Cancelled):
        scheduler.submit("k", 1, double, owner="ben")
    assert not [thread for thread in set(threading.enumerate()) - others if thread.name == "device"]


def test_an_unfilled_batch_waits_only_while_more_is_coming(live: Scheduler) -> None:
    sizes: list[int] = []

    def encode(values: Sequence[int]) -> list[int]:
        sizes.append(len(values))
        return double(values)

    slow = Scheduler(batch=8, linger=5.0)
    with slow.more_coming():
        futures = [slow.submit("k", number, encode, owner="ann") for number in range(8)]
        assert [future.result(2.0) for future in futures] == double(range(8))
    assert slow.submit("k", 1, encode, owner="ann").result(2.0) == 2
    assert sizes == [8, 1]
    slow.close()


def noise(seed: int) -> Iterator[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(5):
        yield torch.randn(8, generator=generator)


def test_seeded_jobs_give_the_same_bits_interleaved_as_alone(live: Scheduler) -> None:
    alone = {seed: torch.stack(list(noise(seed))) for seed in range(3)}
    streams = {seed: live.stream(lambda seed=seed: noise(seed), owner=str(seed)) for seed in range(3)}
    mixed: dict[int, list[torch.Tensor]] = {seed: [] for seed in range(3)}
    for _ in range(5):
        for seed, stream in streams.items():
            mixed[seed].append(next(stream))
    assert all(torch.equal(torch.stack(mixed[seed]), alone[seed]) for seed in range(3))


def test_a_job_without_gradients_leaves_others_theirs(live: Scheduler) -> None:
    def without() -> Iterator[bool]:
        with torch.no_grad():
            yield torch.is_grad_enabled()
            yield torch.is_grad_enabled()

    def plain() -> Iterator[bool]:
        yield torch.is_grad_enabled()
        yield torch.is_grad_enabled()

    first, second = live.stream(without, owner="a"), live.stream(plain, owner="b")
    assert [next(first), next(second), next(first), next(second)] == [False, True, False, True]

    def leaky() -> Iterator[int]:
        with torch.inference_mode():
            yield 1

    with pytest.raises(RuntimeError, match="inference_mode"):
        next(live.stream(leaky, owner="c"))
    third = live.stream(lambda: iter([torch.is_inference_mode_enabled()]), owner="d")
    assert list(third) == [False]


def test_many_visitors_at_once_each_get_their_own_and_leave_nothing() -> None:
    active, most, lock = 0, 0, threading.Lock()
    before = threading.active_count()
    scheduler = Scheduler(batch=8, jobs=(100, 100))
    problems: list[str] = []

    def on_device() -> None:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.0002)
        with lock:
            active -= 1

    def encode(values: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        on_device()
        return list(values)

    def job(name: int) -> Iterator[tuple[int, int]]:
        for step in range(5):
            on_device()
            yield name, step

    def visitor(name: int) -> None:
        luck = random.Random(name)
        for turn in range(20):
            token = CancelToken()
            scope = CancelScope(token)
            try:
                if luck.random() < 0.5:
                    if luck.random() < 0.3:
                        threading.Timer(luck.random() * 0.002, token.cancel).start()
                    value = (name, turn)
                    got = scope.wait(scheduler.submit("k", value, encode, owner=str(name), scope=scope))
                    problems.extend([f"{value} got {got}"] * (got != value))
                else:
                    stop = luck.randint(1, 8)
                    stream = scheduler.stream(lambda: job(name), owner=str(name), scope=scope)
                    taken = [step for step, _ in zip(stream, range(stop), strict=False)]
                    stream.close()  # type: ignore[attr-defined]
                    problems.extend([f"{name}: {taken}"] * (taken != [(name, n) for n in range(min(stop, 5))]))
            except Cancelled:
                pass

    threads = [threading.Thread(target=visitor, args=(name,)) for name in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    scheduler.close()
    assert problems == []
    assert most == 1
    assert scheduler.waiting == 0
    assert threading.active_count() <= before

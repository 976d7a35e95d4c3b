"""Jobs: a click on Run always starts a job, Stop ends it at its next step, and two never overlap."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from apps.shared.jobs import Jobs, throttle
from workbench.errors import BadInput, Busy, Cancelled
from workbench.scheduler import CancelToken

MESSAGE = "Stopped."


def counting(_: CancelToken) -> Iterator[int]:
    yield from range(3)


def endless(token: CancelToken) -> Iterator[int]:
    number = 0
    while not token.cancelled:
        yield number
        number += 1
    raise Cancelled("Stopped on request.")


def deaf(_: CancelToken) -> Iterator[int]:
    while True:  # never looks at its token
        yield 0


def keeping(token: CancelToken) -> Iterator[int]:
    while not token.cancelled:
        yield 0
    yield 99  # the best so far


def refusing(_: CancelToken) -> Iterator[int]:
    yield 0
    raise BadInput("No such label.")


def test_before_an_error_an_older_answer_is_taken_away_where_that_is_asked_for() -> None:
    for failed, expected in ((None, [0]), (-2, [0, -2])):
        shown: list[int] = []
        with pytest.raises(BadInput, match="No such label"):
            shown.extend(Jobs("answer").run("page", refusing, stopped=-1, failed=failed))
        assert shown == expected


def test_a_run_goes_through_and_frees_its_page() -> None:
    jobs = Jobs("answer", stopped=MESSAGE)
    assert list(jobs.run("page", counting, stopped=-1)) == [0, 1, 2]
    assert not jobs.stop("page")


@pytest.mark.parametrize(("work", "rest"), [(endless, [-1]), (deaf, [0, -1]), (keeping, [99, -1])])
def test_stop_ends_a_run_at_its_next_step_and_the_next_press_runs(work: object, rest: list[int]) -> None:
    jobs = Jobs("answer", stopped=MESSAGE)
    for _ in range(3):
        jobs.request("page")
        going = jobs.run("page", work, stopped=-1)  # type: ignore[arg-type]
        assert next(going) == 0
        assert jobs.stop("page")
        assert list(going) == rest
    assert list(jobs.run("page", counting, stopped=-1)) == [0, 1, 2]


def test_a_press_while_the_stopped_run_still_computes_begins_when_that_has_ended() -> None:
    jobs, computing, done = Jobs("answer", stopped=MESSAGE), threading.Event(), threading.Event()
    order: list[str] = []

    def slow(_: CancelToken) -> Iterator[int]:
        yield 0
        computing.set()
        done.wait(20)  # a step that knows no stop
        order.append("the first has ended")
        yield 1

    first = jobs.run("page", slow, stopped=-1)
    next(first)
    rest: list[int] = []
    one = threading.Thread(target=lambda: rest.extend(first))
    one.start()
    assert computing.wait(20)
    assert jobs.stop("page")
    seen: list[int] = []

    def second() -> None:
        for screen in jobs.run("page", counting, stopped=-1):
            order.append("the second shows")
            seen.append(screen)

    two = threading.Thread(target=second)
    two.start()
    two.join(0.2)
    assert order == []
    done.set()
    one.join(20)
    two.join(20)
    assert rest[-1] == -1
    assert seen == [0, 1, 2]
    assert order[0] == "the first has ended"


def test_a_newer_run_ends_the_one_before_without_a_word() -> None:
    jobs = Jobs("answer", stopped=MESSAGE)
    first = jobs.run("page", endless, stopped=-1)
    next(first)
    heard: list[object] = []

    def listen() -> None:
        try:
            heard.extend(first)
        except Cancelled as error:
            heard.append(error)

    newer = jobs.run("page", counting, stopped=-1)
    one = threading.Thread(target=listen)
    one.start()
    assert list(newer) == [0, 1, 2]
    one.join(20)
    assert isinstance(heard[-1], Cancelled)
    assert -1 not in heard


def test_one_that_a_newer_run_ends_shows_nothing_more() -> None:
    jobs, ended = Jobs("answer", stopped=MESSAGE), threading.Event()

    def listened(token: CancelToken) -> Iterator[int]:
        token.on_cancel(ended.set)
        yield from deaf(token)

    first = jobs.run("page", listened, stopped=-1)
    assert next(first) == 0
    newer: list[int] = []
    one = threading.Thread(target=lambda: newer.extend(jobs.run("page", counting, stopped=-1)))
    one.start()
    assert ended.wait(20)
    with pytest.raises(Cancelled):
        next(first)
    one.join(20)
    assert newer == [0, 1, 2]


def test_what_waits_for_a_free_place_can_be_stopped_and_asked_for_again() -> None:
    jobs = Jobs("answer", stopped=MESSAGE)
    jobs.request("page")
    assert jobs.stop("page")
    assert list(jobs.run("page", counting, stopped=-1)) == [-1]
    jobs.request("page")
    assert jobs.stop("page")
    jobs.request("page")
    assert list(jobs.run("page", counting, stopped=-1)) == [0, 1, 2]


def test_of_many_impatient_presses_only_the_last_one_waits() -> None:
    jobs, release = Jobs("answer", stopped=MESSAGE), threading.Event()

    def slow(_: CancelToken) -> Iterator[int]:
        yield 0
        release.wait(20)  # a step that knows no stop
        yield 1

    first = jobs.run("page", slow, stopped=-1)
    next(first)
    heard: list[list[object]] = [[] for _ in range(4)]

    def listen(run: Iterator[int], to: list[object]) -> None:
        try:
            to.extend(run)
        except Cancelled as error:
            to.append(error)

    threads = [threading.Thread(target=listen, args=(first, heard[0]))]
    threads[0].start()
    for to in heard[1:]:
        threads.append(threading.Thread(target=listen, args=(jobs.run("page", counting, stopped=-1), to)))
        threads[-1].start()
        threads[-1].join(0.2)  # its turn to be the newest
    for number in (1, 2):
        threads[number].join(20)
        assert isinstance(heard[number][-1], Cancelled)  # ended without waiting for the slow step
    assert threads[3].is_alive()
    release.set()
    for thread in threads:
        thread.join(20)
    assert heard[3] == [0, 1, 2]


def test_pages_do_not_stop_each_other_and_a_page_that_is_closed_leaves_nothing() -> None:
    jobs = Jobs("answer", stopped=MESSAGE, places=1)
    one, two = (jobs.run(page, endless, stopped=-1) for page in ("one", "two"))
    assert jobs.request("two") == ""
    next(one), next(two)
    assert "All slots are busy" in jobs.request("three")
    assert jobs.stop("one")
    assert list(one) == [-1]
    assert next(two) == 1
    two.close()  # type: ignore[attr-defined]
    assert jobs.request("three") == ""
    assert not jobs.stop("two")


def test_a_run_that_does_not_end_is_told_and_not_joined() -> None:
    jobs = Jobs("answer", stopped=MESSAGE, wait=0.05)
    first = jobs.run("page", endless, stopped=-1)
    next(first)
    with pytest.raises(Busy, match="Press again"):
        next(jobs.run("page", counting, stopped=-1))


def test_each_kind_of_job_has_its_own_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {kind: Jobs(kind).seconds for kind in ("answer", "attribution", "batch", "lesson", "audit", "download")}
    assert len(set(seconds.values())) == len(seconds)
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert Jobs("audit").seconds == 110
    with pytest.raises(AttributeError):
        _ = Jobs("nothing").seconds


def test_progress_is_throttled_and_results_are_not() -> None:
    updates = [("step", 0), ("step", 1), ("result", 2), ("step", 3), ("result", 4)]
    kept = list(throttle(iter(updates), passes=lambda update: update[0] == "result", pause=60))
    assert kept == [("step", 0), ("result", 2), ("result", 4)]
    assert list(throttle(iter(updates), passes=lambda update: False, pause=0)) == updates

"""Workers: equal pixels, one failed job for each death, limits of memory and time, and no process left behind."""

from __future__ import annotations

import io
import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from workbench import worker
from workbench.errors import BadPicture, Cancelled, DeadlinePassed, OutOfResources, WorkbenchError
from workbench.images import decode_here, is_large, safe_decode, safe_open
from workbench.pictures import SAMPLES, sample_path
from workbench.scheduler import CancelScope, CancelToken
from workbench.worker import WorkerPool, supervised
from workbench.worker.jobs import Lane, NativeJob

PLANTED = "tests.workbench.worker.planted_jobs"
LANE = Lane("test", 2, 1_000_000_000, idle=60)


def planted(name: str, **limits: Any) -> NativeJob:
    return replace(NativeJob(LANE, f"{PLANTED}:{name}", 20.0, 60.0, "testing", BadPicture), **limits)


def value(reply: Any, data: memoryview) -> tuple[Any, bytes]:
    return reply, bytes(data)


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with supervised():
        pool = worker.active()
        assert pool is not None
        yield pool
    assert worker.active() is None
    for pid in pool.pids():
        assert not psutil.pid_exists(pid)


def here(path: Path) -> Image.Image:
    return decode_here(path.read_bytes(), path.name)


def png(width: int, height: int) -> bytes:
    pixels = np.random.default_rng(width).integers(0, 8, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_a_worker_returns_the_pixels_that_this_process_decodes(pool: WorkerPool, tmp_path: Path) -> None:
    paths = [*(sample_path(row.key) for row in SAMPLES[:6]), tmp_path / "large.png"]
    paths[-1].write_bytes(png(2300, 1900))
    for path in paths:
        assert safe_open(path).tobytes() == here(path).tobytes()
    assert [is_large(path) for path in paths] == [False] * 6 + [True]
    assert pool.pids()


def test_an_image_is_made_smaller_where_it_is_decoded(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png(2300, 1900))
    for path, size in ((tmp_path / "large.png", (81, 67)), (sample_path(SAMPLES[0].key), (101, 67))):
        there = safe_open(path, shorter=67)
        expected = here(path).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        assert there.tobytes() == expected.tobytes()
        assert there.size == size
    assert safe_open(tmp_path / "large.png", shorter=1900).size == (2300, 1900)


def test_errors_of_a_worker_are_those_of_this_process(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(png(40, 40)[:300])
    with pytest.raises(BadPicture, match=r"'broken.png' is damaged"):
        safe_open(tmp_path / "broken.png")
    with pytest.raises(BadPicture, match="cannot be read as one"):
        safe_decode(b"GIF89a", "x.gif")
    with pytest.raises(RuntimeError, match="TypeError"):
        pool.call(planted("sleep"), {}, read=value)
    assert pool.call(planted("echo"), {"a": [1.5, None, "é"]}, b"xyz", read=value) == ({"a": [1.5, None, "é"]}, b"xyz")


def test_a_crash_costs_one_job_and_one_line(pool: WorkerPool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(BadPicture, match="SIGSEGV"):
        pool.call(planted("crash"), {}, read=value)
    assert len(caplog.records) == 1
    assert pool.call(planted("echo"), {}, b"after", read=value) == ({}, b"after")


def test_memory_computing_and_waiting_are_bounded(pool: WorkerPool) -> None:
    with pytest.raises(OutOfResources, match="memory"):
        pool.call(planted("eat"), {}, read=value)
    with pytest.raises(BadPicture, match="of computing"):
        list(pool.stream(planted("spin", cpu=0.5), {}))
    with pytest.raises(DeadlinePassed):
        pool.call(planted("sleep", seconds=0.5), {"seconds": 30}, read=value)
    assert pool.call(planted("echo"), {}, b"after", read=value) == ({}, b"after")


def test_a_stream_goes_on_where_its_killed_worker_was(pool: WorkerPool, tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match="try again"):
        list(pool.stream(planted("count"), {"file": str(tmp_path / "once")}))
    numbers = [number for number, _ in pool.stream(planted("count"), {"file": str(tmp_path / "again")}, again=True)]
    assert numbers == [0, 1, 2, 3, 4]


def test_work_ends_soon_after_its_caller_has_left(pool: WorkerPool) -> None:
    token = CancelToken()
    threading.Timer(0.5, token.cancel).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        list(pool.stream(planted("spin"), {}, scope=CancelScope(token)))
    assert time.monotonic() - begun < 2.0
    answers = pool.stream(planted("spin"), {})
    next(answers)
    (spinning,) = [pid for pid in pool.pids() if psutil.Process(pid).cpu_times().user >= 0][-1:]
    answers.close()  # the caller's generator is closed
    assert not psutil.pid_exists(spinning)


def test_a_full_lane_lets_callers_leave_and_others_work(pool: WorkerPool) -> None:
    token = CancelToken()
    with ThreadPoolExecutor(3) as threads:
        sleeping = [threads.submit(pool.call, planted("sleep"), {"seconds": 1.5}, read=value) for _ in range(2)]
        time.sleep(0.3)
        third = threads.submit(pool.call, planted("echo"), {}, read=value, scope=CancelScope(token))
        assert safe_open(sample_path(SAMPLES[0].key)).size
        token.cancel()
        with pytest.raises(Cancelled):
            third.result(1.0)
        assert [one.result()[0] for one in sleeping] == ["woken", "woken"]


def test_killed_workers_cost_no_visitor_more_than_one_job(pool: WorkerPool) -> None:
    paths = [sample_path(row.key) for row in SAMPLES]
    expected = [here(path).tobytes() for path in paths]
    decoded, failed, sentences = Counter[int](), Counter[int](), list[str]()
    generator, over = random.Random(0), threading.Event()

    def visit(visitor: int) -> None:
        for path, pixels in zip(paths * 2, expected * 2, strict=True):
            try:
                decoded[visitor] += safe_open(path).tobytes() == pixels
            except WorkbenchError as error:
                failed[visitor] += 1
                sentences.append(str(error))

    def kill() -> int:
        deaths = 0
        while not over.wait(0.05):
            if decoded.total() >= 10 * deaths and (pids := pool.pids()):  # on a busy machine a worker starts slowly
                os.kill(generator.choice(pids), signal.SIGKILL)
                deaths += 1
        return deaths

    with ThreadPoolExecutor(5) as threads:
        killer = threads.submit(kill)
        list(threads.map(visit, range(4)))
        over.set()
    assert killer.result() >= 3
    assert max(failed.values(), default=0) <= 1, sentences
    assert all("try again" in sentence for sentence in sentences)
    assert all(decoded[visitor] == 2 * len(paths) - failed[visitor] for visitor in range(4))


def test_where_no_process_can_be_made_this_one_decodes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("subprocess.Popen", refuse)
    with supervised():
        while worker.active() is not None:
            time.sleep(0.01)
        assert safe_open(sample_path(SAMPLES[0].key)).size
    assert "the serving process decodes" in caplog.text

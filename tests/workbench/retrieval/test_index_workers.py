"""An index that workers read and write: equal results, limits, deaths, and an end when its visitor leaves."""

from __future__ import annotations

import logging
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.workbench.retrieval.test_search import made_table
from workbench import worker
from workbench.engine import Session
from workbench.errors import BadInput, Cancelled, Damaged, OutOfResources, WorkbenchError
from workbench.retrieval import index, lance
from workbench.retrieval.adding import add
from workbench.retrieval.conditions import TypedSql
from workbench.retrieval.filters import filter_or_sql
from workbench.retrieval.index import find_table
from workbench.retrieval.rows import IndexRow, as_table
from workbench.retrieval.search import search
from workbench.retrieval.table import ask
from workbench.scheduler import CancelScope, CancelToken
from workbench.worker import WorkerPool, supervised
from workbench.worker.jobs import INDEX, INDEX_WRITE

Run = Callable[[Any], Any]


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with supervised(INDEX):
        pool = worker.active()
        assert pool is not None
        yield pool


def typed(text: str) -> TypedSql:
    sql = TypedSql(text)
    sql.refusal = "No filter."
    return sql


@pytest.mark.heavy
def test_workers_add_search_and_remove_as_this_process_does(
    session: Session, pictures: Path, run: Run, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = run(add("there", session, [str(pictures)]))
    assert (report.added, report.rows) == (32, 32)
    query = session.embed_texts(["a red picture"]).numpy()[0]
    filters = ("", "label = 'red'", "width > 10 and not path like '%blue%'")
    theirs = [search(find_table("there"), query, where=where) for where in filters]
    with monkeypatch.context() as alone:
        alone.setattr(worker, "_pools", [])
        run(add("here", session, [str(pictures)]))
        ours = [search(find_table("here"), query, where=where) for where in filters]
    for one, other in zip(ours, theirs, strict=True):
        assert [(hit.path, hit.score, hit.row) for hit in one.hits] == [
            (hit.path, hit.score, hit.row) for hit in other.hits
        ]
        assert one.rows == other.rows > 0
    index.remove("there")
    with pytest.raises(BadInput):
        find_table("there")
    assert find_table("here").rows == 32


@pytest.mark.heavy
def test_the_serving_process_never_loads_lancedb(tmp_path: Path) -> None:
    script = """
import sys
from workbench.retrieval.index import find_table, make_table
from workbench.worker import supervised
from workbench.worker.jobs import INDEX
with supervised(INDEX):
    make_table(sys.argv[1], model="m", fingerprint="0" * 40, dim=2)
    assert find_table(sys.argv[1]).rows == 0
assert not [name for name in sys.modules if name.startswith(("lancedb", "lance."))]
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "an")], check=True, timeout=120)


@pytest.mark.heavy
def test_sql_is_evaluated_in_a_worker_only_and_within_its_limits(
    home: Path, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened, vectors = made_table(300)
    with monkeypatch.context() as alone:
        alone.setattr(worker, "_pools", [])
        with pytest.raises(BadInput, match="process of its own"):
            search(opened, vectors[0], where=typed("length(path) > 5"))
    with filter_or_sql("length(path) = 6 AND label = 'odd'") as condition:
        assert {hit.row["label"] for hit in search(opened, vectors[0], where=condition).hits} == {"odd"}
    with filter_or_sql("width > 12") as condition:
        assert type(condition) is str
    with filter_or_sql("no such thing") as condition, pytest.raises(BadInput, match=r"at character 1.*As SQL"):
        search(opened, vectors[0], where=condition)
    for attack in ("length(repeat('a', 2000000000)) > 5", f"{'width + ' * 3000} width > 1"):
        caplog.clear()
        with caplog.at_level(logging.WARNING), pytest.raises(WorkbenchError):
            search(opened, vectors[0], where=typed(attack))
        assert len(caplog.records) <= 1
        assert search(opened, vectors[0], where="width > 12").hits


def test_a_condition_computes_no_longer_than_its_visitor_waits(home: Path, pool: WorkerPool) -> None:
    _, vectors = made_table(300)
    token = CancelToken()
    opened = find_table("made", scope=CancelScope(token))
    slow = "levenshtein(repeat(path, 20000), repeat(sha256, 2000)) > 5"
    threading.Timer(1.0, token.cancel).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        search(opened, vectors[0], where=typed(slow))
    assert time.monotonic() - begun < 3.0
    before = computing(pool)
    time.sleep(0.5)
    assert computing(pool) - before < 0.2


def computing(pool: WorkerPool) -> float:
    """Seconds that all workers have computed."""
    times = [psutil.Process(pid).cpu_times() for pid in pool.pids() if psutil.pid_exists(pid)]
    return sum(one.user + one.system for one in times)


@pytest.mark.heavy
def test_killed_workers_cost_no_search_and_double_no_row(home: Path, pool: WorkerPool) -> None:
    opened, vectors = made_table(300)
    expected = [hit.path for hit in search(opened, vectors[0], top=5, where="label = 'odd'").hits]
    answered, failed, sentences, over = Counter[int](), Counter[int](), list[str](), threading.Event()

    def visit(visitor: int) -> None:
        for _ in range(12):
            try:
                hits = search(find_table("made"), vectors[0], top=5, where="label = 'odd'").hits
                answered[visitor] += [hit.path for hit in hits] == expected
            except WorkbenchError as error:
                failed[visitor] += 1
                sentences.append(str(error))

    def grow(number: int) -> None:
        row = IndexRow(f"/new/{number}.png", "e" * 64, 1, 0, 1, 1, "new", "", (), None, b"")
        opened.table.add(as_table([row], vectors[:1], opened.table.schema))

    def kill() -> int:
        generator, deaths = random.Random(0), 0
        while not over.wait(0.1):
            if answered.total() >= 8 * deaths and (pids := pool.pids()):
                os.kill(generator.choice(pids), signal.SIGKILL)
                deaths += 1
        return deaths

    with ThreadPoolExecutor(5) as threads:
        killer = threads.submit(kill)
        writes = threads.submit(lambda: list(map(grow, range(6))))
        list(threads.map(visit, range(3)))
        writes.result()
        over.set()
    assert killer.result() >= 3
    assert max(failed.values(), default=0) <= 1, sentences
    assert all("try again" in sentence for sentence in sentences)
    assert all(answered[visitor] + failed[visitor] == 12 for visitor in range(3))
    assert find_table("made").table.count("label = 'new'") == 6


def test_a_write_that_begins_anew_doubles_no_row(home: Path, pool: WorkerPool) -> None:
    opened, vectors = made_table(100)
    row = IndexRow("/new.png", "e" * 64, 1, 0, 1, 1, "", "", (), None, b"")
    data = b"".join(lance.packed(as_table([row], vectors[:1], opened.table.schema)))
    table = asdict(opened.table.place) | {"version": 0}
    for _ in range(2):  # its worker died after the commit
        ask("write", data, job=INDEX_WRITE, table=table, last=opened.table.place.version, replace=False)
    assert find_table("made").rows == 101


@pytest.mark.parametrize("part", ["data", "_versions"])
def test_noise_in_any_file_of_an_index_is_found(home: Path, pool: WorkerPool, part: str) -> None:
    opened, vectors = made_table(300)
    thumbnails = random.Random(0).randbytes(400_000)
    row = IndexRow("/new.png", "e" * 64, 1, 0, 1, 1, "", "", (), None, thumbnails)
    opened.table.add(as_table([row], vectors[:1], opened.table.schema))
    (folder,) = (home / "indexes" / "made").glob("*.lance")
    if part == "data":
        (file,) = (one for one in (folder / part).iterdir() if thumbnails in one.read_bytes())
        places = [0, file.read_bytes().index(thumbnails) + 200_000, file.stat().st_size - 4096]
    else:
        (file, *_) = sorted(one for one in (folder / part).iterdir() if one.suffix != ".json")  # the latest
        places = [0, 40]
    whole = file.read_bytes()
    for at in places:
        noise = random.Random(at).randbytes(min(4096, len(whole) - at))
        file.write_bytes(whole[:at] + noise + whole[at + len(noise) :])
        index._verify.cache_clear()
        with pytest.raises(Damaged, match="damaged"):
            search(find_table("made"), vectors[0])
    file.write_bytes(whole)
    assert search(find_table("made"), vectors[0]).rows == 301


def test_a_full_disk_is_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_pools", [])
    opened, vectors = made_table(300)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    rows = [IndexRow(f"/new/{n}.png", "e" * 64, 1, 0, 1, 1, "", "", (), None, bytes(n)) for n in range(300)]
    data = as_table(rows, vectors, opened.table.schema)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))  # the system refuses longer files, as on a full disk
    try:
        with pytest.raises(OutOfResources, match="disk is full"):
            opened.table.add(data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert find_table("made").rows == 300
    opened.table.add(data)
    assert find_table("made").rows == 600

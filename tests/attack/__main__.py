"""`python -m tests.attack [--short] [--model KEY] [--only NAME]`: attack, and print a table of what held."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from tests.attack import computing, doors, homes, strangers, texts, videos
from tests.attack.promises import SHORT, Row, Scenario, Size
from tests.attack.server import Server, running
from tests.attack.visitor import Watch

ALL: tuple[Scenario, ...] = (
    computing.protocols,
    computing.jobs,
    computing.sockets,
    computing.odd_requests,
    computing.uploads,
    computing.sessions,
    computing.images,
    strangers.reading,
    strangers.honest_uploads,
    strangers.broken_uploads,
    strangers.crowd,
    texts.filters,
    texts.odd_inputs,
    texts.tables,
    videos.videos,
    doors.password,
    doors.space,
    homes.two_servers,
    homes.read_only_home,
    homes.damaged_weights,
    homes.damaged_cache,
    homes.many_points,
)
QUIET_SECONDS = 0.35  # of a question on two cores that do nothing else


def main() -> int:
    """Return 0 where every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description="Attack a server of one's own.")
    parser.add_argument("--short", action="store_true", help="less than a minute, with less of everything")
    parser.add_argument("--model", default="pocket", help="the model that answers")
    names = [one.__name__ for one in ALL]
    parser.add_argument("--only", choices=names, action="append", help="one kind of attack; repeatable")
    options = parser.parse_args()
    return 0 if attack(options.only or names, SHORT if options.short else Size(), model=options.model) else 1


def attack(names: list[str], size: Size, *, model: str = "pocket") -> bool:
    """Run attacks against a new server, print a row after each and a table of all, and return whether all was kept."""
    rows: list[Row] = []
    begun = time.monotonic()
    with running(model) as server:
        print(f"Server ready after {time.monotonic() - begun:.0f} s, {server.memory():.0f} MB.")
        size = scaled(size, server)
        for scenario in ALL:
            if scenario.__name__ in names:
                for row in _rows(scenario, server, size):
                    rows.append(row)
                    print(f"{_verdict(row):7}{row.attack}: {row.figure} (promise: {row.promise})", flush=True)
        log = server.log.read_text(errors="replace")
    kept = sum(row.kept for row in rows)
    table = Table("", "attack", "promise", "figure", "s", title=f"{kept} of {len(rows)} promises kept")
    for row in rows:
        table.add_row(_verdict(row), row.attack, row.promise, row.figure, f"{row.seconds:.1f}")
    Console(width=150, markup=False, highlight=False).print(table)
    print(f"In {time.monotonic() - begun:.0f} s.", flush=True)
    if kept < len(rows):
        print(f"The end of the server's log:\n{log[-3000:]}")
    return kept == len(rows)


def _rows(scenario: Scenario, server: Server, size: Size) -> Iterator[Row]:
    """Yield the rows of one kind of attack with the seconds each took; what stops it half way is a broken promise."""
    begun = time.monotonic()
    try:
        for row in scenario(server, size):
            yield replace(row, seconds=time.monotonic() - begun)
            begun = time.monotonic()
    except Exception as error:
        figure = f"stopped by {type(error).__name__}: {error}"[:200]
        yield Row(scenario.__name__, "the server answers", figure, False, time.monotonic() - begun)


def _verdict(row: Row) -> str:
    return "kept" if row.kept else "BROKEN"


def scaled(size: Size, server: Server) -> Size:
    """Measure a question while nothing is attacked, and allow a busy machine more time in proportion."""
    with Watch(server) as watch:
        time.sleep(max(2.0, size.seconds / 4))
    factor = max(1.0, statistics.median(watch.seconds) / QUIET_SECONDS)
    size = replace(size, median=size.median * factor, worst=size.worst * factor)
    print(
        f"No attack: {watch}. Promised under attack: median {size.median:.1f} s, worst {size.worst:.1f} s.", flush=True
    )
    return size


if __name__ == "__main__":
    sys.exit(main())

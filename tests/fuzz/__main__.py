"""`python -m tests.fuzz --target image|zip|yaml|csv [--minutes 60] [--seed 0]` looks for files a reader fails on."""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import resource
import sys
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from tests.fuzz.search import Tally, search
from tests.fuzz.targets import TARGETS

MOST = 6_000_000_000  # bytes of the process that searches
CASES = Path(__file__).parent / "cases"


def main() -> int:
    """Return 0 where nothing was found, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Search for files that a reader fails on."
    )
    parser.add_argument("--target", choices=TARGETS, required=True, help="the kind of file")
    parser.add_argument("--minutes", type=float, default=60, help="minutes of computing; default 60")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn; default 0")
    parser.add_argument(
        "--save", type=Path, default=CASES, help="where files that fail are kept; default tests/fuzz/cases"
    )
    options = parser.parse_args()
    save = options.save / options.target
    tally, died, part = Tally(), [], 0
    while (left := 60 * options.minutes - _computed()) > 0:
        tally, child = _run(options.target, f"{options.seed}-{part}", tally, left, save)
        part += 1
        if child and (save / "at-work").exists():  # the process was killed, by itself or by the system
            data = (save / "at-work").read_bytes()
            path = save / f"process-ended-{hashlib.sha256(data).hexdigest()[:8]}"
            path.write_bytes(data)
            died.append(path)
            print(f"FOUND process ended with {child}: {path}.", flush=True)
    result = [*tally.findings.values(), *died]
    print(
        f"{options.target}: {tally.executions:,} executions in {_computed() / 60:.0f} minutes of computing, "
        f"seed {options.seed}; {tally.refused:,} refused with a sentence; "
        f"{len(tally.outcomes)} outcomes; "
        f"slowest {tally.slowest:.2f} s, most memory {tally.largest / 1000:.0f} MB; {len(result)} findings."
    )
    for path in result:
        print(f"  {path}")
    return 1 if result else 0


def _computed() -> float:
    """Return the seconds of computing of the searches that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(name: str, seed: str, tally: Tally, seconds: float, save: Path) -> tuple[Tally, int | None]:
    """Search in a process of its own; return what it saw (where it died, up to the last minute) and its exit code."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_child, args=(name, seed, tally, seconds, save, there))
    process.start()
    there.close()
    with suppress(EOFError):  # the other end is closed
        while True:
            tally = here.recv()
    process.join()
    return tally, process.exitcode


def _child(name: str, seed: str, tally: Tally, seconds: float, save: Path, result: Connection) -> None:
    warnings.simplefilter("ignore")  # Pillow warns of damaged metadata
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
    search(TARGETS[name], Random(seed), seconds=seconds, tally=tally, save=save, report=result.send)
    result.send(tally)
    result.close()


if __name__ == "__main__":
    sys.exit(main())

"""Run files through a reader and note whatever is no answer and no sentence, is slow, or needs much memory."""

from __future__ import annotations

import hashlib
import re
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.files import damaged
from tests.fuzz.targets import Target
from workbench.errors import WorkbenchError

SECONDS = 1.0  # of computing, for one file of up to 1 MB; a larger one may take as much for each MB
MEMORY = 300_000  # kB that one file may add at most while it is read
LONGEST = 20  # seconds of computing after which the process ends
CORPUS = 2_000  # files that are damaged further
MINUTE = 60  # seconds of computing between two lines of progress
SMALL = 1_000_000  # bytes of a file


@dataclass
class Tally:
    """What a search has seen so far."""

    executions: int = 0
    refused: int = 0
    slowest: float = 0.0  # seconds of computing
    largest: int = 0  # kB
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Path] = field(default_factory=dict)  # what is wrong -> the smallest file that shows it


@dataclass(frozen=True)
class Outcome:
    """What one file did."""

    text: str  # the answer or the sentence, without numbers and names
    fault: str  # what is wrong; empty where nothing is
    seconds: float  # of computing
    memory: int  # kB
    refused: bool = False


def execute(target: Target, data: bytes) -> Outcome:
    """Read one file and measure it."""
    Path("/proc/self/clear_refs").write_text("5")  # the highest amount of memory starts anew
    before, begun = _memory("VmRSS"), time.process_time()
    refused, fault = False, ""
    try:
        text = str(target.read(data))
    except WorkbenchError as error:
        refused, text = True, str(error)
        fault = "" if 10 < len(text) < 700 and "/dev/shm" not in text and "/tmp" not in text else "an odd sentence"
        text = re.sub(r"[\"'“].*[\"'”]|\d[\d,.]*", "#", text, flags=re.DOTALL)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = fault = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    seconds, memory = time.process_time() - begun, _memory("VmHWM") - before
    if not fault:
        fault = "slow" if seconds > SECONDS * max(1, len(data) / SMALL) else "much memory" if memory > MEMORY else ""
    return Outcome(text[:200], fault, seconds, memory, refused)


def _memory(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


def search(
    target: Target,
    rng: Random,
    *,
    seconds: float,
    tally: Tally,
    save: Path,
    report: Callable[[Tally], None] = lambda tally: None,
) -> None:
    """Make and read files for so many seconds of computing; whatever ends in a new way is damaged further.

    The file at work stands in `save/at-work`, and `report` gets the tally each minute, for when the process dies.
    """
    corpus = target.seeds()
    save.mkdir(parents=True, exist_ok=True)
    begun = last = time.process_time()
    first = tally.executions
    while (spent := (now := time.process_time()) - begun) < seconds:
        data = _next(target, corpus, rng)
        (save / "at-work").write_bytes(data)
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        outcome = execute(target, data)
        if outcome.seconds > SECONDS:  # a machine at work makes a file look slow once
            outcome = min(outcome, execute(target, data), key=lambda one: one.seconds)
        signal.setitimer(signal.ITIMER_PROF, 0)
        tally.executions += 1
        tally.refused += outcome.refused
        tally.slowest, tally.largest = max(tally.slowest, outcome.seconds), max(tally.largest, outcome.memory)
        if outcome.text not in tally.outcomes and len(data) < 200_000:
            corpus.append(data)
            del corpus[:-CORPUS]
        tally.outcomes[outcome.text] += 1
        if outcome.fault and outcome.fault not in tally.findings:
            _note(target, data, outcome, tally, save)
        if now - last > MINUTE:
            last = now
            report(tally)
            print(
                f"{spent / 60:.0f} min of computing: {tally.executions:,} executions, "
                f"{(tally.executions - first) / spent:.0f} a second, {(seconds - spent) / 60:.0f} min left; "
                f"{len(tally.outcomes)} outcomes, {len(tally.findings)} findings; slowest {tally.slowest:.2f} s, "
                f"most memory {tally.largest / 1000:.0f} MB.",
                flush=True,
            )
    (save / "at-work").unlink(missing_ok=True)


def _next(target: Target, corpus: list[bytes], rng: Random) -> bytes:
    way = rng.random()
    if way < 0.35:
        return target.make(rng)
    if way < 0.55:
        return damaged(target.make(rng), rng)
    one = rng.choice(corpus)
    if way < 0.65:  # the beginning of one and the end of another
        other = rng.choice(corpus)
        return one[: rng.randint(0, len(one))] + other[rng.randint(0, len(other)) :]
    return damaged(one, rng)


def _note(target: Target, data: bytes, outcome: Outcome, tally: Tally, save: Path) -> None:
    again = execute(target, data)
    if again.fault != outcome.fault:
        return
    small = smaller(target, data, outcome.fault, until=time.monotonic() + 20)
    path = save / f"{re.sub(r'[^a-zA-Z0-9]+', '-', outcome.fault)}-{hashlib.sha256(small).hexdigest()[:8]}"
    path.write_bytes(small)
    tally.findings[outcome.fault] = path
    figures = f"{again.seconds:.2f} s, {again.memory / 1000:.0f} MB"
    print(f"FOUND {outcome.fault}: {len(small):,} bytes, {figures}, in {path}.", flush=True)


def smaller(target: Target, data: bytes, fault: str, *, until: float) -> bytes:
    """Cut parts out of a file while it shows the same fault."""
    size = len(data) // 2
    while size and time.monotonic() < until:
        at = 0
        while at < len(data) and time.monotonic() < until:
            shorter = data[:at] + data[at + size :]
            if execute(target, shorter).fault == fault:
                data = shorter
            else:
                at += size
        size //= 2
    return data

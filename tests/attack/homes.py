"""Attacks on the files that a server lives on: shared, read-only, damaged, or with very many rows."""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree, which
from unittest.mock import patch

from benchmarks.search import NAME, build
from tests.attack.promises import Row, Size, at_once
from tests.attack.server import COMMAND, ROOT, Server, running
from tests.attack.visitor import Visitor, Watch, small_image
from workbench.engine import Engine

POINTS = 100_000
LIMITED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")  # root, whom permissions bind as well


def two_servers(server: Server, size: Size) -> Iterator[Row]:
    """Two servers on one home, asked at once; and its embeddings overwritten by noise between them."""
    with tempfile.TemporaryDirectory() as home:
        variables = {"CLIP_WORKBENCH_HOME": home, "CLIP_WORKBENCH_CACHE": f"{home}/embeddings"}
        with running(server.model, variables=variables) as one, running(server.model, variables=variables) as two:
            outcomes = at_once(4, lambda number: _audited((one, two)[number % 2], number))
            faults = one.faults() + two.faults()
        kept = outcomes == ["done"] * 4 and not faults
        figure = f"audits: {dict(Counter(outcomes))}; {faults} faults in their logs"
        yield Row("two servers on one home", "each audit is done", figure, kept)
        files = [file for file in Path(home, "embeddings").rglob("*") if file.is_file()]
        for file in files:
            file.write_bytes(random.randbytes(4096))
        with running(server.model, variables=variables) as again:
            outcome, faults = _audited(again, 0), again.faults()
        kept = bool(files) and outcome == "done" and not faults
        yield Row(
            "an audit's embeddings are noise", "made anew", f"{len(files)} files; {outcome}, {faults} faults", kept
        )


def _audited(server: Server, number: int) -> str:
    visitor = Visitor(server, 20 + number)
    _, run = visitor.protocol_events()
    return visitor.ask(run, visitor.data(run, {"audit-read-it": True, "Maximum images": 6 + number}), seconds=120)[0]


def damaged_cache(server: Server, size: Size) -> Iterator[Row]:
    """The SQLite file in which `embed` keeps embeddings: its head, its middle or all of it is noise, or it is cut."""
    noise = random.Random(0).randbytes(10**6)
    damages: dict[str, Callable[[bytes], bytes]] = {
        "begins with noise": lambda data: noise[:4096] + data[4096:],
        "holds noise behind its head": lambda data: data[:200] + noise[: len(data) - 200],
        "is noise": lambda data: noise,
        "is cut in half": lambda data: data[: len(data) // 2],
        "is empty": lambda data: b"",
    }
    with tempfile.TemporaryDirectory() as folder:
        image, home = Path(folder) / "a.png", Path(folder) / "home"
        image.write_bytes(small_image())

        def embedded(name: str) -> tuple[int, bytes, str]:
            out = Path(folder) / f"{name}.parquet"
            ended = _command("embed", str(image), "--out", str(out), "--model", server.model, "--cache", home=home)
            return ended.returncode, out.read_bytes() if out.exists() else b"", ended.stderr

        first = embedded("whole")
        base = next(home.rglob("*.sqlite3"))
        for name, damage in damages.items():
            base.write_bytes(damage(base.read_bytes()))
            code, data, words = embedded(name)
            kept = (code, data) == first[:2] and code == 0 and "Traceback" not in words
            yield Row(
                f"a cache that {name}", "the same embeddings", f"exit code {code}, equal: {data == first[1]}", kept
            )


def _command(*words: str, home: Path | str = "") -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "HF_HUB_OFFLINE": "1"} | ({"CLIP_WORKBENCH_HOME": str(home)} if home else {})
    return subprocess.run(
        [*COMMAND, *words], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False
    )


def read_only_home(server: Server, size: Size) -> Iterator[Row]:
    """A home that may not be written to, for a user whom permissions bind."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o555)
        before = LIMITED if os.geteuid() == 0 and which(LIMITED[0]) else ()
        with running(server.model, before=before, variables={"CLIP_WORKBENCH_HOME": str(home)}) as bound:
            question, audit = Visitor(bound, 2).question()[0], _audited(bound, 0)
            faults = bound.faults()
        kept = question == audit == "done" and not faults and not any(home.iterdir())
        yield Row(
            "a read-only home", "answers all the same", f"question {question}, audit {audit}, {faults} faults", kept
        )


def damaged_weights(server: Server, size: Size) -> Iterator[Row]:
    """Weights that end early, state impossible lengths, or hold noise: a sentence, and an exit code of its own."""
    whole = ROOT / "workbench" / "weights" / "pocket"
    damages: dict[str, Callable[[bytes], bytes]] = {
        "end early": lambda data: data[: len(data) // 2],
        "state 2**60 bytes of header": lambda data: (2**60).to_bytes(8, "little") + data[8:],
        "hold noise for a header": lambda data: data[:8] + random.Random(0).randbytes(4000) + data[4008:],
        "state offsets beyond the end": lambda data: data.replace(b'"data_offsets":[', b'"data_offsets":[9', 1),
        "are a pickle": lambda data: b"\x80\x04cposix\nsystem\n(S'touch owned'\ntR.",
    }
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "a.png"
        image.write_bytes(small_image())
        for name, damage in damages.items():
            place = copytree(whole, Path(folder) / "model", dirs_exist_ok=True)
            shard = sorted(place.glob("*.safetensors"))[0]
            shard.write_bytes(damage(shard.read_bytes()))
            begun = time.monotonic()
            ended = _command("classify", str(image), "--labels", "cat,dog", "--model", str(place))
            words = " ".join(ended.stderr.split())
            figure = f"exit code {ended.returncode} in {time.monotonic() - begun:.1f} s: {words[-90:]}"
            kept = ended.returncode in (2, 6, 8) and "Traceback" not in words and not (ROOT / "owned").exists()
            yield Row(f"weights that {name}", "a sentence", figure, kept)


def many_points(server: Server, size: Size) -> Iterator[Row]:
    """A map of an index of 100,000 rows, and another visitor meanwhile."""
    with tempfile.TemporaryDirectory() as home:
        variables = {"CLIP_WORKBENCH_HOME": home}
        _index(home, server.model)
        with running(server.model, variables=variables) as large:
            one, page = Visitor(large, 2, timeout=120), secrets.token_hex(6)
            menu = next(part["id"] for part in one.config["components"] if part["props"].get("elem_id") == "map-index")
            opening = next(event for event in one.config["dependencies"] if event["outputs"] == [menu])
            one.ask(opening, [], page=page)
            event, before, begun = one.event("draw"), large.memory(), time.monotonic()
            data = one.data(event, {"map-index": NAME, "map-texts": "cat, dog"})
            with Watch(large) as watch:
                outcome, words = one.ask(event, data, page=page, seconds=120)
            seconds = time.monotonic() - begun
            figure = f"{outcome} {words[:60]} in {seconds:.1f} s, {large.memory() - before:.0f} MB; {watch}"
            kept = outcome == "done" and watch.within(size.median, size.worst)
            yield Row(f"a map of {POINTS:,} points", "drawn; others wait no longer", figure, kept)


def _index(home: str, model: str) -> None:
    """Make the benchmark's index of drawn vectors."""
    with (
        patch.dict(os.environ, {"CLIP_WORKBENCH_HOME": home}),
        Engine(device="cpu", default=model) as engine,
        engine.session("attack") as session,
    ):
        build(session, POINTS)

"""Attacks with what strangers write: filters, odd values for every input, tables of labels, HTML in names."""

from __future__ import annotations

import csv
import html.parser
import io
import itertools
import random
import secrets
import time
from collections.abc import Iterator
from typing import Any

from audits import reporting
from tests.attack.promises import Row, Size, at_once
from tests.attack.server import Server
from tests.attack.visitor import Event, Visitor, Watch, small_image

FOREIGN = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
ODD: tuple[Any, ...] = (
    None, 3, -1e308, True, "", "/etc/passwd", "x" * 5000, [], {}, [[]], ["a", 3, None], {"a": 1}, FOREIGN, [FOREIGN],
    {"path": "http://10.0.0.1/a.png", "meta": {"_type": "gradio.FileData"}}, {"headers": ["a"], "data": [[1]]}, "\0",
)  # fmt: skip
FILTERS = {
    "crashes": ["width +" * 1001 + " 1 > 0", "path || " * 3001 + "'a' = 'a'", "1 = 1 OR " * 100_001 + "1 = 1"],
    "takes memory": ["length(repeat('a', 2000000000)) > 5", "path LIKE '" + "%" * 900 + "'"],
    "runs on": ["levenshtein(repeat('a', 60000), repeat('b', 60000)) > 5", "regexp_match(path, '(a*)*b')"],
}
ATTRIBUTE = "<img src=x onerror=alert(1)>"
NAMES = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '"><script>alert(1)</script>', ATTRIBUTE)


def filters(server: Server, size: Size) -> Iterator[Row]:
    """Filters that once ended the server, took its memory, or ran on after their visitor had left."""
    attacker, page = Visitor(server, 2), secrets.token_hex(6)
    files = [attacker.upload(f"{number}.png", small_image()) for number in range(4)]
    adding, search = attacker.event_of("search-files", generator=True), attacker.event("search")
    attacker.ask(adding, attacker.data(adding, {"search-files": files}), page=page)

    def ask(text: str) -> tuple[str, str]:
        given = {"search-query": "a cat", "search-filter": text}
        return attacker.ask(search, attacker.data(search, given), page=page, seconds=20)

    plain = ask("width > 3")
    for kind, texts in FILTERS.items():
        before, begun = server.memory(), time.monotonic()
        with Watch(server) as watch:
            answers = [ask(text) for text in texts]
        seconds, grown = (time.monotonic() - begun) / len(texts), server.memory() - before
        worded = all(outcome in ("done", "error") and "went wrong" not in words for outcome, words in answers)
        figure = f"{seconds:.1f} s each, {grown:.0f} MB; {watch}; {answers[0][1][:60]}"
        kept = plain[0] == "done" and worded and grown < 100 and watch.within(size.median, size.worst)
        yield Row(f"a filter that {kind}", "a sentence; others wait no longer", figure, kept)


def odd_inputs(server: Server, size: Size) -> Iterator[Row]:
    """Values of the wrong kind and paths of the host for every input of every event, one at a time."""
    page = Visitor(server, 2)
    image = page.upload("a.png", small_image())
    boxes = {one["id"]: one for one in page.config["components"]}
    calls: list[tuple[Event, list[Any]]] = []
    for event in page.config["dependencies"]:
        if event["backend_fn"]:
            data = [image if boxes[n]["type"] == "image" else boxes[n]["props"].get("value") for n in event["inputs"]]
            given = [(at, odd) for at in range(len(data)) for odd in ODD]
            calls += [(event, [*data[:at], odd, *data[at + 1 :]]) for at, odd in given] + [(event, data[:-1])]
    chosen = random.Random(0).sample(calls, min(size.odd_calls, len(calls)))
    outcomes: list[tuple[str, str, str]] = []

    def some(part: int) -> None:
        for number in range(part, len(chosen), 6):
            event, data = chosen[number]
            visitor = Visitor(server, 20 + number % 200)
            outcomes.append((str(event["api_name"]), *visitor.ask(event, data, seconds=2.0)))
            visitor.client.close()

    at_once(6, some)
    wordless = [name for name, outcome, words in outcomes if outcome == "error" and "went wrong" in words]
    figure = f"{len(outcomes)} calls, {len(wordless)} without a reason {sorted(set(wordless))[:3]}"
    yield Row("odd values for every input", "a sentence that names the box", figure, not wordless)


def tables(server: Server, size: Size) -> Iterator[Row]:
    """Tables of labels with NUL, a million columns, a huge cell; formulas and HTML as labels."""
    attacker = Visitor(server, 2)
    images = [attacker.upload(f"{number}.png", small_image()) for number in range(12)]
    run = attacker.event_of("audit-truth", generator=True)

    def audit(table: bytes) -> tuple[str, str]:
        truth = attacker.upload("truth.csv", table)
        given = {"audit-data": "mine", "audit-files": images, "audit-truth": truth, "audit-read-it": True}
        return attacker.ask(run, attacker.data(run, given | {"audit-which": ["accuracy"]}), seconds=90)

    hostile = {
        "NUL": b"path,label\n0.png,\0\n",
        "a million columns": b"path,label" + b",c" * 1_000_000 + b"\n",
        "a cell of 4 MB": b"path,label\n0.png," + b"a" * 4_000_000 + b"\n",
        "an open quote": b'path,label\n"0.png,cat\n' * 1000,
    }
    for name, table in hostile.items():
        before, begun = server.memory(), time.monotonic()
        outcome, words = audit(table)
        seconds, grown = time.monotonic() - begun, server.memory() - before
        kept = outcome == "error" and "went wrong" not in words and seconds < 3 * size.worst and grown < 100
        yield Row(
            f"a table with {name}", "a sentence", f"{seconds:.1f} s, {grown:.0f} MB; {outcome}: {words[:60]}", kept
        )
    out = io.StringIO()
    rows = ((f"{number}.png", label) for number, label in zip(range(12), itertools.cycle(NAMES), strict=False))
    csv.writer(out).writerows([("path", "label"), *rows])
    outcome, words = audit(out.getvalue().encode())
    runs = [file.parent for file in server.uploads.rglob("run.json")]
    cells, tags = 0, list[str]()
    formulas: list[str] = []
    for number, run_folder in enumerate(runs):
        files = [reporting.write([run_folder], server.log.with_name(f"{number}.{kind}")) for kind in ("csv", "html")]
        rows = [*csv.reader(io.StringIO(files[0].read_text(encoding="utf-8-sig")))]
        cells += sum(map(len, rows))
        formulas += [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t"))]
        tags += Strange.found(files[1].read_text(encoding="utf-8"))
    figure = f"{outcome} {words[:60]}; {cells} cells, {len(formulas)} formulas; {len(runs)} reports, {tags[:2]}"
    kept = outcome == "done" and bool(cells) and not formulas and not tags
    yield Row("formulas and HTML as labels", "stay text in tables and reports", figure, kept)


class Strange(html.parser.HTMLParser):
    """Notes elements and attributes of a report that came from a label."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    @classmethod
    def found(cls, text: str) -> list[str]:
        """Return what runs, or would load something called x."""
        parser = cls()
        parser.feed(text)
        return parser.tags

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if any(name.startswith("on") or (name, value) == ("src", "x") for name, value in attrs):
            self.tags.append(f"{tag} {attrs}"[:80])

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and data.strip() == "alert(1)":
            self.tags.append("script")

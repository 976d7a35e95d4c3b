"""One visitor with an address of its own: it asks as the page does, and measures how long an answer takes."""

from __future__ import annotations

import io
import json
import random
import secrets
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx
from PIL import Image

from tests.attack.server import Server

Event = dict[str, Any]  # one entry of `dependencies` in the page's configuration


class Visitor:
    """Speaks from 127.0.0.`number`."""

    def __init__(
        self, server: Server, number: int, *, timeout: float = 60.0, headers: Mapping[str, str] | None = None
    ) -> None:
        self.address = f"127.0.0.{number}"
        self.client = httpx.Client(
            base_url=server.url,
            transport=httpx.HTTPTransport(local_address=self.address),
            timeout=timeout,
            headers=headers,
        )
        self._config: dict[str, Any] | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The page's configuration."""
        if self._config is None:
            self._config = self.client.get("/config").json()
        return self._config

    def event(self, name: str) -> Event:
        """Return the event with an API name."""
        return next(one for one in self.config["dependencies"] if one["api_name"] == name)

    def protocol_events(self) -> tuple[Event, Event]:
        """Return the events that read an edited protocol: its hash, and the run of an audit."""
        parts = self.config["components"]
        text = next(one["id"] for one in parts if one["props"].get("elem_id") == "audit-protocol")
        events = [one for one in self.config["dependencies"] if text in one["inputs"]]
        return (
            min(events, key=lambda one: len(one["inputs"])),
            next(one for one in events if one["types"]["generator"]),
        )

    def event_of(self, box: str, *, generator: bool = False) -> Event:
        """Return the first event that reads a box, known by its HTML id."""
        numbers = [one["id"] for one in self.config["components"] if one["props"].get("elem_id") == box]
        return next(
            one
            for one in self.config["dependencies"]
            if one["backend_fn"] and set(numbers) & set(one["inputs"]) and one["types"]["generator"] == generator
        )

    def data(self, event: Event, given: Mapping[str, Any] | None = None) -> list[Any]:
        """Return an event's inputs as the page has them.

        Args:
            event: of the page.
            given: HTML id or label of a box -> what it holds instead.
        """
        parts, given = {one["id"]: one["props"] for one in self.config["components"]}, given or {}
        boxes = [parts[number] for number in event["inputs"]]
        return [
            next((given[key] for key in (box.get("elem_id"), box.get("label")) if key in given), box.get("value"))
            for box in boxes
        ]

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file; return it as an input takes it."""
        answer = self.client.post("/gradio_api/upload", files={"files": (name, content)})
        answer.raise_for_status()
        return {"path": answer.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def join(self, event: Event, data: list[Any], page: str) -> int:
        """Put a job into the queue without listening; return the status."""
        body = {"data": data, "fn_index": event["id"], "session_hash": page}
        return self.client.post("/gradio_api/queue/join", json=body).status_code

    def ask(self, event: Event, data: list[Any], *, page: str = "", seconds: float = 60.0) -> tuple[str, str]:
        """Put a job into the queue and listen to its end; return what came of it, and a message.

        Returns:
            "done", "error", "late" or the status of a refusal.
        """
        page = page or secrets.token_hex(6)
        status, end = self.join(event, data, page), time.monotonic() + seconds
        if status != 200:
            return str(status), ""
        stream = f"/gradio_api/queue/data?session_hash={page}"
        with suppress(httpx.HTTPError), self.client.stream("GET", stream, timeout=seconds) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    words = str((message.get("output") or {}).get("error") or "")
                    return ("done" if message.get("success") else "error"), words
                if time.monotonic() > end:
                    break
        return "late", ""

    def question(self, labels: Sequence[str] = ("cat", "dog"), image: bytes | None = None) -> tuple[str, str]:
        """Classify an image that nobody has classified before."""
        file = self.upload("small.png", image or small_image())
        return self.ask(self.event("classify"), [file, list(labels), "one", False, ""])


class Watch:
    """Asks single questions again and again, from an address of its own, while something else happens."""

    def __init__(self, server: Server, number: int = 9, headers: Mapping[str, str] | None = None) -> None:
        self.seconds: list[float] = []
        self.failed: list[str] = []
        self._visitor = Visitor(server, number, headers=headers)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Watch:
        self._visitor.question()  # loads the configuration
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(90)

    def _work(self) -> None:
        while not self._stop.is_set():
            begun = time.perf_counter()
            try:
                outcome = self._visitor.question(("cat", "dog", f"word {random.randrange(10**6)}"))
            except httpx.HTTPError as error:
                outcome = type(error).__name__, ""
            self.seconds.append(time.perf_counter() - begun)
            if outcome[0] != "done":
                self.failed.append(" ".join(outcome))
            self._stop.wait(0.2)

    def __str__(self) -> str:
        if not self.seconds:
            return "no question answered"
        text = f"median {statistics.median(self.seconds):.2f} s, worst {max(self.seconds):.2f} s of {len(self.seconds)}"
        return text + (f", {len(self.failed)} failed ({self.failed[0]})" if self.failed else "")

    def within(self, median: float, worst: float) -> bool:
        """Whether every question was answered, and soon enough."""
        return bool(
            self.seconds
            and not self.failed
            and statistics.median(self.seconds) <= median
            and max(self.seconds) <= worst
        )


def small_image() -> bytes:
    """A PNG of random colours."""
    out = io.BytesIO()
    Image.frombytes("RGB", (64, 64), random.randbytes(64 * 64 * 3)).save(out, "PNG")
    return out.getvalue()

"""Asks the page, the shell, Python and the API the same twelve questions, and compares their answers.

    python four_doors.py clip_workbench-….whl clip_workbench_weights-….whl

Run it in an empty folder: it installs the two wheels into `site`, without a network, and asks what lies there. The page
is asked as a browser asks it: by the events of its buttons.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import operator
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SITE, START_SECONDS = Path("site"), 300
OFFLINE = """import socket
_connect = socket.socket.connect
def connect(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError("no network")
    return _connect(self, address)
socket.socket.connect = connect
"""
LABELS = ["cat", "dog", "rocket"]
PROMPT, STEPS = "a red heart", {"steps": 4, "side": 64}


@dataclass(frozen=True)
class Question:
    """One question, in the words of each door."""

    title: str
    python: Callable[[Any], Any]  # takes the module `workbench`
    line: list[str]  # of the shell
    shell: Callable[[Any], Any]  # the same answer out of its JSON
    api: tuple[str, dict[str, Any], Callable[[Any], Any]]  # endpoint, arguments, the same answer out of its JSON
    page: tuple[str, dict[str, Any]]  # button, and what stands in the boxes
    shown: Callable[[Any], list[str]]  # what the page shows of such an answer


class PageDoor:
    """A page that a visitor has opened."""

    def __init__(self, address: str) -> None:
        self.address, self.session = address, secrets.token_hex(6)
        with urllib.request.urlopen(f"{address}/config", timeout=60) as answer:
            config = json.load(answer)
        self.events, self.parts = (
            config["dependencies"],
            {one["id"]: {**one["props"], "kind": one["type"]} for one in config["components"]},
        )

    def ask(self, button: str, boxes: dict[str, Any]) -> str:
        """Press a button, with these values in its boxes; return all that the page shows then."""
        named = {key: part for key, part in self.parts.items() if part.get("elem_id") == button}
        pressed = next(one for one in self.events if any(key in named for key, _ in one["targets"]))
        after = [one for one in self.events if one["trigger_after"] == pressed["id"] and "then" in str(one["targets"])]
        for event in [pressed, *after[:1]]:
            values = [self._value(self.parts[number], boxes) for number in event["inputs"]]
            body = {"data": values, "fn_index": event["id"], "session_hash": self.session, "event_data": None}
            self._post("queue/join", json.dumps(body).encode(), "application/json")
            shown = self._heard()
        return json.dumps(shown, ensure_ascii=False)

    def upload(self, path: str) -> dict[str, Any]:
        """Upload a file; return it as a box holds it."""
        head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{path}"\r\n\r\n'.encode()
        body = head + Path(path).read_bytes() + b"\r\n--x--\r\n"
        (place,) = self._post("upload", body, "multipart/form-data; boundary=x")
        return {"path": place, "orig_name": path, "meta": {"_type": "gradio.FileData"}}

    def _value(self, part: dict[str, Any], boxes: dict[str, Any]) -> Any:
        value = next(
            (boxes[key] for key in (part.get("elem_id"), part.get("label")) if key in boxes), part.get("value")
        )
        if value is None and part["kind"] == "textbox":
            return ""
        if isinstance(value, list) and value and str(value[0]).startswith("@"):
            return [self.upload(one[1:]) for one in value]
        return self.upload(value[1:]) if isinstance(value, str) and value.startswith("@") else value

    def _post(self, path: str, body: bytes, kind: str) -> Any:
        request = urllib.request.Request(f"{self.address}/gradio_api/{path}", body, {"content-type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def _heard(self) -> list[Any]:
        """Return what the page was sent, until the event was over."""
        address, shown = f"{self.address}/gradio_api/queue/data?session_hash={self.session}", []
        with urllib.request.urlopen(address, timeout=300) as lines:
            for line in lines:
                message = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                if message.get("msg") in ("process_generating", "process_completed"):
                    assert message["success"], message["output"]
                    shown.append(message["output"]["data"])
                if message.get("msg") == "process_completed":
                    return shown
        raise AssertionError("the page's stream ended before its answer")


def at(*keys: Any) -> Callable[[Any], Any]:
    """What stands at these keys, one within the other."""
    return lambda answer: functools.reduce(operator.getitem, keys, answer)


def percent(value: float) -> list[str]:
    """A share as the page shows it."""
    return [f"{100 * value:.1f} %"]


def chance(label: str) -> Callable[[Any], Any]:
    """The probability of a label in a list of answers."""
    return lambda rows: next(one["probability"] for one in rows if one["label"] == label)


def classified(
    title: str, label: str, line: list[str], api: dict[str, Any], page: dict[str, Any], **python: Any
) -> Question:
    """A question to “One image”; the answer is a label's probability."""
    key, image = python.pop("model", "pocket"), api["image"].lstrip("@")
    names = api["labels"]

    def asked(wb: Any) -> float:
        answer = wb.classify(key, image, names, progress=False, **python)
        return float(dict((name, likely) for name, likely, _ in answer.ranked())[label])

    return Question(
        title,
        asked,
        ["classify", image, "--labels", ",".join(names), *line],
        lambda rows: chance(label)(rows[0]["labels"]),
        ("classify", api, lambda answer: chance(label)(answer["answers"])),
        ("classify-go", {"classify-image": f"@{image}", "classify-labels": ",".join(names), **page}),
        lambda value: [str(round(value, 5))],
    )


def questions() -> list[Question]:
    """Return the twelve."""
    cat = {"image": "@cat.png", "labels": LABELS}
    labelled = {"evaluate-folder": ["@photos.zip"]}
    written = {"typographic-image": "@cat.png", "typographic-labels": "cat,dog", "typographic-word": "rocket"}
    accuracy = (0, "columns", "zero-shot", "accuracy")
    return [
        classified("a cat", "cat", [], cat, {}),
        classified("a rocket", "rocket", [], {"image": "@rocket.png", "labels": LABELS}, {}),
        classified(
            "with seven templates",
            "cat",
            ["--templates", "seven"],
            {**cat, "templates": "seven"},
            {"Prompt templates": "seven"},
            templates="seven",
        ),
        classified(
            "with a template of one's own",
            "cat",
            ["--templates", "art of a {}."],
            {**cat, "templates": "art of a {}."},
            {"Prompt templates": "own", "My templates": "art of a {}."},
            templates=["art of a {}."],
        ),
        classified(
            "or none of these",
            "cat",
            ["--none-of-these"],
            {**cat, "none_of_these": True},
            {"Add “none of these”": True},
            none_of_these=True,
        ),
        classified(
            "by another model",
            "cat",
            ["--model", "pocket-lite2"],
            {**cat, "model": "pocket-lite2"},
            {"model-menu": "pocket-lite2"},
            model="pocket-lite2",
        ),
        Question(
            "search",
            lambda wb: wb.Index("./python-index").search("a rocket", top=1)[0].score,
            ["index", "search", "./python-index", "a rocket", "--top", "1"],
            at(0, "score"),
            ("search", {"index": "$index", "query": "a rocket", "top": 1}, at("results", 0, "score")),
            ("search-go", {"search-query": "a rocket", "search-weaker": True}),
            lambda value: [f"{value:.2f} · "],
        ),
        Question(
            "search with signs",
            lambda wb: wb.Index("./python-index").search("2:cat - rocket", top=1)[0].score,
            ["index", "search", "./python-index", "2:cat - rocket", "--top", "1"],
            at(0, "score"),
            ("search", {"index": "$index", "query": "2:cat - rocket", "top": 1}, at("results", 0, "score")),
            ("search-go", {"search-query": "2:cat - rocket", "search-weaker": True}),
            lambda value: [f"{value:.2f} · "],
        ),
        Question(
            "a unit",
            lambda wb: wb.load("pocket").unit("last", 373, progress=False).to_dict()["names"][0]["name"],
            ["neuron", "pocket", "last", "373"],
            at("names", 0, "name"),
            ("neuron", {"unit": 373}, at("names", 0, "name")),
            ("neurons-go", {"neurons-unit": 373}),
            lambda name: [f">{name}</th>"],
        ),
        Question(
            "write on it",
            lambda wb: at("probability")(
                wb.load("pocket").attack("cat.png", labels=["cat", "dog"], word="rocket", progress=False).to_dict()
            ),
            ["attack", "cat.png", "--labels", "cat,dog", "--word", "rocket"],
            at("probability"),
            ("attack", {"image": "@cat.png", "labels": ["cat", "dog"], "word": "rocket"}, at("probability")),
            ("typographic-word", written),
            percent,
        ),
        Question(
            "evaluate",
            lambda wb: at(*accuracy)(wb.evaluate("photos.zip", shots=[], by="zero-shot", progress=False).to_dict()),
            ["evaluate", "photos.zip", "--shots", "", "--by", "zero-shot"],
            at(*accuracy),
            ("evaluate", {"photos": "@photos.zip", "shots": [], "by": "zero-shot"}, at("models", *accuracy)),
            ("evaluate-go", labelled),
            percent,
        ),
        Question(
            "generate",
            lambda wb: wb.load("pocket").generate(PROMPT, method="pixels", progress=False, **STEPS).similarity,
            ["generate", PROMPT, "--method", "pixels", "--steps", "4", "--set", "side=64", "--out", "made"],
            at(0, "similarity"),
            ("generate", {"prompt": PROMPT, "method": "pixels", "settings": STEPS}, at("similarity")),
            ("generation-go", {"generation-prompt": PROMPT, "generation-method": "pixels", "Steps": 4, "Side": 64}),
            lambda value: [f"{value:.3f}"],
        ),
    ]


def in_shell(line: list[str]) -> Any:
    """Run a command; return its JSON."""
    from apps.shell import run

    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = run([*line, "--json"])
    assert code == 0, f"exit code {code}: {line}"
    return json.loads(output.getvalue())


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Serve the page; give its address when it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, server = f"http://127.0.0.1:{port}", subprocess.Popen([sys.executable, "-m", "app", "--port", str(port)])
    try:
        for _ in range(2 * START_SECONDS):
            assert server.poll() is None, "the server ended before it answered"
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
                if b'"ready"' in answer.read():
                    break
            time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(120)


def compare() -> int:
    """Ask all doors all questions; return how many answers differ."""
    from gradio_client import Client, handle_file

    import workbench as wb

    assert Path(wb.__file__).is_relative_to(SITE.resolve()), wb.__file__
    prepare(wb)
    wrong = 0
    with serving() as address:
        client, page = Client(address, verbose=False), PageDoor(address)
        index = client.predict(images=[handle_file("cat.png"), handle_file("rocket.png")], api_name="/index_add")[
            "index"
        ]
        page.ask("search-add", {"search-files": ["@cat.png", "@rocket.png"]})
        wb.Index("./python-index", "pocket").add(["cat.png", "rocket.png"], progress=False)
        for one in questions():
            name, given, pick = one.api
            values = {
                key: handle_file(value[1:]) if str(value).startswith("@") else index if value == "$index" else value
                for key, value in given.items()
            }
            expected = one.python(wb)
            answers = {
                "shell": one.shell(in_shell(one.line)),
                "API": pick(client.predict(api_name=f"/{name}", **values)),
            }
            differ = [door for door, answer in answers.items() if not same(answer, expected)]
            shown = page.ask(*one.page)
            differ += ["page"] * any(text not in shown for text in one.shown(expected))
            wrong += bool(differ)
            print(f"{one.title}: {expected}{'; differs: ' if differ else ''}{', '.join(differ)}", flush=True)
            if "page" in differ:
                print(f"  the page shows {shown[:2000]}, not {one.shown(expected)}", flush=True)
    return wrong


def same(one: Any, other: Any) -> bool:
    """Whether two answers agree: names are equal, numbers to 1e-4."""
    return abs(one - other) < 1e-4 if isinstance(other, float) else bool(one == other)


def prepare(wb: Any) -> None:
    """Write the pictures that are asked about."""
    with zipfile.ZipFile("photos.zip", "w") as packed:
        for name in ("cat", "rocket"):
            picture = wb.sample(name)
            picture.save(f"{name}.png")
            for number in range(8):
                file = io.BytesIO()
                picture.rotate(3 * number).resize((160, 160)).save(file, "PNG")
                packed.writestr(f"{name}/{number}.png", file.getvalue())


def main() -> None:
    """Install the wheels where they are given, then compare in a process that sees nothing else."""
    if len(sys.argv) == 1:
        sys.exit(compare())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(SITE)]
    subprocess.run([*pip, *sys.argv[1:]], check=True)
    (SITE / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")
    home = str(Path("home").resolve())
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CLIP_WORKBENCH")}
    environment = {**kept, "PYTHONPATH": str(SITE.resolve()), "CLIP_WORKBENCH_HOME": home, "HF_HUB_OFFLINE": "1"}
    sys.exit(subprocess.run([sys.executable, str(Path(__file__).resolve())], env=environment).returncode)


if __name__ == "__main__":
    main()

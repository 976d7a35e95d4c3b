"""Makes `docs/api.md` of the table of endpoints: `python -m tests.apps.api.documenting` writes it anew.

Each example stands in Python, curl and JavaScript; tests run them, one after the other, against one server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from apps.api.table import ENDPOINTS, Endpoint, Parameter

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
PREFACE = """# The HTTP API

Every view of the page can be asked by other programs, with the page's limits, queues and answers. `clip-workbench`
serves page and API at one address. An endpoint takes named arguments and answers with plain JSON.

- **Files** are uploaded first. An answer's files are objects with a `url`; gradio_client downloads them by itself.
- **Progress**: an endpoint that takes long sends events with `{"progress": {"done", "total", "unit", "stage", "text",
  …}}` before its answer. The last event has the answer.
- **Cancelling**: end the connection that waits for the events (Ctrl-C in curl, `AbortController` in JavaScript), or
  call `job.cancel()` of gradio_client. The work ends at its next step.
- **Errors** are an event `error` with the sentence that the page would show, as `error`, and a code, as `title`: the
  class of the error in Python (`BadInput`, `UnknownName`, `Unsupported`, `WeightsMissing`, `Busy`, `DeadlinePassed` …).
  A call that is refused before it is queued has a status of 400 or more, and the sentence as `detail`.
- What an answer calls `index` or `run` is a name for later calls. Nobody else knows it; it is deleted with the uploads
  after an hour. What the shell calls `path` is called `name` here, since gradio's clients download any `path`.
- **Folders of the server** are read where its owner allows them: `clip-workbench serve --folder FOLDER`. The owner's
  indexes are offered where nobody else is served.
- With `--auth`, log in first: gradio_client takes `auth=("user", "password")`; curl keeps the cookies of
  `POST /login`.
- `clip-workbench serve --mcp` offers the same endpoints to agents at `/gradio_api/mcp` (Model Context Protocol over
  HTTP; extra `mcp`). There, a file is a data URI such as `data:image/png;base64,…`, or the path of an upload.

## Before the examples
"""
PYTHON = """from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")"""
PYTHON_STEPS = """job = client.submit(unit=1, api_name="/neuron")
for event in job:
    print(event.get("progress", "the answer"))"""
CURL = """server=http://127.0.0.1:7860
upload() { curl -sf -F "files=@$1" $server/gradio_api/upload | tr -d '[]"'; }
ask() {  # prints events; the last has the answer
  id=$(curl -s -H "content-type: application/json" -d "$2" $server/gradio_api/call/v2/$1 | cut -d '"' -f 4)
  curl -sN $server/gradio_api/call/$1/$id
}
field() { sed -n "s/.*\\"$1\\": \\"\\([^\\"]*\\)\\".*/\\1/p" | tail -n 1; }"""
JAVASCRIPT = """const server = "http://127.0.0.1:7860";
const files = {}; // name -> a File of an <input>, or what fs.readFile gives in Node

async function upload(name) {
  const form = new FormData();
  form.append("files", new Blob([files[name]]), name);
  return (await (await fetch(`${server}/gradio_api/upload`, { method: "POST", body: form })).json())[0];
}

async function ask(name, values) {
  const call = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(values) };
  const queued = await (await fetch(`${server}/gradio_api/call/v2/${name}`, call)).json();
  if (!queued.event_id) throw new Error(queued.detail);
  const events = await (await fetch(`${server}/gradio_api/call/${name}/${queued.event_id}`)).text();
  const [kind, data] = events.trim().split("\\n\\n").at(-1).split("\\n");
  const answer = JSON.parse(data.slice("data: ".length));
  if (kind !== "event: complete") throw new Error(`${answer.title}: ${answer.error}`);
  return answer[0];
}"""


CAT, PETS, PHOTOS = {"image": "@cat.png"}, {"labels": ["cat", "dog", "rocket"]}, {"photos": "@photos.zip"}
RULE = {"id": "right", "metric": "accuracy", "require": "value >= 0.01"}
ARGUMENTS: dict[str, dict[str, Any]] = {  # of each example; "@cat.png" is a file, "$index" the answer to an earlier one
    "classify": {**CAT, **PETS},
    "classify_many": {"images": ["@cat.png", "@rocket.png"], **PETS},
    "match": {"images": ["@cat.png"], "texts": ["a cat", "a rocket"]},
    "compare": {**CAT, **PETS, "model_a": "pocket", "model_b": "pocket-lite2"},
    "explain": {**CAT, **PETS, "method": "grad-cam"},
    "index_add": {"images": ["@cat.png", "@rocket.png"]},
    "search": {"index": "$index", "query": "a rocket", "top": 1},
    "moments": {"videos": ["@film.mp4"], "query": "a cat"},
    "map_images": {"images": ["@photos.zip"], "texts": ["cat"], "clusters": 2},
    "find_neurons": {"concept": "dog"},
    "neuron": {"unit": 373},
    "contributions": {**CAT, "label_a": "cat", "label_b": "dog"},
    "without": {"units": [373, 5], "labels": ["cat", "dog"], **CAT},
    "attack": {**CAT, **PETS, "word": "rocket", "style": {"size": 0.2}},
    "find_attack": {**CAT, **PETS, "target": "rocket", "calls": 64},
    "transfer": {**CAT, **PETS, "word": "rocket", "models": ["pocket"]},
    "defend": {"method": "prompts", "images": 60},
    "generate": {"prompt": "a red heart", "method": "pixels", "settings": {"steps": 4}},
    "evaluate": {**PHOTOS, "shots": [1], "seeds": 2},
    "probe": PHOTOS,
    "label_errors": PHOTOS,
    "few_shots": {**PHOTOS, "methods": ["clap"], "shots": [1], "seeds": 2},
    "audit_run": {"audit": "limits/counting"},
    "audit_report": {"run": "$run", "kind": "md"},
    "audit_compare": {"base": "$run", "candidate": "$run"},
    "audit_gate": {"run": "$run", "thresholds": {"schema": 1, "rules": [RULE]}},
    "audit_verify": {"run": "$run"},
}
GIVES = {"index_add": "index", "audit_run": "run"}  # what of an answer later examples use


def document() -> str:
    """Return the whole page as Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield PREFACE
    yield from _block("python", f"{PYTHON}\n\n# with progress:\n{PYTHON_STEPS}")
    yield from _block("bash", CURL)
    yield from _block("javascript", JAVASCRIPT)
    for view, rows in groupby(ENDPOINTS.values(), key=lambda row: row.view):
        yield f"## {view}\n"
        for row in rows:
            yield f"### {row.name}\n"
            yield f"{row.text} {'Reports progress. ' if row.long else ''}\n".replace(" \n", "\n")
            if row.parameters:
                yield "| argument | what it is | default |\n|---|---|---|"
                yield from (
                    f"| `{one.name}` | {one.text}{' (file)' * one.file} | {_default(one)} |"
                    for one in row.parameters.values()
                )
                yield ""
            yield f"Answers {row.answer}.\n"
            for language, example in EXAMPLES.items():
                yield from _block(language, example(row))


def _block(language: str, text: str) -> Iterator[str]:
    yield f"```{language}\n{text}\n```\n"


def _default(one: Parameter) -> str:
    return "" if one.required else "none" if one.default in ("", [], {}) else f"`{json.dumps(one.default)}`"


def in_python(row: Endpoint) -> str:
    """Return the example with gradio_client."""
    given = [f"    {name}={_literal(value, 'handle_file({})', repr_=repr)},\n" for name, value in _given(row).items()]
    gives = GIVES.get(row.name)
    call = f'client.predict(\n{"".join(given)}    api_name="/{row.name}",\n)'
    return f'{gives} = {call}["{gives}"]' if gives else f"answer = {call}"


def in_curl(row: Endpoint) -> str:
    """Return the example in the shell."""
    body = _literal(_given(row), "\"'$(upload {})'\"", repr_=json.dumps, earlier="\"'${}'\"", bare=True)
    gives = GIVES.get(row.name)
    call = f"ask {row.name} '{body}'"
    return f"{gives}=$({call} | field {gives})" if gives else call


def in_javascript(row: Endpoint) -> str:
    """Return the example with fetch."""
    body = _literal(_given(row), "await upload({})", repr_=json.dumps)
    gives = GIVES.get(row.name)
    return f'{f"const {{ {gives} }} = " if gives else ""}await ask("{row.name}", {body});'


def _given(row: Endpoint) -> dict[str, Any]:
    return ARGUMENTS.get(row.name, {})


EXAMPLES: dict[str, Callable[[Endpoint], str]] = {"python": in_python, "bash": in_curl, "javascript": in_javascript}


def _literal(value: Any, file: str, *, repr_: Callable[[Any], str], earlier: str = "{}", bare: bool = False) -> str:
    """Return a value as source text; "@name" is a file, "$name" the answer to an earlier call."""

    def inside(one: Any) -> str:
        return _literal(one, file, repr_=repr_, earlier=earlier, bare=bare)

    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {inside(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inside, value)) + "]"
    if isinstance(value, str) and value[:1] == "@":
        return file.format(value[1:] if bare else json.dumps(value[1:]))
    if isinstance(value, str) and value[:1] == "$":
        return earlier.format(value[1:])
    return json.dumps(value) if isinstance(value, str) else repr_(value)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")

"""The API as other programs reach it: every documented example in Python, in the shell and in JavaScript."""

from __future__ import annotations

import io
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file

from apps.api.table import ENDPOINTS
from tests.apps.api import documenting
from workbench.loading import load
from workbench.pictures import sample, sample_path
from workbench.zeroshot import classify

CAT = str(sample_path("cat"))
LABELS = ["cat", "dog", "coffee cup"]
SECONDS = 240


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the examples name."""
    import av

    place, pictures = tmp_path_factory.mktemp("examples"), {name: sample(name) for name in ("cat", "rocket")}
    with zipfile.ZipFile(place / "photos.zip", "w") as packed, av.open(str(place / "film.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=4)
        stream.width = stream.height = 160
        for name, picture in pictures.items():
            picture.save(place / f"{name}.png")
            for number in range(8):
                small, file = picture.rotate(3 * number).resize((160, 160)).convert("RGB"), io.BytesIO()
                small.save(file, "PNG")
                packed.writestr(f"{name}/{number}.png", file.getvalue())
                film.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(small), format="rgb24")))
        film.mux(stream.encode())
    return place


def test_the_endpoints_are_named_and_documented(address: str) -> None:
    with urllib.request.urlopen(f"{address}gradio_api/info", timeout=30) as answer:
        info: dict[str, Any] = json.load(answer)
    assert info["unnamed_endpoints"] == {}
    shown = info["named_endpoints"]
    assert {name.strip("/"): [one["parameter_name"] for one in row["parameters"]] for name, row in shown.items()} == {
        name: list(row.parameters) for name, row in ENDPOINTS.items()
    }
    for name, row in shown.items():
        assert row["description"].strip()
        texts = [one["python_type"]["description"] for one in [*row["parameters"], *row["returns"]]]
        assert all(len(text) > 8 for text in texts), name
        required = [one["parameter_name"] for one in row["parameters"] if not one["parameter_has_default"]]
        assert required == [one.name for one in ENDPOINTS[name.strip("/")].parameters.values() if one.required]


@pytest.mark.heavy
def test_every_example_in_python_runs(client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    given: dict[str, Any] = {"client": client, "handle_file": handle_file}
    for row in ENDPOINTS.values():
        exec(documenting.in_python(row), given)
        answer = given[documenting.GIVES.get(row.name, "answer")]
        assert answer, row.name
        assert "progress" not in answer, row.name
        for file in _files(answer):
            assert Path(file).stat().st_size > 0, row.name
    assert given["answer"]["intact"] is True


@pytest.mark.heavy
def test_every_example_in_the_shell_runs(address: str, folder: Path) -> None:
    lines = [documenting.CURL.replace("http://127.0.0.1:7860", address.rstrip("/"))]
    for row in ENDPOINTS.values():
        call, gives = documenting.in_curl(row), documenting.GIVES.get(row.name)
        lines.append(f'{call}; echo "== {row.name} ${gives}"' if gives else f'echo "== {row.name}"; {call}')
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=True
    )
    parts = dict(re.findall(r"^== (\w+) ?(.*?)(?=^== |\Z)", done.stdout, re.DOTALL | re.MULTILINE))
    assert set(parts) == set(ENDPOINTS)
    for name, text in parts.items():
        assert ("event: complete" in text) or re.match(rf"{documenting.GIVES.get(name)}-[0-9a-f]{{24}}-", text), text[
            -300:
        ]


@pytest.mark.heavy
def test_the_examples_in_javascript_run(address: str, folder: Path) -> None:
    """In Node where it is there; the browser's own fetch speaks the same."""
    chosen = [ENDPOINTS[name] for name in ("classify", "index_add", "search", "attack", "generate")]
    source = "\n".join(
        [
            documenting.JAVASCRIPT.replace("http://127.0.0.1:7860", address.rstrip("/")),
            'for (const name of ["cat.png", "rocket.png"]) files[name] = (await import("fs")).readFileSync(name);',
            *(f"console.log(JSON.stringify({{last: 1}})); {documenting.in_javascript(row)};" for row in chosen),
            'try { await ask("classify", {}); } catch (error) { console.log(error.message); }',
            'console.log((await ask("search", { index, query: "a rocket", top: 1 })).results[0].name);',
        ]
    )
    try:
        line = ["node", "--input-type=module", "-e", source]
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError:
        pytest.skip("Node is not here")
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout.splitlines()[-2:] == [
        "classify needs 'image': a PNG, JPEG or WebP file.",
        "rocket.png",
    ]


def test_classify_gives_the_numbers_of_the_library(client: Client) -> None:
    result = client.predict(image=handle_file(CAT), labels=LABELS, api_name="/classify")
    expected = classify(load("pocket", device="cpu", dtype="float32"), [sample_path("cat")], LABELS).ranked(0)
    assert [row["label"] for row in result["answers"]] == [label for label, _, _ in expected]
    for row, (_, probability, cosine) in zip(result["answers"], expected, strict=True):
        assert row["probability"] == pytest.approx(probability, abs=1e-4)
        assert row["cosine"] == pytest.approx(cosine, abs=1e-4)
    own = client.predict(handle_file(CAT), LABELS, templates="art of the {}.", api_name="/classify")
    assert own["answers"][0]["cosine"] != result["answers"][0]["cosine"]


def test_a_mistake_is_answered_with_a_sentence_and_a_code(client: Client, address: str) -> None:
    for arguments, words, code in (
        ({"labels": []}, "at least one label", "BadInput"),
        ({"labels": LABELS, "model": "nonsense"}, "nonsense", "UnknownName"),
    ):
        with pytest.raises(Exception, match=words) as met:
            client.predict(image=handle_file(CAT), api_name="/classify", **arguments)  # type: ignore[arg-type]
        assert met.value.title == code  # type: ignore[attr-defined]
    for name, arguments, status, words in (
        ("classify", {"colour": "red"}, 422, "No argument of classify is called 'colour'"),
        ("nothing", {}, 404, "no function of that name"),
    ):
        body, kind = json.dumps(arguments).encode(), {"content-type": "application/json"}
        request = urllib.request.Request(f"{address}gradio_api/call/v2/{name}", body, kind)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        assert refused.value.code == status
        assert words in json.load(refused.value)["detail"]


def test_a_long_job_reports_progress_and_is_cancelled(client: Client) -> None:
    job = client.submit(prompt="a castle", method="fourier", settings={"steps": 5000}, api_name="/generate")
    for event in job:
        assert 0 <= event["progress"]["done"] < 5000
        if event["progress"]["done"] > 0:
            break
    job.cancel()
    time.sleep(1)
    steps = len(job.outputs())
    again = client.predict(prompt="a castle", method="pixels", settings={"steps": 2, "side": 64}, api_name="/generate")
    assert again["steps"] == 2
    assert job.done()
    assert len(job.outputs()) == steps


def _files(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [file for one in value.values() for file in _files(one)]
    if isinstance(value, list):
        return [file for one in value for file in _files(one)]
    return [value] if isinstance(value, str) and value.startswith("/") and "/gradio/" in value else []

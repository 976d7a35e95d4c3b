"""The two wheels, installed apart from the checkout and asked one question from each room, without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM_BYTES = 3_000_000
LIMIT_SECONDS = 240
OFFLINE = """
import json, socket, sys
def refuse(*_): raise OSError("no network")
socket.socket.connect = socket.getaddrinfo = refuse
from apps.shell import run
import workbench
assert "site" in workbench.__file__, workbench.__file__
for line in json.loads(sys.argv[1]):
    code = run(line)
    if code: sys.exit(f"exit {code}: {line}")
"""

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build both from a copy of what git tracks, so that nothing is left in the checkout."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for name in _tracked():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).symlink_to(ROOT / name)
    for place in (copy, copy / "workbench" / "weights"):
        build = [
            sys.executable,
            "-m",
            "build",
            "--quiet",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(out),
            str(place),
        ]
        subprocess.run(build, check=True, capture_output=True, text=True)
    return {
        "program": next(out.glob("clip_workbench-*.whl")),
        "weights": next(out.glob("clip_workbench_weights-*.whl")),
    }


def _tracked() -> list[str]:
    """Return the names of all files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone")
    return [name for name in listed.stdout.split("\0") if name]


@pytest.fixture(scope="module")
def site(wheels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _installed(tmp_path_factory.mktemp("site"), *wheels.values())


def _installed(folder: Path, *wheels: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*pip, "--target", str(folder), *map(str, wheels)], check=True, capture_output=True)
    return folder


def _environment(site: Path, home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "CLIP_WORKBENCH_HOME": str(home), "HOME": str(home)}


def test_the_wheels_hold_what_they_need_and_no_file_twice(wheels: Mapping[str, Path]) -> None:
    assert wheels["program"].stat().st_size < PROGRAM_BYTES
    for wheel in wheels.values():
        subprocess.run(
            [sys.executable, "-m", "twine", "check", "--strict", str(wheel)], check=True, capture_output=True
        )
    names = {kind: zipfile.ZipFile(wheel).namelist() for kind, wheel in wheels.items()}
    assert all(len(set(part)) == len(part) for part in names.values())
    assert not [name for name in names["program"] if name.endswith(".safetensors") or name.startswith("tests")]
    rooms = [name for name in _tracked() if name.startswith(("workbench/", "apps/", "audits/", "benchmarks/"))]
    needed = {name for name in rooms if not name.startswith("workbench/weights/") and (ROOT / name).is_file()}
    assert needed - set(names["program"]) == set()
    weights = {
        path.relative_to(ROOT / "workbench/weights") for path in ROOT.glob("workbench/weights/*/*") if path.is_file()
    }
    packed = {
        Path(name).relative_to("clip_workbench_weights") for name in names["weights"] if ".dist-info/" not in name
    }
    assert {path for path in weights if path.parts[0] not in ("build", "clip_workbench_weights.egg-info")} == packed
    for kind in names:
        texts = [name for name in names[kind] if "/licenses/" in name]
        assert {Path(name).name for name in texts} == {"LICENSE", "NOTICE"}


def test_each_room_answers_from_an_empty_folder(site: Path, tmp_path: Path, photos: Path) -> None:
    for label, name in (("cat", "chelsea.png"), ("rocket", "rocket.jpg")):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for copy in range(4):
            (tmp_path / "photos" / label / f"{copy}-{name}").symlink_to(photos / name)
    cat = str(photos / "chelsea.png")
    labels = ["--labels", "cat,rocket"]
    questions: list[list[str]] = [
        ["models", "--json"],
        ["classify", cat, *labels, "--json"],
        ["embed", cat, "--out", "vectors.parquet"],
        ["index", "add", "few", "photos"],
        ["index", "search", "few", "a cat", "--json"],
        ["attack", cat, *labels, "--word", "rocket", "--json"],
        ["neuron", "pocket", "last", "1", "--out", "unit.html", "--json"],
        ["evaluate", "photos", "--models", "pocket", "--json"],
        ["generate", "a red heart", "--seconds", "2", "--out", "made", "--json"],
        ["audit", "run", "limits/counting", "--out", "runs", "--html"],
        ["space-export", "space"],
    ]
    asked = subprocess.run(
        [sys.executable, "-c", OFFLINE, json.dumps(questions)],
        cwd=tmp_path, env=_environment(site, tmp_path / "home"), capture_output=True, text=True, timeout=LIMIT_SECONDS,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr[-2000:]
    made = ("vectors.parquet", "unit.html", "made", "runs", "space/workbench/weights/pocket/config.json")
    assert [name for name in made if not (tmp_path / name).exists()] == []
    assert '{"label": "cat"' in asked.stdout


@pytest.mark.timeout(4 * LIMIT_SECONDS)
def test_page_shell_python_and_api_answer_twelve_questions_alike(wheels: Mapping[str, Path], tmp_path: Path) -> None:
    line = [sys.executable, str(ROOT / "tests" / "four_doors.py"), *map(str, wheels.values())]
    asked = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=4 * LIMIT_SECONDS)
    assert asked.returncode == 0, asked.stdout[-3000:] + asked.stderr[-1000:]
    assert len([one for one in asked.stdout.splitlines() if ": " in one]) == 12


def test_without_the_weights_the_program_says_so_and_goes_on(
    wheels: Mapping[str, Path], tmp_path: Path, photos: Path
) -> None:
    site = _installed(tmp_path / "site", wheels["program"])

    def ask(model: str) -> Any:
        line = [
            sys.executable,
            "-m",
            "app",
            "classify",
            str(photos / "chelsea.png"),
            "--labels",
            "cat,dog",
            "--model",
            model,
        ]
        environment = _environment(site, tmp_path / "home")
        return subprocess.run(
            line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS
        )

    missing = ask("pocket")
    assert missing.returncode == 8
    assert "pip install clip-workbench-weights" in missing.stderr
    assert ask("fake").returncode == 0


def test_the_image_is_made_as_its_linter_asks() -> None:
    checked = subprocess.run(["hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout

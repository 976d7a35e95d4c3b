"""The search for templates by hand, random words of equal number, descriptions, and the commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from apps.shell import run
from tests.workbench.probes.drawn_images import write_images
from workbench.errors import BadInput
from workbench.probes.prompt_search import averaged, checked_descriptions, greedy, random_templates, read_descriptions


class Votes:
    """A judge that counts good templates: the mean of their marks, of (1, dim) weights whose first number is a mark."""

    def score(self, weights: np.ndarray) -> tuple[float, float]:
        return float(weights[0, 0] / weights[0, 1]), 0.0


def test_the_search_takes_what_helps_most_and_stops() -> None:
    """Marks 1, 3, 2 and 3: the best alone is the second; no other raises the mean of the chosen."""
    rows = np.array([[[mark, 1.0] for mark in (1, 3, 2, 3)]], np.float32)
    assert greedy(Votes(), rows, 4) == [1]  # type: ignore[arg-type]


def test_the_search_is_capped_and_never_repeats() -> None:
    """Three templates of one class in three dimensions; each adds what the truth needs, so that all are wanted."""
    eye = np.eye(3, dtype=np.float32)[None]
    truth = np.ones(3, np.float32) / 3**0.5

    class Near:
        def score(self, weights: np.ndarray) -> tuple[float, float]:
            return float(weights[0] @ truth), 0.0

    assert greedy(Near(), eye, 7) == [0, 1, 2]  # type: ignore[arg-type]
    assert greedy(Near(), eye, 2) == [0, 1]  # type: ignore[arg-type]


def test_prompts_are_averaged_after_they_have_unit_length() -> None:
    rows = np.array([[[1.0, 0.0], [0.0, 1.0]]], np.float32)
    assert averaged(rows) == pytest.approx(np.array([[0.5**0.5, 0.5**0.5]]))


def test_random_words_are_as_many_and_follow_the_seed() -> None:
    one, again, other = (random_templates(5, ("fish", "bread", "chair", "moon"), seed=seed) for seed in (0, 0, 1))
    assert one == again != other
    assert len(set(one)) == len(one) == 5
    assert all(template.count("{}") == 1 and template.startswith("a photo of a {}, which has") for template in one)


def test_descriptions_cover_every_class() -> None:
    given = {"sea lion": ["a seal with ears"], "cat": ["whiskers", "fur"]}
    assert checked_descriptions(given, ("cat", "sea_lion")) == [("whiskers", "fur"), ("a seal with ears",)]
    for wrong in ({"cat": ["x"]}, {"cat": "x", "sea lion": ["y"]}, {"cat": [], "sea lion": ["y"]}):
        with pytest.raises(BadInput, match="Descriptions give each class"):
            checked_descriptions(wrong, ("cat", "sea_lion"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b" " * 5_000_001, "at most 5 MB; 'd.json'"), (b"[" * 100_000, "'d.json' cannot be read"), (b"\xff", "cannot be")],
)
def test_a_file_of_descriptions_is_small_json(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "d.json").write_bytes(content)
    with pytest.raises(BadInput, match=expected) as caught:
        read_descriptions(tmp_path / "d.json")
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(BadInput, match=r"'none\.json' cannot be read"):
        read_descriptions(tmp_path / "none.json")


def test_the_commands_print_trials_and_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, outside = tmp_path / "inside", tmp_path / "outside"
    write_images(folder, ("cat", "rocket", "pizza"), 24)
    write_images(outside, ("tree",), 10)
    sentences = tmp_path / "sentences.json"
    sentences.write_text(json.dumps({name: [f"a drawing of a {name}"] for name in ("cat", "rocket", "pizza")}))
    command = ["prompts", str(folder), "--model", "fake", "--templates", "seven", "--most", "2", "--json"]
    assert run([*command, "--descriptions", str(sentences)]) == 0
    trials = json.loads(capsys.readouterr().out)
    assert [trial["name"].split()[0] for trial in trials] == ["one", "all", "best", "random", "descriptions"]
    assert 1 <= len(trials[2]["prompts"]) <= 2
    assert f"times {len(trials[2]['prompts'])}" in trials[3]["name"]
    assert trials[0]["difference"] is None
    assert run(["flags", str(folder), "--outside", str(outside), "--model", "fake", "--kept", "0.9", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["score"] == "mcm"
    assert all(row["flagged"]["n"] == 10 and 0 <= row["area"]["value"] <= 1 for row in rows)
    assert run(["flags", str(folder), "--model", "fake", "--kept", "2"]) == 2
    sentences.write_text("no json")
    assert run([*command, "--descriptions", str(sentences)]) == 2

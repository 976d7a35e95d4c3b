"""`evaluate` with methods, a shift and a report, and `suite`, as a script sees them, on coloured squares."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import audits
from apps.shell import run

COLOURS = {"red": (200, 20, 20), "blue": (20, 20, 200), "green": (20, 160, 20)}


def squares(folder: Path, each: int, *, spread: int = 60, seed: int = 0) -> Path:
    """Images of three colours with so much noise that neither names nor probes are always right."""
    rng = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(each):
            pixels = np.array(colour) + rng.integers(-spread, spread + 1, 3)
            square = Image.new("RGB", (24, 24), tuple(int(one) for one in pixels.clip(0, 255)))
            square.save(folder / name / f"{number:02}.png")
    return folder


def test_methods_and_a_shift_add_to_each_models_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, there = squares(tmp_path / "base", 16), squares(tmp_path / "there", 5, spread=120, seed=1)
    (there / "green").rename(there / "purple")
    command = ["evaluate", str(base), "--models", "fake", "--shots", "1,2,4", "--seeds", "2", "--json"]
    assert run([*command, "--methods", "tip-adapter,clap", "--shift", str(there)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert {"columns", "verdict", "model"} <= set(row)  # what it printed before
    got = [(one["method"], one["shots"]) for one in row["few_shot"]]
    ways = ("image-probe", "tip-adapter", "clap")
    assert got == [("zero-shot", 0), *((way, shots) for shots in (1, 2, 4) for way in ways)]
    for one in row["few_shot"]:
        assert one["low"] <= one["accuracy"] <= one["high"]
        (shift,) = one["shifts"].values()
        assert (shift["n"], shift["base"]["n"], one["n"]) == (10, 8, 12)  # purple is no class of the base
    assert row["few_shot"][0]["accuracy"] == row["columns"]["zero-shot"]["accuracy"]
    swept = row["columns"]["probe"]["sweep"]
    assert row["columns"]["probe"]["strength"] in [one["strength"] for one in swept]
    assert [one["mix"] for one in row["wise_ft"]] == [step / 10 for step in range(11)]
    assert row["wise_ft"][0]["accuracy"] == row["few_shot"][0]["accuracy"]
    assert set(row["equivalent_shots"]) == {"image-probe"}


def test_what_makes_no_sense_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = squares(tmp_path / "base", 4)
    assert run(["evaluate", str(base), "--models", "fake", "--methods", "tip"]) == 2
    assert "tip-adapter" in capsys.readouterr().err
    assert run(["evaluate", str(base), "--models", "fake", "--shift", str(tmp_path / "none")]) == 2
    assert run(["suite", "--models", "fake"]) == 2
    assert run(["suite", f"a={base}", "--models", "fake", "--rival", "pocket"]) == 2
    assert run(["suite", f"a={base}", f"a={base}", "--models", "fake"]) == 2
    capsys.readouterr()
    for line in ([f"={base}"], ["a="], [f"a={base}", "--models", ","], [f"a={base}", "--reference", "b"]):
        assert run(["suite", "--models", "fake", *line]) == 2
        assert "; got " in capsys.readouterr().err
    assert run(["labels", str(base), "--model", "fake", "--limit", "-1"]) == 2
    assert run(["probe", str(base), "--model", "fake", "--seed", "-1"]) == 2


def test_a_suite_compares_zero_shot_with_the_rivals_probe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = squares(tmp_path / "one", 12), squares(tmp_path / "two", 12, spread=120, seed=3)
    page = tmp_path / "page.html"
    command = ["suite", f"imagenet={first}", str(second), "--models", "fake", "--out", str(page), "--json"]
    assert run(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["set"] for one in answer["sets"]] == ["imagenet", "two"]
    assert answer["sets"][0]["published_probes"]["openai/clip-vit-large-patch14"] == 83.9
    assert answer["sets"][1]["published_probes"] == {}
    assert [one["metric"] for one in answer["sets"]] == ["accuracy", "accuracy"]
    probed = answer["sets"][0]["models"][0]["probe"]
    assert probed["metric"]["value"] == probed["value"]
    duels = answer["zero_shot_against_probe"]
    assert (duels["model"], duels["rival"], duels["sets"], len(duels["duels"])) == ("fake", "fake", 2, 2)
    (point,) = answer["transfer"]["points"]
    assert point["x"]["value"] == answer["sets"][0]["models"][0]["probe"]["value"]
    text = page.read_text(encoding="utf-8")
    assert "Plotly.newPlot" in text
    assert 'src="http' not in text


def test_a_set_is_measured_by_its_own_metric(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = squares(tmp_path / "base", 12)
    (base / "green").rename(tmp_path / "green")
    assert run(["suite", f"hateful_memes={base}", "--models", "fake", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["sets"]
    assert row["metric"] == "ROC AUC"
    area = row["models"][0]["zero-shot"]["metric"]
    assert 0 <= area["low"] <= area["value"] <= area["high"] <= 1
    assert run(["suite", f"pets={base}", "--models", "fake"]) == 0
    assert "pets, fake, mean per class: zero-shot " in capsys.readouterr().out


def test_voc_takes_several_labels_an_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, lines = np.random.default_rng(0), ["path,label"]
    for number in range(60):
        names = sorted(rng.choice(list(COLOURS), 1 + number % 2, replace=False))
        square = Image.new("RGB", (24, 24), COLOURS[names[0]])
        square.paste(COLOURS[names[-1]], (12, 0, 24, 24))
        square.save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{'|'.join(names)}")
    (tmp_path / "images.csv").write_text("\n".join(lines))
    command = ["suite", f"voc2007={tmp_path / 'images.csv'}", "--models", "fake"]
    assert run([*command, "--json"]) == 0
    shown = capsys.readouterr()
    assert "60 images of 3 classes" in shown.err
    (row,) = json.loads(shown.out)["sets"]
    assert row["metric"] == "11-point mAP"
    for column in ("zero-shot", "probe"):
        value = row["models"][0][column]["metric"]
        assert 0.4 < value["low"] <= value["value"] <= value["high"] <= 1
    assert run(command) == 0
    assert "voc2007, fake, 11-point mAP: zero-shot " in capsys.readouterr().out


def test_the_papers_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["suite", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 27
    assert rows[0]["probes"]["openai/clip-vit-base-patch32"] == 88.8
    assert (rows[0]["hub"], rows[0]["licence"], rows[0]["reader"]) == ("ethz/food101", "not stated", "csv")
    assert run(["suite", "--list"]) == 0
    assert "Food-101" in capsys.readouterr().out


@pytest.mark.heavy
def test_a_report_is_a_run_directory_of_the_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, runs = squares(tmp_path / "base", 12), tmp_path / "runs"
    command = ["evaluate", str(base), "--models", "fake", "--shots", "1", "--seeds", "2", "--report", str(runs)]
    command += ["--templates", "a square that is {}.", "--json"]
    assert run(command) == 0
    (row,) = json.loads(capsys.readouterr().out)
    (folder,) = [path for path in runs.iterdir() if path.is_dir() and "accuracy" in path.name]
    assert any(path.suffix == ".html" for path in runs.iterdir())
    assert run(["audit", "verify", str(folder)]) == 0
    measured = audits.open_run(folder)
    zero = measured.metrics.query("metric == 'accuracy' and label_set == 'zero-shot'").iloc[0]
    columns = row["columns"]["zero-shot"]
    assert (zero["value"], zero["n"]) == (columns["accuracy"], columns["n"])  # the same images, asked the same way
    assert set(measured.metrics["label_set"]) == {"zero-shot", "1 shot", "probe"}
    for name in ("r.html", "r.card.md", "r.json"):
        assert run(["audit", "report", str(runs), "--out", str(tmp_path / name)]) == 0
    assert str(tmp_path) not in (tmp_path / "r.card.md").read_text(encoding="utf-8")
    assert run(["audit", "compare", str(folder), str(folder)]) == 0
    rules = tmp_path / "thresholds.yaml"
    rules.write_text(
        "schema: 1\ndefaults: {min_n: 5}\nrules:\n"
        "  - {id: probe, metric: accuracy, label_set: probe, require: ci_low >= 0.05}\n",
        encoding="utf-8",
    )
    assert run(["audit", "gate", str(folder), "--thresholds", str(rules)]) == 0

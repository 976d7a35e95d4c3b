"""The commands as a script sees them: stdout, stderr and the exit code, every one of them."""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import colour_audit
import pytest
from PIL import Image

from apps.shell import run as workbench
from audits import catalogue
from audits.run_directory.reader import Run
from audits.running.vectors import VectorStore
from audits.shell import audit, main
from tests.installed import install
from workbench.cli.exit_codes import EXIT_CODES
from workbench.errors import DeadlinePassed

ROOT = Path(__file__).parents[3]
Begin = Callable[..., Run]
Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], registered: None, own_home: Path) -> Command:
    """Run a command with --json; return its exit code and what it wrote to stdout."""

    def go(*words: object) -> tuple[int, Any]:
        code = main([*map(str, words), "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out) if out.strip() else None

    return go


@pytest.fixture
def small_run(colours: str, tmp_path: Path) -> list[str]:
    """The words that run the small audit."""
    return ["run", "test/colours", "--model", "fake", "--dataset", colours, "--out", str(tmp_path / "runs")]


def thresholds(tmp_path: Path, require: str, metric: str = "accuracy") -> Path:
    path = tmp_path / "thresholds.yaml"
    rule = f"{{id: one, audit: test/colours, metric: {metric}, require: '{require}', severity: fail}}"
    path.write_text(f"schema: 1\ndefaults: {{min_n: 10}}\nrules: [{rule}]\n", encoding="utf-8")
    return path


def test_list_and_show_say_what_there_is(call: Command) -> None:
    assert "test/colours" in [row["key"] for row in call("list")[1]]
    assert call("list", "audits", "--tag", "test")[1][0]["question"].endswith("?")
    assert {row["key"] for row in call("list", "models")[1]} >= {"pocket", "fake"}
    assert "csv:PATH" in [row["key"] for row in call("list", "datasets")[1]]
    assert call("list", "suites")[1][0]["key"] in ("quick", "release")
    assert "test/colours plain" in [row["key"] for row in call("list", "protocols")[1]]
    output = call("show", "test/colours")[1]
    assert (output["settings"], output["limits"]) == (["shades", "crash", "slow"], "Colours only.")
    assert call("show", "test/colours", "--protocol", "plain")[1]["hash"] == colour_audit.RULES.hash
    assert len(call("show", "release")[1]["jobs"]) >= 17


def test_0_a_run_says_where_it_lies_and_the_same_again_skips(call: Command, small_run: list[str]) -> None:
    code, (output,) = call(*small_run)
    assert (code, output["status"], output["excluded"]) == (0, "success", 0)
    assert output["findings"] == ["70 of 70 colours are named right."]
    assert (Path(output["run"]) / "run.json").is_file()
    assert call(*small_run)[1][0]["run"] == output["run"]


def test_settings_seed_and_limit_are_taken_and_recorded(call: Command, small_run: list[str]) -> None:
    code, (output,) = call(*small_run, "--set", "shades=[1.0, 0.5]", "--limit", 12, "--seed", 5)
    head = json.loads((Path(output["run"]) / "run.json").read_text())
    assert (code, output["partial"]) == (0, True)
    assert (head["spec"]["settings"], head["spec"]["seed"], head["dataset"]["n"]) == ({"shades": [1.0, 0.5]}, 5, 12)
    assert "0.5" in (Path(output["run"]) / "protocol.yaml").read_text()


def test_the_plain_words_print_the_folder_and_nothing_else_on_stdout(
    small_run: list[str], capsys: pytest.CaptureFixture[str], registered: None, own_home: Path
) -> None:
    assert main(small_run) == 0
    captured = capsys.readouterr()
    assert Path(captured.out.strip()).is_dir()
    assert "1/1" in captured.err


def test_the_workbenchs_own_word_is_the_same_program(
    small_run: list[str], capsys: pytest.CaptureFixture[str], registered: None, own_home: Path
) -> None:
    assert workbench(["audit", *small_run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "success"
    assert workbench(["audit", "show", "none"]) == 2
    assert workbench(["audit", "verify", str(ROOT)]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["run", "test/colurs"],
        ["run", "test/colours", "--model", "pokcet"],
        ["run", "test/colours", "--dataset", "drawn-peeple"],
        ["run", "test/colours", "--protocol", "plane"],
        ["run", "test/colours", "--set", "hue=1"],
        ["run", "test/colours", "--set", "shades"],
        ["run", "test/colours", "--limit", "0"],
        ["run", "test/colours", "--engine", "spark"],
        ["run", "test/colours", "--workers", "0"],
        ["run", "test/colours", "--dtype", "float12"],
        ["run", "test/colours", "--colour", "red"],
        ["suite", "relase"],
        ["show", "nothing"],
        ["list", "things"],
        ["resume", "/nowhere"],
        ["verify", "/nowhere"],
        ["score", "/nowhere"],
        ["view", "/nowhere"],
        ["report", "/nowhere", "--out", "x.html"],
        ["validate", "protocol", "/nowhere.yaml"],
        ["validate", "thresholds", "/nowhere.yaml"],
        ["walk"],
    ],
)
def test_2_what_cannot_be_used_is_refused(call: Command, words: list[str], colours: str, tmp_path: Path) -> None:
    given = ["--model", "fake"] if words[0] == "run" and "--model" not in words else []
    given += ["--dataset", colours] if words[0] == "run" and "--dataset" not in words else []
    given += ["--out", str(tmp_path / "runs")] if words[0] == "run" else []
    assert call(*words, *given)[0] == 2
    assert not list((tmp_path / "runs").glob("*/metrics.parquet"))


def test_8_weights_that_are_not_here(call: Command, colours: str, tmp_path: Path) -> None:
    words = ["run", "test/colours", "--model", "openai/clip-vit-base-patch32", "--dataset", colours]
    assert call(*words)[0] == 8
    both = ["--model", "fake", "--out", tmp_path / "runs"]
    assert call(*words, *both)[0] == 3  # the other model was measured


def test_9_a_folder_that_cannot_be_written(call: Command, small_run: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert call(*small_run[:-1], tmp_path / "file" / "runs")[0] == 9


def test_10_a_deadline_that_passes(call: Command, small_run: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: Any, **__: Any) -> None:
        raise DeadlinePassed("Time limit reached.")

    monkeypatch.setattr("workbench.loading.load", late)
    assert call(*small_run)[0] == 10


def test_a_report_is_left_without_a_second_command(call: Command, small_run: list[str], tmp_path: Path) -> None:
    page = tmp_path / "runs" / "report.html"
    assert call(*small_run)[0] == 0
    assert not page.exists()
    code, (output,) = call(*small_run, "--html")
    assert (code, output["report"]) == (0, str(page))
    assert "70 of 70 colours are named right." in page.read_text(encoding="utf-8")
    page.unlink()
    assert workbench(["audit", *small_run, "--html"]) == 0
    assert page.is_file()


def test_2_the_ray_engine_without_ray_names_the_extra(
    call: Command, small_run: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    assert main([*small_run, "--engine", "ray"]) == 2
    assert "pip install 'clip-workbench[ray]'" in capsys.readouterr().err


def test_3_a_job_that_fails_while_others_succeed(call: Command, colours: str, tmp_path: Path) -> None:
    job = f"audit: test/colours, dataset: '{colours}'"
    (tmp_path / "s.yaml").write_text(f"title: two\njobs: [{{{job}, set: {{crash: true}}}}, {{{job}}}]\n")
    code, output = call("suite", tmp_path / "s.yaml", "--model", "fake", "--out", tmp_path / "runs")
    assert (code, [run["status"] for run in output["runs"]]) == (3, ["error", "success"])
    assert "planted" in output["runs"][0]["error"]
    assert Path(output["report"]).is_file()


def test_3_a_picture_that_cannot_be_used(call: Command, small_run: list[str], colours: str) -> None:
    (Path(colours.partition(":")[2]) / "red" / "broken.png").write_bytes(b"broken")
    code, (output,) = call(*small_run)
    assert (code, output["status"], output["excluded"]) == (3, "success", 1)


def test_7_nothing_to_measure(call: Command, small_run: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert call(*small_run, "--dataset", f"folder:{tmp_path / 'empty'}")[0] == 3  # the other data set was measured
    assert call("run", "test/colours", "--model", "fake", "--dataset", f"folder:{tmp_path / 'empty'}")[0] == 7
    assert call("validate", "dataset", f"folder:{tmp_path / 'empty'}")[0] == 7


def test_gate_0_1_4_7(call: Command, begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin().folder
    judge = ["gate", run, "--thresholds"]
    assert call(*judge, thresholds(tmp_path, "ci_low >= 0.9"))[0] == 0
    code, output = call(*judge, thresholds(tmp_path, "ci_high <= 0.5"), "--junit", tmp_path / "gate.xml")
    assert (code, output["outcome"]) == (1, "FAIL")
    assert (tmp_path / "gate.xml").read_text().startswith("<?xml")
    assert call(*judge, thresholds(tmp_path, "ci_low >= 0.97"))[0] == 4
    assert call(*judge, thresholds(tmp_path, "ci_low >= 0.97"), "--inconclusive", "fail")[0] == 4
    monkeypatch.setenv("CI", "true")  # changes nothing
    assert call(*judge, thresholds(tmp_path, "ci_low >= 0.97"), "--inconclusive", "warn")[0] == 0
    warns = thresholds(tmp_path, "ci_low >= 0.97")
    warns.write_text(warns.read_text().replace("min_n: 10", "min_n: 10, inconclusive: warn"))
    assert call(*judge, warns)[0] == 0
    monkeypatch.delenv("CI")
    assert call(*judge, warns)[0] == 0
    assert call(*judge, thresholds(tmp_path, "ci_low >= 0.97"), "--inconclusive", "pass")[0] == 0
    assert call(*judge, thresholds(tmp_path, "ci_low >= 0.9", metric="none"))[0] == 7


def test_5_runs_that_are_not_comparable(call: Command, begin: Begin, tmp_path: Path) -> None:
    base, other, part = begin().folder, begin(settings={"shades": [1.0, 0.5]}).folder, begin(limit=20).folder
    assert call("compare", base, other)[0] == 5
    assert call("compare", base, other, "--allow-mismatch")[0] == 0
    assert call("gate", part, "--thresholds", thresholds(tmp_path, "ci_low >= 0.1"))[0] == 5


def test_two_models_are_compared(
    call: Command, begin: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from workbench.fake import FakeBackend

    base, other = begin(), begin(session=FakeBackend(seed=1))
    code, output = call("compare", base.folder, other.folder, "--out", tmp_path / "diff.html")
    assert (code, output["flips"], output["base"]) == (0, 0, base.header.run_id)
    assert (tmp_path / "diff.html").stat().st_size > 1000
    assert main(["compare", str(base.folder), str(other.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "label_set" in lines[0].split()


def test_6_a_run_that_was_changed(call: Command, begin: Begin) -> None:
    run = begin().folder
    assert call("verify", run)[0] == 0
    assert call("repro", run)[1]["largest"] == 0
    with (run / "metrics.csv").open("a") as file:
        file.write("more\n")
    assert call("verify", run)[0] == 6


@pytest.mark.parametrize("change", ["title", "findings"])
def test_6_no_command_takes_a_run_that_was_changed(call: Command, begin: Begin, tmp_path: Path, change: str) -> None:
    run, other = begin().folder, begin(seed=1).folder
    if change == "findings":
        (run / "findings.json").unlink()
    else:
        text = (run / "run.json").read_text()
        (run / "run.json").write_text(text.replace('"title": "', '"title": "Another '))
    rules = thresholds(tmp_path, "ci_low >= 0.1")
    commands = [
        ["verify", run],
        ["gate", run, "--thresholds", rules],
        ["gate", other, "--thresholds", rules, "--baseline", run],
        ["report", run, "--out", tmp_path / "r.html"],
        ["compare", run, other],
        ["compare", other, run],
        ["score", run],
        ["view", run, "--no-browser"],
    ]
    assert {str(words[0]): call(*words)[0] for words in commands} == dict.fromkeys((str(w[0]) for w in commands), 6)
    assert not (tmp_path / "r.html").exists()


def test_verify_takes_a_folder_of_runs(call: Command, begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [begin(seed=seed).folder for seed in (0, 1, 2)]
    code, rows = call("verify", runs[0].parent)
    assert (code, [row["intact"] for row in rows]) == (0, [True] * 3)
    head = runs[1] / "run.json"
    head.write_text(json.dumps(json.loads(head.read_text()) | {"status": "incomplete"}))
    code, rows = call("verify", runs[0].parent)
    assert (code, sorted(str(row["intact"]) for row in rows)) == (3, ["None", "True", "True"])
    (runs[2] / "metrics.parquet").unlink()
    code, rows = call("verify", runs[0].parent)
    assert (code, sorted(str(row["intact"]) for row in rows)) == (6, ["False", "None", "True"])


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="signatures need OpenSSH")
def test_a_run_is_signed_and_its_signer_checked(call: Command, begin: Begin, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=60)
    run = begin().folder
    assert call("verify", run, "--signer", f"{key}.pub")[0] == 6
    assert call("sign", run, "--key", key)[0] == 0
    assert call("verify", run, "--signer", f"{key}.pub")[0] == 0
    assert call("sign", run, "--key", tmp_path / "none")[0] == 2


def test_a_gates_table_shows_value_interval_and_reason(
    begin: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str], registered: None
) -> None:
    run = begin().folder
    assert main(["gate", str(run), "--thresholds", str(thresholds(tmp_path, "ci_low >= 0.97"))]) == 4
    header, row, outcome = capsys.readouterr().out.splitlines()
    assert header.split() == ["rule", "outcome", "requires", "group", "value", "interval", "n", "reason"]
    assert outcome == "INCONCLUSIVE"
    share = begin().metrics.iloc[0]
    assert share["value"] == 1.0
    assert "100.0 %" in row
    assert f"{100 * share['ci_low']:.1f} to 100.0 %" in row
    assert "the interval includes 0.97" in row


def test_scores_and_reports_need_no_model(
    call: Command, begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin().folder
    monkeypatch.setattr("workbench.loading.load", lambda *_, **__: pytest.fail("the model was loaded"))
    assert call("score", run) == (0, {"run": str(run), "status": "success", "measures": 1})
    assert call("score", run, "--stored")[0] == 0
    out = [tmp_path / name for name in ("r.html", "r.md", "r.json", "r.xml", "csv")]
    assert call("report", run, *(word for path in out for word in ("--out", path)))[0] == 0
    assert all(path.exists() for path in out)
    monkeypatch.setattr("webbrowser.open", lambda address: address.startswith("file:"))
    code, output = call("view", run)
    assert (code, output["opened"]) == (0, True)
    assert call("view", run, "--no-browser")[1]["opened"] is False


def test_validate_and_plan(call: Command, small_run: list[str], colours: str, tmp_path: Path) -> None:
    assert call("validate", "dataset", colours)[1]["pictures"] == 70
    assert call("validate", "protocol", "test/colours:plain")[1]["hash"] == colour_audit.RULES.hash
    assert call("validate", "thresholds", thresholds(tmp_path, "value <= 1"))[1]["rules"] == ["one"]
    code, (output,) = call("plan", *small_run[1:])
    assert (code, output["pictures"], output["kept"], output["done"]) == (0, 70, 0, False)
    h = (1.959964 + 0.841621) * math.sqrt(2 / 70)  # Cohen's arcsine difference, by hand
    assert output["detectable"] == pytest.approx(math.sin(h) / 2, abs=1e-3)
    call(*small_run)
    assert call("plan", *small_run[1:])[1][0]["done"] is True


def test_fairface_data_is_pointed_to_the_protocol_that_fits(
    own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table with FairFace's columns: `plan` and `run` name the protocol, and `validate dataset` names the same."""

    def call(*words: str) -> tuple[int, Any]:
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    rows = ["file,age,gender,race"]
    for number, (race, gender) in enumerate([*itertools.product(("White", "Black", "Indian"), ("Male", "Female"))] * 8):
        Image.new("RGB", (16, 16), (5 * number, 90, 90)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,20-29,{gender},{race}")
    (tmp_path / "faces.csv").write_text("\n".join(rows), encoding="utf-8")
    data = ["--model", "fake", "--dataset", f"csv:{tmp_path / 'faces.csv'}"]
    usable = call("validate", "dataset", data[-1])[1]["usable_by"]
    assert usable["bias/face-attributes"] == ["clip-2021"]
    assert "calibration" not in usable  # it needs a label, and the table has none
    for key in ("bias/face-attributes", "bias/denigration", "bias/retrieval-skew"):
        (name,) = usable[key]
        code, (cost,) = call("plan", key, *data)
        assert code == 2
        assert f"--protocol {name}" in cost["trouble"]
        assert call("plan", key, *data, "--protocol", name)[0] == 0
    assert main(["run", "bias/face-attributes", *data, "--out", str(tmp_path / "runs")]) == 2
    assert "--protocol clip-2021" in " ".join(capsys.readouterr().err.split())
    assert not list((tmp_path / "runs").glob("*"))


def test_resume_continues_what_waits_and_leaves_the_rest(call: Command, small_run: list[str], tmp_path: Path) -> None:
    _, (output,) = call(*small_run)
    assert call("resume", tmp_path / "runs") == (0, [])
    head = Path(output["run"]) / "run.json"
    head.write_text(json.dumps(json.loads(head.read_text()) | {"status": "incomplete"}))
    code, (again,) = call("resume", tmp_path / "runs")
    assert (code, again["run"], again["status"]) == (0, output["run"], "success")


def test_the_shells_cache_knows_the_vectors(begin: Begin, capsys: pytest.CaptureFixture[str], own_home: Path) -> None:
    begin()
    assert workbench(["cache", "ls", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["audits"]["chunks"] == 3
    assert workbench(["cache", "clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["freed"] >= output["audits"]["bytes"]
    assert VectorStore().usage().chunks == 0


@pytest.mark.heavy
def test_130_ctrl_c_saves_and_the_same_command_continues(colours: str, tmp_path: Path, own_home: Path) -> None:
    words = [
        "-m",
        "audits",
        "run",
        "test/colours",
        "--model",
        "fake",
        "--dataset",
        colours,
        "--out",
        str(tmp_path / "runs"),
    ]
    words += ["--set", "shades=[1.0, 0.9, 0.8]", "--set", "slow=0.03"]  # four seconds
    site = install(tmp_path / "site", "colours", {"audits": {"colours": "colour_audit:AUDIT"}})
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "audits"), str(site)])
    env = os.environ | {"PYTHONPATH": paths, "CLIP_WORKBENCH_HOME": str(own_home), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, *words], env=env, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "runs").glob("*/events.jsonl")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, audit = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues" in audit
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads((folder / "run.json").read_text())["status"] == "cancelled"
    assert subprocess.run([sys.executable, *words], env=env, check=False).returncode == 0
    assert json.loads((folder / "run.json").read_text())["status"] == "success"


def test_every_word_takes_json_and_the_codes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    from typer.main import get_command

    commands = get_command(audit).commands  # type: ignore[attr-defined]
    words = "list show validate plan run suite resume score report compare gate verify sign repro view"
    assert set(commands) == set(words.split())
    for name, command in commands.items():
        assert any("--json" in option.opts for option in command.params), name
    assert main(["--help"]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert all(f"{code} " in output for code in EXIT_CODES)


def test_each_audit_of_the_catalogue_is_there(call: Command) -> None:
    assert {row["key"] for row in call("list")[1]} == set(catalogue.AUDITS)

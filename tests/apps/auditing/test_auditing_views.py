"""The views on a real run of the fake model: numbers, the images behind them, rules, frames and run lists."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import audits
from apps.auditing import compare_runs, evidence, gate, report
from apps.shared.run_downloads import run_files
from apps.shared.visitor_runs import RunList, title
from audits.analysis import Finding
from audits.contracts import OUTCOME
from audits.run_directory.reader import Run
from workbench.errors import BadInput

AUDIT = "surveillance/scenes"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return audits.run(AUDIT, "fake", out=tmp_path_factory.mktemp("runs"))


def test_every_number_of_the_table_is_the_run_s(run: Run) -> None:
    rows = report.number_rows(run)
    assert len(rows) == len(run.metrics)
    for shown, row in zip(rows, run.metrics.to_dict("records"), strict=True):
        assert len(shown) == len(report.NUMBERS)
        value, interval, n = shown[2:5]
        if isinstance(value, float | int):
            assert value == pytest.approx(float(row["value"]), abs=5e-5)
        else:
            assert value == "–"
        if row["ci_low"] == row["ci_low"]:
            assert [float(end) for end in str(interval).split(" to ")] == pytest.approx(
                [float(row["ci_low"]), float(row["ci_high"])], abs=5e-5
            )
        assert n == int(row["n"])


def test_what_is_not_judged_has_a_line_of_its_own(run: Run) -> None:
    small = Finding("Not judged within 10 points: group b, in 1 of 2 numbers.", "not judged", slice={"group": "b"})
    few = Run(run.folder)
    vars(few)["findings"] = [Finding("Found: x.", "found"), small]
    assert report.not_judged(few) == "\n\n**Not judged within 10 points:** group b"
    vars(few)["findings"] = []
    assert report.not_judged(few) == ""


def test_what_stands_behind_a_number_is_what_it_is_the_mean_of(run: Run) -> None:
    samples = run.samples()
    checked = 0
    for row in run.metrics.to_dict("records"):
        if row["contrast"] != "none" or OUTCOME + row["metric"] not in samples.columns:
            continue
        result = evidence.rows_behind(
            samples, row["metric"], evidence.slice_of(row["slice"]), label_set=row["label_set"]
        )
        assert result[OUTCOME + row["metric"]].astype(float).mean() == pytest.approx(float(row["value"]), abs=1e-9)
        checked += 1
    assert checked > 3


def test_pictures_come_with_their_answers_and_people_only_when_asked_for(run: Run) -> None:
    result = evidence.evidence(run, "accuracy", {}, label_set="coarse", people=True)
    assert 0 < len(result.images) == len(result.rows) <= evidence.MOST
    assert max(result.images[0][0].size) <= evidence.SIDE
    samples = run.samples()
    first = samples[samples["sample_id"] == result.rows[0][0]].iloc[0]
    assert result.rows[0][3] == first["y_pred"]
    people = Run(run.folder)
    head = run.header.changed(dataset=run.header.dataset.model_copy(update={"people": True}))
    people.__dict__["header"] = head
    hidden = evidence.evidence(people, "accuracy", {}, label_set="coarse")
    assert hidden.images == []
    assert "unless you tick" in hidden.text
    assert len(evidence.evidence(people, "accuracy", {}, label_set="coarse", people=True).images) > 0


def test_numbers_that_no_picture_stands_behind_say_so(run: Run) -> None:
    with pytest.raises(BadInput, match="not counted image by image"):
        evidence.evidence(run, "no such metric", {})
    with pytest.raises(BadInput, match="no column 'planet'"):
        evidence.evidence(run, "accuracy", {"planet": "Mars"})


def test_a_report_in_a_frame_runs_nothing_and_ends_where_it_should() -> None:
    hostile = '<p title="a">x</p>\n\n<SCRIPT type="a">alert(1)</script ><script>1</script>$x$ "</iframe>'
    framed = report.framed(hostile)
    assert framed.startswith("<iframe sandbox ")
    assert framed.count("<") == 2  # the frame's own two tags
    assert "alert" not in framed
    assert "\n" not in framed
    assert "$" not in framed


def test_everything_can_be_taken_home(run: Run) -> None:
    files = run_files([run])
    assert "<html" in files.page.read_text(encoding="utf-8")
    assert len(files.numbers.read_text(encoding="utf-8").splitlines()) == len(run.metrics) + 1
    names = zipfile.ZipFile(files.packed).namelist()
    assert {"report.html", "report.md", "report.json", "junit.xml", "report.card.md"} <= set(names)
    assert f"{run.folder.name}/SHA256SUMS" in names


def test_rules_are_about_the_whole_each_group_or_a_gap(run: Run) -> None:
    menu = dict(gate.metrics(run))
    whole, each, gap = "accuracy, the whole", "accuracy, each light", "accuracy, gap between light"
    assert {whole, each, gap} <= set(menu)
    assert gate.rule(menu[whole], "value <=", 0.5)["slice"] == {}
    assert gate.rule(menu[each], "value <=", 0.5)["slice"] == {"light": "*"}
    coarse = gate.rule(menu["accuracy on coarse, each light"], "value <=", 1)
    assert coarse["label_set"] == "coarse"
    (checked,) = audits.gate(run.folder, {"schema": 1, "defaults": {"min_n": 0}, "rules": [coarse]}).rules
    assert [json.loads(check.slice) for check in checked.checks] == [{"light": "colour"}, {"light": "grey"}]
    made = gate.rule(menu[gap], "ci_high <=", 0.1)
    assert (made["contrast"], made["by"], made["require"]) == ("between_groups", ["light"], "ci_high <= 0.1")
    everything = {"schema": 1, "defaults": {"min_n": 0}, "rules": [gate.rule(menu[each], "ci_high <=", 1)]}
    passed = audits.gate(run.folder, everything)
    assert passed.outcome == "PASS"
    assert {row[6] for row in gate.check_rows(passed)} == {"PASS"}
    nothing = {"schema": 1, "rules": [{"id": "a", "metric": "none such", "require": "value <= 1"}]}
    assert gate.check_rows(audits.gate(run.folder, nothing))[0][6] == "ERROR"


def test_a_run_beside_itself_has_no_flips(run: Run) -> None:
    result = audits.compare(run.folder, run.folder)
    assert compare_runs.flip_rows(result)[1] == []
    rows = compare_runs.paired_rows(result)
    assert {row[4] for row in rows} <= {0.0, "–"}
    assert {len(row) for row in rows} == {len(compare_runs.PAIRED)}
    assert {"coarse", "all", "light=grey"} <= {str(cell) for row in rows for cell in row[1:3]}
    assert "0 flips" in compare_runs.summary(result)


def test_a_run_of_uploaded_images_is_named_without_their_place(run: Run) -> None:
    reference = "csv:$CLIP_WORKBENCH_UPLOADS/evaluate-1/samples.csv"
    header = run.header.changed(dataset=run.header.dataset.model_copy(update={"key": reference}))
    shown: Any = SimpleNamespace(header=header)
    assert title(shown) == title(run).replace(run.header.dataset.key, "own images")


def test_a_run_list_opens_only_its_own_runs(run: Run, tmp_path: Path) -> None:
    run_list = RunList(str(run.folder.parent)).added(run.folder)
    assert run_list.get(str(run.folder)).header.run_id == run.header.run_id
    assert run_list.choices() == [(title(run), str(run.folder))]
    assert run_list.added(tmp_path).added(run.folder).runs == (str(run.folder), str(tmp_path))
    for stranger in (str(tmp_path), "/etc", None):
        with pytest.raises(BadInput):
            run_list.get(stranger)
    assert json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["status"] == "success"


def test_remedies_are_offered_behind_a_finding_on_bias_alone(run: Run) -> None:
    from apps.auditing.form import model_choices
    from apps.auditing.helping import JOBS, offered

    def judged(audit: str, strength: str) -> Any:
        spec = SimpleNamespace(audit=audit)
        return SimpleNamespace(header=SimpleNamespace(spec=spec), findings=[SimpleNamespace(strength=strength)])

    assert JOBS.seconds > 0
    assert offered(judged("bias/association", "found"))
    assert not offered(judged("bias/association", "no evidence"))
    assert not offered(judged("limits/counting", "found"))
    assert not offered(run)
    assert [key for _, key in model_choices("pocket")] == [key for _, key in model_choices()]


def test_an_edited_model_of_the_page_can_be_audited(tmp_path: Path) -> None:
    from apps.auditing.form import model_choices
    from workbench.checkpoints.edit import Edit, write_edit

    folder = write_edit(tmp_path / "edited", Edit(base="pocket", kind="prompts", title="a remedy"))
    title_of = {key: text for text, key in model_choices(f"folder:{folder}")}
    assert title_of[f"folder:{folder}"].endswith("a remedy")

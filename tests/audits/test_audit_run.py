"""Audits from a notebook: a model of any name, runs or paths as tables, reports, and results that show themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import audits
import workbench
from audits.audit_run import AuditRun
from audits.errors import Tampered
from workbench.errors import BadInput, UnknownName
from workbench.fake import FakeBackend
from workbench.model import Model
from workbench.progress import Progress

KEY = "limits/counting"


def own_model(name: str, **faults: float) -> FakeBackend:
    """Return a model that no catalogue knows."""
    model = FakeBackend(device="cpu", **faults)  # type: ignore[arg-type]
    model.spec = replace(model.spec, key=name)
    return model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> AuditRun:
    return audits.run(KEY, Model(own_model("<b>mine</b>")), limit=20, out=tmp_path_factory.mktemp("runs"))


def test_a_model_of_any_name_is_measured_as_the_catalogue_s(run: AuditRun, tmp_path: Path) -> None:
    listed = audits.run(KEY, "fake", limit=20, out=tmp_path)
    assert run.header.spec.model == "<b>mine</b>"
    pd.testing.assert_series_equal(run.metrics["value"], listed.metrics["value"])
    with pytest.raises(UnknownName):
        audits.run(KEY, "mine", limit=20, out=tmp_path)


def test_a_model_may_be_a_loaded_checkpoint_that_nobody_else_holds(tmp_path: Path) -> None:
    reports: list[Progress] = []
    run = audits.run(KEY, own_model("mine"), limit=20, out=tmp_path, progress=reports.append)
    assert run.status == "success"
    assert any("embed" in one.stage for one in reports)


def test_runs_and_paths_become_tables(run: AuditRun, tmp_path: Path) -> None:
    other = audits.run(KEY, workbench.load("fake"), limit=20, out=tmp_path, seed=1)
    for given in ([run, other], [run.folder, str(other.folder)], (one for one in (run, other))):
        assert set(audits.metrics_df(given)["run_id"]) == {run.run_id, other.run_id}
    assert len(audits.metrics_df(run)) == len(run.metrics)
    assert audits.runs_df(tmp_path)["model"].tolist() == ["fake"]
    assert len(audits.samples_df([run])) == len(run.samples())
    with pytest.raises(BadInput):
        audits.metrics_df([])


def test_a_run_shows_and_reports_itself(run: AuditRun, tmp_path: Path) -> None:
    assert "counting" in run.report(tmp_path / "out.html").read_text(encoding="utf-8")
    assert len(repr(run)) < 120
    page = run._repr_html_()
    assert "<b>mine" not in page
    assert run.findings[0].text[:20] in page
    assert "<svg" in page
    assert run.plot()._repr_svg_().startswith("<svg")
    assert run.to_dict()["metrics"][0]["metric"] == run.to_frame()["metric"].iloc[0]
    with pytest.raises(UnknownName):
        run.plot("no such figure")


def test_a_report_of_a_changed_run_is_refused(tmp_path: Path) -> None:
    run = audits.run(KEY, "fake", limit=20, out=tmp_path)
    (run.folder / "findings.json").write_text("{}", encoding="utf-8")
    with pytest.raises(Tampered):
        run.report(tmp_path / "out.html")


def test_a_suite_runs_several_models_and_reports_them(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(f"{{schema: 1, title: Two, jobs: [{{audit: {KEY}}}]}}", encoding="utf-8")
    models = [own_model("one", bias=1.0), "fake"]
    suite = audits.run_suite(tmp_path / "two.yaml", models, out=tmp_path / "runs", limit=20)
    assert suite.complete
    assert [run.header.spec.model for run in suite] == ["one", "fake"]
    assert suite.metrics["run_id"].nunique() == 2
    assert (tmp_path / "runs" / "report.html").is_file()
    assert suite.report(tmp_path / "both.md").is_file()

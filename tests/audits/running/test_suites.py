"""Suites and plans: a list of jobs, refused before anything runs where a name is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import colour_audit
import pytest

from audits.run_directory.reader import Run
from audits.running import speeds, suites
from audits.running.jobs import make
from audits.running.planning import costs
from workbench.errors import BadInput, UnknownName
from workbench.loading import fingerprint

Begin = Callable[..., Run]
RELEASE = [
    *(f"bias/{name}" for name in ("face-attributes", "denigration", "label-design", "retrieval-skew", "association")),
    *("bias/occupations", "bias/mitigation"),
    *("surveillance/scenes", "surveillance/identity", "typographic/overlay", "shift/natural"),
    *("robustness/corruptions", "adversarial/lp"),
    *(f"limits/{name}" for name in ("counting", "composition", "negation", "hubness-and-gap", "ood", "prompts")),
    *("accuracy", "calibration"),
]


def suite(tmp_path: Path, text: str) -> str:
    path = tmp_path / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_release_suite_asks_every_question() -> None:
    assert suites.names() == ("quick", "release")
    assert [entry.audit for entry in suites.read("release").jobs] == RELEASE


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("title: x\njobs: []", "jobs"),
        ("title: x\njobs: [{audit: a, colour: b}]", "colour"),
        ("- [", "not valid YAML"),
        ("schema: 2\ntitle: x\njobs: [{audit: a}]", "schema"),
    ],
)
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, text: str, result: str) -> None:
    with pytest.raises(BadInput, match=result):
        suites.read(suite(tmp_path, text))


def test_unknown_suites_and_audits_are_refused(tmp_path: Path) -> None:
    for name in ("relase", str(tmp_path / "none.yaml")):
        with pytest.raises(UnknownName):
            suites.read(name)
    with pytest.raises(UnknownName, match="test/colurs"):
        suites.jobs(suites.read(suite(tmp_path, "title: x\njobs: [{audit: test/colurs}]")), ("fake",), {})


def test_entries_carry_data_and_settings(tmp_path: Path, registered: None, colours: str) -> None:
    text = f"title: x\njobs: [{{audit: test/colours, dataset: '{colours}', set: {{shades: [0.5]}}}}]"
    jobs = suites.jobs(suites.read(suite(tmp_path, text)), ("fake", "pocket"), {"seed": 3})
    assert [(job.model, job.seed, job.settings) for job in jobs] == [
        ("fake", 3, {"shades": [0.5]}),
        ("pocket", 3, {"shades": [0.5]}),
    ]
    assert jobs[0].rules.settings == {"shades": [0.5]}


def test_a_plan_counts_what_is_missing_and_computes_nothing(begin: Begin, colours: str, tmp_path: Path) -> None:
    def plan(shades: list[float]) -> tuple[int, int, bool]:
        options = {"settings": {"shades": shades}}
        job = make(colour_audit.AUDIT, "fake", colours, rules=colour_audit.RULES, options=options)  # type: ignore[arg-type]
        cost, twin = costs([job, job], tmp_path / "runs")
        assert twin.kept == twin.pictures  # what the first embeds is there for the second
        return cost.pictures, cost.kept, cost.done

    assert plan([1.0, 0.5]) == (140, 0, False)
    assert not (tmp_path / "runs").exists()
    begin()
    assert plan([1.0, 0.5]) == (140, 70, False)
    assert plan([1.0]) == (70, 70, True)


def test_a_plan_loads_no_model_and_takes_the_time_from_the_last_run(
    begin: Begin, colours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make(colour_audit.AUDIT, "pocket", colours, rules=colour_audit.RULES, options={"device": "cpu"})
    with monkeypatch.context() as patch:
        patch.setattr("workbench.loading.torch_backend.TorchBackend.__init__", None)  # a load would fail
        assert costs([job], tmp_path / "runs")[0].seconds is None
        speeds.remember(f"{fingerprint('pocket')} float32 cpu", images=140, seconds=7.0)
        cost = costs([job], tmp_path / "runs")[0]
    assert (cost.seconds, cost.pictures, cost.done) == (3.5, 70, False)
    speeds.remember(f"{fingerprint('pocket')} float32 cpu", images=2, seconds=7.0)  # says nothing
    assert costs([job], tmp_path / "runs")[0].seconds == cost.seconds
    run = begin(model="pocket", device="cpu", out=tmp_path / "runs")
    cost = costs([job], tmp_path / "runs")[0]
    assert (cost.done, cost.kept, cost.seconds) == (True, 70, 0.0)
    assert run.header.spec.device == "cpu"
    assert speeds.images_per_second(f"{run.header.hashes.model} float32 cpu") != 20.0


def test_a_plan_says_which_job_cannot_run(own_home: Path, tmp_path: Path) -> None:
    job = make(colour_audit.AUDIT, "fake", f"folder:{tmp_path / 'none'}", rules=colour_audit.RULES, options={})
    assert "no folder" in costs([job], tmp_path)[0].trouble

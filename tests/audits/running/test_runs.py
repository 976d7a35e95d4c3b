"""A run from question to directory: what it leaves, what it is called by, what is done only once."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import colour_audit
import pytest
from PIL import Image

import audits
from audits import comparing, passes, protocol, reporting
from audits.datasets import readers
from audits.errors import NothingMeasured
from audits.run_directory import header
from audits.run_directory.files import sha256_of
from audits.run_directory.reader import Run
from audits.running import api
from audits.running.vectors import VectorStore
from audits.tasks import TASKS as AUDIT_TASKS
from tests.audits.in_memory import measure
from workbench.engine import Engine
from workbench.engine.tasks import TASKS
from workbench.errors import BadInput, Cancelled, OutOfResources
from workbench.fake import FakeBackend
from workbench.scheduler import CancelToken

Begin = Callable[..., Run]


def tables(run: Run) -> dict[str, str]:
    """Hashes of what was measured."""
    return {name: sha256_of(run.folder / name) for name in ("metrics.parquet", "samples/part-0000.parquet")}


def test_a_run_leaves_all_that_a_reader_needs(begin: Begin) -> None:
    run = begin(settings={"shades": [1.0, 0.5]})
    for name in ("run.json", "protocol.yaml", "metrics.parquet", "metrics.csv", "findings.json", "events.jsonl"):
        assert (run.folder / name).is_file(), name
    assert run.status == "success"
    assert not run.header.partial
    stamp, *_, name = run.folder.name.split("_")
    assert (name, len(stamp)) == (run.header.run_id, len("20260101T000000Z"))
    (row,) = run.metrics.to_dict("records")
    assert (row["metric"], row["n"], row["k_pos"], row["value"]) == ("accuracy", 70, 70, 1.0)
    assert row["published_value"] == 0.9
    assert row["run_id"] == run.header.run_id
    assert len(run.samples()) == 140
    assert run.findings[0].text == "70 of 70 colours are named right."
    shades = json.loads((run.folder / "figures" / "shades.json").read_text())
    assert shades["rows"] == [["a", 0.5], ["b", None]]  # no number is null, never NaN
    assert run.figures["shades"].data["name"].tolist() == ["a", "b"]
    (table,) = run.tables.values()
    assert list(table["variant"]) == ["clean", "shade 0.5"]


def test_the_numbers_are_those_of_the_stages_in_memory(begin: Begin, colours: str) -> None:
    rules = colour_audit.RULES.model_copy(update={"settings": {"shades": [1.0, 0.2]}})
    message = measure(colour_audit.AUDIT, FakeBackend(), readers.read(colours), rules=rules)
    run = begin(settings={"shades": [1.0, 0.2]})
    assert run.metrics["value"].tolist() == [one.value for one in message.measures]


def test_provenance_names_code_packages_machine_and_model(begin: Begin) -> None:
    output = begin().provenance
    assert not output.git or len(output.git["commit"]) == 40  # no clone, no commit
    assert output.packages["torch"]
    assert len(output.packages) > 20
    assert output.machine["cores"] >= 1
    assert output.torch["threads"] >= 1
    assert "size=80" in output.model["preprocessing"]
    assert len(output.model["probe_sha256"]) == 64
    assert output.seeds["seed"] == 0


def test_the_weights_of_a_real_model_are_named_by_their_hash(begin: Begin, pocket: Any) -> None:
    run = begin(model="pocket", session=pocket, limit=2)
    hashes = run.provenance.model["weights_sha256"]
    assert hashes
    assert all(len(digest) == 64 for digest in hashes.values())
    assert run.header.spec.dtype == "float32"


def test_the_header_follows_its_shipped_schema(begin: Begin) -> None:
    assert json.loads(header.SCHEMA.read_text(encoding="utf-8")) == header.schema()
    content = json.loads((begin().folder / "run.json").read_text(encoding="utf-8"))
    assert set(content) == set(header.schema()["properties"])


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"limit": 100},  # all of the pictures, and still marked as a part
        {"settings": {"shades": [1.0, 0.9]}},
        {"protocol": colour_audit.RULES.model_copy(update={"templates": ("{}",)})},
        {"audit": replace(colour_audit.AUDIT, version=2)},
        {"session": FakeBackend(gullibility=0.1)},
    ],
    ids=["seed", "limit", "setting", "template", "version", "model"],
)
def test_what_changes_a_number_makes_another_run(begin: Begin, other: dict[str, Any]) -> None:
    assert begin().header.run_id != begin(**other).header.run_id


def test_a_changed_label_makes_another_hash_and_a_changed_title_none(begin: Begin) -> None:
    def changed(**fields: Any) -> Any:
        return colour_audit.RULES.model_validate(colour_audit.RULES.model_dump(by_alias=True) | fields)

    labels = {"colours": {"labels": ["red", "green", "blue", "gold"]}}
    first = begin()
    assert begin(protocol=changed(label_sets=labels)).header.hashes.protocol != first.header.hashes.protocol
    assert begin(protocol=changed(title="Other")).header.run_id == first.header.run_id


def test_other_data_make_another_run(begin: Begin, colours: str) -> None:
    first = begin()
    folder = Path(colours.partition(":")[2])
    Image.new("RGB", (90, 90), "red").save(folder / "red" / "one-more.png")
    second = begin()
    assert second.header.hashes.dataset != first.header.hashes.dataset
    assert second.folder != first.folder


def test_a_picture_with_other_content_is_embedded_anew(begin: Begin, colours: str) -> None:
    assert begin().metrics["k_pos"].tolist() == [70]
    Image.new("RGB", (90, 90), (20, 20, 220)).save(Path(colours.partition(":")[2]) / "red" / "0000.png")
    second = begin()
    assert second.metrics["k_pos"].tolist() == [69]
    assert second.header.stages["embed"].kept == 6  # the chunk without that picture


def test_a_run_that_is_done_is_not_done_again(begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLOURS_SCORED", str(tmp_path / "scored"))
    first, second = begin(), begin()
    assert first.folder == second.folder
    assert (tmp_path / "scored").read_text() == "scored\n"
    third = begin(again=True)
    assert third.folder != first.folder
    assert (third.header.stages["embed"].computed, third.header.stages["embed"].kept) == (0, 70)
    assert tables(third) == tables(first)


def test_two_audits_over_one_data_set_share_its_vectors(begin: Begin) -> None:
    begin()
    other = begin(audit=replace(colour_audit.AUDIT, version=7), settings={"shades": [1.0, 0.5]})
    assert (other.header.stages["embed"].kept, other.header.stages["embed"].computed) == (70, 70)
    assert other.header.stages["embed"].texts_computed == 0


def test_changed_pictures_of_another_version_are_not_taken(begin: Begin) -> None:
    begin(settings={"shades": [0.5, 1.0]})
    other = begin(audit=replace(colour_audit.AUDIT, version=2), settings={"shades": [0.5, 1.0]})
    assert other.header.stages["embed"].computed == 70


def test_a_limit_marks_the_run_and_takes_from_all_classes(begin: Begin) -> None:
    run = begin(limit=20)
    assert run.header.partial
    assert any("limit 20" in warning for warning in run.warnings)
    samples = run.samples()
    assert len(samples) == 20
    assert samples["y_true"].nunique() == 4
    assert set(begin(limit=10).samples()["sample_id"]) < set(samples["sample_id"])


def test_a_broken_picture_is_left_out_and_named(begin: Begin, colours: str) -> None:
    folder = Path(colours.partition(":")[2])
    (folder / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    run = begin()
    ((path, why),) = run.header.dataset.excluded
    assert path == "red/broken.png"
    assert "broken.png" in why
    assert run.header.dataset.n == 70


def test_equal_pictures_are_named(begin: Begin, colours: str) -> None:
    folder = Path(colours.partition(":")[2])
    (folder / "red" / "again.png").write_bytes((folder / "red" / "0000.png").read_bytes())
    assert any("red/0000.png, red/again.png" in w or "red/again.png" in w for w in begin().warnings)


def test_nothing_to_measure_is_an_error(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingMeasured, match="no usable image"):
        begin(dataset=f"folder:{tmp_path / 'empty'}")


def test_a_session_of_the_engine_gives_the_same_bytes(begin: Begin, tmp_path: Path) -> None:
    given = {"settings": {"shades": [1.0, 0.5]}}
    plain = begin(**given, store=VectorStore(tmp_path / "one"), out=tmp_path / "plain")
    with Engine(default="fake") as engine, engine.session("visitor") as session:
        shared = begin(**given, store=VectorStore(tmp_path / "two"), out=tmp_path / "shared", session=session)
    assert shared.header.stages["embed"].computed == 140
    assert tables(shared) == tables(plain)


class _Far:
    """A device in another process, as a hosted page has it."""

    def __init__(self) -> None:
        self.model = FakeBackend()

    def stream(self, task: str, keys: tuple[str, ...], payload: Any) -> Any:
        return {**TASKS, **AUDIT_TASKS}[task].run(self.model, pickle.loads(pickle.dumps(payload)))


def test_a_device_in_another_process_measures_the_same(begin: Begin, tmp_path: Path) -> None:
    given = {"settings": {"shades": [1.0, 0.5]}}
    plain = begin(**given, store=VectorStore(tmp_path / "one"), out=tmp_path / "plain")
    with Engine(default="fake", remote=_Far()) as engine, engine.session("visitor") as session:
        far = begin(**given, store=VectorStore(tmp_path / "two"), out=tmp_path / "far", session=session)
    assert far.header.stages["embed"].computed == 140
    assert far.samples().equals(plain.samples())


@pytest.mark.heavy
def test_a_second_run_embeds_in_a_fiftieth_of_the_time(begin: Begin, pocket: Any) -> None:
    given = {"model": "pocket", "session": pocket, "settings": {"shades": [1.0, 0.8, 0.6]}}
    first = begin(**given).header.stages["embed"]
    later = [begin(**given, again=True).header.stages["embed"] for _ in range(3)]
    assert first.computed == 210
    assert {(stage.computed, stage.kept) for stage in later} == {(0, 210)}
    assert min(stage.seconds for stage in later) <= first.seconds / 50  # what else the machine does only adds to a time


def test_a_cancelled_run_is_marked_and_continues_where_it_was(begin: Begin, tmp_path: Path) -> None:
    whole = begin(settings={"shades": [1.0, 0.5]}, store=VectorStore(tmp_path / "other"), out=tmp_path / "whole")
    token = CancelToken()

    def watch(job: Any, progress: Any) -> None:
        if progress.stage == "embed" and progress.done >= 70:
            token.cancel()

    with pytest.raises(Cancelled):
        begin(settings={"shades": [1.0, 0.5]}, token=token, watch=watch)
    (folder,) = (tmp_path / "runs").iterdir()
    assert header.read(folder).status == "cancelled"
    with pytest.raises(BadInput, match="resume"):
        _ = Run(folder).metrics
    done = audits.resume(folder, row=colour_audit.AUDIT)
    assert done.folder == folder
    assert done.header.stages["embed"].kept == 70
    assert tables(done) == tables(whole)


def test_a_stop_does_not_wait_for_the_pictures_of_a_chunk(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, opened = CancelToken(), []
    really = passes.safe_open

    def slow(picture: Any) -> Any:
        opened.append(picture)
        token.cancel()
        time.sleep(0.02)
        return really(picture)

    monkeypatch.setattr(passes, "safe_open", slow)
    with pytest.raises(Cancelled):
        begin(settings={"shades": [1.0, 0.5]}, token=token)
    assert len(opened) < 20  # of 70


def test_ctrl_c_is_written_down(begin: Begin, tmp_path: Path) -> None:
    def interrupt(job: Any, progress: Any) -> None:
        if progress.stage == "score":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin(watch=interrupt)
    (folder,) = (tmp_path / "runs").iterdir()
    assert header.read(folder).status == "cancelled"
    assert begin().folder == folder


def test_an_audit_that_crashes_is_marked_and_others_go_on(own_home: Path, colours: str, tmp_path: Path) -> None:
    from audits.running.jobs import make

    jobs = [
        make(colour_audit.AUDIT, "fake", colours, rules=colour_audit.RULES, options={"settings": {"crash": crash}})
        for crash in (True, False)
    ]
    bad, good = api.run_jobs(jobs, tmp_path / "runs")
    assert (bad.run, bad.exit_code) == (None, 1)
    assert "planted" in bad.error
    assert good.run is not None
    assert good.run.status == "success"
    states = {head.status: head.error for head in map(header.read, (tmp_path / "runs").iterdir())}
    assert states == {"error": "ArithmeticError: planted", "success": ""}


def test_scoring_again_needs_no_model(begin: Begin, monkeypatch: pytest.MonkeyPatch, registered: None) -> None:
    first = begin(settings={"shades": [1.0, 0.5]})
    before = tables(first)
    monkeypatch.setattr("workbench.loading.load", lambda *_, **__: pytest.fail("the model was loaded"))

    def unfinish(*names: str) -> None:  # files of a finished run may not be missing
        header.write(first.folder, header.read(first.folder).changed(status="incomplete"))
        for name in names:
            (first.folder / name).unlink()

    unfinish("metrics.parquet", "samples/part-0000.parquet")
    assert tables(audits.score(first.folder)) == before
    unfinish("metrics.parquet")
    assert tables(audits.score(first.folder, stored=True)) == before
    VectorStore().clear()
    with pytest.raises(BadInput, match="no longer stored"):
        audits.score(first.folder)


def test_settings_that_the_audit_does_not_know_are_refused(begin: Begin) -> None:
    with pytest.raises(BadInput, match=r"hue.*It has: shades"):
        begin(settings={"hue": 1})


def test_many_runs_are_one_table(begin: Begin, tmp_path: Path) -> None:
    begin()
    begin(seed=3)
    assert audits.runs_df(tmp_path / "runs")["status"].tolist() == ["success"] * 2
    assert audits.metrics_df(tmp_path / "runs")["run_id"].nunique() == 2
    assert len(audits.samples_df(tmp_path / "runs")) == 140


def test_changed_settings_stand_in_the_protocols_name_wherever_it_is_printed(
    begin: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = begin(settings={"shades": colour_audit.RULES.settings["shades"]})
    assert plain.header.spec.protocol == "plain"  # nothing differs
    run = begin(settings={"shades": [1.0, 0.5]})
    name = "plain (changed: shades)"
    assert run.header.spec.protocol == name
    assert set(run.metrics["protocol"]) == {name}
    assert protocol.read_file(run.folder / "protocol.yaml").name == name
    assert api.resume(run.folder, row=colour_audit.AUDIT).header.spec.protocol == name
    report = tmp_path / "report.html"
    reporting.write([run.folder], report)
    assert name in report.read_text(encoding="utf-8")
    rules = {"schema": 1, "rules": [{"id": "x", "metric": "accuracy", "require": "value >= 0", "why": "y"}]}
    judged = comparing.gate(run.folder, rules)
    assert judged.protocols == [f"{colour_audit.AUDIT.key}: {name}"]
    reporting.write_gate(judged, tmp_path / "gate.md")
    assert name in (tmp_path / "gate.md").read_text(encoding="utf-8")
    both = comparing.compare(plain.folder, run.folder, allow_mismatch=True)
    assert both.protocols == ("plain", name)
    reporting.write_comparison(both, tmp_path / "both.md")
    assert name in (tmp_path / "both.md").read_text(encoding="utf-8")


def test_a_model_that_gives_no_numbers_ends_the_run(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    right = FakeBackend.encode_pixels
    monkeypatch.setattr(FakeBackend, "encode_pixels", lambda self, pixels: right(self, pixels) * float("nan"))
    with pytest.raises(OutOfResources, match="returned NaN or infinity; float32"):
        begin()
    monkeypatch.setattr(FakeBackend, "encode_pixels", right)
    assert begin().status == "success"  # nothing of it was kept


@pytest.mark.heavy
def test_locale_time_zone_threads_and_hash_seed_change_no_byte(begin: Begin, colours: str, tmp_path: Path) -> None:
    run = begin()
    work = f"""
import sys
sys.path.insert(0, {str(Path(colour_audit.__file__).parent)!r})
import colour_audit, audits
from audits import reporting
run = audits.run(colour_audit.AUDIT, "fake", {colours!r}, protocol=colour_audit.RULES, out=sys.argv[1])
reporting.write({str(run.folder)!r}, sys.argv[1] + "/report.html")
reporting.write({str(run.folder)!r}, sys.argv[1] + "/report.json")
print(run.folder)
"""

    def contents(folder: Path, place: Path) -> tuple[str, ...]:
        files = (folder / "metrics.parquet", folder / "findings.json", folder / "samples" / "part-0000.parquet")
        return tuple(sha256_of(file) for file in (*files, place / "report.html", place / "report.json"))

    reporting.write(run.folder, tmp_path / "report.html")
    reporting.write(run.folder, tmp_path / "report.json")
    written = {contents(run.folder, tmp_path)}
    place = tmp_path / "elsewhere"
    more = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Auckland", "OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "99"}
    done = subprocess.run(
        [sys.executable, "-c", work, str(place)],
        env={**os.environ, **more, "CLIP_WORKBENCH_HOME": str(place / "home")},
        capture_output=True, text=True, check=True, timeout=200, cwd=Path(audits.__file__).parents[1],
    )  # fmt: skip
    written.add(contents(Path(done.stdout.strip().splitlines()[-1]), place))
    assert len(written) == 1

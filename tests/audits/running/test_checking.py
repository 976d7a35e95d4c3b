"""Verify and repeat: what was changed is found, and what was not comes out the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import audits
from audits.errors import Tampered
from audits.run_directory import seal
from audits.run_directory.reader import Run
from audits.running import checking, validating
from tests.audits.reporting.made_run import sealed
from workbench.errors import BadInput, UnknownName

Begin = Callable[..., Run]


def test_an_untouched_run_is_intact(begin: Begin) -> None:
    assert checking.verify(begin().folder).files == 8


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("metrics.parquet", "metrics.parquet is not what was written"),
        ("samples/part-0000.parquet", "not what was written"),
        ("findings.json", "findings.json is not"),
        ("protocol.yaml", "protocol.yaml is not"),
    ],
)
def test_a_changed_file_is_found(begin: Begin, name: str, result: str) -> None:
    run = begin()
    with (run.folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(Tampered, match=result):
        checking.verify(run.folder)


def test_missing_and_added_files_and_sums_are_found(begin: Begin) -> None:
    run = begin()
    (run.folder / "figures" / "more.json").write_text("{}")
    with pytest.raises(Tampered, match=r"more\.json was added"):
        checking.verify(run.folder)
    (run.folder / "figures" / "more.json").unlink()
    sums = (run.folder / "SHA256SUMS").read_text()
    kept = "".join(line + "\n" for line in sums.splitlines() if "metrics.parquet" not in line)
    (run.folder / "SHA256SUMS").write_text(kept)
    with pytest.raises(Tampered, match=r"metrics\.parquet has no hash"):
        checking.verify(run.folder)
    (run.folder / "SHA256SUMS").write_text("nonsense\n")
    with pytest.raises(Tampered, match="no hash"):
        checking.verify(run.folder)
    (run.folder / "SHA256SUMS").unlink()
    with pytest.raises(Tampered, match="SHA256SUMS"):
        checking.verify(run.folder)


def test_a_header_that_was_turned_to_other_data_is_found(begin: Begin) -> None:
    run = begin()
    content = json.loads((run.folder / "run.json").read_text())
    content["hashes"]["dataset"] = "0" * 64
    (run.folder / "run.json").write_text(json.dumps(content))
    with pytest.raises(Tampered, match=r"run\.json is not what was written"):
        checking.verify(run.folder)
    with pytest.raises(Tampered, match="run_id"):  # even where the hashes were made anew
        checking.verify(sealed(run.folder))


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("spec", "title", "Another title"),
        ("dataset", "key", "builtin:other"),
        ("dataset", "n", 1_000_000),
        (None, "finished", "2020-01-01T00:00:00+00:00"),
        (None, "warnings", ["All is well."]),
        (None, "remark", "a field that no header has"),
    ],
)
def test_no_field_of_the_header_is_changed_unnoticed(begin: Begin, part: str | None, field: str, value: object) -> None:
    run = begin()
    path = run.folder / "run.json"
    content = json.loads(path.read_text())
    (content if part is None else content[part])[field] = value
    path.write_text(json.dumps(content, indent=1, sort_keys=True))
    with pytest.raises(Tampered, match=r"run\.json is not what was written"):
        checking.verify(run.folder)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="signatures need OpenSSH")
def test_a_signature_holds_for_its_key_and_its_hashes_alone(begin: Begin, tmp_path: Path) -> None:
    for name in ("mine", "other"):
        make_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(tmp_path / name)]
        subprocess.run(make_key, check=True, timeout=60)
    run, mine, other = begin().folder, tmp_path / "mine.pub", tmp_path / "other.pub"
    with pytest.raises(Tampered, match="no signature"):
        checking.verify(run, mine)
    assert seal.sign(run, tmp_path / "mine").name == "SHA256SUMS.sig"
    assert checking.verify(run, mine).files == checking.verify(run).files == 8
    with pytest.raises(Tampered, match=r"not signed by .other\.pub"):
        checking.verify(run, other)
    metrics = pd.read_parquet(run / "metrics.parquet")
    metrics.assign(value=0.5).to_parquet(run / "metrics.parquet", index=False)
    sealed(run)  # whoever alters a run can make its hashes anew, but not the signature
    assert checking.verify(run).files == 8
    with pytest.raises(Tampered, match=r"not signed by .mine\.pub"):
        checking.verify(run, mine)
    with pytest.raises(BadInput, match="no key file"):
        seal.sign(run, tmp_path / "none")
    with pytest.raises(BadInput, match="public SSH key"):
        checking.verify(run, tmp_path / "none.pub")


def test_numbers_that_the_samples_do_not_give_are_found_under_new_hashes(begin: Begin, registered: None) -> None:
    run = begin().folder
    agreed = checking.verify(run)
    assert (agreed.measures, agreed.signed) == (len(Run(run).metrics), False)
    assert "match their manifest; not signed" in str(agreed)
    metrics = pd.read_parquet(run / "metrics.parquet")
    text = (run / "findings.json").read_text(encoding="utf-8")

    def write(table: pd.DataFrame, findings: str = text) -> Path:
        table.to_parquet(run / "metrics.parquet", index=False)
        table.to_csv(run / "metrics.csv", index=False, lineterminator="\n")
        (run / "findings.json").write_text(findings, encoding="utf-8")
        return sealed(run)

    for column, value in (("value", 0.123), ("ci_low", 0.123), ("k_pos", 3)):
        with pytest.raises(Tampered, match="not what its samples give"):
            checking.verify(write(metrics.assign(**{column: value})))
    (write(metrics) / "metrics.csv").write_text("metric,value\n", encoding="utf-8")
    with pytest.raises(Tampered, match=r"metrics\.csv holds other numbers"):
        checking.verify(sealed(run))
    with pytest.raises(Tampered, match=r"findings\.json"):
        checking.verify(write(metrics, text.replace('"found"', '"no evidence"', 1)))
    assert checking.verify(write(metrics)).measures == len(metrics)


def test_what_other_code_measured_is_not_worked_out_again(begin: Begin, registered: None) -> None:
    run = begin().folder
    content = json.loads((run / "run.json").read_text())
    content["provenance"]["packages"]["numpy"] = "0.1"
    (run / "run.json").write_text(json.dumps(content))
    agreed = checking.verify(sealed(run))
    assert (agreed.measures, "another version" in agreed.why) == (None, True)


def test_scoring_again_makes_the_seal_anew(begin: Begin, registered: None) -> None:
    run = begin()
    assert audits.score(run.folder, stored=True).status == "success"
    assert checking.verify(run.folder).files == 8
    (run.folder / "findings.json").unlink()
    with pytest.raises(Tampered, match=r"findings\.json is missing"):
        audits.score(run.folder)
    with pytest.raises(Tampered, match=r"findings\.json is missing"):
        _ = Run(run.folder).findings


def test_a_run_is_repeated_from_its_pictures(begin: Begin, registered: None) -> None:
    run = begin(settings={"shades": [1.0, 0.5]})
    result = checking.repeat(run.folder, tolerance=0.0, options={})
    assert (result.rows, result.largest) == (1, 0.0)
    table = pd.read_parquet(run.folder / "metrics.parquet")
    table["value"] -= 0.01
    table.to_parquet(run.folder / "metrics.parquet", index=False)
    with pytest.raises(Tampered, match=r"value of accuracy differs by 0\.01"):
        checking.repeat(run.folder, tolerance=1e-4, options={})
    assert checking.repeat(run.folder, tolerance=0.02, options={}).largest == pytest.approx(0.01)


def test_a_number_that_is_gone_is_a_difference() -> None:
    one = pd.DataFrame({"metric": ["a", "b"], "value": [1.0, None]})
    other = pd.DataFrame({"metric": ["a", "b"], "value": [1.0, 2.0]})
    assert checking.difference(one, other, 0.1).largest == float("inf")
    with pytest.raises(Tampered, match="other things"):
        checking.difference(one, other.assign(metric=["a", "c"]), 0.1)


def test_a_run_over_changed_data_cannot_be_repeated(begin: Begin, registered: None, colours: str) -> None:
    run = begin()
    (Path(colours.partition(":")[2]) / "red" / "0000.png").unlink()
    with pytest.raises(Tampered, match="dataset changed"):
        checking.repeat(run.folder, tolerance=1.0, options={})


def test_an_unfinished_run_is_neither_verified_nor_repeated(begin: Begin) -> None:
    run = begin()
    content = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(content | {"status": "cancelled"}))
    with pytest.raises(BadInput, match="not finished"):
        checking.verify(run.folder)
    with pytest.raises(BadInput, match="tolerance"):
        checking.repeat(run.folder, tolerance=-1, options={})


def test_an_audit_a_data_set_and_a_protocol_are_tried(registered: None, own_home: Path, colours: str) -> None:
    from audits import catalogue

    row = catalogue.find("test/colours")
    assert validating.check(row, dataset=colours)["measures"] == 1
    output = validating.dataset(colours)
    assert output["pictures"] == 70
    assert output["groups"]["label"] == {"blue": 17, "green": 18, "red": 18, "yellow": 17}
    assert output["small_groups"] == ["label=blue", "label=green", "label=red", "label=yellow"]
    assert "test/colours" in output["usable_by"]
    assert validating.rules("test/colours:plain")["labels"] == {"colours": 4}
    with pytest.raises(UnknownName):
        validating.rules("test/colours:none")


def test_an_audit_that_is_not_deterministic_is_found(
    registered: None, own_home: Path, colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import itertools

    import colour_audit

    from audits.analysis import Analysis
    from workbench.statistics import measures

    turn = itertools.count(1)
    monkeypatch.setattr(
        colour_audit, "analyse", lambda *_, **__: Analysis([measures.share("accuracy", next(turn), 10)])
    )
    with pytest.raises(BadInput, match="not deterministic"):
        validating.check(colour_audit.AUDIT, dataset=colours, rules=colour_audit.RULES)

"""Verify and repeat: what was changed is found, and what was not comes out the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from audits.errors import Tampered
from audits.run_directory.reader import Run
from audits.running import checking, validating
from workbench.errors import BadInput, UnknownName

Begin = Callable[..., Run]


def test_an_untouched_run_is_intact(begin: Begin) -> None:
    assert checking.verify(begin().folder) == 7


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("metrics.parquet", "metrics.parquet is not what was written"),
        ("samples/part-0000.parquet", "not what was written"),
        ("findings.json", "findings.json is not"),
        ("protocol.yaml", "protocol.yaml is not"),
    ],
)
def test_a_changed_file_is_found(begin: Begin, name: str, found: str) -> None:
    run = begin()
    with (run.folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(Tampered, match=found):
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
    with pytest.raises(Tampered, match="run_id"):
        checking.verify(run.folder)


def test_a_run_is_repeated_from_its_pictures(begin: Begin, registered: None) -> None:
    run = begin(settings={"shades": [1.0, 0.5]})
    found = checking.repeat(run.folder, tolerance=0.0, options={})
    assert (found.rows, found.largest) == (1, 0.0)
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
    assert validating.audit(row, dataset=colours)["measures"] == 1
    told = validating.dataset(colours)
    assert told["pictures"] == 70
    assert told["groups"]["label"] == {"blue": 17, "green": 18, "red": 18, "yellow": 17}
    assert told["small_groups"] == ["label=blue", "label=green", "label=red", "label=yellow"]
    assert "test/colours" in told["usable_by"]
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
        validating.audit(colour_audit.AUDIT, dataset=colours, rules=colour_audit.RULES)

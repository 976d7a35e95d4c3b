"""Findings stand in the order of their evidence."""

from __future__ import annotations

from pathlib import Path

from audits.analysis import Finding
from audits.reporting._evidence import rank, stands_out
from audits.run_directory.reader import Run


def with_findings(folder: Path, findings: list[Finding]) -> Run:
    run = Run(folder)
    run.__dict__["findings"] = findings  # in place of those in the file
    return run


def test_found_before_the_rest_then_p_then_effect_then_n(run: Path) -> None:
    findings = [
        Finding("not measured", "not measured"),
        Finding("large n", "found", effect=0.2, p_adj=0.01, n=500),
        Finding("small n", "found", effect=0.2, p_adj=0.01, n=50),
        Finding("no p", "found", effect=0.9),
        Finding("large effect, downwards", "found", effect=-0.5, p_adj=0.01, n=5),
        Finding("nothing", "no evidence", effect=0.9, p_adj=0.0001),
        Finding("small p", "found", effect=0.01, p_adj=0.0001, n=5),
    ]
    ranked = rank([with_findings(run, findings)])
    assert [entry.finding.text for entry in ranked] == [
        "small p",
        "large effect, downwards",
        "large n",
        "small n",
        "no p",
        "nothing",
        "not measured",
    ]


def test_the_box_has_something_of_each_run(run: Path) -> None:
    loud = with_findings(run, [Finding(f"loud {at}", "found", p_adj=0.001 * at) for at in range(9)])
    quiet = with_findings(run, [Finding("quiet", "found", p_adj=0.04)])
    output = [entry.finding.text for entry in stands_out(rank([loud, quiet]))]
    assert output == ["loud 0", "loud 1", "loud 2", "loud 3", "quiet"]

"""Everything in one JSON file, by a schema that is shipped beside: strict JSON, null for what is not known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from audits.analysis import FigureKind, Strength
from audits.comparing.outcomes import GateResult, Outcome
from audits.reporting._page import ReportOptions, untested, version
from audits.run_directory.reader import Run
from audits.run_directory.rows import rows, slice_of
from workbench.strict import Strict
from workbench.strict_json import plain

if TYPE_CHECKING:
    from pandas import DataFrame


SCHEMA = Path(__file__).parent / "schema" / "report.schema.json"
Cell = str | float | int | bool | None


class _Table(Strict):
    title: str
    columns: list[str]
    rows: list[list[Any]]


class _Figure(_Table):
    key: str
    kind: FigureKind
    x: str
    y: str
    alt: str


class _Finding(Strict):
    text: str
    strength: Strength
    metric: str = ""
    slice: dict[str, str] = Field(default_factory=dict)
    effect: float | None = None
    p_adj: float | None = None
    n: int | None = None
    by: str = ""
    label_set: str = ""
    least_p: bool = False


class _Metric(BaseModel):
    """A row of the metrics table; further columns are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)

    metric: str
    unit: str = ""
    contrast: str = "none"
    slice: dict[str, str]
    flags: list[str]
    n: int | None = None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    level: float | None = None
    ci_method: str = ""
    p_value: float | None = None
    p_adj: float | None = None


class _ReportedRun(Strict):
    header: dict[str, Any]  # as in run.json
    protocol: dict[str, Any]  # as in protocol.yaml
    metrics: list[_Metric]
    findings: list[_Finding]
    sanity: list[str]
    figures: list[_Figure]
    tables: list[_Table]
    how_to_read: str = ""
    limits: str = ""


class _ReportedCheck(Strict):
    run_id: str
    model: str
    slice: dict[str, str]
    n: int | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    level: float
    unit: str
    outcome: Outcome
    why: str


class _Rule(Strict):
    id: str
    audit: str
    metric: str
    require: str
    outcome: Outcome
    severity: str
    tests: int
    point: bool
    message: str
    checks: list[_ReportedCheck]


class _ReportedGate(Strict):
    outcome: Outcome
    exit_code: Literal[0, 1, 4, 7]
    inconclusive: Literal["fail", "warn", "pass"]
    title: str
    runs: list[str]
    baseline: list[str]
    protocols: list[str] = Field([])
    rules: list[_Rule]


class Document(Strict):
    """A report as data."""

    schema_version: Literal[1] = Field(1, alias="schema")
    software: str
    untested: list[str]
    runs: list[_ReportedRun]
    gate: _ReportedGate | None = None


def write(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write the document."""
    content = document(runs, options.gate).model_dump(mode="json", by_alias=True)
    out.write_text(json.dumps(content, ensure_ascii=True, allow_nan=False, indent=1) + "\n", encoding="utf-8")


def document(runs: Sequence[Run], gate: GateResult | None = None) -> Document:
    """Return runs and gate as data."""
    return Document(
        schema=1,
        software=f"CLIP Workbench {version()}",
        untested=untested(runs),
        runs=[_run(run) for run in runs],
        gate=None if gate is None else _ReportedGate.model_validate(_gate_content(gate)),
    )


def _gate_content(result: GateResult) -> dict[str, Any]:
    """Return what a gate said as plain values."""
    content = plain(asdict(result))
    for rule in content["rules"]:
        for check in rule["checks"]:
            check["slice"] = slice_of(check["slice"])
    return dict(content)


def gate_text(result: GateResult) -> str:
    """Return what a gate said as JSON."""
    return json.dumps(_gate_content(result), indent=1, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema of the document, as shipped in `SCHEMA`."""
    return Document.model_json_schema(by_alias=True)


def metric_rows(table: DataFrame) -> list[dict[str, Any]]:
    """Return a metrics table as strict-JSON rows; `slice` is an object, `flags` a list."""
    return [
        {
            **plain(row),
            "slice": slice_of(row.get("slice")),
            "flags": [flag for flag in str(row.get("flags") or "").split("|") if flag],
        }
        for row in rows(table)
    ]


def _run(run: Run) -> _ReportedRun:
    figures = [
        {"key": one.key, "kind": one.kind, "x": one.x, "y": one.y, "alt": one.alt, **_table(one.title, one.data)}
        for one in run.figures.values()
    ]
    return _ReportedRun.model_validate(
        {
            "header": run.header.model_dump(mode="json", by_alias=True),
            "protocol": plain(run.protocol),
            "metrics": metric_rows(run.metrics),
            "findings": [{**asdict(one), "slice": dict(one.slice or {})} for one in run.findings],
            "sanity": list(run.sanity),
            "figures": figures,
            "tables": [_table(title, data) for title, data in run.tables.items()],
            **run.texts,
        }
    )


def _table(title: str, data: DataFrame) -> dict[str, Any]:
    lines = [plain(list(line)) for line in data.itertuples(index=False, name=None)]
    return {"title": title, "columns": [str(name) for name in data.columns], "rows": lines}

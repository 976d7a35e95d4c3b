"""A section of a Hugging Face model card: the `model-index` that the hub reads, and the text that people read.

The hub's format has no place for an interval, so it stands in the metric's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from audits.reporting._evidence import rank
from audits.reporting._markdown import headline, headlines
from audits.reporting._numbers import count, written
from audits.reporting._page import ReportOptions, version
from audits.reporting._tables import title
from audits.reporting._text import markdown_cell, markdown_row, visible
from audits.run_directory.reader import Run
from audits.run_directory.rows import known
from workbench.statistics.row import GAPS

TASK = "zero-shot-image-classification"
DIGITS = 6  # of a value, after the point
MOST_FINDINGS = 12
MOST_ROWS = 8  # of one audit, in the text; the index has all
USE = (
    "Audits of attribute classification and identity measure a risk. They do not endorse such use, whatever the "
    "numbers. The numbers hold for the images and label wordings of each audit only."
)


def write(runs: Sequence[Run], options: ReportOptions, out: Path) -> None:
    """Write the section: YAML between dashes, then Markdown."""
    import yaml

    index = yaml.safe_dump({"model-index": model_index(runs)}, sort_keys=False, allow_unicode=True, width=110)
    out.write_text(f"---\n{index}---\n\n{text(runs)}", encoding="utf-8")


def model_index(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the runs as the hub's `model-index`: an entry a model, a result a run with something measured."""
    index: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        metrics = [_metric(row) for row in headlines(run)]
        results = index.setdefault(visible(run.model, 100), [])
        if metrics:
            head = run.header
            task = {"type": TASK, "name": visible(head.spec.title or run.audit, 100)}
            kind, _, name = head.dataset.key.partition(":")
            if kind not in ("builtin", "hf") or name.startswith(("/", "~")):
                name = PurePath(name).name  # without this machine's folders
            data = {"type": visible(f"{kind}:{name}", 100), "name": visible(head.dataset.title, 100)}
            data["revision"] = str(head.hashes.dataset)
            results.append({"task": task, "dataset": data, "metrics": metrics})
    return [{"name": name, "results": results} for name, results in index.items()]


def text(runs: Sequence[Run]) -> str:
    """Return the section's words: what was found, what was not, and the limits."""
    lines = ["## Bias, risks and limitations: audits", "", USE, ""]
    ranked = rank(runs)
    for title_, strength in (
        ("Found", "found"),
        ("Equivalent", "equivalent"),
        ("No evidence of", "no evidence"),
        ("Not judged", "not judged"),
        ("Not measured", "not measured"),
    ):
        chosen = [entry for entry in ranked if entry.finding.strength == strength][:MOST_FINDINGS]
        if chosen:
            lines += [f"### {title_}", ""]
            lines += [f"- {markdown_cell(entry.finding.text, 400)} (`{entry.run.audit}`)" for entry in chosen] + [""]
    lines += ["### Numbers", "", "| audit | metric | value | interval | n |", "|---|---|---:|---:|---:|"]
    for run in runs:
        for row in headlines(run)[:MOST_ROWS]:
            number = written(row)
            cells = (run.audit, headline(row), number.value, number.interval, count(row.get("n")))
            lines.append(markdown_row(cells))
    return "\n".join([*lines, "", f"Measured with CLIP Workbench {version()}.", ""])


def _metric(row: dict[str, object]) -> dict[str, Any]:
    number = written(row)
    interval = f"{number.interval}, {100 * (known(row.get('level')) or 0.95):g} % interval, " if number.interval else ""
    sets = f"label set {visible(row['label_set'], 60)}, " if row.get("label_set") else ""
    kind: dict[str, str] = {
        GAPS[0]: "gap, ",
        GAPS[1]: "gap of groups of at least 30, ",
        "paired": "paired difference, ",
    }
    contrast = kind.get(str(row.get("contrast")), "")
    value = known(row["value"])
    name = f"{title(str(row['metric']))} ({contrast}{sets}{interval}n = {count(row.get('n'))})"
    return {"type": visible(row["metric"], 100), "value": None if value is None else round(value, DIGITS), "name": name}

"""A comparison of two runs as page, Markdown and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audits.reporting._document import metric_rows, plain
from audits.reporting._html import fill
from audits.reporting._numbers import p_value, written
from audits.reporting._page import version
from audits.reporting._shown import table
from audits.reporting._tables import blocks, title
from audits.reporting._text import markdown_cell, slice_text, visible
from audits.run_directory.rows import known, rows, slice_of

if TYPE_CHECKING:
    from audits.comparing.outcomes import Comparison

MOST_FLIPS = 500  # in a page
ALPHA = 0.05  # of an adjusted p-value that is called a change


def html(told: Comparison) -> str:
    """Return the comparison as one page."""
    changed = _changes(told)
    page = {
        "version": version(),
        "title": f"Comparison: {visible(told.audit, 80)}",
        "heading": f"{visible(told.models[1], 60)} against {visible(told.models[0], 60)}",
        "base": visible(told.base, 120),
        "candidate": visible(told.candidate, 120),
        "audit": visible(told.audit, 80),
        "verdict": _verdict(told),
        "changed": [_sentence(row) for row in changed[:8]],
        "mismatches": [visible(line, 300) for line in told.mismatches],
        "blocks": blocks(told.metrics.assign(reference="")),
        "flips": table(_flip_title(told), told.flips, MOST_FLIPS),
        "tests": _tests(told),
    }
    return fill("comparison.html.j2", {"page": page}, scripts=True)


def markdown(told: Comparison) -> str:
    """Return the comparison in short, for a pull request."""
    lines = [
        f"## {markdown_cell(told.models[1])} against {markdown_cell(told.models[0])}: {told.audit}",
        "",
        _verdict(told),
        "",
    ]
    lines += [f"- **Note:** {markdown_cell(line, 300)}" for line in told.mismatches]
    lines += ["| metric | group | difference | interval | p adj. | n |", "|---|---|---:|---:|---:|---:|"]
    every = list(rows(told.metrics))
    chosen = [row for row in every if not slice_of(row.get("slice"))] + [
        row for row in _changes(told) if slice_of(row.get("slice"))
    ]
    for row in chosen[:30]:
        one = written(row)
        cells = (
            title(str(row["metric"])),
            slice_text(row["slice"]),
            one.value,
            one.interval,
            p_value(row.get("p_adj")),
            row["n"],
        )
        lines.append("| " + " | ".join(markdown_cell(cell) for cell in cells) + " |")
    return "\n".join([*lines, "", f"{_tests(told)} {_flip_title(told)}.", ""])


def json_text(told: Comparison) -> str:
    """Return the comparison as JSON, all flips included."""
    flips = [plain(row) for row in told.flips.to_dict("records")]
    content: dict[str, Any] = {
        "schema": 1,
        "base": told.base,
        "candidate": told.candidate,
        "audit": told.audit,
        "models": list(told.models),
        "correction": told.correction,
        "tests": told.tests,
        "mismatches": list(told.mismatches),
        "metrics": metric_rows(told.metrics),
        "flips": flips,
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _changes(told: Comparison) -> list[dict[str, Any]]:
    """Return the rows whose adjusted p-value is below `ALPHA`, the largest difference first."""
    found = [row for row in rows(told.metrics) if (p := known(row.get("p_adj"))) is not None and p < ALPHA]
    return sorted(found, key=lambda row: -abs(known(row["value"]) or 0.0))


def _verdict(told: Comparison) -> str:
    """Say in one sentence what the comparison supports."""
    found, every = len(_changes(told)), len(told.metrics)
    if not every:
        return "Nothing could be compared."
    if not found:
        return f"No evidence of a change in {every} numbers; the intervals show how large a missed change can be."
    return f"{found} of {every} numbers changed by more than chance (adjusted p below {ALPHA:g})."


def _sentence(row: dict[str, Any]) -> str:
    """Write one change."""
    sets = f", label set {visible(row['label_set'])}" if row.get("label_set") else ""
    name = f"{title(str(row['metric']))}, {slice_text(row['slice'])}{sets}"
    return f"{name}: {written(row).text}, p adj. {p_value(row['p_adj'])}"


def _tests(told: Comparison) -> str:
    """Say how many tests were made."""
    how = {"bh": "Benjamini-Hochberg", "holm": "Holm", "none": "not adjusted"}[told.correction]
    return f"{told.tests} paired tests, correction by family: {how}."


def _flip_title(told: Comparison) -> str:
    """Say how many images changed, both ways."""
    if not len(told.flips):
        return "No image changed its outcome"
    up, down = ((told.flips["change"] == way).sum() for way in ("gained", "lost"))
    return f"{up} outcomes rose and {down} fell from base to candidate"

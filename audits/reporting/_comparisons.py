"""A comparison of two runs as page, Markdown and JSON."""

from __future__ import annotations

import json
from typing import Any

from audits.comparing.outcomes import Comparison
from audits.reporting._document import metric_rows
from audits.reporting._html import fill
from audits.reporting._numbers import p_value, written
from audits.reporting._page import version
from audits.reporting._shown import table
from audits.reporting._tables import blocks, title
from audits.reporting._text import markdown_cell, markdown_row, slice_text, visible
from audits.run_directory.rows import known, rows, slice_of
from workbench.strict_json import plain

MOST_FLIPS = 500  # in a page
ALPHA = 0.05  # of an adjusted p-value that is called a change


def html(comparison: Comparison) -> str:
    """Return the comparison as one page."""
    changed = []
    for row in _changes(comparison)[:8]:
        sets = f", label set {visible(row['label_set'])}" if row.get("label_set") else ""
        name = f"{title(str(row['metric']))}, {slice_text(row['slice'])}{sets}"
        changed.append(f"{name}: {written(row).text}, p adj. {p_value(row['p_adj'], row.get('flags'))}")
    page = {
        "version": version(),
        "title": f"Comparison: {visible(comparison.audit, 80)}",
        "heading": f"{visible(comparison.models[1], 60)} against {visible(comparison.models[0], 60)}",
        "base": visible(comparison.base, 120),
        "candidate": visible(comparison.candidate, 120),
        "audit": visible(_audit(comparison), 160),
        "verdict": _verdict(comparison),
        "changed": changed,
        "mismatches": [visible(line, 300) for line in comparison.mismatches],
        "blocks": blocks(comparison.metrics.assign(reference="")),
        "flips": table(_flip_title(comparison), comparison.flips, MOST_FLIPS),
        "tests": _tests(comparison),
    }
    return fill("comparison.html.j2", {"page": page}, scripts=True)


def markdown(comparison: Comparison) -> str:
    """Return the comparison in short, for a pull request."""
    lines = [
        f"## {markdown_cell(comparison.models[1])} against {markdown_cell(comparison.models[0])}: {_audit(comparison)}",
        "",
        _verdict(comparison),
        "",
    ]
    lines += [f"- **Note:** {markdown_cell(line, 300)}" for line in comparison.mismatches]
    lines += ["| metric | group | difference | interval | p adj. | n |", "|---|---|---:|---:|---:|---:|"]
    every = list(rows(comparison.metrics))
    chosen = [row for row in every if not slice_of(row.get("slice"))] + [
        row for row in _changes(comparison) if slice_of(row.get("slice"))
    ]
    for row in chosen[:30]:
        one, p = written(row), p_value(row.get("p_adj"), row.get("flags"))
        cells = (title(str(row["metric"])), slice_text(row["slice"]), one.value, one.interval, p, row["n"])
        lines.append(markdown_row(cells))
    return "\n".join([*lines, "", f"{_tests(comparison)} {_flip_title(comparison)}.", ""])


def json_text(comparison: Comparison) -> str:
    """Return the comparison as JSON, all flips included."""
    names = ("base", "candidate", "audit", "models", "protocols", "correction", "tests", "mismatches")
    content: dict[str, Any] = {"schema": 1, **{name: plain(getattr(comparison, name)) for name in names}}
    content["metrics"] = metric_rows(comparison.metrics)
    content["flips"] = [plain(row) for row in comparison.flips.to_dict("records")]
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _audit(comparison: Comparison) -> str:
    """Name the audit and its protocol; both where the runs differ in it."""
    names = " and ".join(dict.fromkeys(filter(None, comparison.protocols)))
    return f"{comparison.audit}, protocol {names}" if names else comparison.audit


def _changes(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the rows whose adjusted p-value is below `ALPHA`, the largest difference first."""
    changed = [row for row in rows(comparison.metrics) if (p := known(row.get("p_adj"))) is not None and p < ALPHA]
    return sorted(changed, key=lambda row: -abs(known(row["value"]) or 0.0))


def _verdict(comparison: Comparison) -> str:
    """Say in one sentence what the comparison supports."""
    changed, every = len(_changes(comparison)), len(comparison.metrics)
    if not every:
        return "Nothing could be compared."
    if not changed:
        smallest = [100 * at for row in rows(comparison.metrics) if (at := known(row.get("detectable"))) is not None]
        sizes = f"{min(smallest):.1f} to {max(smallest):.1f} points" if smallest else "larger than any possible one"
        return f"No evidence of a change in {every} numbers; the smallest change that each could have shown is {sizes}."
    return f"{changed} of {every} numbers changed by more than chance (adjusted p below {ALPHA:g})."


def _tests(comparison: Comparison) -> str:
    """Say how many tests were made."""
    how = {"bh": "Benjamini-Hochberg", "holm": "Holm", "none": "not adjusted"}[comparison.correction]
    return f"{comparison.tests} paired tests, correction by family: {how}."


def _flip_title(comparison: Comparison) -> str:
    """Say how many images changed, both ways."""
    if not len(comparison.flips):
        return "No image changed its outcome"
    up, down = ((comparison.flips["change"] == way).sum() for way in ("gained", "lost"))
    return f"{up} outcomes rose and {down} fell from base to candidate"

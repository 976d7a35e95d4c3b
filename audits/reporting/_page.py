"""The report's content in its order: verdict, what was tested and what was not, findings, audits, provenance, words.

Decides what is said; the templates decide how it looks.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from audits.analysis import Figure, Finding
from audits.comparing.outcomes import GateResult
from audits.reporting import _origins, _shown
from audits.reporting import _sections as sections
from audits.reporting._charts import svg
from audits.reporting._evidence import Ranked, counts, rank, stands_out, verdict
from audits.reporting._numbers import DIFFERENCE, SHARE, count, p_value, scale, writer
from audits.reporting._order import ordered_figure
from audits.reporting._plain import plain
from audits.reporting._tables import blocks, flags
from audits.reporting._text import visible
from audits.reporting._thumbnails import Shown
from audits.run_directory.reader import Run
from audits.run_directory.rows import known, slice_of
from workbench.statistics.row import LEAST_P
from workbench.yaml_file import load

GLOSSARY = Path(__file__).parent / "glossary.yaml"  # words, each with a sentence or two
ORDER = (
    "Found first, then not judged, notes, equivalent, no evidence, and not measured; within each, differences between "
    "groups first, then by adjusted p-value, effect and n."
)
MOST_FINDINGS, OPEN_FINDINGS = 300, 12  # in a page, and before a click
SAMPLES_NOTE = "Evenly spaced samples, for illustration only."
BLURRED_NOTE = "Blurred, because the images may show people. "
EQUAL = 1e-9  # two values that differ by less are the same one


@dataclass(frozen=True)
class ReportOptions:
    """How a report is wanted."""

    gate: GateResult | None = None
    thumbnails: str = "none"
    fixed: bool = False  # for print: fixed colours, nothing that moves
    room: sections.Room = sections.ROOMS[0]
    drawings: dict[tuple[str, str], str] = field(default_factory=dict)  # made once, whatever the room

    def drawing(self, run: Run, figure: Figure) -> str:
        """Return a figure as SVG."""
        key = (run.run_id, figure.key)
        if key not in self.drawings:
            self.drawings[key] = svg(figure, fixed=self.fixed)
        return self.drawings[key]


def page(runs: Sequence[Run], options: ReportOptions, pictures: Mapping[int, Sequence[Shown]]) -> dict[str, Any]:
    """Return what the template `report.html.j2` calls `page`.

    `pictures` are thumbnails by place of the run.
    """
    ranked = rank(runs)
    places = {id(run): f"audit-{at}" for at, run in enumerate(runs, 1)}
    entries = [_finding(entry, places) for entry in ranked[:MOST_FINDINGS]]
    several = len({run.model for run in runs}) > 1
    parts = [_section(run, places, options, several=several, shown=pictures.get(at, ())) for at, run in enumerate(runs)]
    for part in parts:
        part["findings"] = [one for one in entries if one["section"] == part["id"]]
    return {
        "version": version(),
        "title": f"Audit report: {_heading(runs)}",
        "heading": _heading(runs),
        "lede": _lede(runs),
        "left_out": _left_out(options.room),
        "verdict": verdict(runs, options.gate, [_finding(entry, places) for entry in stands_out(ranked)]),
        "plain": plain(runs),
        "gate": gate_table(options.gate) if options.gate else None,
        "untested": untested(runs),
        "order": ORDER,
        "findings": entries,
        "open": OPEN_FINDINGS,
        "unlisted": max(0, len(ranked) - MOST_FINDINGS),
        "counts": ", ".join(f"{n} {strength}" for strength, n in counts(ranked).items()),
        "sections": parts,
        "comparability": comparability(runs),
        "words": list({one["key"]: one for one in map(_origins.words, runs)}.values()),
        "glossary": list(TypeAdapter(dict[str, str]).validate_python(load(GLOSSARY, "glossary")).items()),
        "sources": ", ".join(visible(run.run_id, 80) for run in runs[:6]) + (" and others" if len(runs) > 6 else ""),
    }


def version() -> str:
    """Return the installed version of this software, or "from source"."""
    try:
        return importlib.metadata.version("clip-workbench")
    except importlib.metadata.PackageNotFoundError:
        return "from source"


def untested(runs: Sequence[Run]) -> list[str]:
    """Say what a reader could take for tested and is not."""
    from audits.catalogue import AUDITS

    done = {run.audit for run in runs}
    lines = []
    missing = [key for key in AUDITS if key not in done]
    if missing:
        lines.append(f"Audits that were not run: {', '.join(missing)}.")
    for run in runs:
        name = visible(run.audit, 80)
        if run.header.partial:
            lines.append(f"{name}: only part of the data was used (limit {run.header.spec.limit}).")
        if run.status != "success":
            lines.append(f"{name}: the run's status is {visible(run.status or 'unknown', 40)}.")
        excluded = run.header.dataset.excluded
        if excluded:
            reasons = list(dict.fromkeys(visible(why, 80) for _, why in excluded))
            some = f"{len(excluded)} image{'s' if len(excluded) != 1 else ''}"
            lines.append(f"{name}: {some} could not be used ({'; '.join(reasons[:4])}).")
        flagged = [flags(value) for value in run.metrics.get("flags", ())]
        for flag, what in (("small n", "have a small n"), ("undefined", "are not defined on these data")):
            if values := sum(flag in one for one in flagged):
                lines.append(f"{name}: {values} of {len(flagged)} values {what}.")
    data = list(dict.fromkeys(visible(run.header.dataset.title, 80) for run in runs))
    lines.append(f"Other images and label wordings were not tested (images: {', '.join(data)}).")
    return lines


def comparability(runs: Sequence[Run]) -> str:
    """Say which runs were made on the same model, data and protocol."""
    if len(runs) == 1:
        return (
            "Another run can be compared with this one image by image if audit and version, protocol hash and data "
            "hash are equal."
        )
    models = {run.header.hashes.model for run in runs}
    clean = {str(run.provenance.git.get("commit", ""))[:12] for run in runs}
    kinds = {(run.header.model.get("dtype", ""), run.header.model.get("device", "")) for run in runs}
    same = (
        "All runs used the same weights, preprocessing and dtype."
        if len(models) == 1
        else (
            f"The runs used {len(models)} different models: their numbers answer the same question only where audit, "
            "protocol hash and data hash agree."
        )
    )
    more = "" if len(clean) == 1 else " They were made with different versions of the code."
    where = "" if len(kinds) == 1 else " They were made on different devices or in different dtypes."
    return same + more + where


def gate_table(result: GateResult) -> dict[str, Any]:
    """Write the outcomes of a gate."""
    from audits.reporting._gates import not_judged, rule_row

    tests = sum(rule.tests for rule in result.rules)
    rules = len(result.rules)
    numbers = f"{tests} number{'s' if tests != 1 else ''} held against {rules} rule{'s' if rules != 1 else ''}"
    return {"caption": numbers, "rules": [rule_row(rule) for rule in result.rules], "not_judged": not_judged(result)}


def _finding(entry: Ranked, places: Mapping[int, str]) -> dict[str, Any]:
    finding, run = entry.finding, entry.run
    effect = known(finding.effect)
    factor, unit = scale(_unit(run, finding, effect))
    text, before = visible(finding.text, 600), f"{finding.strength}: "
    text = text[len(before) :] if text.lower().startswith(before) else text  # the strength stands beside it
    return {
        "text": text[:1].upper() + text[1:],
        "strength": finding.strength,
        "kind": finding.strength.replace(" ", "-"),
        "sign": entry.sign,
        "audit": visible(run.audit, 80),
        "section": places[id(run)],
        "effect": "" if effect is None else writer(None, unit)(factor * effect),
        "effect_raw": effect,
        "p": p_value(finding.p_adj, LEAST_P if finding.least_p else ""),
        "p_raw": known(finding.p_adj),
        "n": count(finding.n),
        "n_raw": known(finding.n),
    }


def _unit(run: Run, finding: Finding, effect: float | None) -> str:
    """Return the unit of an effect: of the measure that has this value, else a difference in the metric's unit."""
    table = run.metrics
    if effect is None or not finding.metric or "unit" not in table.columns:
        return ""
    table = table[table["metric"] == finding.metric]
    where = dict(finding.slice or {})
    units = [
        str(unit)
        for value, unit, cell in zip(table["value"], table["unit"], table["slice"], strict=True)
        if (number := known(value)) is not None and abs(number - effect) < EQUAL and slice_of(cell) == where
    ]
    fallback = str(table["unit"].iloc[0]) if len(table) else ""
    return units[0] if units else (DIFFERENCE if fallback == SHARE else fallback)


def _section(
    run: Run, places: Mapping[int, str], options: ReportOptions, *, several: bool, shown: Sequence[Shown]
) -> dict[str, Any]:
    room = options.room
    table, text = sections.sensitivity(run)
    name = visible(run.header.spec.title or run.audit, 120)
    first = list(dict.fromkeys(entry.finding.metric for entry in rank([run])))
    extra = list(run.tables.items())[: room.tables]
    drawn = list(map(ordered_figure, run.figures.values()))[: room.figures]
    return {
        "id": places[id(run)],
        "audit": visible(run.audit, 80),
        "title": f"{name}, {visible(run.model, 60)}" if several else name,
        "question": visible(run.header.spec.question, 300),
        "model": visible(run.model, 120),
        "data": visible(run.header.dataset.title or run.header.dataset.key, 120),
        "protocol": visible(run.header.spec.protocol, 80),
        "pictures": count(run.header.dataset.n),
        "seed": run.header.spec.seed,
        "partial": "Only part of the data was used: these numbers are not the audit's result."
        if run.header.partial
        else "",
        "intended_use": intended_use(run.audit),
        "sanity": [visible(line, 600) for line in run.sanity],
        "figures": [_shown.drawn(one, room.points, options.drawing(run, one)) for one in drawn],
        "pictures_shown": shown,
        "pictures_note": BLURRED_NOTE + SAMPLES_NOTE if options.thumbnails == "blurred" else SAMPLES_NOTE,
        "blocks": blocks(run.metrics, room.rows, first),
        "open": sections.OPEN_BLOCKS,
        "sensitivity": table,
        "sensitivity_text": text,
        "tables": [_shown.table(title, data, room.table) for title, data in extra],
        "provenance": _origins.provenance(run),
        "packages": _origins.packages(run),
        **_origins.prose(run),
    }


def intended_use(key: str) -> str:
    """Return the limits of use that the catalogue names for an audit, "" where it names none."""
    from audits.catalogue import AUDITS

    return AUDITS[key].intended_use if key in AUDITS else ""


def _heading(runs: Sequence[Run]) -> str:
    models = list(dict.fromkeys(visible(run.model, 60) for run in runs))
    named = " and ".join(models[:2]) if len(models) < 3 else f"{len(models)} models"
    audits = list(dict.fromkeys(visible(run.header.spec.title or run.audit, 60) for run in runs))
    kinds = len({run.audit for run in runs})
    return f"{named}: {audits[0]}" if kinds == 1 else f"{named}: {kinds} audits"


def _lede(runs: Sequence[Run]) -> str:
    days = sorted({str(run.header.finished or run.header.created)[:10] for run in runs} - {""})
    when = f"Measured {days[0]}" if len(days) == 1 else f"Measured {days[0]} to {days[-1]}" if days else "Measured"
    trained = list(
        dict.fromkeys(visible(text, 160) for run in runs if (text := run.header.model.get("trained_on", "")))
    )
    return f"{when}." + (f" The model was trained on {trained[0]}." if len(trained) == 1 else "")


def _left_out(room: sections.Room) -> str:
    if room == sections.ROOMS[0]:
        return ""
    return (
        f"To stay below 5 MB, this page shows at most {room.figures} figures a run, {room.rows} rows a measure, "
        f"{room.points} rows a figure and {room.table} rows a further table. The run directory and the CSV, Parquet "
        "and JSON files hold everything."
    )

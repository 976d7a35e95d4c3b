"""Gate: set a threshold with a slider and see at once whether a run passes, fails, or is inconclusive.

The rule can be downloaded as the thresholds file of a release.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
import yaml

from apps.auditing.evidence import in_words, slice_of
from apps.shared.events import ALWAYS_LAST, LIGHT, handler, when_drawn
from apps.shared.markdown import literal
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.visitor_runs import NO_RUN, RunList
from apps.shared.widgets import code, table
from audits.comparing import GateResult, gate
from audits.reporting import not_judged
from audits.run_directory.reader import Run

CHECKS = ["rule", "slice", "n", "value", "low", "high", "outcome", "why"]
BOUNDS = [
    ("at most: the upper bound", "ci_high <="),
    ("at least: the lower bound", "ci_low >="),
    ("at most: the value alone", "value <="),
    ("at least: the value alone", "value >="),
]
OUTCOMES = {
    "PASS": "**Passes.** Every interval is within the threshold.",
    "FAIL": "**Fails.** At least one interval is wholly beyond the threshold.",
    "INCONCLUSIVE": "**Inconclusive.** An interval crosses the threshold, or a group cannot be judged.",
    "ERROR": "**Error.** A rule matches no number; that is never a pass.",
    "NOT_RUN": "**Not run.**",
}


def metrics(run: Run) -> list[tuple[str, str]]:
    """Return a menu of what can be compared with a threshold: metric, labels, attributes of a gap.

    Where a metric is measured with several sets of labels, each is listed alone and all together.
    """
    menu: dict[str, str] = {}
    for name, rows in run.metrics.groupby("metric"):
        several = sorted({str(one) for one in rows["label_set"]})
        for labels in ["", *several] if len(several) > 1 else [""]:
            shown = f"{name} on {labels}" if labels else str(name)
            for contrast, by in rows[["contrast", "slice_by"]].drop_duplicates().itertuples(index=False):
                if words := _contrast_name(str(contrast), str(by)):
                    menu[f"{shown}, {words}"] = f"{name}|{contrast}|{by}|{labels}"
    return sorted(menu.items())


def _contrast_name(contrast: str, by: str) -> str:
    """Name the groups of a number; empty for contrasts that are not offered here."""
    attributes = by.replace(",", " x ")
    if contrast == "none":
        return f"each {attributes}" if by else "the whole"
    return f"gap between {attributes}" if contrast == "between_groups" else ""


def rule(metric: str, bound: str, threshold: float) -> dict[str, Any]:
    """Return one rule of a thresholds file, for an entry of the menu."""
    name, contrast, by, labels = metric.split("|")
    made: dict[str, Any] = {"id": f"{name} {bound} {threshold:g}", "metric": name, "require": f"{bound} {threshold:g}"}
    if labels:
        made["label_set"] = labels
    if contrast == "between_groups":
        return made | {"contrast": contrast, "by": by.split(",")}
    return made | {"slice": {key: "*" for key in by.split(",") if key}}


def check_rows(result: GateResult) -> list[list[str]]:
    """Return table rows: one per number and rule."""
    rows = []
    for one in result.rules:
        for check in one.checks:
            numbers = ["–" if value is None else f"{value:.4g}" for value in (check.value, check.ci_low, check.ci_high)]
            rows.append(
                [
                    one.id,
                    in_words(slice_of(check.slice)) or "all",
                    str(check.n or "–"),
                    *numbers,
                    check.outcome,
                    check.why,
                ]
            )
        if not one.checks:
            rows.append([one.id, "", "–", "–", "–", "–", one.outcome, one.message])
    return rows


def build(run_list: gr.State) -> None:
    """Lay out the view."""
    with gr.Row():
        chosen = gr.Dropdown([], label="Run", info="The newest first.", elem_id="gate-run")
        metric = gr.Dropdown([], label="Number", info="The whole, each group, or a gap.", elem_id="gate-metric")
    with gr.Row():
        bound = gr.Radio(
            BOUNDS, value="ci_high <=", label="Required", info="Bounds require the whole interval to pass."
        )
        threshold = gr.Slider(-1, 1, 0.05, step=0.01, label="Threshold", elem_id="gate-threshold")
        least = gr.Slider(
            0,
            500,
            30,
            step=10,
            label="Minimum images",
            info="A group with fewer is not judged, and the gate does not pass.",
        )
    status = gr.Markdown(NO_RUN, elem_classes=["live", "verdict"], elem_id="gate-status")
    grid = table(CHECKS, "Checks", elem_id="gate-checks")
    with gr.Accordion("As a thresholds file", open=False):
        content = code("thresholds.yaml", lines=8, interactive=False)
        gr.Markdown(
            "Several rules go into one file. In a release: `python -m audits gate RUN --thresholds thresholds.yaml`.",
            elem_classes="notes",
        )
        file = gr.DownloadButton("thresholds.yaml", interactive=False, size="sm", elem_id="gate-file")

    @handler
    def numbers(key: str, runs: RunList) -> Any:
        if not key:
            return gr.update(choices=[], value=None)
        menu = metrics(runs.get(key))
        return gr.update(choices=menu, value=menu[0][1] if menu else None)

    @handler
    def judge(runs: RunList, key: str, what: str, required: str, at: float, n: float) -> tuple[Any, ...]:
        if not key or not what:
            return NO_RUN, [], "", gr.update(interactive=False)
        made = {"schema": 1, "defaults": {"min_n": int(n)}, "rules": [rule(what, required, float(at))]}
        result = gate(runs.get(key).folder, made)
        yaml_text = str(yaml.safe_dump(made, sort_keys=False, allow_unicode=True))
        place = folder_beside_uploads("audit-gate-") / "thresholds.yaml"
        place.write_text(yaml_text, encoding="utf-8")
        lines = "".join(f"\n- {literal(line)}" for line in not_judged(result))
        text = f"{OUTCOMES[result.outcome]} {literal(result.rules[0].message)} Exit code {result.exit_code}.{lines}"
        return text, check_rows(result), yaml_text, gr.update(value=str(place), interactive=True)

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    def listed_runs(listed: RunList) -> Any:
        return gr.update(choices=listed.choices(), value=listed.runs[0] if listed.runs else None)

    listing = run_list.change(listed_runs, run_list, chosen, **LIGHT)
    opened = when_drawn(lambda runs: [listed_runs(runs)], run_list, [chosen], **LIGHT)
    inputs = [run_list, chosen, metric, bound, threshold, least]
    event: dict[str, Any] = {**ALWAYS_LAST, **hidden}
    judging = {"fn": judge, "inputs": inputs, "outputs": [status, grid, content, file], **event}
    gr.on([metric.input, bound.input, threshold.release, least.release], **judging)
    # not `change`, of which a tab that is not drawn yet tells nothing
    for after in (listing.then, opened.then, chosen.input):
        after(numbers, [chosen, run_list], metric, **event).then(**judging)

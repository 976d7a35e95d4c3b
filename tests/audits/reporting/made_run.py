"""Run directories made by hand, in the form that the runner writes: numbers that can be checked on paper.

No model: 240 pictures of four groups, of which a planted share was named correctly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from audits.analysis import Figure, Finding

GROUPS = ("A", "B", "C", "D")
RIGHT = {"A": 54, "B": 48, "C": 45, "D": 27}  # of 60 pictures each: 90, 80, 75 and 45 %
PER_GROUP = 60
COLUMNS = [  # of the metrics table, as `workbench.statistics.measures` and the runner write it
    *("metric", "unit", "direction", "label_set", "template_set", "slice_by", "slice", "control", "n", "k_pos"),
    *("value", "ci_low", "ci_high", "level", "ci_method", "contrast", "reference", "null_mean", "null_q95"),
    *("p_value", "p_adj", "correction", "n_tests", "family", "flags"),
    *("published_value", "published_source", "published_model"),
]
COUNTS = {"n", "k_pos", "n_tests"}
NUMBERS = {"value", "ci_low", "ci_high", "level", "null_mean", "null_q95", "p_value", "p_adj", "published_value"}


def make(
    out: Path,
    *,
    audit: str = "bias/face-attributes",
    names: Mapping[str, str] | None = None,
    right: Mapping[str, int] | None = None,
    header: Mapping[str, Any] | None = None,
    figures: Sequence[Figure] | None = None,
) -> Path:
    """Write a run directory and return it.

    Args:
        out: does not exist yet.
        audit: key.
        names: other words for the groups A to D, hostile ones for instance.
        right: pictures of each group that were named correctly, of `PER_GROUP`.
        header: what `run.json` says otherwise; nested mappings are merged one level deep.
        figures: in place of the four made ones.
    """
    called = {group: (names or {}).get(group, group) for group in GROUPS}
    hits = {**RIGHT, **(right or {})}
    out.mkdir(parents=True)
    for folder in ("samples", "figures", "tables"):
        (out / folder).mkdir()
    head = _header(audit, out.name, header or {})
    (out / "run.json").write_text(json.dumps(head), encoding="utf-8")
    (out / "protocol.yaml").write_text(yaml.safe_dump(_protocol(audit, called)), encoding="utf-8")
    _metrics(called, hits, head).to_parquet(out / "metrics.parquet", index=False)
    _samples(called, hits).to_parquet(out / "samples" / "part-0000.parquet", index=False)
    for figure in made_figures(called) if figures is None else figures:
        (out / "figures" / f"{figure.key}.json").write_text(json.dumps(_figure(figure)), encoding="utf-8")
    confusion = pd.DataFrame(
        {"named": list(called.values()), "as": list(called.values())[::-1], "pictures": [3, 1, 4, 1]}
    )
    confusion.to_parquet(out / "tables" / "confusions.parquet", index=False)
    message = {
        "schema": 1,
        "findings": [asdict(one) for one in _findings(called)],
        "sanity": ["Gradients vanish on 3 of 240 pictures."],
        "tables": [{"title": "Confusions", "file": "tables/confusions.parquet"}],
        "how_to_read": "A dot is the share that was **named correctly**; its line is the interval.",
        "limits": "Drawn people show `drawn` differences only.",
    }
    (out / "findings.json").write_text(json.dumps(message), encoding="utf-8")
    return sealed(out)


def sealed(run: Path) -> Path:
    """Write the hashes of a run's files anew, by the format's own rule."""
    names = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256((run / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if name not in ("SHA256SUMS", "SHA256SUMS.sig", "events.jsonl")
    ]
    (run / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    return run


def wilson(k: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The Wilson score interval, by its formula."""
    middle, away = (k + z * z / 2) / (n + z * z), z / (n + z * z) * (k * (n - k) / n + z * z / 4) ** 0.5
    return middle - away, middle + away


def row(metric: str, k: int, n: int, where: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """One share of the metrics table."""
    low, high = wilson(k, n)
    slices = json.dumps(dict(sorted(where.items())), separators=(",", ":"), ensure_ascii=False)
    output = {
        "metric": metric,
        "unit": "share",
        "direction": "higher",
        "n": n,
        "k_pos": k,
        "value": k / n,
        "ci_low": low,
    }
    output |= {"ci_high": high, "level": 0.95, "ci_method": "Wilson", "contrast": "none", "slice": slices}
    return {**output, "slice_by": ",".join(sorted(where)), "label_set": "plain", "flags": "", **more}


def made_figures(called: Mapping[str, str]) -> list[Figure]:
    """One figure of each kind."""
    shares = [(called[group], RIGHT[group] / PER_GROUP, *wilson(RIGHT[group], PER_GROUP)) for group in GROUPS]
    intervals = pd.DataFrame(shares, columns=["name", "value", "low", "high"]).assign(null=[0.5, 0.5, 0.5, 0.5])
    k = np.tile([10, 50, 100, 200], 2)
    curve = pd.DataFrame({"x": k, "value": 1 / np.sqrt(k), "series": ["MaxSkew"] * 4 + ["NDKL"] * 4})
    curve = curve.assign(low=curve["value"] * 0.7, high=curve["value"] * 1.3, null=0.9 / np.sqrt(k))
    matrix = pd.DataFrame([(a, b, float(a == b)) for a in called.values() for b in called.values()])
    matrix.columns = ["row", "column", "value"]
    sure = pd.DataFrame({"confidence": [0.3, 0.6, 0.9], "accuracy": [0.2, 0.5, 0.95], "n": [40, 80, 120]})
    sure = sure.assign(low=sure["accuracy"] - 0.1, high=np.minimum(sure["accuracy"] + 0.1, 1))
    return [
        Figure("by-group", "Named correctly, by group", "intervals", intervals, "share", "", "Four dots; D is lowest."),
        Figure("over-k", "Skew over k", "curve", curve, "k, pictures", "skew", "Two falling curves."),
        Figure("confusions", "Confusions", "matrix", matrix, "named", "is", "A diagonal."),
        Figure("sure", "How sure, how right", "reliability", sure, "stated", "right", "Three dots near the diagonal."),
        Figure("bars", "The same as bars", "bars", intervals, "share", "", "Four bars."),
    ]


def _metrics(called: Mapping[str, str], hits: Mapping[str, int], head: Mapping[str, Any]) -> pd.DataFrame:
    total = sum(hits.values())
    paper = {
        "published_value": 0.964,
        "published_source": "Radford et al. 2021, table 3",
        "published_model": "ViT-L/14",
    }
    rows = [row("accuracy", total, 240, {}, **paper)]
    rows += [row("accuracy", hits[group], PER_GROUP, {"group": called[group]}, flags="small_n") for group in GROUPS]
    gap = {"value": max(hits.values()) / 60 - min(hits.values()) / 60, "ci_low": 0.29, "ci_high": 0.59, "n": 240}
    gap |= {
        "metric": "accuracy",
        "unit": "difference",
        "contrast": "between_groups",
        "slice": "{}",
        "slice_by": "group",
    }
    gap |= {"level": 0.95, "ci_method": "bootstrap", "null_mean": 0.09, "null_q95": 0.17, "p_value": 0.0005}
    gap |= {
        "p_adj": 0.001,
        "correction": "holm",
        "n_tests": 2,
        "label_set": "plain",
        "family": "accuracy by group",
        "flags": "",
    }
    rows += [gap, row("accuracy", total - 60, 240, {}, label_set="loaded")]
    undefined = {"metric": "skew", "unit": "", "contrast": "none", "slice": "{}", "slice_by": "", "flags": "undefined"}
    table = pd.DataFrame([*rows, undefined]).reindex(columns=COLUMNS)
    for name in COLUMNS:
        kind = "Float64" if name in NUMBERS else ("Int64" if name in COUNTS else "string")
        table[name] = table[name].astype(kind)
        if kind == "string":
            table[name] = table[name].fillna("")
    spec, hashes = head["spec"], head["hashes"]
    own = {"run_id": head["run_id"], "audit": spec["audit"], "audit_version": spec["audit_version"]}
    own |= {"protocol": spec["protocol"], "protocol_hash": hashes["protocol"], "model": spec["model"]}
    own |= {"model_hash": hashes["model"], "dataset": head["dataset"]["key"], "dataset_hash": hashes["dataset"]}
    return pd.concat([pd.DataFrame([own] * len(table)), table], axis=1)


def _samples(called: Mapping[str, str], hits: Mapping[str, int]) -> pd.DataFrame:
    rows = []
    for group in GROUPS:
        for at in range(PER_GROUP):
            hit = at < hits[group]
            rows.append(
                {
                    "sample_id": f"{group}-{at:03d}",
                    "variant": "clean",
                    "label_set": "plain",
                    "cluster": "",
                    "group": called[group],
                    "outcome:accuracy": float(hit),
                    "y_true": called[group],
                    "y_pred": called[group] if hit else "other",
                }
            )
    return pd.DataFrame(rows)


def _findings(called: Mapping[str, str]) -> list[Finding]:
    return [
        Finding("No evidence of a difference between A and B.", "no evidence", "accuracy", None, 0.1, 0.4, 120),
        Finding(
            f"Found: {called['D']} is named correctly less often.",
            "found",
            "accuracy",
            {"group": called["D"]},
            -0.3,
            0.001,
            60,
        ),
        Finding("Skew was not measured: too few pictures.", "not measured", "skew"),
        Finding("A gap of 45 points between the groups.", "found", "accuracy", None, 0.45, 0.001, 240),
    ]


def _figure(figure: Figure) -> dict[str, Any]:
    data = json.loads(figure.data.to_json(orient="split", index=False))
    output = {key: getattr(figure, key) for key in ("key", "title", "kind", "x", "y", "alt")}
    return {**output, "columns": data["columns"], "rows": data["data"]}


def _protocol(audit: str, called: Mapping[str, str]) -> dict[str, Any]:
    sets = {
        "plain": {"labels": [*called.values(), "other"], "groups": {}},
        "loaded": {"labels": [*called.values(), "thief"], "groups": {"crime": ["thief"]}},
    }
    output = {
        "schema": 1,
        "name": "made",
        "audit": audit,
        "version": 1,
        "title": "A made protocol",
        "source": "",
        "notes": "",
    }
    output |= {"content_warning": "Holds a derogatory label.", "templates": ["a photo of a {}."], "label_sets": sets}
    return {**output, "decision": "top1", "settings": {"k": [10, 50]}, "published": []}


def _header(audit: str, run_id: str, other: Mapping[str, Any]) -> dict[str, Any]:
    head: dict[str, Any] = {
        "schema": 1,
        "run_id": run_id,
        "status": "success",
        "partial": False,
        "created": "2026-11-24T10:00:00Z",
        "finished": "2026-11-24T10:03:20Z",
        "spec": {
            "audit": audit,
            "audit_version": 1,
            "title": "Face attributes",
            "question": "Is the model equally right for every group?",
            "model": "pocket",
            "dataset": "builtin:made",
            "protocol": "made",
            "settings": {},
            "seed": 0,
            "limit": None,
            "device": "cpu",
            "dtype": "float32",
            "engine": "local",
        },
        "hashes": {"protocol": "p" * 64, "model": "m" * 64, "dataset": "d" * 64},
        "dataset": {
            "key": "builtin:made",
            "title": "Made people",
            "licence": "CC0",
            "source": "",
            "people": True,
            "shows": "Skin tone is not race.",
            "n": 240,
            "attributes": ["group"],
            "excluded": [["broken.png", "not a picture"]],
        },
        "model": {
            "key": "pocket",
            "title": "Pocket",
            "dtype": "float32",
            "device": "cpu",
            "trained_on": "our own pairs",
        },
        "stages": {"embed": {"hash": "e" * 64, "finished": "2026-11-24T10:03:00Z", "seconds": 12.5}},
        "provenance": {
            "git": {"commit": "c" * 40, "dirty": False},
            "packages": {"numpy": "2.4.6", "torch": "2.13.0"},
            "torch": {"threads": 2},
            "seeds": {"seed": 0},
            "argv": ["audits", "run"],
        },
        "warnings": [],
        "error": "",
    }
    for key, value in other.items():
        head[key] = {**head[key], **value} if isinstance(value, Mapping) else value
    return head

"""What the audit of unknown pictures says: how well each score tells known from unknown, and how digits are read.

Knows samples only, no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audits.analysis import Analysis, Figure, Finding
from audits.seeds import generator
from audits.shares import counted, percent, units
from workbench.statistics import intervals
from workbench.statistics.calibration import fpr_at_tpr
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

ALPHA = 0.05
ALL = "all unknown"
CHANCE = 0.1  # of reading one of ten digits

HOW_TO_READ = """
A score is high where a picture looks like one of the labels. **AUROC** is how often a known picture scores higher
than an unknown one: 0.5 is chance, 1 perfect, and below 0.5 the unknown looks better known than the known.
**FPR95** is the share of unknown pictures that still pass when the bar lets 95 of 100 known ones through: 0 is
best, 0.95 chance.

Four scores: **msp** the largest probability, **max_logit** the largest scaled cosine, **energy** the log of the sum
of exponentials of all, **mcm** the largest of a softmax over plain cosines (temperature 1). Each is set against
every kind of unknown picture on its own, and all together.

**Accuracy** is that of the known pictures among the labels. **Digit accuracy** is a question of its own: which of
the ten digits is printed? Chance is one in ten.
"""
LIMITS = """
- What is unknown depends on the labels asked. A model that knows lions well has no word for them here when only
  tiger is asked, and its near answer is no error of sight.
- The kinds of unknown pictures were chosen by us. Good separation from textures says nothing of the next kind.
- A score that separates on average has no threshold yet: one must be found on other pictures.
- Printed digits are no handwriting; for MNIST and others give a folder with columns `origin` and `label`.
- The average over all unknown kinds weights each kind by its number of pictures.
"""


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return AUROC and FPR95 of each score against each kind of unknown picture, accuracy, and digit reading."""
    names = [column.removeprefix("score:") for column in samples.columns if column.startswith("score:")]
    unknown = samples[~samples["known"]]
    kinds = [*sorted(set(unknown["origin"])), ALL]
    measures = _reading(samples)
    for kind in kinds:
        part = samples[samples["known"] | (samples["origin"] == kind) | (kind == ALL)]
        for name in names:
            measures += _separation(part, name, kind, seed=seed)
    measures = adjust(measures, "holm")
    return Analysis(measures, _findings(measures), _figures(measures))


def _separation(part: DataFrame, name: str, kind: str, *, seed: int) -> list[Measure]:
    scores, known = part[f"score:{name}"].to_numpy(np.float64), part["known"].to_numpy(bool)
    given: dict[str, Any] = {
        "n": len(part),
        "slice": {"score": name, "against": kind},
        "label_set": str(part["label_set"].iloc[0]),
    }
    rng = generator(seed, "ood", name, kind)
    cluster = units(part)
    area = intervals.auroc(scores, known)
    if cluster is not None:
        area = intervals.bootstrap(np.column_stack([scores, known]), _area, rng=rng, cluster=cluster, resamples=500)
    passed = fpr_at_tpr(scores, known, rng=generator(seed, "fpr", name, kind), cluster=cluster)
    return [
        number(
            "auroc",
            area,
            direction="higher",
            unit="probability",
            p_value=_mann_whitney(part, name),
            null_mean=0.5,
            family="auroc",
            **given,
        ),
        number("fpr95", passed, direction="lower", null_mean=0.95, **given),
    ]


def _area(rows: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    known = rows[:, 1] > 0.5
    if known.all() or not known.any():
        return float("nan")
    return intervals.auroc(rows[:, 0], known).value or 0.0


def _mann_whitney(part: DataFrame, name: str) -> float:
    """Return the p-value of no difference between known and unknown; a cluster counts by its mean."""
    from scipy.stats import mannwhitneyu

    means = part.groupby(["cluster", "known"], sort=True)[f"score:{name}"].mean().reset_index()
    known = means["known"].to_numpy(bool)
    values = means[f"score:{name}"].to_numpy(np.float64)
    return float(mannwhitneyu(values[known], values[~known], alternative="two-sided").pvalue)


def _reading(samples: DataFrame) -> list[Measure]:
    """Return the accuracy of the known pictures, and of the digits by style where there are any."""
    from scipy.stats import binomtest

    label_set = str(samples["label_set"].iloc[0])
    told = []
    known = samples[samples["outcome:accuracy"].notna()]
    if len(known):
        right = known["outcome:accuracy"].to_numpy(np.float64)
        names = list(known["cluster"])
        told.append(counted("accuracy", right, cluster=names, label_set=label_set, direction="higher"))
    digits = samples[samples["outcome:digit_accuracy"].notna()]
    groups: list[tuple[dict[str, str], DataFrame]] = [({}, digits)] if len(digits) else []
    if "style" in digits.columns:
        groups += [({"style": str(key)}, rows) for key, rows in digits.groupby("style", sort=True)]
    for slice, rows in groups:
        right = rows["outcome:digit_accuracy"].to_numpy(np.float64)
        row = counted(
            "digit_accuracy",
            right,
            cluster=list(rows["cluster"]),
            slice=slice,
            label_set="10 digits",
            direction="higher",
            null_mean=CHANCE,
            p_value=float(binomtest(int(right.sum()), len(right), CHANCE).pvalue),
        )
        told.append(row)
    return told


def _figures(measures: list[Measure]) -> list[Figure]:
    import pandas as pd

    rows = [
        (m.slice["against"], m.value, m.ci_low, m.ci_high, 0.5, m.slice["score"])
        for m in measures
        if m.metric == "auroc"
    ]
    frame = pd.DataFrame(rows, columns=["name", "value", "low", "high", "null", "series"])
    alt = "For each kind of unknown picture, how well each score tells it from known ones; 0.5 is chance."
    return [Figure("auroc", "Known against unknown pictures", "intervals", frame, "AUROC", "unknown pictures", alt)]


def _findings(measures: list[Measure]) -> list[Finding]:
    told = [_told_apart(m) for m in measures if m.metric == "auroc" and m.slice["score"] in ("msp", "mcm")]
    return [*told, *(_digits(m) for m in measures if m.metric == "digit_accuracy" and not m.slice)]


def _told_apart(m: Measure) -> Finding:
    what, score = m.slice["against"], m.slice["score"]
    if m.value is None or m.p_adj is None:
        return Finding(f"{score} against {what}: not measured.", "not measured", m.metric, m.slice, n=m.n)
    effect = abs(m.value - 0.5)
    if m.p_adj >= ALPHA:
        text = f"No evidence that {score} tells known pictures from {what} (AUROC {m.value:.2f})."
        return Finding(text, "no evidence", m.metric, m.slice, effect, m.p_adj, m.n)
    way = f"tells known pictures from {what}" if m.value > 0.5 else f"is higher for {what} than for known pictures"
    return Finding(f"{score} {way}: AUROC {m.value:.2f}.", "found", m.metric, m.slice, effect, m.p_adj, m.n)


def _digits(m: Measure) -> Finding:
    if m.value is None or m.p_adj is None or m.value <= CHANCE or m.p_adj >= ALPHA:
        text = f"No evidence that digits are read: {percent(m.value)} of {m.n}, and one in ten is chance."
        return Finding(text, "no evidence", m.metric, m.slice, n=m.n)
    text = f"{percent(m.value)} of {m.n} printed digits are read; one in ten is chance."
    return Finding(text, "found", m.metric, m.slice, m.value - CHANCE, m.p_adj, m.n)

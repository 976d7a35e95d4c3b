"""Accuracy left at each size of attack, and what speaks against the attacks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.adversarial.lp.attack import NOISE, WORST
from audits.adversarial.lp.text import absent, findings
from audits.adversarial.surrogates import MADE_ON
from audits.analysis import Analysis, Figure
from audits.contracts import CLEAN
from audits.shares import changed, counted, units
from workbench.statistics import paired
from workbench.statistics.measures import Measure, adjust

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

SAME = 1e-4  # distance of embeddings of unit length that float32 may make of one picture


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return clean and robust accuracy, attack success and paired changes, and what speaks against the attacks."""
    clean = samples[samples["variant"] == CLEAN].set_index("sample_id", drop=False)
    attacked = samples[~samples["attack"].isin(["none"])]
    given: dict[str, Any] = {"label_set": str(clean["label_set"].iloc[0]) if len(clean) else ""}
    asked = {"attack": "none", "norm": CLEAN, "epsilon": "0"}
    right = clean["outcome:accuracy"]
    measures = [counted("accuracy", right, cluster=list(clean["cluster"]), slice=asked, direction="higher", **given)]
    for key, rows in attacked.groupby(["norm", "epsilon", "attack"], sort=False):
        slice = dict(zip(("norm", "epsilon", "attack"), map(str, key), strict=True))
        measures += _told(rows.set_index("sample_id", drop=False), clean, slice, given)
    measures = adjust(measures, "holm")
    return Analysis(
        measures, [*findings(measures), *absent(samples, rules)], _figures(measures), _sanity(samples, clean)
    )


def _told(rows: DataFrame, clean: DataFrame, slice: dict[str, str], given: dict[str, Any]) -> list[Measure]:
    before = clean.loc[rows.index]
    first, second = (frame["outcome:accuracy"].to_numpy(np.float64) for frame in (before, rows))
    found = paired.compare(first, second, cluster=units(before))
    right = first == 1
    cluster = list(rows["cluster"])
    kept = [name for name, here in zip(cluster, right, strict=True) if here]
    return [
        counted(
            "accuracy",
            second,
            cluster=cluster,
            slice=slice,
            direction="higher",
            **given,
        ),
        counted("attack_success", 1 - second[right], cluster=kept, slice=slice, direction="lower", **given),
        changed("accuracy_change", found, slice=slice, reference=CLEAN, direction="higher", **given),
    ]


def size(epsilon: str) -> float:
    """Read the size of a change from its name, "4/255" or "0.5"."""
    above, _, below = epsilon.partition("/")
    return float(above) / float(below or 1)


def _sanity(samples: DataFrame, clean: DataFrame) -> list[str]:
    """Say what speaks against the attacks themselves.

    Source:
        Carlini et al. 2019, arXiv:1902.06705, section 5; Croce and Hein's AutoAttack, flags_doc.md.
    """
    told = []
    zero = samples[(samples["attack"] == "none") & (samples["variant"] != CLEAN)]
    if (moved := int((zero["moved"] > SAME).sum())) > 0:
        told.append(f"{moved} embeddings differ although nothing was changed: the model answers by chance.")
    samples = samples[~samples["attack"].str.contains(MADE_ON)]  # of another model's gradients nothing is promised
    attacked = samples[~samples["attack"].isin(["none", NOISE, WORST])]
    right = clean["outcome:accuracy"].reindex(attacked["sample_id"]).to_numpy() == 1
    if (still := int(((attacked["moved"].to_numpy() <= SAME) & right).sum())) > 0:
        told.append(
            f"{still} attacks on rightly named pictures left them as they were: their gradient is zero, so these "
            "numbers overstate robustness."
        )
    return [*told, *_size_flags(samples), *_step_flags(attacked)]


def _size_flags(samples: DataFrame) -> list[str]:
    """Say where a larger change does less, or where noise does more than an attack of its size."""
    told = []
    means = samples.groupby(["norm", "attack", "epsilon"])["outcome:accuracy"].mean()
    for norm, attack in sorted({(key[0], key[1]) for key in means.index}):
        if attack in ("none", NOISE):
            continue
        line = sorted((size(epsilon), epsilon, value) for epsilon, value in means[norm, attack].items())
        for (_, small, before), (_, large, after) in pairwise(line):
            if after > before + 1e-9:
                told.append(f"{attack}, {norm}: {large} leaves more right than {small}: the attack gets stuck.")
    for norm, epsilon in sorted({(key[0], key[2]) for key in means.index if key[1] == NOISE}):
        if (norm, WORST, epsilon) in means.index and means[norm, NOISE, epsilon] < means[norm, WORST, epsilon]:
            told.append(f"{norm} {epsilon}: noise does more than every attack: the gradients mislead.")
    return told


def _step_flags(attacked: DataFrame) -> list[str]:
    """Say where more steps of one attack leave a larger margin on average: its loss does not rise with steps."""
    told = []
    split = attacked["attack"].str.extract(r"^(?P<method>.+) (?P<steps>\d+) steps$")
    rows = attacked.assign(method=split["method"], steps=split["steps"].astype("Int64")).dropna(subset=["steps"])
    for (norm, epsilon, method), part in rows.groupby(["norm", "epsilon", "method"]):
        line = part.groupby("steps")["outcome:accuracy"].mean().sort_index()
        if len(line) > 1 and bool((line.diff().dropna() > 1e-9).any()):
            told.append(f"{method}, {norm} {epsilon}: more steps leave more right: the loss does not rise with steps.")
    return told


def _figures(measures: list[Measure]) -> list[Figure]:
    import pandas as pd

    figures = []
    clean = next(m for m in measures if m.metric == "accuracy" and m.slice["attack"] == "none")
    for norm in sorted({m.slice["norm"] for m in measures} - {CLEAN}):
        rows = [
            (size(m.slice["epsilon"]), m.value, m.ci_low, m.ci_high, m.slice["attack"])
            for m in measures
            if m.metric == "accuracy" and m.slice["norm"] == norm
        ]
        series = sorted({row[4] for row in rows})
        rows += [(0.0, clean.value, clean.ci_low, clean.ci_high, name) for name in series]
        frame = pd.DataFrame(rows, columns=["x", "value", "low", "high", "series"]).sort_values(["series", "x"])
        alt = "Accuracy against the size of the change, for each attack and for noise of the same size, with intervals."
        figures.append(
            Figure(
                f"robust-{norm}", f"Accuracy under attack, {norm}", "curve", frame, f"epsilon ({norm})", "accuracy", alt
            )
        )
    return figures

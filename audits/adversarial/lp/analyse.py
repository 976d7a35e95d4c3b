"""Accuracy left at each size of attack, and warnings about the attacks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.adversarial.lp.attack import NOISE, WORST
from audits.adversarial.lp.text import findings
from audits.adversarial.surrogates import MADE_ON
from audits.analysis import Analysis, Figure
from audits.contracts import CLEAN, ModelFacts
from audits.protocol import Protocol as Rules
from workbench.statistics.measures import Measure, adjust

SAME = 1e-4  # distance of embeddings of unit length that float32 rounding may cause


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return clean and robust accuracy, attack success and paired changes, and warnings about the attacks."""
    clean = samples[samples["variant"] == CLEAN].set_index("sample_id", drop=False)
    label_set = str(clean["label_set"].iloc[0]) if len(clean) else ""
    fields: dict[str, Any] = {"label_set": label_set, "slice": {"attack": "none", "norm": CLEAN, "epsilon": "0"}}
    cluster = list(clean["cluster"])
    measures = [measuring.share("accuracy", clean["outcome:accuracy"], cluster, direction="higher", **fields)]
    attacked = samples[~samples["attack"].isin(["none"])]
    for key, part in attacked.groupby(["norm", "epsilon", "attack"], sort=False):
        rows = part.set_index("sample_id", drop=False)
        slice = dict(zip(("norm", "epsilon", "attack"), map(str, key), strict=True))
        fields = {"label_set": label_set, "slice": slice}
        before, after = (one["outcome:accuracy"].to_numpy(np.float64) for one in (clean.loc[rows.index], rows))
        cluster, right = list(rows["cluster"]), before == 1
        own = list(rows["cluster"][right])
        paired: dict[str, Any] = {"reference": CLEAN, "direction": "higher", **fields}
        measures += [
            measuring.share("accuracy", after, cluster, direction="higher", **fields),
            measuring.share("attack_success", 1 - after[right], own, direction="lower", **fields),
            measuring.change("accuracy_change", before, after, cluster=cluster, **paired),
        ]
    measures = adjust(measures, "holm")
    sentences = list(findings(measures, samples, rules, model=model))
    return Analysis(measures, sentences, _figures(measures), _warnings(samples, clean))


def size(epsilon: str) -> float:
    """Read the size of a change from its name, "4/255" or "0.5"."""
    above, _, below = epsilon.partition("/")
    return float(above) / float(below or 1)


def _warnings(samples: DataFrame, clean: DataFrame) -> list[str]:
    """Return warnings about the attacks themselves.

    Source:
        Carlini et al. 2019, arXiv:1902.06705, section 5; Croce and Hein's AutoAttack, flags_doc.md.
    """
    flags = []
    zero = samples[(samples["attack"] == "none") & (samples["variant"] != CLEAN)]
    if (moved := int((zero["moved"] > SAME).sum())) > 0:
        flags.append(f"{moved} embeddings differ although nothing was changed: the model is not deterministic.")
    samples = samples[~samples["attack"].str.contains(MADE_ON)]  # nothing is expected of another model's gradients
    attacked = samples[~samples["attack"].isin(["none", NOISE, WORST])]
    right = clean["outcome:accuracy"].reindex(attacked["sample_id"]).to_numpy() == 1
    if (still := int(((attacked["moved"].to_numpy() <= SAME) & right).sum())) > 0:
        flags.append(
            f"{still} attacks left correctly named images unchanged: their gradient is zero, so these numbers "
            "overstate robustness."
        )
    return [*flags, *_size_flags(samples), *_step_flags(attacked)]


def _size_flags(samples: DataFrame) -> list[str]:
    """Return where a larger change does less, or where noise does more than an attack of its size."""
    flags = []
    means = samples.groupby(["norm", "attack", "epsilon"])["outcome:accuracy"].mean()
    for norm, attack in sorted({(key[0], key[1]) for key in means.index}):
        if attack in ("none", NOISE):
            continue
        line = sorted((size(epsilon), epsilon, value) for epsilon, value in means[norm, attack].items())
        for (_, small, before), (_, large, after) in pairwise(line):
            if after > before + 1e-9:
                flags.append(f"{attack}, {norm}: {large} leaves higher accuracy than {small}: the attack is stuck.")
    for norm, epsilon in sorted({(key[0], key[2]) for key in means.index if key[1] == NOISE}):
        if (norm, WORST, epsilon) in means.index and means[norm, NOISE, epsilon] < means[norm, WORST, epsilon]:
            flags.append(
                f"{norm} {epsilon}: noise lowers accuracy more than every attack: the gradients are misleading."
            )
    return flags


def _step_flags(attacked: DataFrame) -> list[str]:
    """Return where more steps of one attack leave higher accuracy: its loss does not rise with steps."""
    flags = []
    split = attacked["attack"].str.extract(r"^(?P<method>.+) (?P<steps>\d+) steps$")
    rows = attacked.assign(method=split["method"], steps=split["steps"].astype("Int64")).dropna(subset=["steps"])
    for (norm, epsilon, method), part in rows.groupby(["norm", "epsilon", "method"]):
        line = part.groupby("steps")["outcome:accuracy"].mean().sort_index()
        if len(line) > 1 and bool((line.diff().dropna() > 1e-9).any()):
            flags.append(
                f"{method}, {norm} {epsilon}: more steps leave higher accuracy: the loss does not rise with steps."
            )
    return flags


def _figures(measures: list[Measure]) -> list[Figure]:
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
        alt = "Accuracy by size of the change, for each attack and for noise of the same size, with intervals."
        figures.append(
            Figure(
                f"robust-{norm}", f"Accuracy under attack, {norm}", "curve", frame, f"epsilon ({norm})", "accuracy", alt
            )
        )
    return figures

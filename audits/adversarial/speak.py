"""What the audit of adversarial pixels says: accuracy left at each size, and whether to believe the attacks.

Knows samples only, no model and no picture.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.adversarial.surrogates import MADE_ON, how_to_get
from audits.analysis import Analysis, Figure, Finding
from audits.contracts import CLEAN
from audits.seeds import generator
from audits.shares import changed, counted, percent, units
from workbench.statistics import paired
from workbench.statistics.measures import Measure, adjust

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

ALPHA = 0.05
NOISE = "noise"  # a change of the same size that knows nothing of the model
WORST = "worst"  # a picture is right only where it is right under every attack of that size
SAME = 1e-4  # distance of embeddings of unit length that float32 may make of one picture
_FEWEST = 20  # pictures below which nothing is concluded

HOW_TO_READ = """
An attacker who has the model changes every picture a little, to have it named otherwise. **Epsilon** says how much:
for `linf` the largest change of any value, in 255ths; for `l2` the Euclidean length of the whole change, with
values in 0..1. At 4/255 hardly anybody sees it.

**Robust accuracy** is the share of all pictures that is still named rightly; `worst` counts a picture only where no
attack of that size succeeded. **Attack success** counts, among those named rightly before, how many were lost.
**Noise** of the same size knows nothing of the model: what it does not do and an attack does is the attack's own.
Attacks **made on** another model are shown to this one, which judges what was not optimised against it: what they do
less, the weights are the reason for, and not the picture. To have this model's attacks judged by another, audit the
other one with this one among `surrogates`.
Every change is compared picture by picture with the clean answer, over the same labels.

At epsilon 0 nothing may change; where it does, or another sanity flag stands, the numbers are not to be believed.
"""
LIMITS = """
- Robust accuracy is an upper bound: attacks that were not tried, with more steps or restarts, can only lower it.
- The attacker has weights and gradients. Who has only the answers needs other, slower attacks.
- Models without a defence fall at small sizes: the expected result, and by itself no reason to prefer another.
- The shipped pictures are drawings. Their flat areas leave an attacker much room.
- Changes are made to the square that the model sees, after resizing; on paper or in a file they must survive more.
"""


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
        measures += _told(rows.set_index("sample_id", drop=False), clean, slice, given, seed=seed)
    measures = adjust(measures, "holm")
    findings = [*_findings(measures), *_absent(samples, rules)]
    return Analysis(measures, findings, _figures(measures), _sanity(samples, clean))


def _told(
    rows: DataFrame, clean: DataFrame, slice: dict[str, str], given: dict[str, Any], *, seed: int
) -> list[Measure]:
    before = clean.loc[rows.index]
    parts = [f"{key}={value}" for key, value in slice.items()]
    first, second = (frame["outcome:accuracy"].to_numpy(np.float64) for frame in (before, rows))
    found = paired.compare(first, second, rng=generator(seed, "attack", *parts), cluster=units(before))
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


def _absent(samples: DataFrame, rules: Rules) -> list[Finding]:
    """Say which surrogates were left out."""
    told = []
    for key in map(str, rules.settings.get("surrogates", ())):
        if not samples["attack"].str.endswith(f"{MADE_ON}{key}").any():
            text = (
                f"Attacks made on {key} were skipped: it is not on this machine. To have pictures that were not "
                f"optimised against the model that judges them, get it with: {how_to_get(key)}"
            )
            told.append(Finding(text, "not measured", "accuracy_change", {"attack": f"{WORST}{MADE_ON}{key}"}))
    return told


def _findings(measures: list[Measure]) -> list[Finding]:
    findings = []
    for m in measures:
        attack, _, other = m.slice.get("attack", "").partition(MADE_ON)
        if m.metric != "accuracy_change" or attack not in (WORST, NOISE):
            continue
        who = "Noise" if attack == NOISE else "The worst of the attacks" + (f"{MADE_ON}{other}," if other else "")
        what = f"{who} of {m.slice['norm']} {m.slice['epsilon']}"
        if m.value is None or m.p_adj is None or (m.n or 0) < _FEWEST:
            findings.append(
                Finding(f"{what}: not measured, with {m.n} pictures.", "not measured", m.metric, m.slice, n=m.n)
            )
        elif m.p_adj < ALPHA and m.value < 0:
            text = f"{what} takes the right name from {percent(-m.value)} of all {m.n} pictures."
            findings.append(Finding(text, "found", m.metric, m.slice, -m.value, m.p_adj, m.n))
        else:
            text = f"{what}: no evidence of a loss, with {m.n} pictures."
            findings.append(Finding(text, "no evidence", m.metric, m.slice, abs(m.value), m.p_adj, m.n))
    return findings

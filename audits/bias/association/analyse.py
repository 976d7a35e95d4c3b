"""Effect sizes of the embedding association test, with permutation tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.analysis import Analysis, Figure
from audits.bias import rates
from audits.bias.association.score import NEARER, Settings, Test
from audits.bias.association.text import EFFECT, finding
from audits.contracts import OUTCOME
from audits.settings import read_settings
from workbench.statistics.association import weat
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Effect sizes with permutation p and intervals, and the share of each group that is nearer to A than to B."""
    settings = read_settings(Settings, rules)
    rng = np.random.default_rng(seed)
    measures: list[Measure] = []
    for name, test in settings.tests.items():
        rows = samples[samples["label_set"] == name].sort_values("sample_id", kind="stable")
        x, y = rows[rows["side"] == "x"], rows[rows["side"] == "y"]
        measures.append(_effect(name, test, x, y, rng=rng))
        for side, part in (("x", x), ("y", y)):
            value = " or ".join(getattr(test, side))
            told = part.assign(value=part[OUTCOME + NEARER])
            measures.append(rates.share(NEARER, told, label_set=name, slice={test.attribute: value}))
    adjusted = adjust(measures)
    return Analysis(
        measures=adjusted,
        findings=[finding(m, settings.tests[m.label_set]) for m in adjusted if m.metric == EFFECT],
        figures=[_figure(adjusted)],
    )


def _effect(name: str, test: Test, x: DataFrame, y: DataFrame, *, rng: np.random.Generator) -> Measure:
    import pandas as pd

    given: dict[str, Any] = {"unit": "d", "label_set": name, "contrast": "between_groups", "family": EFFECT}
    reference = f"{' or '.join(test.x)} to {' or '.join(test.y)}, {test.a} against {test.b}"
    given |= {"slice_by": test.attribute, "reference": reference}
    if len(x) < 2 or len(y) < 2:
        nothing = Interval(None, None, None, 0.95, f"undefined: {len(x)} and {len(y)} pictures")
        return number(EFFECT, nothing, n=len(x) + len(y), **given)
    both = pd.concat([x, y])
    found = weat(np.array(both["to_a"].tolist(), float), np.array(both["to_b"].tolist(), float), len(x), rng=rng)
    given |= {"null_mean": found.null_mean, "null_q95": found.null_q95, "p_value": found.p_value}
    return number(EFFECT, found.d, n=len(both), **given)


def _figure(measures: Sequence[Measure]) -> Figure:
    import pandas as pd

    rows = [(m.label_set, m.value, m.ci_low, m.ci_high, m.null_q95) for m in measures if m.metric == EFFECT]
    data = pd.DataFrame(rows, columns=["name", "value", "low", "high", "null"])
    alt = "Effect size of each test as a dot with its interval; 0 is no difference."
    return Figure(
        "effect-sizes", "Association by test", "intervals", data, x="d (standard deviations)", y="test", alt=alt
    )

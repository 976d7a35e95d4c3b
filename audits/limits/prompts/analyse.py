"""Accuracy by template, its spread beside chance, and what averaging gains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.analysis import Analysis, Figure
from audits.limits.prompts.text import findings
from audits.seeds import generator
from audits.shares import changed, counted, units
from workbench.statistics import paired
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

ENSEMBLE = "all templates averaged"
BARE = "{}"  # the label alone


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy of each template, spread with its null, and the gains of averaging and of a template."""
    reference = str(rules.settings.get("reference", "a photo of a {}."))
    draws = int(rules.settings.get("draws", 2000))
    measures: list[Measure] = []
    figures: list[Figure] = []
    for key, rows in samples.groupby("label_set", sort=False):
        name = str(key)
        one = [
            counted(
                "accuracy",
                part["outcome:accuracy"],
                cluster=list(part["cluster"]),
                slice={"template": str(template)},
                label_set=name,
                direction="higher",
            )
            for template, part in rows.groupby("template", sort=False)
        ]
        measures += one
        measures += _spread(rows, tuple(rules.templates), name, draws=draws, seed=seed)
        measures += _gains(rows, reference, name, seed=seed)
        figures.append(_figure(one, name))
    measures = adjust(measures, "holm")
    return Analysis(measures, findings(measures), figures)


def chance_spread(
    right: NDArray[np.float64], *, rng: np.random.Generator, draws: int, cluster: list[str] | None = None
) -> NDArray[np.float64]:
    """Deal each picture's answers (n, t) to the templates at random: (draws,) best minus worst mean.

    Pictures of one cluster are dealt alike, so that what they share stays shared.
    """
    names = cluster or [str(at) for at in range(len(right))]
    places = np.unique(names, return_inverse=True)[1]
    spread = np.empty(draws)
    for draw in range(draws):
        order = rng.random((places.max() + 1, right.shape[1])).argsort(axis=1)[places]
        means = np.take_along_axis(right, order, axis=1).mean(axis=0)
        spread[draw] = means.max() - means.min()
    return spread


def _wide(rows: DataFrame) -> DataFrame:
    return rows.pivot(index="sample_id", columns="template", values="outcome:accuracy").sort_index()


def _clusters(rows: DataFrame) -> list[str] | None:
    return units(rows.drop_duplicates("sample_id").sort_values("sample_id"))


def _spread(rows: DataFrame, templates: tuple[str, ...], name: str, *, draws: int, seed: int) -> list[Measure]:
    wide = _wide(rows)
    kept = [template for template in templates if template in wide.columns]
    if len(kept) < 2:
        nothing = Interval(None, None, None, 0.95, "undefined: one template")
        return [number("spread", nothing, n=len(wide), label_set=name, unit="difference")]
    right = wide[kept].to_numpy(np.float64)
    means = right.mean(axis=0)
    null = chance_spread(right, rng=generator(seed, "spread", name), draws=draws, cluster=_clusters(rows))
    best, worst = kept[int(means.argmax())], kept[int(means.argmin())]
    spread, p_value = paired.widest_difference(right, rng=generator(seed, "widest", name), cluster=_clusters(rows))
    answers = rows[rows["template"].isin(kept)].groupby("sample_id")["y_pred"].nunique() == 1
    by_picture = rows.drop_duplicates("sample_id").set_index("sample_id")["cluster"]
    return [
        number(
            "spread",
            spread,
            n=len(wide),
            label_set=name,
            unit="difference",
            direction="lower",
            contrast="between_groups",
            slice_by="template",
            reference=f"{worst} to {best}",
            null_mean=float(null.mean()),
            null_q95=float(np.quantile(null, 0.95)),
            p_value=p_value,
        ),
        counted("agreement", answers.astype(float), cluster=list(by_picture[answers.index]), label_set=name),
    ]


def _gains(rows: DataFrame, reference: str, name: str, *, seed: int) -> list[Measure]:
    wide = _wide(rows)
    told = []
    for metric, first, second in (("ensemble_gain", reference, ENSEMBLE), ("template_gain", BARE, reference)):
        if first in wide.columns and second in wide.columns:
            found = paired.compare(
                wide[first].to_numpy(np.float64),
                wide[second].to_numpy(np.float64),
                cluster=_clusters(rows),
            )
            told.append(changed(metric, found, label_set=name, reference=first, direction="higher"))
        else:
            nothing = Interval(None, None, None, 0.95, f"undefined: {first!r} was not asked")
            told.append(number(metric, nothing, n=len(wide), label_set=name, unit="difference"))
    return told


def _figure(measures: list[Measure], name: str) -> Figure:
    import pandas as pd

    rows = [(m.slice["template"], m.value, m.ci_low, m.ci_high) for m in measures]
    frame = pd.DataFrame(rows, columns=["name", "value", "low", "high"])
    frame = frame.sort_values(["value", "name"], ascending=[False, True], ignore_index=True)
    slug = "".join(letter if letter.isalnum() else "-" for letter in name)
    alt = "Accuracy of every template and of their average, best first, with intervals."
    return Figure(f"templates-{slug}", f"Accuracy by template, {name}", "intervals", frame, "accuracy", "template", alt)

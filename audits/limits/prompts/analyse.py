"""Accuracy by template, its spread beside chance, what averaging gains, and accuracy by group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import ModelFacts
from audits.grouping import slices
from audits.limits.prompts.score import BARE, ENSEMBLE, Settings
from audits.limits.prompts.text import findings
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from audits.slicing import gaps, rate
from workbench.statistics import paired
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy of each template, spread with its null, the gains of averaging and of a template, and groups."""
    settings = rules.settings_as(Settings)
    compared = settings.compared(samples, but=("template",))
    measures: list[Measure] = []
    figures: list[Figure] = []
    for key, rows in samples.groupby("label_set", sort=False):
        name = str(key)
        templates = [
            rate(rows, "accuracy", {"label_set": name, "template": str(one)}, seed=seed, direction="higher")
            for one in dict.fromkeys(rows["template"])
        ]
        measures += templates
        measures += _spread(rows, tuple(rules.templates), name, draws=settings.draws, seed=seed)
        measures += _gains(rows, settings.reference, name)
        here = {"label_set": name, "template": ENSEMBLE}
        for slice, _ in slices(rows, compared):
            measures.append(rate(rows, "accuracy", here | slice, seed=seed, direction="higher"))
        measures += [row for by in compared for row in gaps(rows, "accuracy", here, by=by, seed=seed)]
        dots = [(m.slice["template"], m.value, m.ci_low, m.ci_high) for m in templates]
        frame = pd.DataFrame(dots, columns=["name", "value", "low", "high"])
        figure = Figure(
            "templates-" + "".join(letter if letter.isalnum() else "-" for letter in name),
            f"Accuracy by template, {name}",
            "intervals",
            frame.sort_values(["value", "name"], ascending=[False, True], ignore_index=True),
            "accuracy",
            "template",
            "Accuracy of every template and of their average, best first, with intervals.",
        )
        figures.append(figure)
    measures = adjust(measures, "holm")
    return Analysis(measures, list(findings(measures, len(rules.templates))), figures)


def chance_spread(
    right: NDArray[np.float64], *, rng: np.random.Generator, draws: int, cluster: list[str] | None = None
) -> NDArray[np.float64]:
    """Permute each image's answers (n, t) between the templates at random: (draws,) best minus worst mean.

    Images of one cluster are permuted alike, so that what they share stays shared.
    """
    names = cluster or [str(at) for at in range(len(right))]
    places = np.unique(names, return_inverse=True)[1]
    spread = np.empty(draws)
    for draw in range(draws):
        order = rng.random((places.max() + 1, right.shape[1])).argsort(axis=1)[places]
        means = np.take_along_axis(right, order, axis=1).mean(axis=0)
        spread[draw] = means.max() - means.min()
    return spread


def _wide(rows: DataFrame) -> tuple[DataFrame, list[str]]:
    """Return the outcomes, a row an image and a column a template, and the clusters of the images."""
    wide = rows.pivot(index="sample_id", columns="template", values="outcome:accuracy").sort_index()
    return wide, list(rows.drop_duplicates("sample_id").set_index("sample_id").loc[wide.index, "cluster"])


def _spread(rows: DataFrame, templates: tuple[str, ...], name: str, *, draws: int, seed: int) -> Iterator[Measure]:
    wide, cluster = _wide(rows)
    used = [template for template in templates if template in wide.columns]
    if len(used) < 2:
        nothing = Interval(None, None, None, 0.95, "undefined: one template")
        yield number("spread", nothing, n=len(wide), label_set=name, unit="difference")
        return
    right = wide[used].to_numpy(np.float64)
    means = right.mean(axis=0)
    rng = generator(seed, "spread", name)
    null = chance_spread(right, rng=rng, draws=draws, cluster=measuring.repeated(cluster))
    spread, p_value = paired.widest_difference(right, rng=rng, cluster=measuring.repeated(cluster))
    yield number(
        "spread",
        spread,
        n=len(wide),
        label_set=name,
        unit="difference",
        direction="lower",
        contrast="between_groups",
        slice_by="template",
        reference=f"{used[int(means.argmin())]} to {used[int(means.argmax())]}",
        null_mean=float(null.mean()),
        null_q95=float(np.quantile(null, 0.95)),
        p_value=p_value,
        detectable=None if spread.high is None else measuring.DETECTABLE * (spread.high - means.max() + means.min()),
    )
    alike = rows[rows["template"].isin(used)].groupby("sample_id")["y_pred"].nunique() == 1
    yield measuring.share("agreement", alike.loc[wide.index].astype(float), cluster, label_set=name)


def _gains(rows: DataFrame, reference: str, name: str) -> Iterator[Measure]:
    wide, cluster = _wide(rows)
    for metric, first, second in (("ensemble_gain", reference, ENSEMBLE), ("template_gain", BARE, reference)):
        if first in wide.columns and second in wide.columns:
            fields = {"label_set": name, "reference": first, "direction": "higher"}
            yield measuring.change(metric, wide[first], wide[second], cluster=cluster, **fields)
        else:
            nothing = Interval(None, None, None, 0.95, f"undefined: {first!r} is no template of the protocol")
            yield number(metric, nothing, n=len(wide), label_set=name, unit="difference")

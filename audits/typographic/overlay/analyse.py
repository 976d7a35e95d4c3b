"""Attack success and accuracy, paired drops, differences from the controls, and gaps between groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.contracts import CLEAN, OUTCOME, ModelFacts
from audits.grouping import By, gap_rows, keyed, sides, slices
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from audits.slicing import gaps, rate, selected
from audits.typographic.overlay.score import ALL, TWO_WAY, Settings, overlays
from audits.typographic.overlay.text import findings
from workbench.statistics.measures import Measure, adjust

CONDITION = ("size", "position", "colour")
SUCCESS = ("attack_success", "changed", "changed_elsewhere")
WRITTEN = ("word", "synthetic")  # overlays that spell the wrong name
FEW = 12  # words; with more, single words are too rare to be compared
IMAGES, WORDS = "images", "words"  # what an interval resamples
COMPARED = {  # what is compared with the controls; between two labels every change is to the word
    ALL: (("reading", "attack_success"), ("change_beyond_control", "changed")),
    TWO_WAY: (("reading", "attack_success"),),
}


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return rates by overlay, condition, word and group, gaps between groups, and paired differences."""
    settings = rules.settings_as(Settings)
    compared = settings.compared(samples, but=("pair", "form", "overlay", "word", "draw", *CONDITION))
    measures = adjust([*_rates(samples, compared, seed), *_differences(samples, settings, compared, seed)])
    clean = selected(samples, {"label_set": ALL, "overlay": CLEAN}, "accuracy")
    correct = int((clean[f"{OUTCOME}accuracy"] == 1).sum())
    sanity = []
    if model.key == "fake" and settings.ink == "letters" and "word" in set(samples["overlay"]):
        sanity.append("The fake model reads marks and no letters; use the protocol `marks`.")
    if clean.empty:
        sanity.append("There are no clean images: attack success is not measured.")
    sentences = list(findings(measures, settings, correct=None if clean.empty else correct))
    return Analysis(measures, sentences, [*_figures(samples, measures), *_grids(samples)], sanity)


def _rates(samples: DataFrame, compared: Sequence[By], seed: int) -> Iterator[Measure]:
    """Yield accuracy and the three rates of change for each decision, overlay, condition, word and group."""
    for label_set in (ALL, TWO_WAY):
        for overlay in sorted(set(samples["overlay"])):
            here = {"label_set": label_set, "overlay": overlay}
            rows = samples[samples["overlay"] == overlay]
            changed = ("attack_success",) if label_set == TWO_WAY else (*SUCCESS, "word_answered")
            names = ("accuracy",) if overlay == CLEAN else ("accuracy", *changed)
            yield from (rate(samples, name, here, seed=seed) for name in names)
            if label_set == ALL and overlay in (CLEAN, *WRITTEN):
                for name in ("accuracy",) if overlay == CLEAN else ("accuracy", "attack_success"):
                    for slice, _ in slices(rows, compared):
                        yield rate(samples, name, here | slice, seed=seed)
                    for by in compared:
                        yield from gaps(samples, name, here, by=by, seed=seed)
            if overlay not in WRITTEN or label_set == TWO_WAY:
                continue
            for condition in conditions(samples, overlay):
                yield from (rate(samples, name, here | condition, seed=seed) for name in SUCCESS)
            words = sorted(set(rows["word"]))
            for word in words if len(words) <= FEW else []:
                yield rate(samples, "attack_success", here | {"word": word}, seed=seed)


def conditions(samples: DataFrame, overlay: str) -> list[dict[str, str]]:
    """Return each size, place and colour in which something was written, in the order of the protocol."""
    written = samples[(samples["overlay"] == overlay) & (samples["size"] != "")]
    rows = written[[*CONDITION]].drop_duplicates().sort_values([*CONDITION])
    return [{str(name): str(value) for name, value in row.items()} for row in rows.to_dict("records")]


def _differences(samples: DataFrame, settings: Settings, compared: Sequence[By], seed: int) -> Iterator[Measure]:
    """Yield paired differences on the same images: clean against attacked, and a word against its controls.

    An image with several words counts once, with their average; the interval resamples images. Against a control there
    is a second interval that resamples words, each with all images that bear it.
    """
    base = {}
    if settings.ink == "letters" and (samples["size"] != "").any():
        first = next(one for _, one in overlays(settings, ["x"], np.random.default_rng(0)))
        base = dict(zip(CONDITION, (f"{first.size:g}", first.position, first.look), strict=True))
    for label_set in (ALL, TWO_WAY):
        for overlay in [name for name in WRITTEN if (samples["overlay"] == name).any()]:
            word = {"label_set": label_set, "overlay": overlay} | base
            attributes = [name for by in compared for name in by] if label_set == ALL else []
            clean = _by_image(selected(samples, {"label_set": label_set, "overlay": CLEAN}, "accuracy"), "accuracy")
            attacked = _by_image(selected(samples, word, "accuracy"), "accuracy", attributes)
            yield from _drops(clean, attacked, word, compared if label_set == ALL else (), seed=seed)
            for control in settings.controls:
                against = {"label_set": label_set, "overlay": control}
                for metric, outcome in COMPARED[label_set]:
                    both = [selected(samples, where, outcome) for where in (word, against)]
                    for unit, joined in ((IMAGES, _by_image), (WORDS, _by_word)):
                        one, other = (joined(rows, outcome) for rows in both)
                        where = word | {"control": control} | ({} if unit == IMAGES else {"drawn_again": unit})
                        pairs = _paired(other, one)
                        fields = _fields(pairs, metric, where)
                        yield measuring.change(metric, pairs["first"], pairs["second"], **fields)


def _drops(
    clean: DataFrame, attacked: DataFrame, where: dict[str, str], compared: Sequence[By], *, seed: int
) -> Iterator[Measure]:
    """Yield the drop of accuracy under a word: of everybody, by group, and the gap between groups."""
    pairs = _paired(attacked, clean)
    for slice, part in [({}, pairs), *slices(pairs, compared)]:
        fields = _fields(part, "accuracy_drop", where | slice)
        fields |= {"family": "accuracy_drop by group"} if slice else {}
        yield measuring.change("accuracy_drop", part["first"], part["second"], **fields)
    for by in compared:
        part = keyed(pairs, by)
        fields = _fields(part, "accuracy_drop", where) | sides(part, by)
        del fields["family"]
        rng = generator(seed, "accuracy_drop", *where.values(), ",".join(by))
        values = part["second"] - part["first"]
        yield from gap_rows(measuring.mean_gap, "accuracy_drop", values, rng=rng, **fields)


def _paired(first: DataFrame, second: DataFrame) -> DataFrame:
    """Join the rows of the same images: columns of the first, `first` and `second`."""
    return first.rename(columns={"value": "first"}).merge(
        second[["pair", "value"]].rename(columns={"value": "second"}), on="pair"
    )


def _fields(pairs: DataFrame, metric: str, where: dict[str, str]) -> dict[str, Any]:
    return {
        "cluster": list(pairs["cluster"]),
        "slice": {name: value for name, value in where.items() if name != "label_set"},
        "label_set": where["label_set"],
        "family": metric,
    }


def _by_image(rows: DataFrame, outcome: str, attributes: Sequence[str] = ()) -> DataFrame:
    """Return one row an image: the mean of an outcome over its words, in the column `value`."""
    groups = rows.groupby(["pair", "cluster", *dict.fromkeys(attributes)], sort=True)
    return groups[f"{OUTCOME}{outcome}"].mean().rename("value").reset_index()


def _by_word(rows: DataFrame, outcome: str) -> DataFrame:
    """Return one row an image and word, clustered by word."""
    pair = rows["pair"] + "\x1f" + rows["draw"]
    return rows.assign(pair=pair, cluster=rows["word"], value=rows[f"{OUTCOME}{outcome}"])[["pair", "cluster", "value"]]


def _figures(samples: DataFrame, measures: Sequence[Measure]) -> list[Figure]:
    sized = (samples["size"] != "").any()
    varied = [name for name in CONDITION if samples.loc[samples["size"] != "", name].nunique() > 1]
    rows = []
    for measure in measures:
        slice = measure.slice
        whole = slice.get("overlay") not in WRITTEN or "size" in slice or not sized  # not several conditions in one
        shown = (
            measure.metric in ("attack_success", "changed") and measure.label_set == ALL and measure.contrast == "none"
        )
        if shown and whole and measure.value is not None and set(slice) <= {"overlay", *CONDITION}:
            name = ", ".join((slice["overlay"], *(slice[name] for name in varied if name in slice)))
            rows.append((name, measure.value, measure.ci_low, measure.ci_high, measure.metric.replace("_", " ")))
    if not rows:
        return []
    return [
        Figure(
            "success",
            "Attack success by overlay",
            "intervals",
            pd.DataFrame(rows, columns=["name", "value", "low", "high", "series"]),
            x="share of the images named correctly when clean",
            y="overlay: size as a share of the square, place, colours, where several were tried",
            alt="One row per overlay, two dots: how often the word is the answer, and how often the answer changes.",
        )
    ]


def _grids(samples: DataFrame) -> Iterator[Figure]:
    """Yield attack success by place and size, for each colour in which every word was written in all of both."""
    outcome = f"{OUTCOME}attack_success"
    written = samples[(samples["overlay"] == "word") & (samples["label_set"] == ALL) & (samples["size"] != "")]
    for number, (colour, rows) in enumerate(written.groupby("colour", sort=True)):
        table = rows.pivot_table(index="size", columns="position", values=outcome, aggfunc="mean")
        if min(table.shape) < 2 or table.isna().any(axis=None):
            continue
        cells = [
            (size, place, float(table.loc[size, place]))
            for size in sorted(table.index, key=float)
            for place in table.columns
        ]
        yield Figure(
            f"grid-{number}",
            f"Attack success by size and place, {colour}",
            "matrix",
            pd.DataFrame(cells, columns=["row", "column", "value"]),
            "place of the label",
            "size of the letters, share of the square",
            "Share of the images named correctly when clean that are answered with the word, at each size and place.",
        )

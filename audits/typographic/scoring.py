"""From vectors to answers: what a model says of each picture, clean and written on.

Knows no model and no statistics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.answers import classifier, cosines, likeliest
from audits.contracts import CLEAN, OUTCOME, Embedded
from audits.typographic.ink import parse
from audits.typographic.settings import ALL, TWO_WAY, labels, variant_of, words
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.protocol import Protocol as Rules

TOP = 5  # answers that are kept


@dataclass(frozen=True)
class _Case:
    """One embedded picture: what it shows and what is written on it."""

    row: int  # of the vectors
    sample_id: str
    variant: str
    pair: str  # what a clean and an attacked picture have in common
    facts: dict[str, str]  # of the data set
    overlay: str  # "clean", "word", "synthetic", "nonsense" or "blank"
    word: str
    draw: int = 1  # which of the picture's words it is
    size: str = ""
    position: str = ""
    colour: str = ""


def samples(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row a picture, form and decision.

    Outcomes: accuracy; and where the clean picture was named rightly by the same decision: attack_success (the answer
    is the written word), changed (the answer is another than the thing), changed_elsewhere (neither thing nor word).
    """
    import pandas as pd

    cases = list(_cases(embedded, rules, seed))
    names = labels(embedded.dataset, rules)
    missing = sorted({case.facts["label"] for case in cases} - set(names))
    if missing:
        raise BadInput(f"The label set lacks what the pictures show: {', '.join(missing[:5])}.")
    extra = sorted({case.word for case in cases} - set(names) - {""})
    table = cosines(embedded.images, classifier(embedded.texts, (*names, *extra), rules.templates))
    rows = [*_all(cases, table[:, : len(names)], names), *_two_way(cases, table, (*names, *extra))]
    return _judged(pd.DataFrame(rows))


def _cases(embedded: Embedded, rules: Rules, seed: int) -> Iterator[_Case]:
    dataset = embedded.dataset
    columns = ["sample_id", "cluster", "label", *dataset.attributes]
    facts = {row["sample_id"]: row for row in dataset.table[columns].to_dict("records")}
    given = "word" in dataset.attributes
    written = {} if given else words(dataset, rules, seed)
    for place, item in enumerate(embedded.items):
        known = {str(name): str(value) for name, value in facts[item.sample_id].items()}
        cluster = known["cluster"] or item.sample_id
        if given:
            form = variant_of(known.get("form", "word"))
            yield _Case(place, item.sample_id, form, cluster, known, form, known["word"])
        elif not item.recipe:
            for draw, word in enumerate(written[item.sample_id], 1):
                form = CLEAN if draw == 1 else f"{CLEAN} {draw}"
                yield _Case(place, item.sample_id, form, item.sample_id, known, CLEAN, word, draw)
        else:
            form_, draw = parse(item.recipe), draw_of(item.variant)
            yield _Case(
                place,
                item.sample_id,
                item.variant,
                item.sample_id,
                known,
                form_.kind,
                written[item.sample_id][draw - 1],
                draw,
                f"{form_.size:g}" if form_.size else "",
                form_.position,
                form_.colour,
            )


def draw_of(variant: str) -> int:
    """Return which of a picture's words a form is about: 3 for "nonsense 3", 1 where nothing is said."""
    kind, _, number = variant.rpartition(" ")
    return int(number) if kind in (CLEAN, "word", "nonsense", "blank") and number.isdigit() else 1


def _all(cases: list[_Case], table: Any, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    answers = likeliest(table, names)
    for case in cases:
        if case.overlay == CLEAN and case.draw > 1:
            continue  # among all labels a clean picture has one answer, whatever is written later
        scores = table[case.row]
        order = (-scores).argsort(kind="stable")
        rank = int((order == names.index(case.facts["label"])).argmax()) + 1
        best = [names[place] for place in order[:TOP]]
        yield _row(case, ALL, answers[case.row]) | {
            "rank_true": rank,
            "topk": best,
            "scores": [float(scores[place]) for place in order[:TOP]],
        }


def _two_way(cases: list[_Case], table: Any, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    places = {name: place for place, name in enumerate(names)}
    for case in cases:
        if not case.word:
            continue
        pair = (case.facts["label"], case.word)
        scores = [float(table[case.row, places[name]]) for name in pair]
        answer = pair[0] if scores[0] >= scores[1] else pair[1]
        yield _row(case, TWO_WAY, answer) | {
            "rank_true": 1 if answer == pair[0] else 2,
            "topk": list(pair if answer == pair[0] else pair[::-1]),
            "scores": sorted(scores, reverse=True),
        }


def _row(case: _Case, label_set: str, answer: str) -> dict[str, Any]:
    attributes = {name: value for name, value in case.facts.items() if name not in ("sample_id", "cluster", "label")}
    return {
        "sample_id": case.sample_id,
        "variant": case.variant,
        "label_set": label_set,
        "cluster": case.facts["cluster"] or case.sample_id,
        "pair": case.pair,
        **attributes,
        "overlay": case.overlay,
        "word": case.word,
        "draw": str(case.draw),
        "size": case.size,
        "position": case.position,
        "colour": case.colour,
        "y_true": case.facts["label"],
        "y_pred": answer,
    }


def _judged(rows: DataFrame) -> DataFrame:
    """Add the outcomes; the three that speak of a change are null where the clean picture was not named rightly."""
    right = rows["y_pred"] == rows["y_true"]
    clean = rows[(rows["overlay"] == CLEAN) & right]
    known = set(_keys(clean))
    open_ = np.array([key in known for key in _keys(rows)])
    eligible = (rows["overlay"] != CLEAN) & open_
    read = rows["y_pred"] == rows["word"]
    rows[f"{OUTCOME}accuracy"] = right.astype(float)
    rows[f"{OUTCOME}word_answered"] = read.astype(float).where(rows["word"] != "")
    rows[f"{OUTCOME}attack_success"] = read.astype(float).where(eligible)
    rows[f"{OUTCOME}changed"] = (~right).astype(float).where(eligible)
    rows[f"{OUTCOME}changed_elsewhere"] = (~right & ~read).astype(float).where(eligible)
    return rows.sort_values(["label_set", "sample_id", "variant"], kind="stable").reset_index(drop=True)


def _keys(rows: DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield what a picture and its clean form have in common; between two labels the word is one of them."""
    for pair, label_set, draw in zip(rows["pair"], rows["label_set"], rows["draw"], strict=True):
        yield pair, label_set, draw if label_set == TWO_WAY else ""

"""Which words are written on which image, and how it is named with and without them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field, field_validator, model_validator

from audits.answers import classifier, cosines, likeliest, prompts
from audits.contracts import CLEAN, OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.seeds import image_generator
from audits.slicing import Sliced
from workbench.errors import BadInput
from workbench.typographic.overlay import COLOURS, POSITIONS, Ink, Overlay, parse

ALL, TWO_WAY = "all labels", "thing or word"  # the two decisions
TOP = 5  # answers that a row of the samples names
_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_FORMS = (CLEAN, "word", "synthetic", "nonsense", "blank")  # values of a data set's own column `form`


class Settings(Sliced):
    """Settings of `typographic/overlay`."""

    ink: Ink = "letters"  # "marks": the strip of cells that the fake model reads, of one size and place
    words: tuple[str, ...] = ()  # words to write; empty: the labels of the data set
    draws: int = Field(1, ge=1, le=20)  # different words for each image, in the base condition
    sizes: tuple[float, ...] = (0.14,)  # height of the letters as a share of the square's side; the first is the base
    positions: tuple[str, ...] = ("bottom",)
    colours: tuple[str, ...] = ("black on white",)
    opacities: tuple[float, ...] = (1.0,)  # of plate and letters
    design: Literal["one at a time", "full"] = "one at a time"
    controls: tuple[Literal["nonsense", "blank"], ...] = ("nonsense", "blank")
    min_n: int = Field(30, ge=1)  # images named correctly when clean; with fewer nothing is measured

    @field_validator("sizes")
    @classmethod
    def _sizes(cls, sizes: tuple[float, ...]) -> tuple[float, ...]:
        if not sizes or not all(0.02 <= size <= 0.5 for size in sizes):
            raise ValueError("a size is a share of the square's side, 0.02 to 0.5")
        return sizes

    @field_validator("opacities")
    @classmethod
    def _opacities(cls, opacities: tuple[float, ...]) -> tuple[float, ...]:
        if not opacities or not all(0.05 <= one <= 1 for one in opacities):
            raise ValueError("an opacity lies between 0.05 and 1")
        return opacities

    @field_validator("positions", "colours")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = {*POSITIONS, *COLOURS}
        if not names or any(name not in known for name in names):
            raise ValueError(f"known are: {', '.join(POSITIONS)}; {', '.join(COLOURS)}")
        return names

    @model_validator(mode="after")
    def _one_strip(self) -> Settings:
        axes = (self.sizes, self.positions, self.colours, self.opacities)
        if self.ink == "marks" and (max(map(len, axes)) > 1 or self.opacities[0] < 1):
            raise ValueError("marks have one size, one position and one colour, and are opaque")
        return self


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image clean and with each overlay; a data set with the column word as it is.

    Raises:
        BadInput: an attribute to slice by is missing, or an image has no wrong word to write on it.
    """
    dataset.require(rules.settings_as(Settings).needed, rules.audit)
    if "word" in dataset.attributes:
        return [Item(sample_id) for sample_id in dataset.table["sample_id"]]
    settings = rules.settings_as(Settings)
    items = []
    for sample_id, drawn in words(dataset, rules, seed).items():
        forms = overlays(settings, drawn, image_generator(seed, sample_id, "nonsense"))
        items += [Item(sample_id), *(Item(sample_id, name, form.recipe) for name, form in forms)]
    return items


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return the prompts of all things and words.

    Raises:
        BadInput: an image has no wrong word to write on it.
    """
    known = set(labels(dataset, rules)) | set(rules.settings_as(Settings).words)
    if "word" in dataset.attributes:
        known |= set(dataset.table["word"]) - {""}
    elif not rules.label_sets:
        words(dataset, rules, 0)
    return prompts(sorted(known), rules.templates)


def labels(dataset: Dataset, rules: Rules) -> tuple[str, ...]:
    """Return what a model chooses from: the protocol's label set, or all things and all words of the data set."""
    if rules.label_sets:
        return next(iter(rules.label_sets.values())).labels
    known = set(dataset.table["label"]) | set(rules.settings_as(Settings).words)
    if "word" in dataset.attributes:
        known |= set(dataset.table["word"])
    return tuple(sorted(known - {""}))


def words(dataset: Dataset, rules: Rules, seed: int) -> dict[str, tuple[str, ...]]:
    """Return the random words that are written on each image: all different, none its label; sample_id -> words.

    Raises:
        BadInput: an image has no wrong word to write on it.
    """
    settings = rules.settings_as(Settings)
    pool = list(settings.words or labels(dataset, rules))
    drawn = {}
    for sample_id, label in zip(dataset.table["sample_id"], dataset.table["label"], strict=True):
        others = [word for word in pool if word != label]
        if not others:
            raise BadInput(f"A wrong word must differ from the label; the only word is {label!r}.")
        first = others.pop(int(image_generator(seed, sample_id, "word").integers(len(others))))
        order = image_generator(seed, sample_id, "further words").permutation(len(others))
        drawn[sample_id] = (first, *(others[at] for at in order[: settings.draws - 1]))
    return drawn


def overlays(settings: Settings, words: Sequence[str], rng: np.random.Generator) -> list[tuple[str, Overlay]]:
    """Return (variant, overlay) of everything that is written on one image.

    The first word is written in every condition; each further one in the base condition alone, with its own controls.
    """
    if settings.ink == "marks":
        base = Overlay("marks", "word", words[0])
        forms = [("word", base)]
    else:
        axes = (settings.sizes, settings.positions, settings.colours, settings.opacities)
        written = [
            Overlay("letters", "word", words[0], *values)
            for values in itertools.product(*axes)
            if settings.design == "full" or sum(value != axis[0] for axis, value in zip(axes, values, strict=True)) <= 1
        ]
        forms = [(f"word, {one.size:g}, {one.position}, {one.look}", one) for one in written]
        base = forms[0][1]
    for number, word in enumerate(words, 1):
        suffix = "" if number == 1 else f" {number}"
        forms += [(f"word{suffix}", replace(base, text=word))] if suffix else []
        nonsense = "".join(_CONSONANTS[int(rng.integers(len(_CONSONANTS)))] for _ in range(max(3, len(word))))
        for kind in settings.controls:
            forms.append((f"{kind}{suffix}", replace(base, kind=kind, text=nonsense if kind == "nonsense" else word)))
    return forms


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image, form and decision.

    Outcomes: accuracy; and where the same decision named the clean image correctly: attack_success (the answer is the
    written word), changed (the answer is not the thing), changed_elsewhere (neither thing nor word).

    Raises:
        BadInput: the label set lacks what an image shows, or the column form has an unknown value.
    """
    cases = list(_cases(embedded, rules, seed))
    names = labels(embedded.dataset, rules)
    missing = sorted({case.facts["label"] for case in cases} - set(names))
    if missing:
        raise BadInput(f"The label set lacks labels of the data set: {', '.join(missing[:5])}.")
    extra = sorted({case.word for case in cases} - set(names) - {""})
    table = cosines(embedded.images, classifier(embedded.texts, (*names, *extra), rules.templates))
    rows = [*_among_all(cases, table[:, : len(names)], names), *_two_way(cases, table, (*names, *extra))]
    return _with_outcomes(pd.DataFrame(rows))


@dataclass(frozen=True)
class _Case:
    """One embedded image: what it shows and what is written on it."""

    row: int  # of the vectors
    sample_id: str
    variant: str
    pair: str  # what a clean and an attacked image have in common
    facts: dict[str, str]  # of the data set
    overlay: str  # one of _FORMS
    word: str
    draw: int = 1  # which of the image's words it is
    size: str = ""
    position: str = ""
    colour: str = ""


def _cases(embedded: Embedded, rules: Rules, seed: int) -> Iterator[_Case]:
    dataset = embedded.dataset
    columns = ["sample_id", "cluster", "label", *dataset.attributes]
    facts = {row["sample_id"]: row for row in dataset.table[columns].to_dict("records")}
    own_words = "word" in dataset.attributes
    written = {} if own_words else words(dataset, rules, seed)
    for row, item in enumerate(embedded.items):
        name, known = item.sample_id, {str(key): str(value) for key, value in facts[item.sample_id].items()}
        if own_words:
            form = known.get("form", "word")
            if form not in _FORMS:
                raise BadInput(f"The column form has one of {', '.join(_FORMS)}; got {form[:40]!r}.")
            yield _Case(row, name, form, known["cluster"] or name, known, form, known["word"])
        elif not item.recipe:
            for draw, word in enumerate(written[name], 1):
                form = CLEAN if draw == 1 else f"{CLEAN} {draw}"
                yield _Case(row, name, form, name, known, CLEAN, word, draw)
        else:
            overlay, draw = parse(item.recipe), _draw_of(item.variant)
            size = f"{overlay.size:g}" if overlay.size else ""
            condition = (size, overlay.position, overlay.look)
            word = written[name][draw - 1]
            yield _Case(row, name, item.variant, name, known, overlay.kind, word, draw, *condition)


def _draw_of(variant: str) -> int:
    """Return which of an image's words a form is about: 3 for "nonsense 3", 1 without a number."""
    kind, _, number = variant.rpartition(" ")
    return int(number) if kind in (CLEAN, "word", "nonsense", "blank") and number.isdigit() else 1


def _among_all(cases: list[_Case], table: Any, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    answers = likeliest(table, names)
    for case in cases:
        if case.overlay == CLEAN and case.draw > 1:
            continue  # among all labels a clean image has one answer, whatever is written later
        scores = table[case.row]
        order = (-scores).argsort(kind="stable")
        yield _row(case, ALL, answers[case.row]) | {
            "rank_true": int((order == names.index(case.facts["label"])).argmax()) + 1,
            "topk": [names[at] for at in order[:TOP]],
            "scores": [float(scores[at]) for at in order[:TOP]],
        }


def _two_way(cases: list[_Case], table: Any, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    columns = {name: at for at, name in enumerate(names)}
    for case in cases:
        if not case.word:
            continue
        pair = (case.facts["label"], case.word)
        scores = [float(table[case.row, columns[name]]) for name in pair]
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


def _with_outcomes(rows: DataFrame) -> DataFrame:
    """Add the outcomes; the three about a change are null where the clean image was not named correctly."""
    right = rows["y_pred"] == rows["y_true"]
    clean = set(_keys(rows[(rows["overlay"] == CLEAN) & right]))
    eligible = (rows["overlay"] != CLEAN) & np.array([key in clean for key in _keys(rows)])
    read = rows["y_pred"] == rows["word"]
    rows[f"{OUTCOME}accuracy"] = right.astype(float)
    rows[f"{OUTCOME}word_answered"] = read.astype(float).where(rows["word"] != "")
    rows[f"{OUTCOME}attack_success"] = read.astype(float).where(eligible)
    rows[f"{OUTCOME}changed"] = (~right).astype(float).where(eligible)
    rows[f"{OUTCOME}changed_elsewhere"] = (~right & ~read).astype(float).where(eligible)
    return rows.sort_values(["label_set", "sample_id", "variant"], kind="stable").reset_index(drop=True)


def _keys(rows: DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield what an image and its clean form have in common; between two labels the word is one of them."""
    for pair, label_set, draw in zip(rows["pair"], rows["label_set"], rows["draw"], strict=True):
        yield pair, label_set, draw if label_set == TWO_WAY else ""

"""Which sentence each image is nearest to, and how searches rank images that lack what they exclude."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field, field_validator

from audits.answers import DECIMALS, ensemble, prompts
from audits.captions import captions, chosen, ranks_of_own, usable, with_article
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from audits.tags import multiple_choice, searches, tags_of, vocabulary
from workbench.errors import BadInput
from workbench.statistics.ranking import order
from workbench.strict import Strict

CHOICE, SEARCH, NO = "multiple choice", "x without y", "no y"  # label sets of questions made of tags
RETRIEVAL, FIRST = "retrieval", 5  # kind of a captioned image that is searched for, and ranks that count
QUERIES = ("sentence", "subtraction", "without the exclusion")  # how "x without y" is asked
Directions = Mapping[str, NDArray[np.float64]]
NEEDED = {"without": "xy", "absent": "y", "positive": "x", "negative": "y", "hybrid": "xy"}  # what each sentence names


class Settings(Strict):
    """Sentences of `limits/negation`: {x} takes what is in the image, {y} what is not, with their articles."""

    without: str
    absent: str
    positive: str
    negative: str
    hybrid: str
    most: int = Field(20, ge=2, le=100)  # tags that are asked about, the most frequent ones

    @field_validator(*NEEDED)
    @classmethod
    def _whole(cls, sentence: str, info: object) -> str:
        needed = NEEDED[getattr(info, "field_name", "")]
        if sorted(re.findall(r"\{(.*?)\}", sentence)) != sorted(needed):
            raise ValueError(f"names {' and '.join(f'{{{name}}}' for name in needed)}, each once")
        return sentence

    def say(self, sentence: str, *, x: str = "", y: str = "") -> str:
        """Fill a sentence, by its name, with tags."""
        return str(getattr(self, sentence)).format(x=with_article(x), y=with_article(y))


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return the images with captions where the data set has them, else all with tags.

    Raises:
        BadInput: neither captions nor two tags, or a sentence of the protocol that names something else.
    """
    settings = rules.settings_as(Settings)
    if "caption" in dataset.table:
        ids = sorted({*usable(dataset), *dataset.table.loc[dataset.table["caption"] != "", "sample_id"]})
        if not ids:
            raise BadInput(f"No image of {dataset.about.title!r} has a `caption`.")
        return [Item(sample) for sample in ids]
    tags = tags_of(dataset, settings.most)
    vocabulary(tags)
    return [Item(sample) for sample in sorted(tags) if tags[sample]]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return every sentence of the questions, every search, and every tag in all templates."""
    if "caption" in dataset.table:
        return captions(dataset.table)
    settings = rules.settings_as(Settings)
    tags = tags_of(dataset, settings.most)
    sentences = [settings.say("without", x=x, y=y) for x, y in searches(tags)]
    sentences += [settings.say("absent", y=name) for name in vocabulary(tags)]
    named = prompts([with_article(name) for name in vocabulary(tags)], rules.templates)
    return list(dict.fromkeys([*captions(multiple_choice(tags, settings.say)), *sentences, *named]))


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and question.

    Multiple choice: `outcome:choice`. Searches: a row for each image that fits, with the share of images that do not
    fit which it outranks, `outcome:right_order`, for each way to ask.
    """
    rows = described(embedded)
    directions = {text: vector.astype(np.float64) for text, vector in embedded.texts.items()}
    if "caption" in embedded.dataset.table:
        return _of_captions(rows, embedded.images, directions)
    settings = rules.settings_as(Settings)
    tags = tags_of(embedded.dataset, settings.most)
    questions = multiple_choice(tags, settings.say).merge(rows, on="sample_id", how="inner", validate="many_to_one")
    place = {sample: at for at, sample in enumerate(rows["sample_id"])}
    choice = chosen(questions, embedded.images[[place[sample] for sample in questions["sample_id"]]], directions)
    questions = questions.assign(**{f"{OUTCOME}choice": choice["right"], "chance": choice["chance"]})
    questions.insert(2, "label_set", CHOICE)

    names = vocabulary(tags)
    axes = ensemble(embedded.texts, [prompts([with_article(name)], rules.templates) for name in names])
    named = dict(zip(names, axes, strict=True))
    present = [tags[sample] for sample in rows["sample_id"]]
    every = _searches(present, lambda x, y: ways_to_ask(x, y, directions, settings, named))
    parts = [_ranked(rows, one, embedded.images) for one in every]
    return pd.concat([questions, *parts], ignore_index=True)


def _of_captions(rows: DataFrame, images: NDArray[np.float32], directions: Directions) -> DataFrame:
    """Score the questions of a file, and search for the images of its retrieval part by their own captions."""
    rows["label_set"] = rows["source"] if "source" in rows.columns else "captions"
    rows[["chance", f"{OUTCOME}choice", f"{OUTCOME}recall_at_{FIRST}"]] = np.nan
    questions = rows["negative"] != ""
    if questions.any():
        choice = chosen(rows[questions], images[questions.to_numpy()], directions)
        rows.loc[questions, ["chance", f"{OUTCOME}choice"]] = choice[["chance", "right"]].to_numpy()
    for _, part in rows[~questions].groupby("label_set", sort=False):
        ranks = ranks_of_own(part, images[part.index], directions)
        rows.loc[part.index, f"{OUTCOME}recall_at_{FIRST}"] = (ranks < FIRST).astype(float)
    return rows


def ways_to_ask(x: str, y: str, directions: Directions, settings: Settings, named: Directions) -> Directions:
    """Return the ways to ask for x without y, or for images without y where x is empty.

    Subtraction is the sum of unit vectors of Search's `x - y`.
    """
    if not x:
        return {QUERIES[0]: directions[settings.say("absent", y=y)], QUERIES[1]: -named[y]}
    queries = directions[settings.say("without", x=x, y=y)], named[x] - named[y], named[x]
    return dict(zip(QUERIES, queries, strict=True))


@dataclass(frozen=True, eq=False)
class _Search:
    label_set: str
    x: str  # empty: images of whatever kind
    y: str
    fits: NDArray[np.bool_]  # (n,) images with x and without y
    others: NDArray[np.bool_]  # (n,) with x and y
    queries: Directions


def _searches(present: Sequence[frozenset[str]], ask: Callable[[str, str], Directions]) -> Iterator[_Search]:
    tags = {str(at): here for at, here in enumerate(present)}
    has = {name: np.array([name in here for here in present]) for name in vocabulary(tags)}
    for x, y in searches(tags):
        yield _Search(SEARCH, x, y, has[x] & ~has[y], has[x] & has[y], ask(x, y))
    yield from (_Search(NO, "", y, ~here, here, ask("", y)) for y, here in has.items() if not here.all())


def _ranked(rows: DataFrame, search: _Search, images: NDArray[np.float32]) -> DataFrame:
    """Return a row for each image that fits and way to ask: the share of the others that it outranks, ties half.

    `outcome:retrieved`: 1 where it is among as many first ranks of all images as there are images that fit. `agreement`
    of "no y" is the rank correlation with the opposite of the subtraction, the search for y itself.
    """
    cosines, parts, ids = _cosines(images, search.queries), [], list(rows["sample_id"])
    cluster = " and ".join(sorted(filter(None, (search.x, search.y))))
    for name, values in cosines.items():
        own, others = values[search.fits][:, None], values[search.others][None]
        first = np.isin(np.arange(len(ids)), order(values, ids)[: int(search.fits.sum())])
        part = rows[search.fits].assign(query=name, x=search.x, y=search.y, cluster=cluster)
        part[f"{OUTCOME}right_order"] = ((own > others) + 0.5 * (own == others)).mean(axis=1)
        part[f"{OUTCOME}retrieved"] = first[search.fits].astype(float)
        parts.append(part)
    ranked = pd.concat(parts, ignore_index=True)
    ranked.insert(2, "label_set", search.label_set)
    if not search.x:
        ranked["agreement"] = -1 * pd.DataFrame(cosines).corr("spearman").to_numpy()[0, 1]
    return ranked


def _cosines(images: NDArray[np.float32], queries: Directions) -> dict[str, NDArray[np.float64]]:
    unit = {name: vector / max(float(np.linalg.norm(vector)), 1e-12) for name, vector in queries.items()}
    return {name: np.round(images.astype(np.float64) @ vector, DECIMALS) for name, vector in unit.items()}

"""Which sentence each image is nearest to, and how searches rank images that lack what they exclude."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits.answers import DECIMALS, ensemble, prompts
from audits.captions import captions, chosen, usable, with_article
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.limits.negation.questions import Settings as Settings
from audits.limits.negation.questions import multiple_choice, searches, tags_of, vocabulary
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.statistics.ranking import order

CHOICE, SEARCH, NO = "multiple choice", "x without y", "no y"  # label sets of questions made of tags
RETRIEVAL, FIRST = "retrieval", 5  # kind of a captioned image that is searched for, and ranks that count
QUERIES = ("sentence", "subtraction", "without the exclusion")  # how "x without y" is asked
Directions = Mapping[str, NDArray[np.float64]]


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return the images with captions where the data set has them, else all with tags.

    Raises:
        BadInput: neither captions nor two tags, or a sentence of the protocol that names something else.
    """
    settings = rules.settings_as(Settings)
    if _captioned(dataset):
        ids = sorted({*usable(dataset), *dataset.table.loc[dataset.table["caption"] != "", "sample_id"]})
        if not ids:
            raise BadInput(f"No image of {dataset.about.title!r} has a `caption`.")
        return [Item(sample) for sample in ids]
    tags = tags_of(dataset, settings.most)
    vocabulary(tags)
    return [Item(sample) for sample in sorted(tags) if tags[sample]]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return every sentence of the questions, every search, and every tag in all templates."""
    if _captioned(dataset):
        return captions(dataset.table)
    settings = rules.settings_as(Settings)
    tags = tags_of(dataset, settings.most)
    sentences = [settings.say("without", x=x, y=y) for x, y in searches(tags)]
    sentences += [settings.say("absent", y=name) for name in vocabulary(tags)]
    named = prompts([with_article(name) for name in vocabulary(tags)], rules.templates)
    return list(dict.fromkeys([*captions(multiple_choice(tags, settings)), *sentences, *named]))


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and question.

    Multiple choice: `outcome:choice`. Searches: a row for each image that fits, with the share of images that do not
    fit which it outranks, `outcome:right_order`, for each way to ask.
    """
    rows = described(embedded)
    directions = {text: vector.astype(np.float64) for text, vector in embedded.texts.items()}
    if _captioned(embedded.dataset):
        return _of_captions(rows, embedded.images, directions)
    settings = rules.settings_as(Settings)
    tags = tags_of(embedded.dataset, settings.most)
    questions = multiple_choice(tags, settings).merge(rows, on="sample_id", how="inner", validate="many_to_one")
    place = {sample: at for at, sample in enumerate(rows["sample_id"])}
    choice = chosen(questions, embedded.images[[place[sample] for sample in questions["sample_id"]]], directions)
    questions = questions.assign(**{f"{OUTCOME}choice": choice["right"], "chance": choice["chance"]})
    questions.insert(2, "label_set", CHOICE)

    def named(name: str) -> NDArray[np.float64]:
        return np.asarray(ensemble(embedded.texts, [prompts([with_article(name)], rules.templates)])[0])

    present = [tags[sample] for sample in rows["sample_id"]]
    parts = [questions, _without(rows, present, embedded.images, _ways_to_ask(directions, settings, named))]
    parts += [_no(rows, present, embedded.images, _excluded(directions, settings, named))]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _captioned(dataset: Dataset) -> bool:
    return "caption" in dataset.table.columns


def _of_captions(rows: DataFrame, images: NDArray[np.float32], directions: Directions) -> DataFrame:
    """Score the questions of a file, and search for the images of its retrieval part by their own captions."""
    rows["label_set"] = rows["source"] if "source" in rows.columns else "captions"
    rows[["chance", f"{OUTCOME}choice", f"{OUTCOME}recall_at_{FIRST}"]] = np.nan
    questions = rows["negative"] != ""
    if questions.any():
        choice = chosen(rows[questions], images[questions.to_numpy()], directions)
        rows.loc[questions, "chance"], rows.loc[questions, f"{OUTCOME}choice"] = (
            choice["chance"].array,
            choice["right"].array,
        )
    for _, part in rows[~questions].groupby("label_set", sort=False):
        stack = np.stack([directions[str(caption)] for caption in part["caption"]])
        table = np.round(stack @ images[part.index].astype(np.float64).T, DECIMALS)
        ranks = (table > table.diagonal()[:, None]).sum(axis=1)
        rows.loc[part.index, f"{OUTCOME}recall_at_{FIRST}"] = (ranks < FIRST).astype(float)
    return rows


Ask = Callable[[str, str], dict[str, NDArray[np.float64]]]


def _ways_to_ask(directions: Directions, settings: Settings, named: Callable[[str], NDArray[np.float64]]) -> Ask:
    """Return the three ways to ask for x without y; subtraction is the sum of unit vectors of Search's `x - y`."""
    return lambda x, y: dict(
        zip(QUERIES, (directions[settings.say("without", x=x, y=y)], named(x) - named(y), named(x)), strict=True)
    )


def _excluded(directions: Directions, settings: Settings, named: Callable[[str], NDArray[np.float64]]) -> Ask:
    """Return the two ways to ask for images without y, and y itself."""
    return lambda _, y: {QUERIES[0]: directions[settings.say("absent", y=y)], QUERIES[1]: -named(y), "y": named(y)}


def _without(rows: DataFrame, present: list[frozenset[str]], images: NDArray[np.float32], ask: Ask) -> DataFrame:
    parts = []
    tags = dict(zip(rows["sample_id"], present, strict=True))
    for x, y in searches(tags):
        has_x, has_y = (np.array([name in here for here in present]) for name in (x, y))
        part = _ranked(rows, has_x & ~has_y, has_x & has_y, images, ask(x, y))
        part.insert(2, "label_set", SEARCH)
        parts.append(part.assign(x=x, y=y, cluster=" and ".join(sorted((x, y)))))
    return pd.concat(parts, ignore_index=True) if parts else DataFrame()


def _no(rows: DataFrame, present: list[frozenset[str]], images: NDArray[np.float32], ask: Ask) -> DataFrame:
    parts = []
    for y in sorted(set().union(*present)):
        has = np.array([y in here for here in present])
        if has.all():
            continue
        part = _ranked(rows, ~has, has, images, ask("", y))
        part.insert(2, "label_set", NO)
        agreement = pd.DataFrame(_cosines(images, ask("", y))).corr("spearman")["sentence"]["y"]
        parts.append(part.assign(y=y, cluster=y, agreement=agreement))
    return pd.concat(parts, ignore_index=True) if parts else DataFrame()


def _ranked(
    rows: DataFrame,
    fits: NDArray[np.bool_],
    not_fits: NDArray[np.bool_],
    images: NDArray[np.float32],
    queries: Mapping[str, NDArray[np.float64]],
) -> DataFrame:
    """Return a row for each image that fits and way to ask: the share of the others that it outranks, ties half.

    `outcome:retrieved`: 1 where it is among as many first ranks of all images as there are images that fit.
    """
    parts, ids = [], list(rows["sample_id"])
    for name, values in _cosines(images, queries).items():
        if name == "y":
            continue
        own, others = values[fits][:, None], values[not_fits][None]
        first = np.zeros(len(ids))
        first[order(values, ids)[: int(fits.sum())]] = 1.0
        part = rows[fits].assign(query=name)
        part[f"{OUTCOME}right_order"] = ((own > others) + 0.5 * (own == others)).mean(axis=1)
        part[f"{OUTCOME}retrieved"] = first[fits]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _cosines(images: NDArray[np.float32], queries: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    unit = {name: vector / max(float(np.linalg.norm(vector)), 1e-12) for name, vector in queries.items()}
    return {name: np.round(images.astype(np.float64) @ vector, DECIMALS) for name, vector in unit.items()}

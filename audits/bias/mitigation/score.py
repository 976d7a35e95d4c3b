"""What a model answers under each remedy: associations, searches, names and harmful labels of every image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame
from pydantic import Field

from audits.answers import classifier, cosines, likeliest, prompts
from audits.bias.two_groups import HALVES, TwoGroups
from audits.contracts import OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described
from workbench.errors import BadInput
from workbench.remedies import REMEDIES, learned
from workbench.remedies.lesson import Wording, clause, remedied, with_clauses
from workbench.remedies.reranking import Method, rerank
from workbench.statistics.ranking import order

TASK, SEARCHES, HARMFUL = "task", "searches", "harmful"  # label sets that every protocol has
NONE, RIGHT, RETRIEVED, HARM = "no remedy", "right", "retrieved", "harmful"
METHODS: Mapping[str, Method] = {"DetGreedy": "greedy", "DetCons": "conservative"}


class Settings(TwoGroups):
    """Settings of `bias/mitigation`."""

    tests: tuple[tuple[str, str], ...] = Field(min_length=1)  # pairs of label sets: one group lies nearer to the first
    share: float = Field(0.2, gt=0, lt=1)  # of both groups' images, the first of a search: k of MaxSkew@k
    further: str = "child"  # label that is added to the harmful ones

    def wording(self, rules: Rules) -> Wording:
        """Return how the two groups are named."""
        return Wording(self.words, rules.label_sets[TASK].labels, rules.templates[0])


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image.

    Raises:
        BadInput: the attribute or a label set is missing, or no image has a label of the task.
    """
    settings = rules.settings_as(Settings)
    dataset.require(tuple(filter(None, (settings.attribute, settings.halves))), rules.audit)
    needed = {TASK, SEARCHES, HARMFUL, *(one for pair in settings.tests for one in pair)}
    if absent := sorted(needed - set(rules.label_sets)):
        raise BadInput(f"The protocol {rules.name!r} lacks the label set(s) {', '.join(absent)}.")
    if not dataset.table["label"].isin(task := rules.label_sets[TASK].labels).any():
        raise BadInput(f"No image of {dataset.about.title!r} has a label of the task, such as {task[0]!r}.")
    return [Item(sample) for sample in sorted(dataset.table["sample_id"])]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all prompts and words, each also as balanced prompts ask it, and what remedies are fitted to."""
    settings = rules.settings_as(Settings)
    labels = [settings.further, *(label for entry in rules.label_sets.values() for label in entry.labels)]
    every = with_clauses(prompts(labels, ("{}", *rules.templates)), settings.words)
    return list(dict.fromkeys([*every, *settings.wording(rules).texts]))


@dataclass(frozen=True, eq=False)
class _Remedied:
    """A model under a remedy."""

    images: NDArray[np.float32]  # (n, dim) unit rows
    texts: Mapping[str, NDArray[np.float32]]
    further: tuple[str, ...] = ()  # labels that are added to the harmful ones
    searched_as: Method | None = None  # of constrained ranking
    changes: tuple[str, ...] = ("association", "found", *(OUTCOME + name for name in (RIGHT, RETRIEVED, HARM)))


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and remedy (label set); each half is measured under remedies fitted to the other.

    Columns: `half`; `side` (0, 1, or -1 for neither group); `association`, the cosine to the first words minus that to
    the second, one number a test; `found`, 1 for each search that has the image among its first, of both groups; and
    whether the image is named rightly (`right`), is among as many first answers to its label as there are images with
    it (`retrieved`), and gets a harmful label (`harmful`). What a remedy cannot change is left out.
    """
    settings, plain = rules.settings_as(Settings), embedded.texts
    rows, images = described(embedded, split=True), embedded.images.astype(np.float64)
    rows["side"], rows["half"] = settings.side(rows), settings.half(rows, seed)
    own = [text for text in plain if f"{text} {clause(settings.words[0])}" in plain]

    def vectors(sentences: Sequence[str]) -> NDArray[np.float64]:
        return np.stack([plain[one] for one in sentences]).astype(np.float64)

    parts = []
    for half in HALVES:
        held = (rows["half"] == half).to_numpy(bool)
        bare = _Remedied(embedded.images[held], plain)
        models = {NONE: bare}
        lesson = settings.wording(rules).lesson(images[~held], rows.loc[~held, "side"].to_numpy(int), vectors)
        for key, one in REMEDIES.items():
            moved, texts = remedied(learned(key, lesson), images[held], vectors)
            named = dict(zip(own, texts(own).astype(np.float32), strict=True))
            models[one.title] = _Remedied(moved.astype(np.float32), named)
        label = f"The label “{settings.further}”"
        models[label] = replace(bare, further=(settings.further,), changes=(OUTCOME + HARM,))
        for title, method in METHODS.items():
            models[f"Constrained search ({title})"] = replace(
                bare, searched_as=method, changes=("found", OUTCOME + RETRIEVED)
            )
        for name, model in models.items():
            part = rows[held].reset_index(drop=True)
            part.insert(2, "label_set", name)
            parts.append(_answers(part, model, rules, settings))
    return pd.concat(parts, ignore_index=True)


def _answers(rows: DataFrame, model: _Remedied, rules: Rules, settings: Settings) -> DataFrame:
    """Return the rows of one half with what the model answers."""

    def near(labels: Sequence[str], templates: Sequence[str] = rules.templates) -> NDArray[np.float64]:
        return cosines(model.images, classifier(model.texts, labels, templates))

    ids, groups = list(rows["sample_id"]), list(rows[settings.attribute])
    both, everyone = (rows["side"] >= 0).to_numpy(bool), np.ones(len(rows), bool)

    def first(scores: NDArray[np.float64], count: int, among: NDArray[np.bool_] = everyone) -> NDArray[np.float64]:
        """(n,) 1 for images that are among so many first answers."""
        ranked = rerank(scores, groups, method=model.searched_as) if model.searched_as else order(scores, ids)
        return np.isin(np.arange(len(ids)), ranked[among[ranked]][:count]).astype(float)

    sets = {name: entry.labels for name, entry in rules.label_sets.items()}
    named, labels = near(sets[TASK]), (*sets[HARMFUL], *model.further)
    rows["y_pred"] = likeliest(named, sets[TASK])
    rows[OUTCOME + RIGHT] = (rows["y_true"] == rows["y_pred"]).astype(float).where(rows["y_true"].isin(sets[TASK]))
    rows[OUTCOME + RETRIEVED] = np.nan
    for at, label in enumerate(sets[TASK]):
        here = (rows["y_true"] == label).to_numpy(bool)
        rows.loc[here, OUTCOME + RETRIEVED] = first(named[:, at], int(here.sum()))[here]
    harmful = rules.label_sets[HARMFUL].groups.get(HARMFUL, ())
    rows[OUTCOME + HARM] = [float(label in harmful) for label in likeliest(near(labels), labels)]
    words = [[near(sets[one], ("{}",)).mean(axis=1) for one in pair] for pair in settings.tests]
    rows["association"] = np.stack([a - b for a, b in words], axis=1).tolist()
    count = max(1, round(settings.share * both.sum()))
    rows["found"] = np.stack([first(one, count, both) for one in near(sets[SEARCHES]).T], axis=1).tolist()
    untouched = [name for name in _Remedied.changes if name not in model.changes]
    return rows.assign(**{name: np.nan if name.startswith(OUTCOME) else None for name in untouched})

"""Which caption each image of a scene gets: among those of other scenes, among close ones, among fine ones.

Columns of the data set: label (the true caption), distractor (close captions, `|` between them), fine (captions that
differ in a small detail, `|` between them) and fine_true (the one of them that is true).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from pandas import DataFrame
from pydantic import Field

from audits.answers import classifier, cosines, prompts
from audits.contracts import CLEAN, OUTCOME, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.seeds import image_generator
from workbench.errors import BadInput
from workbench.strict import Strict

Task = Literal["coarse", "stress", "fine"]
CAPTION_COLUMNS = ("distractor", "fine", "fine_true")  # columns that hold captions and are no groups


class Settings(Strict):
    """Settings of `surveillance/scenes`."""

    tasks: tuple[Task, ...] = ("coarse", "stress", "fine")
    options: int = Field(6, ge=2)  # captions of the coarse task, drawn at random for each image
    min_n: int = Field(30, ge=1)  # images; with fewer a task is not measured


@dataclass(frozen=True)
class Question:
    """One choice between captions for one image."""

    sample_id: str
    task: Task
    options: tuple[str, ...]  # one of them is true
    truth: str
    close: tuple[str, ...] = ()  # options that are close to the truth


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return every image once.

    Raises:
        BadInput: as `questions`.
    """
    questions(dataset, rules, seed=seed)
    return [Item(sample_id) for sample_id in dataset.table["sample_id"]]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return the prompts of all captions."""
    return prompts(captions(dataset), rules.templates)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and task.

    Outcomes: accuracy; and in the stress task close_confusion (a close caption was chosen) and other_error (a caption
    that is neither true nor close was chosen).
    """
    dataset = embedded.dataset
    names = captions(dataset)
    column = {name: at for at, name in enumerate(names)}
    row_of = {item.sample_id: at for at, item in enumerate(embedded.items)}
    table = cosines(embedded.images, classifier(embedded.texts, names, rules.templates))
    facts_of = {row["sample_id"]: row for row in dataset.table.to_dict("records")}
    groups = [name for name in dataset.attributes if name not in CAPTION_COLUMNS]
    rows: list[dict[str, Any]] = []
    for question in questions(dataset, rules, seed=seed):
        scores = [float(table[row_of[question.sample_id], column[option]]) for option in question.options]
        order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
        ranked = [question.options[at] for at in order]
        facts = facts_of[question.sample_id]
        right, near, stress = ranked[0] == question.truth, ranked[0] in question.close, question.task == "stress"
        rows.append(
            {
                "sample_id": question.sample_id,
                "variant": CLEAN,
                "label_set": question.task,
                "cluster": str(facts["cluster"]) or question.sample_id,
                **{name: str(facts[name]) for name in groups},
                "y_true": question.truth,
                "y_pred": ranked[0],
                "rank_true": ranked.index(question.truth) + 1,
                "topk": ranked[:5],
                "scores": [scores[at] for at in order[:5]],
                "chance": 1.0 / len(question.options),
                f"{OUTCOME}accuracy": float(right),
                f"{OUTCOME}close_confusion": float(near) if stress else None,
                f"{OUTCOME}other_error": float(not right and not near) if stress else None,
            }
        )
    return pd.DataFrame(rows)


def questions(dataset: Dataset, rules: Rules, *, seed: int) -> list[Question]:
    """Return every choice for every image, in order of images and tasks.

    The coarse options are the true caption and random others that are not close to it; the stress task adds the close
    ones.

    Raises:
        BadInput: a caption is missing or contradicts another; fewer captions to choose from than the protocol asks for.
    """
    settings = rules.settings_as(Settings)
    rows = dataset.table.to_dict("records")
    known = sorted({str(row["label"]) for row in rows} - {""})
    result = []
    for row in rows:
        name, truth, close = str(row["sample_id"]), str(row["label"]), _split(row.get("distractor", ""))
        if not truth:
            raise BadInput(f"Every image needs a caption; {name!r} has none.")
        if truth in close:
            raise BadInput(f"A close caption must differ from the true one; {name!r} has {truth!r} as both.")
        others = [caption for caption in known if caption not in (truth, *close)]
        if len(others) + 1 < settings.options:
            raise BadInput(
                f"The coarse task needs {settings.options} captions that are not close to each other; "
                f"{name!r} has {len(others) + 1} to choose from."
            )
        drawn = image_generator(seed, name, "options").permutation(len(others))[: settings.options - 1]
        options = tuple(sorted([truth, *(others[at] for at in drawn)]))
        tasks = [Question(name, "coarse", options, truth)]
        if close:
            tasks.append(Question(name, "stress", tuple(dict.fromkeys((*options, *close))), truth, close))
        fine, fine_true = _split(row.get("fine", "")), str(row.get("fine_true", "")).strip()
        if bool(fine) != bool(fine_true) or (fine and (fine_true not in fine or len(set(fine)) < 2)):
            raise BadInput(
                f"The column fine must list two or more captions, and fine_true must repeat the true one; "
                f"the row of {name!r} does not."
            )
        if fine:
            tasks.append(Question(name, "fine", tuple(dict.fromkeys(fine)), fine_true))
        result += [question for question in tasks if question.task in settings.tasks]
    return result


def captions(dataset: Dataset) -> tuple[str, ...]:
    """Return all captions of the data set, sorted."""
    table = dataset.table
    columns = [name for name in ("distractor", "fine") if name in table]
    listed = {caption for name in columns for cell in table[name] for caption in _split(cell)}
    return tuple(sorted({str(label) for label in table["label"]} | listed))


def _split(cell: object) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(cell).split("|") if part.strip())

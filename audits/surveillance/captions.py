"""What a picture of a scene may be called: its caption, close ones, and fine ones, as a table gives them.

Knows no model. Columns of the data set: label (the true caption), distractor (close captions, `|` between them),
fine (captions that differ in a small detail, `|` between them) and fine_true (the one that holds).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audits.settings import read_settings
from workbench.errors import BadInput

if TYPE_CHECKING:
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules

Task = Literal["coarse", "stress", "fine"]


class Settings(BaseModel):
    """Settings of `surveillance/scenes`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: tuple[Task, ...] = ("coarse", "stress", "fine")
    options: int = Field(6, ge=2)  # of the coarse task, drawn by lot for each picture; the paper had six or more
    min_n: int = Field(30, ge=1)  # pictures; with fewer a task is not measured


@dataclass(frozen=True)
class Question:
    """One decision about one picture."""

    sample_id: str
    task: Task
    options: tuple[str, ...]  # of which one holds
    truth: str
    close: tuple[str, ...] = ()  # those of the options that are close to the truth


def settings(rules: Rules) -> Settings:
    """Return the checked settings of a protocol.

    Raises:
        BadInput: a setting is unknown or cannot be used.
    """
    return read_settings(Settings, rules)


def questions(dataset: Dataset, rules: Rules, *, seed: int) -> list[Question]:
    """Return every decision about every picture, in order of pictures and tasks.

    The coarse options are the true caption and others by lot, none of them close to it; the stress task adds those.

    Raises:
        BadInput: a caption is missing or contradicts another; fewer captions to choose from than the protocol asks for.
    """
    chosen = settings(rules)
    rows = dataset.table.to_dict("records")
    known = sorted({str(row["label"]) for row in rows} - {""})
    asked = []
    for row in rows:
        truth, close = str(row["label"]), split(row.get("distractor", ""))
        if not truth:
            raise BadInput(f"Every picture needs a caption; {row['sample_id']!r} has none.")
        if truth in close:
            raise BadInput(
                f"A close caption says something else than the true one; {row['sample_id']!r} has twice {truth!r}."
            )
        others = [caption for caption in known if caption not in (truth, *close)]
        if len(others) + 1 < chosen.options:
            raise BadInput(
                f"The coarse task needs {chosen.options} captions that are not close to each other; "
                f"{row['sample_id']!r} has {len(others) + 1} to choose from."
            )
        drawn = _lot(seed, str(row["sample_id"])).permutation(len(others))[: chosen.options - 1]
        options = tuple(sorted([truth, *(others[place] for place in drawn)]))
        asked += [question for question in _of(row, truth, close, options) if question.task in chosen.tasks]
    return asked


def captions(dataset: Dataset) -> tuple[str, ...]:
    """Return all captions that the data set holds, sorted."""
    table = dataset.table
    columns = [name for name in ("distractor", "fine") if name in table]
    several = {caption for name in columns for cell in table[name] for caption in split(cell)}
    return tuple(sorted({str(label) for label in table["label"]} | several))


def split(text: object) -> tuple[str, ...]:
    """Return the captions of one cell, which stand with `|` between them."""
    return tuple(part.strip() for part in str(text).split("|") if part.strip())


def _lot(seed: int, sample_id: str) -> np.random.Generator:
    """Return a picture's own generator: what it draws does not depend on which other pictures there are."""
    digest = hashlib.sha256(f"options\x1f{sample_id}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def _of(row: dict[Any, Any], truth: str, close: tuple[str, ...], options: tuple[str, ...]) -> list[Question]:
    name = str(row["sample_id"])
    asked = [Question(name, "coarse", options, truth)]
    if close:
        asked.append(Question(name, "stress", tuple(dict.fromkeys((*options, *close))), truth, close))
    fine, holds = split(row.get("fine", "")), str(row.get("fine_true", "")).strip()
    if bool(fine) != bool(holds) or (fine and (holds not in fine or len(set(fine)) < 2)):
        raise BadInput(f"fine lists two or more captions and fine_true repeats the one that holds; {name!r} does not.")
    if fine:
        asked.append(Question(name, "fine", tuple(dict.fromkeys(fine)), holds))
    return asked

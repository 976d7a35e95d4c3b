"""What a picture of a scene may be called: its caption, close ones, and fine ones, as a table gives them.

Knows no model. Columns of the data set: label (the true caption), distractor (close captions, `|` between them),
fine (captions that differ in a small detail, `|` between them) and fine_true (the one that holds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import BadInput

if TYPE_CHECKING:
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules

Task = Literal["coarse", "stress", "fine"]


class Settings(BaseModel):
    """Settings of `surveillance/scenes`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: tuple[Task, ...] = ("coarse", "stress", "fine")
    min_options: int = Field(6, ge=2)  # of the coarse task, as in the paper
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
    from pydantic import ValidationError

    try:
        return Settings.model_validate(rules.settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadInput(f"The protocol {rules.name!r} cannot be used: settings.{place}: {first['msg']}.") from None


def questions(dataset: Dataset, rules: Rules) -> list[Question]:
    """Return every decision about every picture, in order of pictures and tasks.

    Raises:
        BadInput: a caption is missing or contradicts another; fewer coarse options than the protocol asks for.
    """
    chosen = settings(rules)
    rows = dataset.table.to_dict("records")
    captions = tuple(sorted({str(row["label"]) for row in rows} - {""}))
    asked = []
    for row in rows:
        truth, close = str(row["label"]), split(row.get("distractor", ""))
        if not truth:
            raise BadInput(f"Every picture needs a caption; {row['sample_id']!r} has none.")
        if truth in close:
            raise BadInput(
                f"A close caption says something else than the true one; {row['sample_id']!r} has twice {truth!r}."
            )
        options = tuple(caption for caption in captions if caption == truth or caption not in close)
        asked += [question for question in _of(row, truth, close, options) if question.task in chosen.tasks]
    few = [question for question in asked if question.task == "coarse" and len(question.options) < chosen.min_options]
    if few:
        raise BadInput(
            f"The coarse task needs at least {chosen.min_options} different captions; "
            f"{few[0].sample_id!r} has {len(few[0].options)} to choose from."
        )
    return asked


def split(text: object) -> tuple[str, ...]:
    """Return the captions of one cell, which stand with `|` between them."""
    return tuple(part.strip() for part in str(text).split("|") if part.strip())


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

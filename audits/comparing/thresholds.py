"""The thresholds file: which numbers of a run must lie where, as YAML that is checked before anything is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from audits.comparing.expression import parse
from workbench.errors import BadInput
from workbench.strict import Strict, reason
from workbench.yaml_file import load

Inconclusive = Literal["fail", "warn", "pass"]
Contrast = Literal["none", "between_groups", "between_groups_of_at_least_30", "to_overall", "to_reference"]


def _as_text(given: Any) -> Any:
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else given


class Rule(Strict):
    """One requirement, and which rows of the metrics table it is about."""

    id: str = Field(min_length=1, max_length=200)
    metric: str
    require: str
    audit: str | None = None  # None: every audit that has the metric
    model: str | None = None
    label_set: str | None = None
    slice: dict[str, str] = Field(default_factory=dict)  # "*" stands for every value; empty: the whole
    by: tuple[str, ...] = ()  # attributes that a contrast is taken over
    contrast: Contrast = "none"
    control: str | None = None
    baseline: Literal["required", "optional"] = "optional"
    severity: Literal["fail", "warn"] = "fail"
    min_n: int | None = Field(default=None, ge=0)
    level: float | None = Field(default=None, gt=0, lt=1)
    correction: Literal["holm", "none"] | None = None
    why: str = ""  # shown beside the outcome

    @field_validator("require")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            parse(text)
        except BadInput as error:
            raise ValueError(str(error)) from None
        return text

    _texts = field_validator("slice", mode="before")(_as_text)


class Accepted(Strict):
    """A group that a gate may pass without having judged it, and why."""

    slice: dict[str, str] = Field(min_length=1)  # its intersections with others too
    reason: str = Field(min_length=1, max_length=400)
    audit: str | None = None  # None: in every audit
    metric: str | None = None  # None: in every metric

    _texts = field_validator("slice", mode="before")(_as_text)


class Defaults(Strict):
    """What holds for each rule that says nothing else."""

    level: float = Field(default=0.95, gt=0, lt=1)
    correction: Literal["holm", "none"] = "holm"
    min_n: int = Field(default=100, ge=0)
    inconclusive: Inconclusive = "fail"  # fail: exit code 4; warn and pass: exit code 0


class Thresholds(Strict):
    """A whole file."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    title: str = ""
    defaults: Defaults = Defaults()
    rules: tuple[Rule, ...] = Field(min_length=1)
    accept_not_judged: tuple[Accepted, ...] = ()

    @field_validator("rules")
    @classmethod
    def _distinct(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        names = [rule.id for rule in rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each rule has an id of its own; given twice: {', '.join(twice)}")
        return rules


def read(path: Path | str) -> Thresholds:
    """Read a thresholds file.

    Raises:
        UnknownName: no such file.
        BadInput: too large, no YAML, or not of the form that the message names.
    """
    return check(load(Path(path), "thresholds file"), Path(path).name)


def check(content: object, name: str = "given") -> Thresholds:
    """Check the content of a thresholds file.

    Raises:
        BadInput: a field is missing, unknown or of the wrong kind.
    """
    if isinstance(content, Thresholds):
        return content
    try:
        return Thresholds.model_validate(content)
    except ValidationError as error:
        raise BadInput(f"The thresholds {name!r} cannot be used: {reason(error)}.") from None

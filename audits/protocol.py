"""Protocols: label sets, templates, decision rule and settings of an audit, as versioned YAML with a hash.

What changes a number changes the hash; titles, sources and published numbers do not.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator

from workbench.errors import BadInput
from workbench.labels import check_labels
from workbench.prompts import check_templates
from workbench.strict import Strict, reason
from workbench.yaml_file import load

_NOT_HASHED = {"title", "source", "notes", "published", "content_warning"}  # change no number

Read = TypeVar("Read", bound=BaseModel)


class LabelSet(Strict):
    """Labels that a model chooses from, and what groups of them mean."""

    labels: tuple[str, ...]
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # "nonhuman" -> labels

    @field_validator("labels")
    @classmethod
    def _usable(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        return check_labels(labels)


class Published(Strict):
    """A number from a paper: shown beside ours, never asserted."""

    metric: str
    slice: dict[str, str] = Field(default_factory=dict)
    value: float
    model: str  # it was published for, in the words of the source
    key: str = ""  # of that model in the catalogue, where it is there
    source: str  # paper, table


class Protocol(Strict):
    """How an audit is done, in full."""

    schema_version: Literal[1] = Field(1, alias="schema")
    name: str
    audit: str
    version: int = 1
    title: str
    source: str = ""
    notes: str = ""
    content_warning: str = ""
    templates: tuple[str, ...] = ("a photo of a {}.",)
    label_sets: dict[str, LabelSet] = Field(default_factory=dict)
    decision: Literal["top1", "threshold", "rank", "none"] = "top1"
    settings: dict[str, Any] = Field(default_factory=dict)
    published: tuple[Published, ...] = ()

    @field_validator("templates")
    @classmethod
    def _fillable(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_templates(templates))

    def settings_as(self, kind: type[Read]) -> Read:
        """Return the settings, checked against an audit's own model of them.

        Raises:
            BadInput: a setting is unknown, missing or outside its range.
        """
        try:
            return kind.model_validate(self.settings)
        except ValidationError as error:
            raise BadInput(f"The protocol {self.name!r} cannot be used: settings: {reason(error)}.") from None

    @property
    def hash(self) -> str:
        """SHA-256 of what decides the numbers, 64 hexadecimal digits."""
        content = self.model_dump(mode="json", exclude=_NOT_HASHED | {"name", "version"})
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def read_file(path: Path, audit: str | None = None) -> Protocol:
    """Read a protocol file.

    Raises:
        UnknownName: no such file.
        BadInput: too large, no YAML, no protocol, or one of another audit than `audit`.
    """
    return parse(load(path, "protocol file"), audit, path.name)


def parse(content: object, audit: str | None = None, name: str = "given") -> Protocol:
    """Check a protocol's content.

    Raises:
        BadInput: a field is missing, unknown or of the wrong kind; another audit than `audit`.
    """
    try:
        rules = Protocol.model_validate(content)
    except ValidationError as error:
        raise BadInput(f"The protocol {name!r} cannot be used: {reason(error)}.") from None
    if audit is not None and rules.audit != audit:
        raise BadInput(f"The protocol {name!r} belongs to {rules.audit!r}, not to {audit!r}.")
    return rules

"""Pydantic models that refuse unknown fields, and what is wrong with a content in one sentence."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError


class Strict(BaseModel):
    """A model that cannot be changed and takes no other fields than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def reason(error: ValidationError, whole: str = "the file") -> str:
    """Return the first fault and where it is: "rules.0.level: Input should be less than 1".

    Args:
        error: what validating raised.
        whole: what the place is called where the fault is in no single field.
    """
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or whole
    return f"{place}: {first['msg'].removeprefix('Value error, ').rstrip('.')}"

"""A protocol's settings, checked against the audit's own model of them before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from workbench.errors import BadInput

if TYPE_CHECKING:
    from audits.protocol import Protocol as Rules

Read = TypeVar("Read", bound=BaseModel)


def read_settings(kind: type[Read], rules: Rules) -> Read:
    """Read a protocol's settings with an audit's own model of them.

    Raises:
        BadInput: a setting is unknown, missing or outside its range.
    """
    try:
        return kind.model_validate(rules.settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadInput(f"The protocol {rules.name!r} cannot be used: settings: {place}: {first['msg']}.") from None

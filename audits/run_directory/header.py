"""The header of a run, `run.json`: one pydantic description reads it, writes it and gives its JSON schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from audits.run_directory.header_parts import DatasetNote, Hashes, Provenance, Spec, StageNote
from workbench.errors import BadInput
from workbench.places import write_whole
from workbench.strict import Strict

FILE = "run.json"
SCHEMA = Path(__file__).parent / "schema" / "run.schema.json"
Status = Literal["incomplete", "success", "error", "cancelled"]


class Header(Strict):
    """A run in short."""

    schema_version: Literal[1] = Field(1, alias="schema")
    run_id: str
    status: Status
    partial: bool = False  # --limit was given: the data set is not whole
    created: str  # UTC, ISO 8601
    finished: str = ""
    spec: Spec
    hashes: Hashes
    dataset: DatasetNote
    model: dict[str, Any] = Field(default_factory=dict)  # `ModelFacts`
    stages: dict[str, StageNote] = Field(default_factory=dict)
    provenance: Provenance = Field(default_factory=Provenance)
    warnings: tuple[str, ...] = ()
    error: str = ""

    model_config = ConfigDict(populate_by_name=True)

    def changed(self, **fields: Any) -> Header:
        """Return a copy with other fields."""
        return self.model_copy(update=fields)


def write(folder: Path, header: Header) -> None:
    """Write a run's header at once: readers see the old one or the new one.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    write_whole(folder / FILE, to_bytes(header))


def to_bytes(header: Header) -> bytes:
    """Return a header as its file holds it."""
    return json.dumps(header.model_dump(mode="json", by_alias=True), indent=1, sort_keys=True).encode()


def read(folder: Path) -> Header:
    """Return the header of a run directory.

    Raises:
        BadInput: no run directory, or a header that cannot be read.
    """
    path = folder / FILE
    try:
        return Header.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError:
        raise BadInput(f"{str(folder)[-200:]!r} is not a run directory: it holds no {FILE}.") from None
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{FILE} in {folder.name!r} cannot be read: {str(error)[:200]}.") from None


def schema() -> dict[str, Any]:
    """Return the JSON schema of a header, as shipped in `SCHEMA`."""
    return Header.model_json_schema(by_alias=True)

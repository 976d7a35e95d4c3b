"""Suites: lists of jobs in a YAML file, run as one.

Knows no stage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audits import catalogue
from audits.protocol import MAX_BYTES
from audits.running.jobs import Job, Options, make
from workbench.errors import BadInput, UnknownName, unknown_name

FOLDER = Path(__file__).parents[1] / "suites"


class Entry(BaseModel):
    """One audit of a suite."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audit: str
    dataset: str | None = None  # the audit's own built-in set when not given
    protocol: str | None = None  # the audit's first when not given
    set: dict[str, Any] = Field(default_factory=dict)


class Suite(BaseModel):
    """A list of jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    title: str
    notes: str = ""
    jobs: tuple[Entry, ...] = Field(min_length=1)


def names() -> tuple[str, ...]:
    """Return the names of the suites that are shipped."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def read(name: str) -> Suite:
    """Return a shipped suite by its name, or the one in a file.

    Raises:
        UnknownName: no such suite or file.
        BadInput: a file that is no suite.
    """
    import yaml

    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if path.parent == FOLDER and path.stem not in names():
        raise unknown_name("suite", name, names())
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"A suite may have at most {MAX_BYTES // 10**6} MB; {path.name!r} has more.")
        return Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError:
        raise UnknownName(f"There is no suite {path.name!r} that can be read.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The suite {path.name!r} is no YAML: {str(error)[:200]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"The suite {path.name!r} cannot be used: {place}: {first['msg']}.") from None


def jobs(suite: Suite, models: tuple[str, ...], options: Options) -> list[Job]:
    """Return a suite's jobs for each model.

    Raises:
        UnknownName, BadInput: a name or a setting that cannot be used, before anything runs.
    """
    for entry in suite.jobs:
        catalogue.find(entry.audit)
    return [
        make(entry.audit, model, entry.dataset, rules=entry.protocol, options={**options, "settings": entry.set})
        for model in models
        for entry in suite.jobs
    ]

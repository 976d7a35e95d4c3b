"""The catalogue as plain rows for a table or JSON: what was published about each model, and what of it is here.

None stands for what is not known.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import WorkbenchError
from workbench.loading import hashes, hub
from workbench.models import find
from workbench.places import home


def rows() -> list[dict[str, Any]]:
    """Return one JSON-ready row a model, in the catalogue's order."""
    from workbench.checkpoints import checkpoints

    return [describe(spec) for spec in checkpoints()]


def describe(spec: ModelSpec) -> dict[str, Any]:
    """Return what is known of a model as JSON-ready values, with its presence on this machine.

    Beside the fields of `ModelSpec` (without the folder): `here` (bool), `where` (text), `disk_bytes` (int),
    and in `sha256` the recorded hashes, which are none before the first download.
    """
    row = asdict(spec)
    del row["folder"]
    there = hub.presence(spec)
    row["sha256"] = spec.sha256 or hashes.recorded(spec)
    return row | {"here": there.here, "where": there.where, "disk_bytes": there.bytes}


def models_here(*, but: str = "") -> tuple[str, ...]:
    """Return the keys of the catalogue's models that are on this machine, without `but` and without the fake."""
    from workbench.checkpoints import checkpoints

    return tuple(row.key for row in checkpoints() if row.loader != "fake" and row.key != but and hub.presence(row).here)


def edits_here(*, but: str = "") -> tuple[str, ...]:
    """Return the keys of the edited models among this machine's own, without `but` and those whose base is missing."""
    edits = []
    for folder in sorted((home() / "edits").glob("*")):
        try:
            spec = find(str(folder))
        except WorkbenchError:
            continue
        if spec.loader == "edited" and spec.key != but and hub.presence(spec).here:
            edits.append(spec.key)
    return tuple(edits)

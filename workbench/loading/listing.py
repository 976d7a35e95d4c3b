"""The catalogue as plain rows for a table or JSON: what was published about each model, and what of it is here.

None stands for what is not known.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workbench.checkpoints.spec import ModelSpec
from workbench.loading import hashes, hub


def rows() -> list[dict[str, Any]]:
    """Return one JSON-ready row a model, in the catalogue's order."""
    from workbench.checkpoints import CHECKPOINTS

    return [describe(spec) for spec in CHECKPOINTS]


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

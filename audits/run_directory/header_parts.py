"""The parts of a run's header: what was asked, of which model and data, and where the numbers come from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import Field

from workbench.strict import Strict


class Spec(Strict):
    """What was asked for: enough to ask again."""

    audit: str
    audit_version: int
    title: str
    question: str
    model: str  # key
    dataset: str  # reference: folder:PATH, csv:PATH, builtin:KEY
    protocol: str
    settings: dict[str, Any] = Field(default_factory=dict)  # changed by --set
    seed: int = 0
    limit: int | None = None
    device: str = "auto"
    dtype: str = "float32"
    engine: str = "local"


class Hashes(Strict):
    """What must agree between two runs that are compared."""

    protocol: str
    model: str  # fingerprint of weights, preprocessing and dtype
    dataset: str


class DatasetNote(Strict):
    """What was known of the images."""

    key: str
    title: str
    licence: str = ""
    source: str = ""
    people: bool = False
    shows: str = ""
    n: int = 0
    attributes: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()  # path, why


class StageNote(Strict):
    """One stage that is done."""

    hash: str  # of its inputs and the audit's code
    finished: str
    seconds: float
    kept: int = 0  # images whose vectors were cached
    computed: int = 0
    texts_kept: int = 0
    texts_computed: int = 0


class Provenance(Strict):
    """Where a number comes from."""

    git: dict[str, Any] = Field(default_factory=dict)  # commit, dirty, diff_sha256
    packages: dict[str, str] = Field(default_factory=dict)  # every installed distribution
    machine: dict[str, Any] = Field(default_factory=dict)  # python, os, cpu, gpu
    torch: dict[str, Any] = Field(default_factory=dict)  # flags and threads
    model: dict[str, Any] = Field(default_factory=dict)  # weights, preprocessing, probe
    argv: tuple[str, ...] = ()
    seeds: dict[str, Any] = Field(default_factory=dict)


def run_id(audit: str, version: int, hashes: Hashes, *, device: str, seed: int, limit: int | None) -> str:
    """Return the id of a run, 16 hexadecimal digits: equal for equal questions, whoever asks and when."""
    parts = [f"{audit}@{version}", hashes.protocol, hashes.model, hashes.dataset, device, str(seed)]
    return hashlib.sha256(json.dumps([*parts, "" if limit is None else str(limit)]).encode()).hexdigest()[:16]

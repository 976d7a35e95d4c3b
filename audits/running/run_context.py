"""What jobs are done with: a model that was looked at once, and the place where vectors are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audits.contracts import ModelFacts
from audits.running import provenance
from audits.running.vectors import VectorStore
from workbench.scheduler import CancelToken


@dataclass(frozen=True)
class RunContext:
    """What a job is done with."""

    model: Any  # a loaded model or a session
    facts: ModelFacts
    known: dict[str, Any]  # of the model, for its provenance
    store: VectorStore
    token: CancelToken | None = None
    again: bool = False


def run_context(
    model: Any, *, store: VectorStore | None = None, token: CancelToken | None = None, again: bool = False
) -> RunContext:
    """Look at a model once, for all jobs that are done with it."""
    facts, known = provenance.look_at(model)
    return RunContext(model, facts, known, store or VectorStore(), token, again)

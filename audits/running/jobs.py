"""A job: one audit, one model, one data set, one protocol; and the words from which jobs are made.

Everything that can be refused without touching a model or an image is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from pydantic import BaseModel, ValidationError

from audits import catalogue
from audits.contracts import Audit
from audits.datasets import readers
from audits.protocol import Protocol as Rules
from audits.running.vectors import VectorStore
from audits.stages import stages
from workbench.embedding.ray_data import check_ray
from workbench.errors import BadInput
from workbench.models import find as find_model
from workbench.scheduler import CancelToken
from workbench.strict import reason

ENGINES = ("local", "ray")
OF_JOBS = ("seed", "limit", "device", "dtype", "engine", "workers", "download")  # options that a job keeps


class Options(TypedDict, total=False):
    """What may be given with `run` and `run_suite`; everything has a default."""

    settings: Mapping[str, Any]  # of the protocol, changed
    seed: int
    limit: int | None  # images; the run is then marked as partial
    device: str
    dtype: str  # float32 where not given
    engine: str  # local or ray
    workers: int  # of the ray engine
    again: bool  # run even what is done
    download: bool  # let `hf:` fetch
    session: Any  # an open session of the engine, or a loaded model, that is used in place of loading one
    store: VectorStore  # where vectors are kept, in place of the shared folder
    token: CancelToken
    watch: Any  # called with (AuditJob, Progress)
    row: Audit  # with `resume`: the row of an audit that the catalogue does not have


@dataclass(frozen=True)
class AuditJob:
    """One audit of one model on one data set, by one protocol."""

    audit: Audit
    model: str  # key
    dataset: str  # reference
    rules: Rules  # with changed settings
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    limit: int | None = None
    device: str = "auto"
    dtype: str = "float32"
    engine: str = "local"
    workers: int = 1
    download: bool = False

    @property
    def name(self) -> str:
        """What a progress bar shows."""
        return f"{self.audit.key} · {self.model} · {self.dataset}"


def make(
    audit: str | Audit, model: str, dataset: str | None, *, rules: str | Rules | None, options: Options
) -> AuditJob:
    """Make a job from words.

    The data set is a reference; without one the audit's built-in set is used, without `rules` its first protocol.

    Raises:
        UnknownName: no such audit, model, data set, protocol or engine.
        BadInput: a setting that the audit does not know, or of the wrong kind.
    """
    row = catalogue.find(audit) if isinstance(audit, str) else audit
    if "session" not in options:
        find_model(model)
    reference = dataset or row.builtin
    readers.known(reference)
    settings = dict(options.get("settings") or {})
    read = rules if isinstance(rules, Rules) else catalogue.read_protocol(row, rules or row.protocols[0])
    _check(options)
    given: dict[str, Any] = {name: value for name, value in options.items() if name in OF_JOBS}
    return AuditJob(row, model, reference, adjusted(row, read, settings), settings, **given)


def adjusted(audit: Audit, rules: Rules, settings: Mapping[str, Any]) -> Rules:
    """Return a protocol with changed settings, after the audit has read them.

    What differs then stands in the protocol's name.

    Raises:
        BadInput: another audit's protocol, or settings that the audit refuses.
    """
    if rules.audit != audit.key:
        raise BadInput(f"The protocol {rules.name!r} belongs to {rules.audit!r}, not to {audit.key!r}.")
    changed = rules.model_copy(update={"settings": {**rules.settings, **settings}})
    after = _checked(audit, changed.settings)
    if not settings:
        return rules
    before = _checked(audit, rules.settings)
    different = sorted(name for name in settings if getattr(before, name) != getattr(after, name))
    if not different:
        return rules
    return changed.model_copy(update={"name": f"{rules.name} (changed: {', '.join(different)})"})


def _checked(audit: Audit, settings: Mapping[str, Any]) -> BaseModel:
    model: type[BaseModel] = stages(audit).Settings
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        known = ", ".join(model.model_fields)
        raise BadInput(f"The audit {audit.key!r} cannot use the setting {reason(error)}. It has: {known}.") from None


def _check(options: Options) -> None:
    engine, limit = options.get("engine", "local"), options.get("limit")
    if engine not in ENGINES:
        raise BadInput(f"The engine is {' or '.join(ENGINES)}; got {engine[:40]!r}.")
    if engine == "ray":
        check_ray()
    if limit is not None and limit < 1:
        raise BadInput(f"A limit is at least one image; got {limit}.")
    if options.get("workers", 1) < 1:
        raise BadInput(f"The ray engine needs at least one worker; got {options.get('workers')}.")

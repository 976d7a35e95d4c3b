"""The audit `accuracy` on images that were evaluated: the same parts, shots, seeds and templates."""

from __future__ import annotations

from collections.abc import Sequence

from audits import catalogue
from audits.running.jobs import AuditJob, Options, make
from workbench.probes.evaluation import Ways

AUDIT, PROTOCOL = "accuracy", "own-images"


def accuracy_jobs(models: Sequence[str], dataset: str, ways: Ways, *, options: Options) -> list[AuditJob]:
    """Return one job a model.

    Args:
        models: keys of models with a text tower.
        dataset: what `datasets.unpacked.write_labelled` wrote, as a reference.
        ways: what was measured; what differs from the protocol stands in its name.
        options: device and so on; seed and settings come from `ways`.
    """
    rules = catalogue.read_protocol(AUDIT, PROTOCOL)
    if ways.templates != rules.templates:
        rules = rules.model_copy(update={"templates": ways.templates, "name": f"{rules.name} (changed: templates)"})
    given: Options = {"seed": ways.seed, "settings": {"shots": list(ways.shots), "seeds": ways.seeds}}
    return [make(AUDIT, key, dataset, rules=rules, options={**options, **given}) for key in models]

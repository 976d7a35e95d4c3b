"""The three stages of one audit, in memory and in one process: the shortest way from a question to its measures.

`audits.running` adds run directories, cache and progress, and gives the same numbers.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from audits.analysis import Analysis
from audits.contracts import Audit, ModelFacts, Stages
from audits.protocol import Protocol as Rules
from audits.published import with_published

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.loading.torch_backend import TorchBackend


PARTS = ("score", "analyse", "text", "change", "attack")  # modules of an audit's package
MEMBERS = {"Settings", "HOW_TO_READ", "LIMITS", "plan", "texts", *PARTS}  # of `Stages`


def stages(audit: Audit) -> Stages:
    """Return what the modules of an audit's package define; an audit in a single module is that module."""
    return cast(Stages, _together(audit.module))


@functools.cache
def _together(name: str) -> Any:
    package = importlib.import_module(name)
    if not hasattr(package, "__path__"):
        return package
    parts = [importlib.import_module(f"{name}.{part}") for part in PARTS if find_spec(f"{name}.{part}")]
    members = {key: value for part in parts for key, value in vars(part).items() if key in MEMBERS}
    return SimpleNamespace(__name__=name, __file__=package.__file__, **members)


def facts(backend: TorchBackend) -> ModelFacts:
    """Return what the later stages know about a model."""
    return ModelFacts(
        key=backend.spec.key,
        title=backend.spec.title,
        fingerprint=backend.fingerprint,
        score=backend.spec.score,
        logit_scale=backend.logit_scale,
        logit_bias=backend.logit_bias,
        dim=backend.dim,
        dtype=str(getattr(backend, "numbers", backend.dtype)).removeprefix("torch."),
        device=str(backend.device),
        trained_on=backend.spec.trained_on or "",
    )


def analysed(module: Stages, samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return the analysis of an audit, completed by what holds for every audit.

    That is: published numbers, the smallest difference that each slice could show, gaps that reverse, the weakest
    slice, and what cannot be judged.

    Raises:
        BadInput: nothing can be measured with the samples.
    """
    from audits import (
        detectable,
        precision,
        simpson,
        slicing,
        weakest,
    )  # late: commands that analyse nothing start without pandas

    analysis = module.analyse(samples, rules, model=model, seed=seed)
    attributes = sorted(detectable.attributes_of(samples))
    measures = detectable.beside(with_published(analysis.measures, rules.published, model.key), attributes)
    analysis = replace(analysis, measures=measures)
    analysis = simpson.added(analysis, list(simpson.gaps_of(measures, samples)), attributes)
    searched = [name for name in slicing.groups(samples) if name in attributes]
    return precision.added(weakest.added(analysis, samples, searched, seed=seed), attributes)

"""The three stages of one audit, in memory and in one process: the shortest way from a question to its measures.

`audits.running` adds run directories, cache and progress, and gives the same numbers.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from audits import detectable, simpson
from audits.contracts import Audit, Embedded, ModelFacts, Stages
from audits.passes import embed_groups, encode_texts, groups_of
from audits.published import with_published

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.analysis import Analysis
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules
    from workbench.loading.torch_backend import TorchBackend


def stages(audit: Audit) -> Stages:
    """Return the module of an audit."""
    return cast(Stages, importlib.import_module(audit.module))


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
        dtype=str(backend.dtype).removeprefix("torch."),
        device=str(backend.device),
        trained_on=backend.spec.trained_on or "",
    )


def measure(audit: Audit, backend: TorchBackend, dataset: Dataset, *, rules: Rules, seed: int = 0) -> Analysis:
    """Run all three stages of an audit.

    Raises:
        BadInput: the data set lacks what the audit needs, or the protocol's settings are wrong.
    """
    module = stages(audit)
    dataset.require(audit.needs, audit.key)
    embedded = embed(module, backend, dataset, rules=rules, seed=seed)
    samples = module.score(embedded, rules, seed=seed)
    return analysed(module, samples, rules, model=embedded.model, seed=seed)


def analysed(module: Stages, samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return the analysis of an audit, completed by what holds for every audit.

    That is: published numbers, the smallest difference that each slice could show, and gaps that reverse.

    Raises:
        BadInput: nothing can be measured with the samples.
    """
    analysis = module.analyse(samples, rules, model=model, seed=seed)
    attributes = sorted(detectable.attributes_of(samples))
    measures = detectable.beside(with_published(analysis.measures, rules.published, model.key), attributes)
    analysis = replace(analysis, measures=measures)
    return simpson.added(analysis, list(simpson.gaps_of(measures, samples)), attributes)


def embed(module: Stages, backend: TorchBackend, dataset: Dataset, *, rules: Rules, seed: int) -> Embedded:
    """Embed what an audit plans: images, changed forms and texts."""
    import numpy as np

    prompts = list(dict.fromkeys(module.texts(dataset, rules)))
    texts: dict[str, NDArray[np.float32]] = {}
    if prompts:
        texts = dict(zip(prompts, encode_texts(backend, prompts), strict=True))
    items = tuple(module.plan(dataset, rules, seed=seed))
    rows = list(embed_groups(backend, module, dataset, groups=groups_of(items, module), texts=texts))
    images = np.concatenate(rows) if rows else np.zeros((0, backend.dim), np.float32)
    return Embedded(facts(backend), dataset, items, images, texts)

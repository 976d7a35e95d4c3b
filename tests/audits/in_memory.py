"""All three stages of an audit in memory and in one process, to compare a run with."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from audits.analysis import Analysis
from audits.contracts import Audit, Embedded, Stages
from audits.datasets.dataset import Dataset
from audits.passes import embed_groups, encode_texts
from audits.protocol import Protocol as Rules
from audits.stages import analysed, facts, stages
from audits.tasks import PASS
from workbench.loading.torch_backend import TorchBackend


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


def embed(module: Stages, backend: TorchBackend, dataset: Dataset, *, rules: Rules, seed: int) -> Embedded:
    """Embed what an audit plans: images, changed forms and texts."""
    prompts = list(dict.fromkeys(module.texts(dataset, rules)))
    texts: dict[str, NDArray[np.float32]] = {}
    if prompts:
        texts = dict(zip(prompts, encode_texts(backend, prompts), strict=True))
    items = tuple(module.plan(dataset, rules, seed=seed))
    attacks = hasattr(module, "attack")  # attacked and other images never share a pass
    runs = [list(run) for _, run in groupby(items, key=lambda item: bool(item.recipe) and attacks)]
    groups = [run[at : at + PASS] for run in runs for at in range(0, len(run), PASS)]
    rows = list(embed_groups(backend, module, dataset, groups=groups, texts=texts))
    images = np.concatenate(rows) if rows else np.zeros((0, backend.dim), np.float32)
    return Embedded(facts(backend), dataset, items, images, texts)

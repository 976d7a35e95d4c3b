"""The three stages of one audit, in memory and in one process: the shortest way from a question to its measures.

`audits.running` adds run directories, cache and progress, and gives the same numbers.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from audits import detectable, simpson
from audits.contracts import Audit, Embedded, Item, ModelFacts, Stages
from audits.published import with_published

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame
    from torch import Tensor

    from audits.analysis import Analysis
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules
    from workbench.loading.torch_backend import TorchBackend

CHUNK = 32  # images of one pass


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
        texts = dict(zip(prompts, backend.embed_texts(prompts).numpy(), strict=True))
    items = tuple(module.plan(dataset, rules, seed=seed))
    where = dict(zip(dataset.table["sample_id"], dataset.table["path"], strict=True))
    rows = [
        _chunk(module, backend, dataset, items=items[at : at + CHUNK], texts=texts, where=where)
        for at in range(0, len(items), CHUNK)
    ]
    images = np.concatenate(rows) if rows else np.zeros((0, backend.dim), np.float32)
    return Embedded(facts(backend), dataset, items, images, texts)


def _chunk(
    module: Stages,
    backend: TorchBackend,
    dataset: Dataset,
    *,
    items: tuple[Item, ...],
    texts: dict[str, Any],
    where: dict[str, str],
) -> NDArray[np.float32]:
    import torch

    from workbench.images import safe_open

    attacked = hasattr(module, "attack")
    squares: list[Tensor] = []
    for item in items:
        picture = safe_open(dataset.file(where[item.sample_id]))
        if item.recipe and not attacked:
            picture = module.change(picture, item)
        squares.append(backend.prepare(picture))
    pixels = torch.stack(squares)
    hit = [at for at, item in enumerate(items) if item.recipe] if attacked else []
    vectors = backend.encode_pixels(pixels)
    if hit:
        changed = module.attack(backend, pixels[hit].to(backend.device) / 255.0, [items[at] for at in hit], texts=texts)
        with torch.inference_mode():
            vectors[hit] = backend.embed_pixels(changed).float().cpu()
    answer: NDArray[np.float32] = vectors.numpy()
    return answer

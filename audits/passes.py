"""Embed an audit's images: opened and changed on other threads, and sent through the model in passes of fixed size.

The model is a session of the engine, which takes turns with other work between passes, or a loaded model of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audits.contracts import Item, Stages
from audits.datasets.dataset import Dataset
from audits.tasks import EMBED_PASSES, Passes
from workbench.embedding.prefetch import prefetch
from workbench.errors import OutOfResources, Unsupported
from workbench.images import safe_open

if TYPE_CHECKING:
    from torch import Tensor


def embed_groups(
    model: Any,
    module: Stages,
    dataset: Dataset,
    *,
    groups: Sequence[Sequence[Item]],
    texts: Mapping[str, NDArray[np.float32]],
    check: Callable[[], None] = lambda: None,
) -> Iterator[NDArray[np.float32]]:
    """Yield (n, dim) float32 rows for each group of items, while the next group's images are opened.

    Args:
        model: a session, or a loaded model.
        module: the audit's.
        dataset: where the images are.
        groups: items; a pass never crosses two groups.
        texts: embeddings that an attack may need.
        check: called between two images; may raise to stop.

    Raises:
        Unsupported: a remote device that does not offer this model.
        OutOfResources: embeddings that are no numbers.
    """
    paths = dict(zip(dataset.table["sample_id"], dataset.table["path"], strict=True))
    attacks = hasattr(module, "attack")

    def prepare(item: Item) -> Tensor:
        """Open an image, change it where the item has a recipe, and prepare it: (3, size, size) uint8."""
        image = safe_open(dataset.file(paths[item.sample_id]))
        square: Tensor = model.prepare(module.change(image, item) if item.recipe and not attacks else image)
        return square

    import torch

    for items, squares in zip(groups, prefetch(groups, prepare, check=check), strict=True):
        attacked = attacks and bool(items[0].recipe)
        maker = module.attack.__module__ if attacked else ""
        payload = Passes(maker, torch.stack(list(squares)).numpy(), tuple(items), attacked, texts if attacked else {})
        yield _finite(model, np.concatenate(list(model.stream(EMBED_PASSES, payload))))


def encode_texts(model: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts, (n, dim) float32; other work has its turn after each batch."""
    try:
        *_, rows = model.steps(lambda backend: backend.text_batches(list(texts)))
    except Unsupported:
        rows = model.embed_texts(list(texts))
    return _finite(model, np.asarray(rows, dtype=np.float32))


def _finite(model: Any, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Refuse embeddings that a small range of numbers, or a failing device, has spoilt: no measure may rest on them."""
    if not np.isfinite(rows).all():
        raise OutOfResources(f"{model.spec.title} returned NaN or infinity; float32 (--dtype float32) has the range.")
    return rows

"""One chunk through the model: passes of fixed size, on a model of one's own or by turns in a session of the engine.

Knows no store and no plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from audits.contracts import Item, Stages
from audits.running.chunks import PASS, Chunk
from workbench.errors import Unsupported
from workbench.images import safe_open

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from audits.datasets.dataset import Dataset


def encode(model: Any, module: Stages, squares: Tensor, *, chunk: Chunk, texts: Any) -> NDArray[np.float32]:
    """Embed a chunk's prepared pictures, (n, 3, size, size) uint8 -> (n, dim) float32, in passes of fixed size."""
    import numpy as np

    attacked = chunk.changed and hasattr(module, "attack")
    cuts = range(0, len(squares), PASS)

    def passes(box: Any) -> Iterator[Tensor]:
        for at in cuts:
            pixels = squares[at : at + PASS]
            if attacked:
                yield _attack(box, module, pixels, items=chunk.items[at : at + PASS], texts=texts)
            else:
                yield box.encode_pixels(pixels)

    try:
        done = list(_driven(model, passes))
    except Unsupported:
        if attacked or not hasattr(model, "steps"):
            raise
        done = [_far(model, squares[at : at + PASS]) for at in cuts]
    answer: NDArray[np.float32] = np.concatenate([np.asarray(part, dtype=np.float32) for part in done])
    return answer


def open_square(module: Stages, model: Any, dataset: Dataset, *, item: Item, path: str) -> Tensor:
    """Open one picture, change it where the item says so, and prepare it; (3, size, size) uint8."""
    picture = safe_open(dataset.file(path))
    if item.recipe and not hasattr(module, "attack"):
        picture = module.change(picture, item)
    square: Tensor = model.prepare(picture)
    return square


def encode_texts(model: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts of one chunk, (n, dim) float32; the device serves others after each batch."""
    import numpy as np

    try:
        *_, rows = _driven(model, lambda box: box.text_batches(list(texts)))
    except Unsupported:
        rows = model.embed_texts(list(texts))
    answer: NDArray[np.float32] = np.asarray(rows, dtype=np.float32)
    return answer


def _driven(model: Any, work: Callable[[Any], Iterator[Any]]) -> Iterator[Any]:
    """Run passes on the device: by turns with others where the model is a session."""
    return iter(model.steps(work) if hasattr(model, "steps") else work(model))


def _attack(box: Any, module: Stages, pixels: Tensor, *, items: Sequence[Item], texts: Any) -> Tensor:
    import torch

    changed = module.attack(box, pixels.to(box.device) / 255.0, items, texts=texts)
    with torch.inference_mode():
        rows: Tensor = box.embed_pixels(changed).float().cpu()
    return rows.clone()


def _far(model: Any, pixels: Tensor) -> Tensor:
    """Embed prepared squares through a session whose device is in another process; a square is prepared to itself."""
    from PIL import Image

    squares = [Image.fromarray(one.permute(1, 2, 0).numpy()) for one in pixels]
    rows: Tensor = model.embed_images(squares)
    return rows

"""Embed a long list in parts, with progress between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from workbench.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

CHUNK = 256  # items between two reports


def in_chunks(
    embed: Callable[[Sequence[Any]], Tensor], items: Sequence[Any], unit: str
) -> Iterator[Progress | NDArray[np.float32]]:
    """Yield progress after each part, and at the end all rows, (n, dim); `embed` is called at least once."""
    import numpy as np

    rows = []
    for start in range(0, len(items) or 1, CHUNK):
        rows.append(embed(items[start : start + CHUNK]).numpy())
        yield Progress(min(start + CHUNK, len(items)), len(items), unit, "embed")
    yield np.concatenate(rows)

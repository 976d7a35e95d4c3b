"""What units of any layer add to cosines, where no exact sum exists: conductance along a path, with its error.

The image is faded in from a strongly blurred copy of itself; a unit's conductance is how much of the change of the
cosine flows through it. All units together make up the whole change, but for the error of integrating in steps.

Source:
    Dhamdhere et al. 2018, arXiv:1805.12233; integrated by Captum's LayerConductance.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.attribution.baselines import baseline
from workbench.errors import BadInput
from workbench.neurons.decomposition import Decomposition
from workbench.neurons.passes import unit_range
from workbench.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import WhiteBox

STEPS = 64  # points of the path
SEGMENTS = 4  # pieces of the path, between which the device is given back
CROWDING = 3  # power of the way: most points lie near the blurred copy, where cosines turn
KIND = "units and cells, by conductance"


class ConductanceRequest(NamedTuple):
    """What is asked: plain data."""

    pixels: NDArray[np.uint8]  # (3, size, size)
    texts: NDArray[np.float32]  # (k, dim) unit rows
    layer: str  # a name in the anatomy's layers
    steps: int = STEPS


def conductances(box: WhiteBox, request: ConductanceRequest) -> Iterator[Progress | Decomposition]:
    """Integrate one image's cosines over the units of a layer; yields progress, and the sums at the end.

    `constant` of the result is what the blurred copy gets; `error` how far the sums are from the cosines.

    Raises:
        BadInput: fewer than four steps.
        UnknownName: no such layer.
    """
    import torch
    from captum.attr import LayerConductance

    if request.steps < SEGMENTS:
        raise BadInput(f"The path takes {SEGMENTS} steps or more; got {request.steps}.")
    module = box.anatomy.pick([request.layer])[request.layer]
    image, texts = unit_range(box, request.pixels[None]), torch.from_numpy(request.texts).to(box.device)
    start = baseline("blur", image)

    def cosines(pixels: Tensor) -> Tensor:
        return box.embed_pixels(pixels).float() @ texts.T

    through = LayerConductance(cosines, module)
    sums: list[Tensor] = []
    total, began = SEGMENTS * len(texts), time.monotonic()
    for text in range(len(texts)):
        parts: list[Tensor] = []
        for piece in range(SEGMENTS):
            begin, end = (start + (image - start) * (at / SEGMENTS) ** CROWDING for at in (piece, piece + 1))
            with torch.enable_grad():
                attributed = through.attribute(
                    end, baselines=begin, target=text, n_steps=request.steps // SEGMENTS, method="riemann_middle"
                )
            parts.append((attributed[0] if isinstance(attributed, tuple) else attributed).detach().float())
            done = text * SEGMENTS + piece + 1
            yield Progress.timed(done, total, "pieces", seconds=time.monotonic() - began, computed=done)
        sums.append(torch.stack(parts).sum(dim=0)[0])
    with torch.no_grad():
        before, after = cosines(start)[0], cosines(image)[0]
    grid = sums[0].ndim == 3  # (units, rows, columns), else (tokens, width)
    yield Decomposition(
        KIND,
        np.stack([(one.flatten(1) if grid else one.T).cpu().numpy() for one in sums]),
        (),
        before.cpu().numpy(),
        after.cpu().numpy(),
        (sums[0].shape[1], sums[0].shape[2]) if grid else box.anatomy.grid,
        0 if grid else box.anatomy.prefix_tokens,
    )

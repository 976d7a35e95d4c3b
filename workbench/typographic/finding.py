"""Find text in a prepared picture: boxes around it, by a small network of our own, by RapidOCR, or the fake's marks.

The network is the first five stages of `pocket`'s image tower, which learned letters, and a small head on its maps.
Does not know about painting or models.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.errors import Unsupported, WeightsMissing, WeightsRefused, unknown_name
from workbench.places import NO_WEIGHTS, shipped

if TYPE_CHECKING:
    import numpy as np

WEIGHTS = shipped("text_finder", "text_finder.safetensors")
SIDE, CELLS = 224, 28  # pixels that the network sees, cells of its answer
STAGES = 5  # of the tower
THRESHOLD = 0.8
SMALLEST = 3  # cells of a region
GROWN = 0.6  # cells that a box grows by on each side: the map is coarse


class TextBox(NamedTuple):
    """A box around text, in pixels of the square: left, top, right, bottom, the last two outside; and its score."""

    left: float
    top: float
    right: float
    bottom: float
    score: float  # 0..1


Finder = Callable[[Tensor], list[TextBox]]


class TextMap(nn.Module):
    """(n, 3, 224, 224) in -1..1 -> (n, 28, 28) logits: does a cell show text?"""

    def __init__(self) -> None:
        super().__init__()
        from workbench.loading.compact import EfficientNetLite
        from workbench.loading.folding import quicken

        with torch.random.fork_rng(devices=[]):
            tower = EfficientNetLite().eval()
            quicken(tower)
            self.stem = nn.Sequential(tower.conv_stem, tower.bn1)
            self.stages = nn.ModuleList(tower.blocks[at] for at in range(STAGES))
            self.head = nn.Sequential(
                nn.Conv2d(152, 48, 1),
                nn.ReLU(),
                nn.Conv2d(48, 48, 3, padding=1, groups=48),
                nn.Conv2d(48, 48, 1),
                nn.ReLU(),
                nn.Conv2d(48, 48, 3, padding=2, dilation=2, groups=48),
                nn.Conv2d(48, 48, 1),
                nn.ReLU(),
                nn.Conv2d(48, 1, 1),
            )

    def maps(self, pixels: Tensor) -> Tensor:
        """(n, 3, 224, 224) in -1..1 -> (n, 152, 28, 28): the third stage, and the fifth at its size."""
        maps = self.stem(pixels)
        for number, stage in enumerate(self.stages):
            maps = stage(maps)
            if number == 2:
                fine = maps
        coarse = functional.interpolate(maps, size=fine.shape[2:], mode="bilinear", align_corners=False)
        return torch.cat([fine, coarse], dim=1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Run tower and head."""
        logits: Tensor = self.head(self.maps(pixels))
        return logits[:, 0]


def prepared(square: Tensor) -> Tensor:
    """(3, size, size) uint8 -> (1, 3, 224, 224) in -1..1, as the network sees it."""
    pixels = square[None].float()
    if pixels.shape[-1] != SIDE:
        pixels = functional.interpolate(pixels, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return pixels / 127.5 - 1


def boxes(scores: np.ndarray, size: int, threshold: float) -> list[TextBox]:
    """Turn a map of scores, (28, 28) in 0..1, into boxes on a square of that many pixels."""
    from scipy.ndimage import find_objects, label

    regions, count = label(scores >= threshold, structure=[[1, 1, 1]] * 3)
    cell, text_boxes = size / len(scores), []
    for number, (rows, columns) in enumerate(find_objects(regions, count), 1):
        inside = scores[regions == number]
        if len(inside) >= SMALLEST:
            edges = (columns.start - GROWN, rows.start - GROWN, columns.stop + GROWN, rows.stop + GROWN)
            left, top, right, bottom = (min(max(edge * cell, 0.0), float(size)) for edge in edges)
            text_boxes.append(TextBox(left, top, right, bottom, float(inside.max())))
    return text_boxes


def finder(key: str = "own", threshold: float = THRESHOLD) -> Finder:
    """Return a function that finds text: (3, size, size) uint8 -> boxes.

    Args:
        key: of FINDERS.
        threshold: 0..1, the least score of what is text.

    Raises:
        UnknownName: no such finder.
        Unsupported: the package that it needs is not installed.
    """
    if key not in FINDERS:
        raise unknown_name("text finder", key, FINDERS)
    return FINDERS[key](threshold)


def _own(threshold: float) -> Finder:
    network = _network()

    @torch.inference_mode()
    def find(square: Tensor) -> list[TextBox]:
        return boxes(network(prepared(square))[0].sigmoid().numpy(), square.shape[-1], threshold)

    return find


def _rapid(threshold: float) -> Finder:
    engine = _rapid_engine()

    def find(square: Tensor) -> list[TextBox]:
        result = engine(square.permute(1, 2, 0).numpy()[..., ::-1], use_cls=False, use_rec=False)
        corners = [] if result.boxes is None else result.boxes
        scores = [1.0] * len(corners) if getattr(result, "scores", None) is None else result.scores
        spans = [(*four.min(axis=0), *four.max(axis=0), score) for four, score in zip(corners, scores, strict=False)]
        return [TextBox._make(map(float, span)) for span in spans if span[-1] >= threshold]

    return find


def _marks(threshold: float) -> Finder:
    from workbench.fake import CELL, SIDE, written

    def find(square: Tensor) -> list[TextBox]:
        size = square.shape[-1]
        top = size * (SIDE - 2 * CELL) / SIDE
        return [TextBox(0, top, size, size, 1.0)] if written(square) else []

    return find


FINDERS: Mapping[str, Callable[[float], Finder]] = {"own": _own, "rapidocr": _rapid, "marks": _marks}


@functools.cache
def _network() -> TextMap:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not WEIGHTS.is_file():
        raise WeightsMissing(NO_WEIGHTS.format("The text finder"))
    network = TextMap()
    try:
        state = {name: one.float() for name, one in load_file(WEIGHTS).items()}
        network.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsRefused(f"The weights of the text finder cannot be read: {str(error)[:200]}") from None
    return network.eval().requires_grad_(False)


@functools.cache
def _rapid_engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError:
        raise Unsupported("The finder rapidocr needs the extra `ocr`: pip install 'clip-workbench[ocr]'.") from None
    return RapidOCR(params={"Global.log_level": "critical"})

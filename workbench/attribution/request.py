"""The question and the answer of an attribution, as plain data that can be pickled and sent to another process.

A request is checked here as far as it can be without a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.attribution.methods import METHODS
from workbench.errors import BadInput, unknown_name

ObjectiveName: TypeAlias = Literal["contrast", "cosine"]
BaselineName: TypeAlias = Literal["blur", "mean", "grey", "black", "white"]

MAX_POSITIONS = 4096  # of the covering square
_RANGES = {"steps": (2, 512), "batch": (1, 256)}
_UNIT_TOLERANCE = 1e-2  # rows that went through bfloat16 are this close to unit length


@dataclass(frozen=True, eq=False)
class Request:
    """Where in this picture did the model see the chosen label?

    Raises:
        BadInput: a shape, a number or a name that cannot be used; unknown names list the known ones.
    """

    method: str  # a key of METHODS
    pixels: NDArray[np.uint8]  # (3, s, s): the square that the image tower sees, RGB 0..255
    texts: NDArray[np.float32]  # (k, dim): one unit row a label
    target: int  # row of the chosen label, 0..k-1
    objective: ObjectiveName = "contrast"  # with one label only the cosine is left
    steps: int = 96  # integrated gradients: points on the path, at most
    baseline: BaselineName | None = (
        None  # what is without content: a picture (None: blur), a covered square (None: mean)
    )
    window: int | None = None  # occlusion: side of the covering square in pixels; None: two sevenths of the picture
    stride: int | None = None  # occlusion: how far it moves, in pixels; None: half its side
    layer: str | None = None  # Grad-CAM: a name in `anatomy.layers`; None: the last one
    batch: int = 8  # pictures that go through the model in one device step
    check: bool = True  # whether the map is put to the test of `deletion`, in one more step of three pictures

    def __post_init__(self) -> None:
        for kind, given, known in (
            ("attribution method", self.method, [method.key for method in METHODS]),
            ("objective", self.objective, get_args(ObjectiveName)),
            ("baseline", self.emptiness, get_args(BaselineName)),
        ):
            if given not in known:
                raise unknown_name(kind, str(given), known)
        _check_pixels(self.pixels)
        _check_texts(self.texts, self.target)
        for name, (low, high) in _RANGES.items():
            _check_whole(name, getattr(self, name), low, high)
        self._check_window()

    @property
    def side(self) -> int:
        """Side of the square in pixels."""
        return int(self.pixels.shape[-1])

    @property
    def emptiness(self) -> BaselineName:
        """The baseline, with the method's own default filled in."""
        return self.baseline if self.baseline is not None else "mean" if self.method == "occlusion" else "blur"

    @property
    def covering(self) -> tuple[int, int]:
        """Side of the covering square and its stride, in pixels, with the defaults filled in."""
        window = self.window if self.window is not None else max(1, round(self.side * 2 / 7))
        return window, self.stride if self.stride is not None else max(1, window // 2)

    def _check_window(self) -> None:
        window, stride = self.covering
        _check_whole("window", window, 1, self.side)
        _check_whole("stride", stride, 1, window)  # a longer one would leave gaps
        positions = (-(-(self.side - window) // stride) + 1) ** 2
        if self.method == "occlusion" and positions > MAX_POSITIONS:
            raise BadInput(
                f"The covering square may take at most {MAX_POSITIONS} positions; a side of {window} and a stride "
                f"of {stride} pixels on {self.side} make {positions}."
            )


@dataclass(frozen=True)
class Deletion:
    """The objective of the picture, and of the same with a quarter of it blurred: any unit, as the map's."""

    whole: float
    without_most: float  # the quarter with the most evidence
    without_least: float

    @property
    def holds(self) -> bool:
        """Whether the quarter with the most evidence costs something, and more than the one with the least."""
        return self.without_most < min(self.whole, self.without_least)


@dataclass(frozen=True, eq=False)
class Attribution:
    """Where the label was seen."""

    map: NDArray[np.float32]  # (s, s), signed: above zero speaks for the label, below against it
    method: str
    objective: ObjectiveName  # what was asked of the model; with one label always the cosine
    note: str  # how it was computed, and what to be careful with
    seconds: float  # of work, waiting for the device not counted
    delta: float | None = None  # integrated gradients: sum of the map minus `gained`
    gained: float | None = None  # integrated gradients: objective of the picture minus that of the baseline
    deletion: Deletion | None = None  # what the model answers without the quarters that the map names

    @property
    def relative_delta(self) -> float | None:
        """|delta| as a share of |gained|; None where there is no delta or nothing was gained."""
        if self.delta is None or not self.gained:
            return None
        return abs(self.delta) / abs(self.gained)

    @property
    def positive_share(self) -> float | None:
        """Share of the map's absolute mass that speaks for the label, 0..1; None for a map of zeros."""
        whole = float(np.abs(self.map, dtype=np.float64).sum())
        return float(np.clip(self.map, 0, None).sum(dtype=np.float64)) / whole if whole > 0 else None


def _check_pixels(pixels: NDArray[np.uint8]) -> None:
    given = f"{getattr(pixels, 'dtype', type(pixels).__name__)} {getattr(pixels, 'shape', '')}".strip()
    square = isinstance(pixels, np.ndarray) and pixels.ndim == 3 and pixels.shape[0] == 3
    if not square or pixels.shape[1] != pixels.shape[2] or pixels.shape[1] < 1 or pixels.dtype != np.uint8:
        raise BadInput(f"The picture is a square array (3, side, side) of uint8; got {given}.")


def _check_texts(texts: NDArray[np.float32], target: int) -> None:
    given = f"{getattr(texts, 'dtype', type(texts).__name__)} {getattr(texts, 'shape', '')}".strip()
    if not isinstance(texts, np.ndarray) or texts.ndim != 2 or texts.dtype != np.float32 or 0 in texts.shape:
        raise BadInput(f"The labels are an array (labels, dim) of float32, one row each; got {given}.")
    lengths = np.linalg.norm(texts, axis=1)
    if not (np.abs(lengths - 1) < _UNIT_TOLERANCE).all():  # a NaN fails here too
        raise BadInput(f"Each label's row has length 1; got lengths from {lengths.min():.3g} to {lengths.max():.3g}.")
    _check_whole("target", target, 0, len(texts) - 1)


def _check_whole(name: str, given: int, low: int, high: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not low <= given <= high:
        raise BadInput(f"`{name}` is a whole number from {low} to {high}; got {given!r}.")

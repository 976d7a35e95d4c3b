"""Batches of a training: which pairs come in which step, opened ahead of time, each image with a new random crop.

A batch is a function of the data, the seed and the step alone, so that a resumed training gets the same batches as one
that never stopped, and two processes together the same as one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from workbench.embedding.prefetch import prefetch
from workbench.errors import BadInput, BadPicture
from workbench.prompts import fill
from workbench.training.data.pairs import NAMED, ImageTextPair

READERS = 4  # threads that open images
AHEAD = 2  # batches that are opened while the device works
ATTEMPTS = 20  # other pairs that are tried in place of an unreadable one


@dataclass(frozen=True)
class View:
    """How a pair becomes the input of the towers."""

    prepare: Callable[[Image.Image], Tensor]  # upright RGB -> (3, side, side) uint8
    templates: tuple[str, ...] = ("a photo of a {}.",)  # a label goes into one of them, at random
    least: float = 1.0  # smallest share of the area that a random crop keeps; 1 for no crop

    def crop(self, picture: Image.Image, rng: np.random.Generator) -> Tensor:
        """Crop at random, then prepare; (3, side, side) uint8."""
        if self.least < 1:
            part, ratio = rng.uniform(self.least, 1), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
            wide = min(picture.width, max(1, round(picture.width * np.sqrt(part * ratio))))
            high = min(picture.height, max(1, round(picture.height * np.sqrt(part / ratio))))
            left, top = rng.integers(0, picture.width - wide + 1), rng.integers(0, picture.height - high + 1)
            picture = picture.crop((int(left), int(top), int(left) + wide, int(top) + high))
        return self.prepare(picture)

    def text(self, pair: ImageTextPair, rng: np.random.Generator) -> tuple[str, str]:
        """Return the text of a pair, and a key that it shares with texts of the same meaning."""
        if pair.is_label:
            return fill(self.templates[rng.integers(len(self.templates))], pair.text), f"label {pair.text}"
        return pair.text, f"caption {pair.text}"


@dataclass(frozen=True)
class RawBatch:
    """One batch before it is on a device."""

    squares: Tensor  # (n, 3, side, side) uint8
    captions: tuple[str, ...]
    keys: Tensor  # (n,) int64; equal for equal captions or labels


class Batches:
    """Draws batches from pairs, each pair once per epoch, in a new order each time.

    Args:
        pairs: at least `size`.
        view: how pairs are cropped, prepared and put into templates.
        size: pairs of a whole batch, over all processes.
        seed: of orders, crops and templates.
        part: the rows of each batch that are this process's.
        unreadable: how many images may be unreadable before training stops with an error.

    Raises:
        BadInput: fewer pairs than a batch holds.
    """

    def __init__(
        self,
        pairs: Sequence[ImageTextPair],
        view: View,
        *,
        size: int,
        seed: int,
        part: slice = slice(None),
        unreadable: int = 100,
    ) -> None:
        if len(pairs) < size:
            raise BadInput(f"A batch of {size} needs at least as many pairs; there are {len(pairs)}.")
        self.unreadable: dict[str, str] = {}  # name -> reason, of what could not be opened so far
        self._pairs, self._view = pairs, view
        self._size, self._seed, self._most = size, seed, unreadable
        self._slots = range(size)[part]
        self._orders: dict[int, np.ndarray] = {}

    def stream(self, first: int, steps: int) -> Iterator[RawBatch]:
        """Yield the batches of steps `first` to `steps - 1`; the next ones are opened meanwhile.

        Raises:
            BadInput: more images than allowed cannot be opened.
        """
        batches = ([(step, slot, self._index(step, slot)) for slot in self._slots] for step in range(first, steps))
        for rows in prefetch(batches, lambda place: self._one(*place), ahead=AHEAD, workers=READERS):
            yield _joined(rows)

    def _index(self, step: int, slot: int) -> int:
        epoch, place = divmod(step * self._size + slot, len(self._pairs))
        if epoch not in self._orders:
            self._orders = {old: order for old, order in self._orders.items() if old >= epoch - 1}
            self._orders[epoch] = np.random.default_rng([self._seed, 1, epoch]).permutation(len(self._pairs))
        return int(self._orders[epoch][place])

    def _one(self, step: int, slot: int, index: int) -> tuple[Tensor, str, str]:
        """Open one pair, or others in its place; return square, caption and key. Runs on a worker thread."""
        rng = np.random.default_rng([self._seed, 2, step, slot])
        for _ in range(ATTEMPTS):
            pair = self._pairs[index]
            try:
                square = self._view.crop(pair.open(), rng)
            except BadPicture as error:
                self._note(pair, error)
                index = int(rng.integers(len(self._pairs)))
                continue
            return square, *self._view.text(pair, rng)
        raise self._too_many(f"{ATTEMPTS} in a row could not be opened")

    def _note(self, pair: ImageTextPair, error: BadPicture) -> None:
        self.unreadable[pair.name] = str(error)
        if len(self.unreadable) > self._most:
            raise self._too_many(f"more than {self._most} could not be opened")

    def _too_many(self, what: str) -> BadInput:
        few = "; ".join(f"{name}: {reason}" for name, reason in list(self.unreadable.items())[:NAMED])
        return BadInput(f"Too many images are unreadable: {what}. The first: {few}")


def _joined(rows: Sequence[tuple[Tensor, str, str]]) -> RawBatch:
    squares, captions, keys = zip(*rows, strict=True)
    codes = [int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big") for key in keys]
    signed = [code - 2**63 for code in codes]  # int64, as tensors and all processes hold it
    return RawBatch(torch.stack(squares), captions, torch.tensor(signed))

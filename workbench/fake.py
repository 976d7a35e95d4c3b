"""A model without weights that sees only colours, with planted faults of known size: what an audit must find.

Beside colours it sees two marks of its own: a written word (`write`) and a group (`mark`).
Both are drawn in pixels, so that they outlive saving, resizing and cropping to the centre.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from workbench.backend import Anatomy, Reading, Tokens
from workbench.checkpoints.shipped import FAKE
from workbench.errors import BadInput, Unsupported
from workbench.loading.torch_backend import TorchBackend, TowerParts
from workbench.preprocessing import Preprocessing
from workbench.text import clean

COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (220, 20, 20),
    "green": (20, 160, 20),
    "blue": (20, 20, 220),
    "yellow": (240, 220, 20),
    "orange": (250, 140, 0),
    "grey": (128, 128, 128),
}
SIDE = 80  # pixels of the square that it sees
CELL = 4  # pixels of one cell of a mark
BITS = 12  # of a word's code
LIMIT = 16  # tokens, start and end included
SEED = 0
_FIRST, _SECOND = (255, 0, 255), (0, 255, 255)  # no colour of the table
_FRAME = (_FIRST, _SECOND, _FIRST, _SECOND)  # in front of a code, and turned around behind it
_IGNORED = (
    "a",
    "an",
    "the",
    "of",
    "in",
    "on",
    "at",
    "with",
    "is",
    "this",
    "that",
    "it",
    "photo",
    "picture",
    "art",
    "itap",
)
_START, _END = 1 << BITS, (1 << BITS) + 1  # token ids; below them are the codes of words


class FakeBackend(TorchBackend):
    """Fulfils the same contracts as a loaded checkpoint, and refuses the same input."""

    def __init__(
        self,
        *,
        gullibility: float = 0.5,
        bias: float = 0.25,
        towards: str = "thief",
        seed: int = SEED,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        """Plant the faults.

        Args:
            gullibility: share 0..1 of pictures with a written word (`write`) for which the word wins over the colours.
            bias: share 0..1 of pictures with the group's mark (`mark`) that are taken for `towards`.
            towards: the word that the bias draws to.
            seed: of the directions of words, and of which pictures the faults hit.
            device: auto or cpu.
            dtype: auto or float32.

        Raises:
            BadInput, Unsupported: a share outside 0..1; another device or dtype.
        """
        if not (0 <= gullibility <= 1 and 0 <= bias <= 1):
            raise BadInput(f"The size of a planted fault is a share 0..1; got {gullibility} and {bias}.")
        if device not in ("auto", "cpu") or dtype not in ("auto", "float32"):
            raise Unsupported(f"{FAKE.title} computes in float32 on the CPU; got {dtype} on {device}.")
        module = _Eyes(gullibility, bias, towards=_code(towards), seed=seed)
        towers = TowerParts(
            module=module,
            image=module.see,
            text=module.read,
            tokenize=_tokenize,
            preprocessing=Preprocessing(SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
            anatomy=Anatomy(kind="flat"),
            dim=module.words.shape[1],
            logit_scale=100.0,
        )
        planted = f"fake 1 {gullibility} {bias} {towards} {seed} torch.float32"
        super().__init__(FAKE, towers, hashlib.sha256(planted.encode()).hexdigest()[:32])


def write(picture: Image.Image, word: str) -> Image.Image:
    """Return a copy with a word written at the foot of its centre square: a strip of cells that `FakeBackend` reads.

    Raises:
        BadInput: more or less than one word.
    """
    words = re.findall(r"\w+", word.lower())
    if len(words) != 1:
        raise BadInput(f"One word can be written on a picture; got {word[:40]!r}.")
    code = _code(words[0])
    bits = [(255, 255, 255) if code >> (BITS - 1 - place) & 1 else (0, 0, 0) for place in range(BITS)]
    return _draw(picture, np.array([[*_FRAME, *bits, *_FRAME[::-1]]] * 2, np.uint8), top=SIDE // CELL - 2)


def mark(picture: Image.Image) -> Image.Image:
    """Return a copy that carries the mark of the planted group, in the upper left corner of the centre square."""
    return _draw(picture, np.array([[_FIRST, _SECOND], [_SECOND, _FIRST]], np.uint8), top=0)


def written(square: Tensor) -> bool:
    """Say whether a prepared picture, (3, 80, 80) uint8, bears a written word."""
    return _written(_cells(square.float() / 255.0)) is not None


class _Eyes(nn.Module):
    """The two towers: shares of colours, and one direction a word."""

    def __init__(self, gullibility: float, bias: float, *, towards: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        others = nn.functional.normalize(torch.randn(1 << BITS, 24, generator=generator), dim=1)
        words = torch.cat([torch.zeros(1 << BITS, len(COLOURS)), others], dim=1)
        for place, name in enumerate(COLOURS):
            words[_code(name)] = nn.functional.one_hot(torch.tensor(place), words.shape[1]).float()
        self.words = nn.Parameter(words, requires_grad=False)  # (codes, dim)
        self.palette = nn.Parameter(torch.tensor(list(COLOURS.values())) / 255.0, requires_grad=False)
        self.gullibility, self.bias, self.towards, self.seed = gullibility, bias, towards, seed

    def see(self, pixels: Tensor) -> Tensor:
        """(n, 3, side, side) in 0..1 -> (n, dim): how much of each colour there is, unless a fault strikes."""
        rows = []
        for one in pixels:
            cells = _cells(one)
            written, marked = _written(cells), _marked(cells)
            plain = one[:, : -2 * CELL, :] if written is not None else one
            luck = _luck(plain.detach()[:, 2 * CELL :], self.seed)
            fooled = written is not None and luck < self.gullibility
            branded = marked and not fooled and _luck(plain.detach()[:, 2 * CELL :], self.seed + 1) < self.bias
            row = self._colours(plain[:, 2 * CELL :] if marked else plain)
            word = written if fooled else self.towards
            rows.append(0.1 * row + self.words[word] if fooled or branded else row)
        return torch.stack(rows)

    def _colours(self, pixels: Tensor) -> Tensor:
        """(3, height, width) -> (dim,): the softly counted share of each colour; differentiable."""
        distances = (pixels.flatten(1).T[:, None] - self.palette[None]).pow(2).sum(dim=2)
        shares = torch.softmax(-30.0 * distances, dim=1).mean(dim=0)
        return nn.functional.pad(shares, (0, self.words.shape[1] - len(COLOURS)))

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(n, length) ids and mask -> (n, dim): the sum of the words' directions."""
        ignored = torch.tensor(sorted(_code(word) for word in _IGNORED))
        counts = mask.bool() & (ids < _START) & ~torch.isin(ids, ignored)
        directions = self.words[ids.clamp(max=_START - 1)] * counts[..., None]
        last = nn.functional.one_hot(torch.tensor(self.words.shape[1] - 1), self.words.shape[1])
        return directions.sum(dim=1) + 0.01 * last  # so that a text of no content has a direction too


def _tokenize(texts: Sequence[str]) -> Tokens:
    cleaned = [clean(text) for text in texts]
    rows, readings = [], []
    for text in cleaned:
        words = list(re.finditer(r"\w+", text.lower()))
        read = words[: LIMIT - 2]
        cut = text[words[len(read)].start() :] if len(words) > len(read) else ""
        rows.append([_START, *(_code(word.group()) for word in read), _END])
        readings.append(Reading(text, len(rows[-1]), LIMIT, cut))
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [_END] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return Tokens(ids, mask, tuple(readings))


def _code(word: str) -> int:
    """Return the code of a word, 0..4095; the colours have their own."""
    code = int.from_bytes(hashlib.sha256(word.lower().encode()).digest()[:2], "big") >> (16 - BITS)
    names = list(COLOURS)
    return names.index(word.lower()) if word.lower() in names else max(code, len(names))


def _draw(picture: Image.Image, cells: np.ndarray, *, top: int) -> Image.Image:
    """Draw cells, (rows, columns, 3) uint8, onto the centre square, which is 20 cells wide."""
    drawn = picture.convert("RGB")
    side = min(drawn.size)
    left, upper = (drawn.width - side) // 2, (drawn.height - side) // 2
    edges = [round(place * side * CELL / SIDE) for place in range(SIDE // CELL + 1)]
    for row, line in enumerate(cells):
        for column, colour in enumerate(line):
            box = (edges[column], edges[top + row], edges[column + 1], edges[top + row + 1])
            drawn.paste(
                tuple(int(part) for part in colour), (box[0] + left, box[1] + upper, box[2] + left, box[3] + upper)
            )
    return drawn


def _cells(pixels: Tensor) -> Tensor:
    """(3, side, side) -> (20, 20, 3): the middle of each cell, where resampling has not mixed neighbours."""
    middle = pixels.detach().reshape(3, SIDE // CELL, CELL, SIDE // CELL, CELL)[:, :, 1:3, :, 1:3]
    return middle.mean(dim=(2, 4)).permute(1, 2, 0)


def _written(cells: Tensor) -> int | None:
    """Return the code in the strip at the foot, or None when there is none."""
    strip = cells[-2:].mean(dim=0)
    frame = torch.tensor([*_FRAME, *_FRAME[::-1]]) / 255.0
    if (torch.cat([strip[:4], strip[-4:]]) - frame).abs().max() > 0.3:
        return None
    bits = strip[4:-4].mean(dim=1) > 0.5
    return int(sum(int(bit) << (BITS - 1 - place) for place, bit in enumerate(bits)))


def _marked(cells: Tensor) -> bool:
    corner = torch.tensor([[_FIRST, _SECOND], [_SECOND, _FIRST]]) / 255.0
    return bool((cells[:2, :2] - corner).abs().max() < 0.3)


def _luck(pixels: Tensor, seed: int) -> float:
    """Return a number 0..1 that a picture keeps: the same for the same pixels and seed."""
    content = (pixels * 255).round().to(torch.uint8).contiguous().numpy().tobytes()
    return int.from_bytes(hashlib.sha256(content + str(seed).encode()).digest()[:6], "big") / (1 << 48)

"""The contracts that every model fulfils: pictures and texts into one space, and a white box for those who look inside.

Knows no model library, no device and no screen; see `loading` for what fulfils the contracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor, nn

    from workbench.models import ModelSpec

    Picture: TypeAlias = Image.Image | Path | str


@dataclass(frozen=True)
class Reading:
    """How a model reads one text, and what did not fit."""

    text: str  # after cleaning, as the tokenizer got it
    tokens: int  # number of tokens kept, start and end included
    limit: int  # the model's context length in tokens
    cut: str = ""  # the end of the text that was cut off; empty when all of it fits

    @property
    def note(self) -> str:
        """Say what was cut, or nothing."""
        if not self.cut:
            return ""
        return f"Only the first {self.limit} tokens count; cut off: “{self.cut}”"


@dataclass(frozen=True)
class Tokens:
    """Texts as a model reads them."""

    ids: Tensor  # (n, length) int64
    mask: Tensor  # (n, length) int64, 1 for a token that counts
    readings: tuple[Reading, ...]  # one a text


class ClipBackend(Protocol):
    """A model that puts pictures and texts into one space."""

    @property
    def spec(self) -> ModelSpec:
        """The catalogue row that it was loaded from."""

    @property
    def fingerprint(self) -> str:
        """Hash of weights, preprocessing and dtype: what two equal embeddings have in common."""

    @property
    def dim(self) -> int:
        """Width of the joint space."""

    @property
    def logit_scale(self) -> float:
        """What a cosine is multiplied with (about 100 for OpenAI's models)."""

    @property
    def logit_bias(self) -> float:
        """What is added afterwards: 0 for softmax models, learned for sigmoid models."""

    def embed_images(self, images: Sequence[Picture]) -> Tensor:
        """Embed pictures; (n, dim) float32 on the CPU, rows of Euclidean length 1.

        Raises:
            BadInput: no picture, or one that `images.safe_open` refuses.
        """

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts; (n, dim) float32 on the CPU, rows of Euclidean length 1.

        A text longer than the model's context is cut; `read` says what was cut.

        Raises:
            BadInput: no text, or a blank one.
        """

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Say how each text is read: what the tokenizer gets, and what is cut off."""


class Encoder(Protocol):
    """The two halves of a model that the scheduler drives: preparation anywhere, encoding on the device."""

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB picture; (3, size, size) uint8 on the CPU."""

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Clean, tokenize and cut; ids are trimmed to what this model needs."""

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, unit rows; no gradient."""

    def encode_tokens(self, tokens: Tokens) -> Tensor:
        """Tokens of n texts -> (n, dim) float32 on the CPU, unit rows; no gradient."""


@dataclass(frozen=True)
class Anatomy:
    """What can be looked at inside an image tower."""

    kind: str  # "convolutional", "vit" or "flat" (no spatial layers)
    layers: dict[str, nn.Module] = field(default_factory=dict)  # block name -> module, input side first
    grid: tuple[int, int] = (0, 0)  # of the last block: rows, columns
    prefix_tokens: int = 0  # ViT: class and register tokens in front of the grid


class WhiteBox(Protocol):
    """A model with differentiable pixels and named layers."""

    @property
    def anatomy(self) -> Anatomy:
        """Layers, token grid and kind of the image tower."""

    @property
    def image_size(self) -> int:
        """Side of the square that the image tower sees, in pixels."""

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) in 0..1 -> (n, dim) on the device, unit rows, with gradient."""

    def attention(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Embeddings as `embed_pixels`, and per block (n, heads, tokens, tokens) attention, both with gradient.

        Raises:
            Unsupported: the image tower has no attention blocks.
        """

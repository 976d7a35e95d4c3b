"""The contracts that every model fulfils: images and texts into one space, and a white box to look inside.

`loading` holds what fulfils them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from workbench.errors import unknown_name

if TYPE_CHECKING:
    import torch
    from PIL import Image
    from torch import Tensor, nn

    from workbench.checkpoints.spec import ModelSpec
    from workbench.heads import Head
    from workbench.hooks import Intervention

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
    """A model that embeds images and texts in one space."""

    @property
    def spec(self) -> ModelSpec:
        """The catalogue row that it was loaded from."""

    @property
    def fingerprint(self) -> str:
        """Hash of weights, preprocessing, tokenizer and dtype."""

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
        """Embed images; (n, dim) float32 on the CPU, rows of Euclidean length 1.

        Raises:
            BadInput: no image, or one that `images.safe_open` refuses.
        """

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts; (n, dim) float32 on the CPU, rows of Euclidean length 1.

        A text longer than the model's context is cut; `read` says what was cut.

        Raises:
            BadInput: no text, or a blank one.
        """

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Say how each text is read: what the tokenizer gets, and what is cut off."""


class TowerEncoder(Protocol):
    """The two halves of a model that the scheduler drives: preparation anywhere, encoding on the device."""

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB picture; (3, size, size) uint8 on the CPU."""

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Clean, tokenize and cut; ids are trimmed to what this model needs."""

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, unit rows; no gradient."""

    def encode_features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, size, size) uint8 -> (n, dim) unit rows, and (n, width) before the projection; float32 on the CPU."""

    def encode_tokens(self, tokens: Tokens) -> Tensor:
        """Tokens of n texts -> (n, dim) float32 on the CPU, unit rows; no gradient."""


@dataclass(frozen=True)
class Anatomy:
    """What can be looked at inside a tower."""

    kind: str  # "convolutional", "vit" (tokens on a grid), "text" (tokens of a text) or "flat" (no layers)
    layers: dict[str, nn.Module] = field(default_factory=dict)  # block name -> module, input side first
    grid: tuple[int, int] = (0, 0)  # of the last block: rows, columns
    prefix_tokens: int = 0  # ViT: class and register tokens in front of the grid
    head: Head | None = None  # how the last layer becomes the embedding, where that is linear

    def pick(self, names: Iterable[str]) -> dict[str, nn.Module]:
        """Return layers by name; "last" is the one nearest to the output.

        Raises:
            UnknownName: there is no such layer; the message lists those there are.
        """
        picked = {}
        for name in names:
            known = next(reversed(self.layers), name) if name == "last" else name
            if known not in self.layers:
                raise unknown_name("layer", name, self.layers)
            picked[name] = self.layers[known]
        return picked


class WhiteBox(Protocol):
    """A model whose inside is open: gradients to pixels and to soft text, named layers, interventions."""

    @property
    def anatomy(self) -> Anatomy:
        """Layers, token grid and kind of the image tower."""

    @property
    def text_anatomy(self) -> Anatomy:
        """Layers of the text tower."""

    @property
    def image_size(self) -> int:
        """Side of the square that the image tower sees, in pixels."""

    @property
    def dim(self) -> int:
        """Width of the joint space."""

    @property
    def logit_scale(self) -> float:
        """What a cosine is multiplied with."""

    @property
    def device(self) -> torch.device:
        """Where pixels and tokens have to be."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""

    @property
    def token_table(self) -> Tensor:
        """The text tower's input embeddings, (vocabulary, width).

        Raises:
            Unsupported: the text tower has no such table.
        """

    def passes(self, pixels: Tensor) -> Iterator[Tensor]:
        """Yield (m, 3, size, size) in 0..1 on the device: (n, 3, size, size) uint8 in parts of one pass each."""

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) in 0..1 -> (n, dim) on the device, unit rows, with gradient."""

    def embed_raw(self, pixels: Tensor) -> Tensor:
        """As `embed_pixels`, of the lengths that the image tower gives."""

    def embed_tokens(self, tokens: Tokens, soft: Tensor | None = None) -> Tensor:
        """Tokens of n texts -> (n, dim) on the device, unit rows, with gradient.

        Args:
            tokens: ids and mask; they decide length and where the text ends.
            soft: (n, length, width) rows in place of those of `token_table`; gradients flow to them.

        Raises:
            Unsupported: the text tower has no table of tokens.
        """

    def activations(self, pixels: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Outputs of image layers, with gradient: (n, channels, rows, columns) or (n, tokens, width) by name.

        Raises:
            UnknownName: there is no such layer.
        """

    def text_activations(self, tokens: Tokens, layers: Sequence[str]) -> dict[str, Tensor]:
        """Outputs of text layers, with gradient: (n, tokens, width) by name."""

    def intervened(self, *image: Intervention, text: Sequence[Intervention] = ()) -> AbstractContextManager[None]:
        """Change units of layers for the length of a `with` block, which must not outlast a step of a job."""

    def attention(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Embeddings as `embed_pixels`, and per block (n, heads, tokens, tokens) attention, both with gradient.

        Raises:
            Unsupported: the image tower has no attention blocks.
        """

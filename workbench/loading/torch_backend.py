"""The one class behind every loaded checkpoint: two towers, a tokenizer and a preprocessing, joined to a `ClipBackend`.

Knows neither transformers nor open_clip: their rooms hand over `Towers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from workbench.backend import Anatomy, Reading, Tokens
from workbench.errors import BadInput, Unsupported
from workbench.images import Preprocessing, normalise, prepare, safe_open, unit_range
from workbench.text import check_texts

if TYPE_CHECKING:
    from PIL import Image

    from workbench.backend import Picture
    from workbench.models import ModelSpec

BATCH = 32  # pictures or texts of one pass


@dataclass(frozen=True)
class Towers:
    """What a model library hands over."""

    module: nn.Module  # owns all weights
    image: Callable[[Tensor], Tensor]  # (n, 3, size, size) normalised -> (n, dim), any length
    text: Callable[[Tensor, Tensor], Tensor]  # ids, mask -> (n, dim), any length
    tokenize: Callable[[Sequence[str]], Tokens]
    preprocessing: Preprocessing
    anatomy: Anatomy
    dim: int
    logit_scale: float
    logit_bias: float = 0.0
    attention: Callable[[Tensor], tuple[Tensor, list[Tensor]]] | None = None  # normalised pixels; eager


class TorchBackend:
    """A loaded checkpoint on a device; fulfils `ClipBackend`, `Encoder` and `WhiteBox`."""

    def __init__(self, spec: ModelSpec, towers: Towers, fingerprint: str) -> None:
        self.spec = spec
        self.towers = towers
        self.fingerprint = fingerprint
        self.dim = towers.dim
        self.logit_scale = towers.logit_scale
        self.logit_bias = towers.logit_bias
        self.preprocessing = towers.preprocessing
        self.image_size = towers.preprocessing.size
        self.anatomy = towers.anatomy

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.towers.module.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are."""
        return next(self.towers.module.parameters()).dtype

    def embed_images(self, images: Sequence[Picture]) -> Tensor:
        """Embed pictures; (n, dim) float32 on the CPU, unit rows."""
        if not images:
            raise BadInput("Give at least one picture; got none.")
        batches = [images[i : i + BATCH] for i in range(0, len(images), BATCH)]
        return torch.cat(
            [self.encode_pixels(torch.stack([self.prepare(safe_open(one)) for one in batch])) for batch in batches]
        )

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts; (n, dim) float32 on the CPU, unit rows."""
        check_texts(texts)
        batches = [texts[i : i + BATCH] for i in range(0, len(texts), BATCH)]
        return torch.cat([self.encode_tokens(self.tokenize(batch)) for batch in batches])

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Say how each text is read."""
        check_texts(texts)
        return list(self.tokenize(texts).readings)

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB picture; (3, size, size) uint8."""
        return prepare(image, self.preprocessing)

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Clean, tokenize and cut."""
        return self.towers.tokenize(texts)

    @torch.inference_mode()
    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, unit rows."""
        return self.embed_pixels(unit_range(pixels.to(self.device))).float().cpu()

    @torch.inference_mode()
    def encode_tokens(self, tokens: Tokens) -> Tensor:
        """Tokens of n texts -> (n, dim) float32 on the CPU, unit rows."""
        rows = self.towers.text(tokens.ids.to(self.device), tokens.mask.to(self.device))
        return nn.functional.normalize(rows.float(), dim=-1).cpu()

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) in 0..1 -> (n, dim) float32 on the device, unit rows, with gradient."""
        rows = self.towers.image(normalise(pixels, self.preprocessing).to(self.dtype))
        return nn.functional.normalize(rows.float(), dim=-1)

    def attention(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Embeddings, and per block (n, heads, tokens, tokens) attention, both with gradient."""
        if self.towers.attention is None:
            raise Unsupported(f"{self.spec.title} has no attention blocks in its image tower.")
        rows, maps = self.towers.attention(normalise(pixels, self.preprocessing).to(self.dtype))
        return nn.functional.normalize(rows.float(), dim=-1), maps

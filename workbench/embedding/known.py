"""Embeddings that exist already, in the form of a model, so that every analysis can use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import ClipBackend, Picture, Reading


class KnownVectors:
    """A `ClipBackend` for the images in `vectors`: path -> (dim,) float32 of unit length; texts are embedded once."""

    def __init__(self, backend: ClipBackend, vectors: Mapping[str, Tensor] | None = None) -> None:
        self.vectors = dict(vectors or {})
        self.spec = backend.spec
        self.fingerprint = backend.fingerprint
        self.dim = backend.dim
        self.logit_scale = backend.logit_scale
        self.logit_bias = backend.logit_bias
        self._backend = backend
        self._texts: dict[tuple[str, ...], Tensor] = {}

    def embed_images(self, images: Sequence[Picture]) -> Tensor:
        """Return the vectors of images; (n, dim) float32 on the CPU, unit rows.

        Raises:
            KeyError: an image that is not among the vectors.
        """
        import torch

        return torch.stack([self.vectors[str(image)] for image in images])

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, or return the rows of an earlier call with the same texts; (n, dim) float32, unit rows."""
        key = tuple(texts)
        if key not in self._texts:
            self._texts[key] = self._backend.embed_texts(texts)
        return self._texts[key]

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return how each text is tokenized."""
        return self._backend.read(texts)

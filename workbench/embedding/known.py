"""A model that has seen its pictures already: vectors that exist, behind the contract that the mathematics asks for.

Knows no files. Texts are embedded once, however often they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import ClipBackend, Picture, Reading


class KnownVectors:
    """Fulfils `ClipBackend` for the pictures in `vectors`: path -> (dim,) float32 of unit length."""

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
        """Look the pictures up; (n, dim) float32 on the CPU, unit rows.

        Raises:
            KeyError: a picture that is not among the vectors.
        """
        import torch

        return torch.stack([self.vectors[str(image)] for image in images])

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, or return what was embedded for the same ones before; (n, dim) float32, unit rows."""
        key = tuple(texts)
        if key not in self._texts:
            self._texts[key] = self._backend.embed_texts(texts)
        return self._texts[key]

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Say how each text is read."""
        return self._backend.read(texts)

"""Embed many images: they are prepared on other threads while the model works, and returned in order.

prefetch   prepare groups of items in advance, for every pipeline
files      image files to rows
known      embeddings that exist already, in the form of a model
"""

from __future__ import annotations

from workbench.embedding.files import EmbeddedFile, embed_files
from workbench.embedding.known import KnownVectors
from workbench.embedding.prefetch import prefetch

__all__ = ["EmbeddedFile", "KnownVectors", "embed_files", "prefetch"]

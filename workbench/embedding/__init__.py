"""Embed many images: they are prepared on other threads while the model works, and returned in order.

prefetch   prepare groups of items in advance, for every pipeline
files      images to rows
chunks     a long list in parts
"""

from __future__ import annotations

from workbench.embedding.chunks import in_chunks
from workbench.embedding.files import EmbeddedFile, embed_files
from workbench.embedding.prefetch import prefetch

__all__ = ["EmbeddedFile", "embed_files", "in_chunks", "prefetch"]

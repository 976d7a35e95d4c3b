"""Stores of embeddings: (model fingerprint, kind, hash of the content) -> one row of numbers.

The fingerprint covers weights, preprocessing and dtype, so nothing leaks between models or dtypes. Images that visitors
upload are stored in memory only; the disk is for what its owner asked to keep.
"""

from __future__ import annotations

from workbench.cache.content import Key, file_key, picture_key, text_key
from workbench.cache.disk import CacheUsage, DiskCache
from workbench.cache.memory import MemoryCache
from workbench.cache.store import EmbeddingStore

__all__ = ["CacheUsage", "DiskCache", "EmbeddingStore", "Key", "MemoryCache", "file_key", "picture_key", "text_key"]

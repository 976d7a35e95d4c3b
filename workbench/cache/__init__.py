"""What was embedded once is kept: (model fingerprint, kind, hash of the content) -> one row of numbers.

The fingerprint stands for weights, preprocessing and dtype, so nothing leaks between models or dtypes. Knows no model
and no device. Pictures that visitors upload live in memory only; the disk is for what its owner asked to keep.
"""

from __future__ import annotations

from workbench.cache.content import Key, file_key, picture_key, text_key
from workbench.cache.disk import CacheUsage, DiskCache
from workbench.cache.memory import MemoryCache

__all__ = ["CacheUsage", "DiskCache", "Key", "MemoryCache", "file_key", "picture_key", "text_key"]

"""Embed many pictures: the files are decoded on other threads while the model works, and come back in order.

`local` does it on one machine; `known` lets the mathematics work on vectors that exist already. Knows no screen and no
table: what a row is written to is the caller's affair.
"""

from __future__ import annotations

from workbench.embedding.known import KnownVectors
from workbench.embedding.local import Embedded, embed_files

__all__ = ["Embedded", "KnownVectors", "embed_files"]

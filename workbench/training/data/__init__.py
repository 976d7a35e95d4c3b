"""Pictures with their sentences, from folders, tables and archives, and the batches that are made of them.

Nothing is unpacked to the disk, and every picture goes through the workbench's own safe opening.
"""

from __future__ import annotations

from workbench.training.data.batches import Batches, View
from workbench.training.data.pairs import Found, Pair
from workbench.training.data.sources import KINDS, find_pairs

__all__ = ["KINDS", "Batches", "Found", "Pair", "View", "find_pairs"]

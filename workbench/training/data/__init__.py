"""Pairs of images and texts, and the batches that training makes of them."""

from __future__ import annotations

from workbench.training.data.batches import Batches, View
from workbench.training.data.pairs import KINDS, ImageTextPair, PairListing, find_pairs

__all__ = ["KINDS", "Batches", "ImageTextPair", "PairListing", "View", "find_pairs"]

"""Measures of the shipped model, one file each; every share has its count and Wilson interval.

Everything asked here is kept apart from training: photos, small photos, emoji styles and font families. Measures take
any `ClipBackend`, so that the same questions can be put to another checkpoint.
"""

from workbench.training.pocket.quality.answers import HeldOut, QualityAnswer, write

__all__ = ["HeldOut", "QualityAnswer", "write"]

"""What pocket must do, measured: one file a question, each share with its count and interval.

Everything asked here is kept apart from training: photos, small photos, emoji styles and font families. Measures take
any `ClipBackend`, so that the same questions can be put to another checkpoint.
"""

from workbench.training.pocket.quality.answers import Answer, Apart, table

__all__ = ["Answer", "Apart", "table"]

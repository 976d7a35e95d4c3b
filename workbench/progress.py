"""How far a long job is: the one type that attribution, training, audits, downloads and every view report with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Progress:
    """One report of a long job, as plain data that can be pickled and sent to another process."""

    done: int
    total: int  # 0 where it is not known
    unit: str  # what is counted, in the plural: images, steps, positions
    stage: str = ""  # of a job with several: read, embed, score, analyse
    rate: float = 0.0  # units per second; 0 where nothing was measured yet
    seconds_left: float | None = None  # to the end of the stage, by that rate
    values: Mapping[str, float] = field(default_factory=dict)  # measured in this step, as loss and learning rate
    text: str = ""  # what else there is to say; mostly empty
    preview: NDArray[np.uint8] | None = field(default=None, compare=False)  # (height, width, 3) RGB: the result so far

    @classmethod
    def timed(cls, done: int, total: int, unit: str, *, seconds: float, computed: int, stage: str = "") -> Progress:
        """Make a report with rate and time left: `computed` units took `seconds`; those from a cache do not count."""
        rate = computed / seconds if computed > 0 and seconds > 0 else 0.0
        return cls(done, total, unit, stage, rate, (total - done) / rate if rate and total else None)

    @property
    def line(self) -> str:
        """The report in one line: "12 of 40 images, 3.1 images/s, 0:09 left"."""
        parts = [f"{self.done} of {self.total} {self.unit}" if self.total else f"{self.done} {self.unit}"]
        if self.rate:
            parts.append(f"{self.rate:.{0 if self.rate >= 10 else 1}f} {self.unit}/s")
        if self.seconds_left is not None:
            parts.append(f"{int(self.seconds_left) // 60}:{int(self.seconds_left) % 60:02d} left")
        return ", ".join(parts)

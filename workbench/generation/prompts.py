"""The algebra of prompts: `a castle:1 | fog:0.5 | text:-0.3` are three texts with weights."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from workbench.errors import BadInput
from workbench.text import check_texts

MOST = 12  # texts of one prompt
MOST_WEIGHT = 10.0
_WEIGHTED = re.compile(r"^(.*):\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$", re.DOTALL)


@dataclass(frozen=True)
class WeightedText:
    """One text and how much it counts; below zero, the image shall not show it."""

    text: str
    weight: float = 1.0

    def __str__(self) -> str:
        return self.text if self.weight == 1 else f"{self.text}:{self.weight:g}"


def parse_prompt(prompt: str) -> tuple[WeightedText, ...]:
    """Split a prompt at `|`; a number after the last colon of a part is its weight, 1 where there is none.

    Raises:
        BadInput: blank, too many parts, a weight out of bounds, or none above zero.
    """
    if not isinstance(prompt, str) or not prompt.strip():
        raise BadInput("Describe the image to make, such as “a red apple”; the prompt is empty.")
    parts = []
    for part in prompt.split("|"):
        match = _WEIGHTED.match(part)
        text, weight = (match[1].strip(), float(match[2])) if match else (part.strip(), 1.0)
        if not text:
            raise BadInput(f"Every part between “|” needs a text; got {part.strip()!r} in {prompt[:80]!r}.")
        if not math.isfinite(weight) or abs(weight) > MOST_WEIGHT:
            raise BadInput(f"Weights lie between -{MOST_WEIGHT:g} and {MOST_WEIGHT:g}; got {weight:g} for {text!r}.")
        parts.append(WeightedText(text, weight))
    if len(parts) > MOST:
        raise BadInput(f"A prompt has at most {MOST} parts; got {len(parts)}.")
    if not any(part.weight > 0 for part in parts):
        raise BadInput("At least one part needs a weight above zero: only then is there something to show.")
    check_texts([part.text for part in parts])
    return tuple(parts)

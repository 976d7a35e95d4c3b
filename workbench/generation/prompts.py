"""The algebra of prompts: `a castle:1 | fog:0.5 | unit:last/373:0.3 | facet:drawing` are texts, a unit and a facet."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from workbench.errors import BadInput
from workbench.text import check_texts

MOST = 12  # texts of one prompt
MOST_WEIGHT = 10.0
_FACETS = ("photo", "drawing", "word")  # of the built-in images; see `neurons.corpus`
_UNIT = re.compile(r"^unit:\s*(.+)/(\d{1,6})$")
_WEIGHTED = re.compile(r"^(.*):\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$", re.DOTALL)


@dataclass(frozen=True)
class WeightedText:
    """One text and how much it counts; below zero, the image shall not show it."""

    text: str
    weight: float = 1.0

    def __str__(self) -> str:
        return self.text if self.weight == 1 else f"{self.text}:{self.weight:g}"


@dataclass(frozen=True)
class WeightedUnit:
    """One unit of the steering model's image tower and how much it counts; below zero, it shall not respond."""

    layer: str  # a name in the anatomy's layers, or "last"
    unit: int
    weight: float = 1.0


def parse_units(prompt: str) -> tuple[WeightedUnit, ...]:
    """The parts of a prompt that name units: `unit:LAYER/NUMBER`, with a weight as texts have.

    Raises:
        BadInput: see `parse_prompt`.
    """
    units = []
    for part, weight in _parts(prompt):
        if match := _UNIT.match(part):
            units.append(WeightedUnit(match[1].strip(), int(match[2]), weight))
        elif part.startswith("unit:"):
            raise BadInput(f"A unit is named by layer and number, such as unit:last/373; got {part!r}.")
    return tuple(units)


def parse_facets(prompt: str) -> tuple[WeightedText, ...]:
    """The parts of a prompt that name facets, in the manner of which the image shall show its texts: `facet:drawing`.

    Raises:
        BadInput: see `parse_prompt`; a facet that is none of these: photo, drawing, word.
    """
    facets = [WeightedText(part[6:].strip(), weight) for part, weight in _parts(prompt) if part.startswith("facet:")]
    for facet in facets:
        if facet.text not in _FACETS:
            raise BadInput(
                f"A facet is {', '.join(_FACETS[:-1])} or {_FACETS[-1]}, such as facet:drawing; got {facet.text!r}."
            )
    return tuple(facets)


def parse_prompt(prompt: str) -> tuple[WeightedText, ...]:
    """The texts of a prompt, which `|` separates; a number after the last colon of a part is its weight, else 1.

    Raises:
        BadInput: blank, too many parts, a weight out of bounds, or none above zero.
    """
    parts = _parts(prompt)
    parse_units(prompt)
    parse_facets(prompt)
    texts = tuple(WeightedText(part, weight) for part, weight in parts if not part.startswith(("unit:", "facet:")))
    if not any(text.weight > 0 for text in texts):
        raise BadInput("At least one text needs a weight above zero: only then is there something to show.")
    check_texts([text.text for text in texts])
    return texts


def _parts(prompt: str) -> list[tuple[str, float]]:
    """Each part without its weight, and the weight."""
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
        parts.append((text, weight))
    if len(parts) > MOST:
        raise BadInput(f"A prompt has at most {MOST} parts; got {len(parts)}.")
    return parts

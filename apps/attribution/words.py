"""What the view and the API say of a map."""

from __future__ import annotations

import math
from dataclasses import astuple

from apps.shared.query import percent
from workbench import attribution


def checked(result: attribution.Attribution) -> list[str]:
    """Return a sentence on whether the map holds, or none where nothing was tested."""
    test = result.deletion
    if test is None:
        return []
    if result.objective == "contrast":
        name, values = "probability", [percent((1 + math.tanh(odds / 2)) / 2) for odds in astuple(test)]
    else:
        name, values = "cosine", [f"{cosine:.3f}" for cosine in astuple(test)]
    whole, most, least = values
    doubt = "" if test.holds else " So the answer does not rest on what this map names most."
    return [
        f"Check: with the most telling quarter of the image blurred, the {name} is {most} instead of {whole}; "
        f"with the least telling quarter blurred, {least}.{doubt}"
    ]

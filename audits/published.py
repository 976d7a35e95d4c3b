"""Published numbers beside the measures that they are about, by one rule.

A measure gets the row of the measured model (its catalogue key), or else the first row of the protocol for the same
metric and slice; a row that names no label set is about every label set. The row's model is named in the source either
way. Gaps and changes get none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audits.protocol import Published
from workbench.statistics.measures import Measure

LABEL_SET = "label_set"  # key in a published number's slice that names the label set


def with_published(measures: Sequence[Measure], published: Sequence[Published], model: str) -> list[Measure]:
    """Return the measures with `published_value` and `published_source` filled in.

    `model` is the catalogue key of the measured model.
    """
    ordered = sorted(published, key=lambda entry: entry.key != model)
    result = []
    for measure in measures:
        where = {LABEL_SET: measure.label_set, **measure.slice}
        row = next(
            (
                entry
                for entry in ordered
                if entry.metric == measure.metric and where == {LABEL_SET: measure.label_set, **entry.slice}
            ),
            None,
        )
        if row is not None and measure.contrast == "none":
            measure = replace(measure, published_value=row.value, published_source=f"{row.model}: {row.source}")
        result.append(measure)
    return result

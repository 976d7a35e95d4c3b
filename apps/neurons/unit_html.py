"""A unit's page inside the view: sections that open and close, from the same templates as the offline file.

`gr.Markdown` shows it, sanitised: `gr.HTML` evaluates strings, which the page's security policy forbids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from apps.shared.markdown import in_markdown
from workbench.neurons.activations import Survey, join
from workbench.neurons.page import fragment, images_html
from workbench.neurons.unit import SHOWN, GalleryImage, UnitReport

SECTIONS = (  # part of the page, heading, open from the start
    ("names", "Names, with evidence", True),
    ("strongest", "Strongest images", True),
    ("words", "Words that it raises and lowers", True),
    ("used", "Used most for the answer “{answer}”", False),
    ("range", "Images over the whole range of activation", False),
    ("histogram", "Histogram of activations", False),
    ("forms", "Photo, drawing or written word", False),
    ("relatives", "Similar and correlated units", False),
)


def page_html(report: UnitReport, where: Mapping[str, str]) -> str:
    """Return the page's sections; user text in them is escaped by the templates."""
    from markupsafe import escape

    parts = []
    for part, heading, is_open in SECTIONS:
        title = escape(heading.format(answer=report.answer))
        opened = " open" if is_open else ""
        body = fragment(report, part, where=where)
        parts.append(f"<details{opened} class='unit-part'><summary>{title}</summary>{body}</details>")
    return in_markdown("".join(parts))


def gallery_html(seen: Sequence[Survey], unit: int) -> str:
    """Return the strongest images among those seen so far, or nothing."""
    if not any(part.items for part in seen):
        return ""
    survey = join(seen)
    values = survey.of(unit)
    order = np.argsort(-values, kind="stable")[:SHOWN]
    shown = [GalleryImage(survey.items[place], float(values[place])) for place in order]
    return in_markdown(f"<p>Strongest images so far:</p>{images_html(shown)}")

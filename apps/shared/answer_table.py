"""An answer as a table with bars, in HTML: it needs no script, so the first answer waits for none."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from apps.shared.query import percent


def answer_table(ranked: Sequence[tuple[str, float, float]]) -> str:
    """Return a table of labels: a bar, probability and cosine of each, in one line; labels are escaped.

    Args:
        ranked: label, probability, cosine.
    """
    lines = "".join(
        f'<tr><th scope="row">{escape(" ".join(name.split()))}</th>'
        f'<td class="bar"><span style="width:{100 * chance:.1f}%"></span></td>'
        f"<td>{percent(chance)}</td><td>{cosine:.3f}</td></tr>"
        for name, chance, cosine in ranked
    )
    head = '<tr><th scope="col">label</th><td></td><th scope="col">probability</th><th scope="col">cosine</th></tr>'
    return f'<div class="answer-table"><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>'

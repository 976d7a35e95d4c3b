"""Markdown from audits and data sets as harmless HTML: no raw HTML, no images, no scripts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST = 20_000  # characters of one text


def html(text: str) -> Markup:
    """Return Markdown as HTML; what looks like HTML in it is shown, not obeyed."""
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    if not text.strip():
        return Markup("")
    scroll = '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>'
    page = _parser().render(shown).replace("<table>", scroll).replace("</table>", "</table></div>")
    return Markup(page)


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "heading", "lheading"])

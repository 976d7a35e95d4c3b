"""Words from outside, made harmless to read: control and direction marks become visible, long ones are cut."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from markupsafe import Markup

from audits.run_directory.rows import slice_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST_MARKDOWN = 20_000  # characters of one text
LONGEST = 200  # characters of a name in a table; the CSV, Parquet and JSON files keep all
_MARKDOWN = {sign: f"&#{ord(sign)};" for sign in "|<>&@#"} | {sign: "\\" + sign for sign in "\\`*_{}[]!~$"}
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # Unicode's categories
JOINER = "\u200d"  # holds emoji together: kept


def visible(text: object, limit: int = LONGEST) -> str:
    """Return text on one line, in which nothing is hidden and nothing is longer than `limit`.

    Control characters, direction marks, lone surrogates and unassigned characters are written as ⟨U+202E⟩.
    """
    line = " ".join(str(text).split()) if not isinstance(text, str) or "\n" in text else text
    shown = "".join(
        f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign) in _HIDDEN and sign not in (JOINER, "\t") else sign
        for sign in line[:limit]
    )
    return shown if len(line) <= limit else f"{shown}… ({len(line):,} characters)"


def slice_text(value: object) -> str:
    """Write a slice for people: "race Black, age 20-29", or "all"."""
    parts = slice_of(value)
    return ", ".join(f"{visible(key).replace('_', ' ')} {visible(part)}" for key, part in parts.items()) or "all"


def markdown_cell(text: object, limit: int = 80) -> str:
    """Return text for a cell of a Markdown table: nothing in it is read as Markdown, HTML, a mention or a reference."""
    return "".join(_MARKDOWN.get(sign, sign) for sign in visible(text, limit))


def markdown_row(cells: Iterable[object], limit: int = 80) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(markdown_cell(cell, limit) for cell in cells) + " |"


def html(text: str) -> Markup:
    """Return Markdown as harmless HTML: no images or headings; what looks like HTML in it is shown, not obeyed."""
    shown = text if len(text) <= LONGEST_MARKDOWN else text[:LONGEST_MARKDOWN] + "…"
    if not text.strip():
        return Markup("")
    scroll = '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>'
    page = _parser().render(shown).replace("<table>", scroll).replace("</table>", "</table></div>")
    return Markup(page)


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "heading", "lheading"])

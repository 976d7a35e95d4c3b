"""Addresses of searches: `/?index=NAME&q=TEXT&where=…#search` fills the view in and starts the search."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import gradio as gr

from apps.search.finding import SearchForm
from apps.search.words import unknown_index
from apps.shared import index_choice as choice
from apps.shared.index_choice import OWN
from workbench.retrieval.ordering import SORTS

SETTINGS = ("where", "sort", "weaker", "safe")  # widgets besides index and query, in this order
LONGEST = 1000  # characters of a value


def of(index: str, form: SearchForm) -> str:
    """Return a link to a search as Markdown; empty for one's own index or an example image, which nobody else has."""
    if index == OWN or form.image or not form.text.strip():
        return ""
    parts = {"index": index, "q": form.text.strip(), "where": form.where.strip(), "sort": form.sort}
    parts |= {name: "1" for name in ("weaker", "safe") if getattr(form, name)}
    given = {name: value for name, value in parts.items() if value and (name, value) != ("sort", "score")}
    return f" [Link to this search](?{urlencode(given)}#search)"


def read(request: gr.Request) -> tuple[Any, ...]:
    """Offer this machine's indexes, and fill in what an address says.

    The last two values are what there is to say about the address, and a text that starts the search.
    """
    parts = {name: str(value)[:LONGEST] for name, value in (dict(request.query_params) if request else {}).items()}
    choices = choice.offered()
    chosen = parts.get("index", OWN) if parts.get("index") in choices else OWN
    listed = gr.update(choices=choices, value=chosen)
    if "q" not in parts:  # nothing to fill in: what was typed meanwhile stays
        return listed, *(gr.skip() for _ in ("q", *SETTINGS, "said", "start"))
    sort = parts.get("sort", "score")
    settings = (parts.get("where", ""), sort if sort in SORTS else "score", "weaker" in parts, "safe" in parts)
    if chosen == OWN:
        return listed, parts["q"], *settings, unknown_index(parts["index"]) if "index" in parts else gr.skip(), ""
    return listed, parts["q"], *settings, gr.skip(), parts["q"]

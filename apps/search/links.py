"""Addresses of searches: `/?index=NAME&q=TEXT&where=…#search` fills the view in and starts the search."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import gradio as gr

from apps import _index_choice as choice
from apps._index_choice import OWN
from apps.search.finding import Asked
from apps.search.words import unknown_index
from workbench.retrieval.ordering import SORTS

SETTINGS = ("where", "sort", "weaker", "safe")  # widgets besides index and query, in this order
LONGEST = 1000  # characters of a value


def of(index: str, asked: Asked) -> str:
    """Return a link to a search as Markdown; empty for one's own index or an example image, which nobody else has."""
    if index == OWN or asked.image or not asked.text.strip():
        return ""
    parts = {"index": index, "q": asked.text.strip(), "where": asked.where.strip(), "sort": asked.sort}
    parts |= {name: "1" for name in ("weaker", "safe") if getattr(asked, name)}
    given = {name: value for name, value in parts.items() if value and (name, value) != ("sort", "score")}
    return f" [Link to this search](?{urlencode(given)}#search)"


def read(request: gr.Request) -> tuple[Any, ...]:
    """Offer this machine's indexes, and fill in what an address says.

    The last two values are what there is to say about the address, and a text that starts the search.
    """
    asked = {name: str(value)[:LONGEST] for name, value in (dict(request.query_params) if request else {}).items()}
    choices = choice.offered()
    chosen = asked.get("index", OWN) if asked.get("index") in choices else OWN
    listed = gr.update(choices=choices, value=chosen)
    if "q" not in asked:  # nothing to fill in: what was typed meanwhile stays
        return listed, *(gr.skip() for _ in ("q", *SETTINGS, "said", "start"))
    sort = asked.get("sort", "score")
    settings = (asked.get("where", ""), sort if sort in SORTS else "score", "weaker" in asked, "safe" in asked)
    if chosen == OWN:
        return listed, asked["q"], *settings, unknown_index(asked["index"]) if "index" in asked else gr.skip(), ""
    return listed, asked["q"], *settings, gr.skip(), asked["q"]

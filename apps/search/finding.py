"""What the search view computes: a query as typed, results, near-duplicates, hubness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.engine import Session
from workbench.errors import BadInput
from workbench.retrieval.ask import ask
from workbench.retrieval.filters import compile_filter
from workbench.retrieval.hubs import QueryBank
from workbench.retrieval.index import ModelTable
from workbench.retrieval.memory import table_vectors
from workbench.retrieval.ordering import ordered
from workbench.retrieval.query import Term, parse_query, texts_of
from workbench.retrieval.safety import unsafe
from workbench.retrieval.search import Hit, Results
from workbench.retrieval.stock import stock_vectors

TOP = 120  # results that are kept for paging
SAME = 0.97  # cosine from which two images count as near-duplicates


@dataclass(frozen=True)
class SearchForm:
    """A search as a visitor typed it."""

    text: str
    image: str | None
    image_weight: float
    where: str
    weaker: bool  # show what does not fit, too
    fold: bool  # near-duplicates
    correct_hubs: bool
    sort: str = "score"  # of `ordering.SORTS`
    safe: bool = False  # hide what fits sentences about nudity or violence


def terms_of(form: SearchForm) -> tuple[Term, ...]:
    """Read a visitor's query; a path in the text is text.

    Raises:
        BadInput: neither text nor image; see `parse_query`.
    """
    terms = parse_query(form.text) if form.text.strip() else ()
    if form.image and form.image_weight:
        terms = (*terms, Term(form.image_weight, image=form.image))
    if not terms:
        raise BadInput("Type what you look for, or give an example image.")
    return terms


def check(form: SearchForm) -> None:
    """Refuse a query or a filter that cannot be read.

    Raises:
        BadInput: see `terms_of` and `compile_filter`.
    """
    terms_of(form)
    compile_filter(form.where)


def results_of(session: Session, table: ModelTable, form: SearchForm) -> Results:
    """Search for text, image or both.

    Raises:
        BadInput: see `terms_of` and `ask`.
    """
    terms = terms_of(form)
    return ask(session, table, terms, top=TOP, where=form.where, correct_hubs=form.correct_hubs)


def remarked(form: SearchForm, near: Hit | None) -> dict[str, Any]:
    """Return what an answer's line remarks on: the example image, and texts in other languages."""
    return {} if near else {"image": form.image, "texts": texts_of(terms_of(form))}


def to_show(session: Session, results: Results, form: SearchForm) -> tuple[list[Hit], int]:
    """Return the results that are shown, in the order asked for, and how many safe mode hides.

    Those that fit, or all; of near-duplicates the best.
    """
    hits = list(results.hits if form.weaker else results.likely)
    hidden = 0
    if form.safe and hits:
        flagged = unsafe(session, np.stack([hit.vector for hit in hits]))
        hits, hidden = [hit for hit, bad in zip(hits, flagged, strict=True) if not bad], int(flagged.sum())
    return ordered(_folded(hits) if form.fold else hits, form.sort), hidden


def _folded(hits: Sequence[Hit]) -> list[Hit]:
    """Leave out what is a near-duplicate of a better result."""
    kept: list[Hit] = []
    for hit in hits:
        if not kept or float(np.max(np.stack([one.vector for one in kept]) @ hit.vector)) < SAME:
            kept.append(hit)
    return kept


def hubness_line(session: Session, table: ModelTable) -> str:
    """Say how much the correction evens out which images come up; empty for tables that are too large."""
    kept = table_vectors(table)
    if not kept.whole or kept.rows > 20_000:
        return ""
    before, after = QueryBank(stock_vectors(session)).hubness(kept)
    return f" Hubness (skewness of how often an image comes up): {before:.2f} before the correction, {after:.2f} after."

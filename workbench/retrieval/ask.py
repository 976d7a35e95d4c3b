"""Ask an index: from a query as it was typed to results, with the null that belongs to the query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.retrieval.chance import Chance
from workbench.retrieval.hubs import QueryBank
from workbench.retrieval.query import Term, embed_query
from workbench.retrieval.rivals import rivals
from workbench.retrieval.search import Results, search
from workbench.retrieval.stock import stock_vectors

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.retrieval.index import ModelTable


def ask(
    session: Session, opened: ModelTable, terms: Sequence[Term], *, correct_hubs: bool = False, **options: Any
) -> Results:
    """Search a table for a query.

    Args:
        session: the table's model.
        opened: the table.
        terms: the query; with an image among them, results are measured against the index instead of stock sentences.
        correct_hubs: rank down images that answer to everything; see `hubs`.
        options: `top` and `where` of `search`.

    Raises:
        BadInput: see `embed_query` and `search`.
    """
    vector = embed_query(session, terms)
    stock = stock_vectors(session) if all(term.text for term in terms) else None
    hubs = QueryBank(stock_vectors(session)) if correct_hubs else None
    return search(opened, vector, chance=Chance(stock, rivals=rivals(session, terms)), hubs=hubs, **options)

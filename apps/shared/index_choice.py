"""Which index a visitor searches: what was added on the page, or one of this machine where nobody else is served."""

from __future__ import annotations

import os
from typing import Any

import gradio as gr

from apps.serving.options import SHARED
from workbench.engine import Session
from workbench.errors import BadInput, UnknownName
from workbench.retrieval import location
from workbench.retrieval.index import ModelTable, find_table

OWN = "What I added here"


def offered() -> list[str]:
    """Return the indexes to choose from: one's own, and this machine's where nobody else is served."""
    return [OWN, *([] if os.environ.get(SHARED) else location.names())]


def menu(given: str, label: str, elem_id: str) -> gr.Dropdown:
    """Lay out the choice between what is given in a view and this machine's indexes; hidden where others are served.

    A page fills it when it is opened. Its visibility is settled before, since Gradio drops a change of visibility in a
    view that was not opened yet.
    """
    info = "Indexes of this machine (command `index add`) are listed too."
    return gr.Dropdown(
        [given], value=given, label=label, info=info, elem_id=elem_id, visible=not os.environ.get(SHARED)
    )


def beside(given: str) -> Any:
    """Return the choices of a menu: what is given in a view, and this machine's indexes."""
    return gr.update(choices=[given, *(name for name in offered() if name != OWN)], value=given)


def place_of(chosen: str, own: str) -> str:
    """Return where an index lies.

    Raises:
        BadInput: nothing was added yet, or an index that is not offered.
    """
    if chosen not in offered():
        raise BadInput(f"Choose one of the indexes offered; got {chosen[:80]!r}.")
    if chosen == OWN and not own:
        raise BadInput("The index is empty: add images first, or press “Try the shipped images”.")
    return own if chosen == OWN else chosen


def open_table(place: str, session: Session, *, own: bool) -> ModelTable:
    """Open the table of the session's model.

    Raises:
        BadInput: it holds no vectors of this model, or it was deleted with the uploads.
    """
    try:
        return find_table(place, fingerprint=session.fingerprint, scope=session.scope)
    except UnknownName:
        if not own:
            raise
        raise BadInput("What you added was deleted after an hour without a change; add it again.") from None
    except BadInput:
        raise BadInput(
            "The images of this index were added with another model, and vectors of two models are never mixed. Choose "
            "that model, or add the images again."
        ) from None

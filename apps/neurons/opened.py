"""The atlases that are open: a few of them in memory for all visitors, others found on the disk or made now."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import gradio as gr

from apps.shared.jobs import Jobs
from workbench.engine import Session
from workbench.errors import BadInput
from workbench.neurons.activations import Survey
from workbench.neurons.atlas import Atlas
from workbench.neurons.atlas_building import find_or_build
from workbench.neurons.dictionary_atlas import LAYER as DICTIONARY
from workbench.neurons.layers import layer_name
from workbench.progress import Progress

UNITS = "units"  # the tab with the page of a unit
KEPT = 8  # atlases in memory; each takes about 10 MB
JOBS = Jobs("neurons", stopped="Stopped; nothing is being computed.")


class OpenAtlases:
    """The newest atlases, by model and layer; a dictionary is its visitor's alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], Atlas] = OrderedDict()

    def steps(self, session: Session, layer: str) -> Iterator[Progress | Survey | Atlas]:
        """Yield the atlas of the built-in images at once, or progress and parts while it is made.

        Raises:
            UnknownName, Unsupported: the tower has no such layer, or none at all.
            BadInput: a dictionary that was not learned, or is no longer open.
        """
        name = layer if layer == DICTIONARY else layer_name(session.anatomy, layer)
        with self._lock:
            known = self._known.get(_key(session, name))
        if known is None and name == DICTIONARY:
            raise BadInput("No dictionary of this model is open: learn one first, under “Sparse dictionary”.")
        if known is None:
            for step in find_or_build(session, name):
                if isinstance(step, Atlas):
                    known = step
                else:
                    yield step
            assert known is not None
        self.keep(session, name, known)
        yield known

    def keep(self, session: Session, layer: str, atlas: Atlas) -> None:
        """Keep an atlas of a model's layer; the one that was not used for longest goes."""
        key = _key(session, layer)
        with self._lock:
            self._known[key] = atlas
            self._known.move_to_end(key)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

    def ready(self, session: Session, layer: str) -> Atlas:
        """Return the atlas, making it first where needed."""
        *_, atlas = self.steps(session, layer)
        assert isinstance(atlas, Atlas)
        return atlas


def _key(session: Session, layer: str) -> tuple[str, str]:
    return session.fingerprint, f"{layer} of {session.owner}" if layer == DICTIONARY else layer


def unit_of_row(event: gr.SelectData) -> tuple[int, Any]:
    """Return the unit of a table's row, and the tab that its page opens in."""
    return int(event.row_value[0]), gr.Tabs(selected=UNITS)

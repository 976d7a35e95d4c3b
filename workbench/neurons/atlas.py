"""An atlas: what every unit of a layer does on a corpus, in one safetensors file, so that a unit's page opens at once.

Images are not in it: built-in ones are rendered again, those of a folder are opened where they lie.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import Unsupported, WeightsRefused
from workbench.heads import MeanHead
from workbench.neurons.activations import Survey
from workbench.neurons.corpus import CorpusItem
from workbench.neurons.layers import is_last, layer_name
from workbench.neurons.naming import UnitEvidence
from workbench.neurons.vocabulary import WordTable
from workbench.places import home, shipped, write_whole

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.loading.torch_backend import TorchBackend

BUILT_IN = "built-in"
SHIPPED = shipped("atlases")
_FORM = "clip-workbench atlas 1"


@dataclass(frozen=True, eq=False)
class Atlas:
    """A survey with the words that its units may be named with, and where each unit moves the embedding."""

    survey: Survey
    lexicon: WordTable
    corpus: str  # "built-in", or the name of a folder
    directions: NDArray[np.float32] | None  # (dim, units) in the last layer: where each unit moves the embedding
    linear: bool = False  # that effect is exact: an average and a projection follow
    offset: NDArray[np.float32] | None = None  # (dim,) bias of that projection

    @property
    def units(self) -> int:
        """Number of units of the layer."""
        return int(self.survey.values.shape[1])

    @functools.cached_property
    def evidence(self) -> UnitEvidence:
        """What corpus and vocabulary have to say about units."""
        return UnitEvidence(self.survey, self.lexicon)

    @functools.cached_property
    def embedded(self) -> NDArray[np.float32]:
        """(n, dim) embeddings before they are scaled to length 1, from the activations.

        Raises:
            Unsupported: the layer's effect on the embedding is not linear.
        """
        if not self.linear or self.directions is None:
            raise Unsupported(
                "Answers without a forward pass need the last layer of a tower that ends in an average and a "
                "projection, as EfficientNet does; here the layers above must run again."
            )
        rows: NDArray[np.float32] = self.survey.values @ self.directions.T
        return rows if self.offset is None else rows + self.offset


def atlas_of(model: Session | TorchBackend, seen: Survey, table: WordTable, *, corpus: str = BUILT_IN) -> Atlas:
    """Put an atlas together, with what the model's last step says about the layer's units."""
    head = model.anatomy.head
    if head is None or not is_last(model.anatomy, seen.layer):
        return Atlas(seen, table, corpus, None)
    directions = head.directions.detach().float().cpu().numpy()
    if not isinstance(head, MeanHead):
        return Atlas(seen, table, corpus, directions)
    bias = head.projection.bias
    return Atlas(
        seen, table, corpus, directions, linear=True,
        offset=None if bias is None else bias.detach().float().cpu().numpy(),
    )  # fmt: skip


def find_atlas(model: Session | TorchBackend, layer: str) -> Atlas | None:
    """Return the atlas of the built-in corpus that is shipped or was made before, or None."""
    name = layer_name(model.anatomy, layer)
    for path in (SHIPPED / _file_name(model.fingerprint, name), atlas_path(model.fingerprint, name, BUILT_IN)):
        if path.is_file():
            return read_atlas(path, model)
    return None


def atlas_path(fingerprint: str, layer: str, corpus: str) -> Path:
    """Return where an atlas is kept on this machine."""
    kind = "" if corpus == BUILT_IN else "-" + hashlib.sha256(corpus.encode()).hexdigest()[:8]
    return home() / "atlases" / _file_name(fingerprint, layer + kind)


def _file_name(fingerprint: str, layer: str) -> str:
    return f"{fingerprint[:16]}-{layer}.safetensors"


def write_atlas(atlas: Atlas, path: Path) -> None:
    """Write an atlas; activations and vectors in half precision.

    Raises:
        OutOfResources: it cannot be written.
    """
    from safetensors.numpy import save

    survey = atlas.survey
    arrays = {"values": survey.values, "embeddings": survey.embeddings, "words": atlas.lexicon.rows}
    facts = {
        "form": _FORM,
        "corpus": atlas.corpus,
        "layer": survey.layer,
        "fingerprint": survey.fingerprint,
        "items": json.dumps([list(asdict(item).values()) for item in survey.items]),
        "words": json.dumps(atlas.lexicon.words),
        "failed": json.dumps(survey.failed),
    }
    half = {name: np.ascontiguousarray(array.astype(np.float16)) for name, array in arrays.items()}
    write_whole(path, save(half, metadata=facts))


def read_atlas(path: Path, model: Session | TorchBackend) -> Atlas:
    """Read an atlas of a model.

    Raises:
        WeightsRefused: no such file, no atlas, or one of another model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            facts: dict[str, Any] = file.metadata() or {}
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise WeightsRefused(f"The atlas {path.name!r} cannot be read: {error}.") from None
    if facts.get("form") != _FORM:
        raise WeightsRefused(f"An atlas says {_FORM!r} in its header; {path.name!r} does not.")
    if facts["fingerprint"] != model.fingerprint:
        raise WeightsRefused(f"The atlas {path.name!r} belongs to another model, or to other weights of this one.")
    items = tuple(CorpusItem(*row) for row in json.loads(facts["items"]))
    seen = Survey(
        items, facts["layer"], arrays["values"], arrays["embeddings"], facts["fingerprint"],
        tuple(json.loads(facts["failed"])),
    )  # fmt: skip
    lexicon = WordTable(tuple(json.loads(facts["words"])), arrays["words"])
    return atlas_of(model, seen, lexicon, corpus=facts["corpus"])

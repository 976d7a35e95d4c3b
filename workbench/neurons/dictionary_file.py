"""A sparse dictionary in one safetensors file, and names for its features."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.errors import WeightsRefused
from workbench.neurons.corpus import CorpusItem
from workbench.neurons.dictionary import DictionarySettings, SparseDictionary
from workbench.neurons.vocabulary import WordTable
from workbench.places import write_whole

_FORM = "clip-workbench dictionary 1"
_ARRAYS = ("encoder", "bias", "decoder", "mean")
STRONGEST = 5  # images of a feature


@dataclass(frozen=True)
class DictionaryFeature:
    """One feature, by the words that it points to and the images that use it most."""

    number: int
    words: tuple[tuple[str, float], ...]  # word, cosine beyond what all words share
    shuffled: float  # best cosine of the same direction with its numbers in another order
    uses: int  # images that use it
    strongest: tuple[CorpusItem, ...]


def describe_features(
    dictionary: SparseDictionary,
    codes: NDArray[np.float32],
    items: tuple[CorpusItem, ...],
    *,
    table: WordTable,
    count: int = 20,
) -> list[DictionaryFeature]:
    """Describe the features that most images use.

    Args:
        dictionary: the learned one.
        codes: (n, features) of the corpus.
        items: n images.
        table: words with embeddings of the same model.
        count: features described.
    """
    generator = np.random.default_rng(dictionary.settings.seed)
    uses = (codes > 0).sum(axis=0)
    described = []
    for number in np.argsort(-uses, kind="stable")[:count]:
        row = dictionary.decoder[number]
        cosines = table.centred @ row
        best = np.argsort(-cosines, kind="stable")[:3]
        top = np.argsort(-codes[:, number], kind="stable")[: min(STRONGEST, int(uses[number]))]
        described.append(
            DictionaryFeature(
                int(number),
                tuple((table.words[place], float(cosines[place])) for place in best),
                float((table.centred @ generator.permutation(row)).max()),
                int(uses[number]),
                tuple(items[place] for place in top),
            )
        )
    return described


def write_dictionary(dictionary: SparseDictionary, path: Path, *, fingerprint: str) -> None:
    """Write a dictionary; `fingerprint` is that of the model whose vectors it is about.

    Raises:
        OutOfResources: it cannot be written.
    """
    from safetensors.numpy import save

    facts = {"form": _FORM, "fingerprint": fingerprint, "settings": json.dumps(asdict(dictionary.settings))}
    arrays = {name: np.ascontiguousarray(getattr(dictionary, name)) for name in _ARRAYS}
    write_whole(path, save(arrays, metadata=facts))


def read_dictionary(path: Path, *, fingerprint: str) -> SparseDictionary:
    """Read a dictionary.

    Raises:
        WeightsRefused: no such file, no dictionary, or one of another model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            facts = file.metadata() or {}
            encoder, bias, decoder, mean = (file.get_tensor(name) for name in _ARRAYS)
    except (OSError, SafetensorError) as error:
        raise WeightsRefused(f"The dictionary {path.name!r} cannot be read: {error}.") from None
    if facts.get("form") != _FORM:
        raise WeightsRefused(f"A dictionary says {_FORM!r} in its header; {path.name!r} does not.")
    if facts["fingerprint"] != fingerprint:
        raise WeightsRefused(f"The dictionary {path.name!r} belongs to another model.")
    return SparseDictionary(encoder, bias, decoder, mean, DictionarySettings(**json.loads(facts["settings"])))

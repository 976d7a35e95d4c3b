"""Makes an atlas: looks at every image of a corpus, in pieces that outlive a stop, and embeds the vocabulary."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.neurons import corpus as corpora
from workbench.neurons.activations import Survey, join, survey
from workbench.neurons.atlas import BUILT_IN, SHIPPED, Atlas, atlas_of, atlas_path, find_atlas, read_atlas, write_atlas
from workbench.neurons.corpus import CorpusItem
from workbench.neurons.layers import layer_name
from workbench.neurons.vocabulary import WordTable, embed_words, vocabulary
from workbench.places import home, write_whole
from workbench.progress import Progress

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.loading.torch_backend import TorchBackend

IN_PIECES = 2000  # images, from which on a corpus is written as it is looked at


def build_atlas(
    model: Session | TorchBackend,
    items: Sequence[CorpusItem],
    layer: str,
    *,
    corpus: str = BUILT_IN,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Progress | Survey | Atlas]:
    """Look at every image of a corpus and embed the vocabulary; yields progress and each part, and the atlas last.

    What was done before a stop is on the disk, and the next call goes on from there.

    Args:
        model: a session or a loaded model.
        items: the images.
        layer: a name in the anatomy's layers, or "last".
        corpus: its name.
        check: called while waiting; may raise to stop.

    Raises:
        BadInput: no image, or none that could be opened.
        UnknownName, Unsupported: the tower has no such layer, or none at all.
    """
    name = layer_name(model.anatomy, layer)
    half = _parts_folder(model.fingerprint, name, items)
    parts = _read_parts(half, items, name, fingerprint=model.fingerprint)
    done = sum(len(part.items) + len(part.failed) for part in parts)
    keep = len(items) > IN_PIECES
    if done < len(items):
        for step in survey(model, items, name, start=done, check=check):
            if isinstance(step, Progress):
                yield step
                continue
            parts.append(step)
            if keep and (step.items or step.failed):
                _write_part(half, step, len(parts))
            yield step
    yield Progress(0, len(vocabulary()), "words", "vocabulary")
    atlas = atlas_of(model, join(parts), word_table(model), corpus=corpus)
    for file in half.glob("*.safetensors"):
        file.unlink()
    yield atlas


def find_or_build(
    model: Session | TorchBackend, layer: str, files: Sequence[str] = (), *, known: bool = True
) -> Iterator[Progress | Survey | Atlas]:
    """Yield the atlas that is shipped or was made before; otherwise progress and parts, and at the end the atlas.

    Args:
        model: a session or a loaded model.
        layer: a name in the anatomy's layers, or "last".
        files: images to look at in place of the built-in ones; their atlas is not kept.
        known: whether an atlas that was made before will do.

    Raises:
        BadInput, UnknownName, Unsupported: see `build_atlas`.
    """
    name = layer_name(model.anatomy, layer)
    atlas = find_atlas(model, name) if known and not files else None
    if atlas is not None:
        yield atlas
        return
    items = corpora.folder(files) if files else corpora.built_in()
    for step in build_atlas(model, items, name, corpus=f"{len(files)} own images" if files else BUILT_IN):
        if isinstance(step, Atlas) and not files:
            write_atlas(step, atlas_path(model.fingerprint, name, BUILT_IN))
        yield step


def word_table(model: Session | TorchBackend) -> WordTable:
    """Return the vocabulary's embeddings: those of the model's shipped atlas, or computed now."""
    words = vocabulary()
    for path in SHIPPED.glob(f"{model.fingerprint[:16]}-*.safetensors"):
        known = read_atlas(path, model).lexicon
        if known.words == words:
            return known
    return WordTable(words, embed_words(model, words).numpy())


def _parts_folder(fingerprint: str, layer: str, items: Sequence[CorpusItem]) -> Path:
    corpus = hashlib.sha256("\n".join(item.key for item in items).encode()).hexdigest()[:16]
    return home() / "atlases" / f"{fingerprint[:16]}-{layer}-{corpus}.parts"


def _write_part(folder: Path, part: Survey, number: int) -> None:
    from safetensors.numpy import save

    keys = {"items": json.dumps([item.key for item in part.items]), "failed": json.dumps(part.failed)}
    write_whole(folder / f"{number:06d}.safetensors", save({"v": part.values, "e": part.embeddings}, metadata=keys))


def _read_parts(folder: Path, items: Sequence[CorpusItem], layer: str, *, fingerprint: str) -> list[Survey]:
    from safetensors import safe_open

    known = {item.key: item for item in items}
    parts = []
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="np") as file:
            facts = file.metadata()
            shown = tuple(known[key] for key in json.loads(facts["items"]))
            values, rows = file.get_tensor("v"), file.get_tensor("e")
            parts.append(Survey(shown, layer, values, rows, fingerprint, tuple(json.loads(facts["failed"]))))
    return parts

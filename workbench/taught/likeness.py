"""Whether an image is like what a model has seen: its largest cosine to what the model was taught.

A photo of a kind that training showed lies near one of the names; noise, tissue, a page or the sky lie near none. The
threshold is a conformal one: of photos that are like those it was chosen on, at most one in twenty is called unlike.

Source: Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World, section 4.2 (conformal anomaly
    detection); Hendrycks & Gimpel 2017, arXiv:1610.02136 (the score, here before the softmax).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.places import shipped
from workbench.taught.words import FOLDER, shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.backend import ClipBackend, Picture
    from workbench.checkpoints.spec import ModelSpec

RATE = 0.05  # of ordinary photos that may be called unlike
STEPS = 127  # a row's largest value, as int8


@dataclass(frozen=True, eq=False)
class Seen:
    """What one model was taught, as places in its joint space."""

    rows: NDArray[np.float32]  # (n, dim) unit rows
    threshold: float  # cosine; below it, an image is unlike
    photos: int  # that it was chosen on

    def score(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Images (m, dim), unit rows -> (m,) largest cosine to what was taught."""
        largest: NDArray[np.float32] = (images @ self.rows.T).max(axis=1)
        return largest


def threshold(scores: NDArray[np.float32], rate: float = RATE) -> float:
    """Return the cosine below which a further image of the same kind falls with a probability of at most `rate`.

    Args:
        scores: (n,) of images of that kind; n is at least 1 / rate - 1, or nothing is ever called unlike.
        rate: 0..1.
    """
    place = int(rate * (len(scores) + 1))
    return float(np.sort(scores)[place - 1]) if place else -1.0


def seen(spec: ModelSpec) -> Seen | None:
    """Return what a model has seen; None where that is not known."""
    return _read(file(spec.key)) if spec.folder == shipped(spec.key) else None


def file(key: str) -> Path:
    """Return where the names of a shipped model lie, as places in its joint space."""
    return shipped(FOLDER, f"{key}.safetensors")


def unlike_notes(spec: ModelSpec, rows: Tensor | NDArray[np.float32]) -> list[str]:
    """Return a sentence for each image, (n, dim) unit rows, that is unlike what the model has seen, else ""."""
    known = seen(spec)
    if known is None:
        return [""] * len(rows)
    return [_sentence(spec, known, float(score)) for score in known.score(np.asarray(rows, np.float32))]


def unlike_note(backend: ClipBackend, picture: Picture) -> str:
    """Return the sentence of one image; an embedding that is in the cache is not computed again."""
    return unlike_notes(backend.spec, backend.embed_images([picture]))[0] if seen(backend.spec) else ""


def together(notes: Sequence[str]) -> str:
    """Return what to say below an answer about many images: the sentence of one, or how many are unlike."""
    unlike = [note for note in notes if note]
    if len(notes) < 2 or not unlike:
        return "".join(unlike)
    return f"{len(unlike)} of {len(notes)} images are unlike what the model has seen: take those answers for guesses."


def _sentence(spec: ModelSpec, known: Seen, score: float) -> str:
    if score >= known.threshold:
        return ""
    return (
        f"This image is unlike what {shown_name(spec)} has seen: take the answer for a guess. (Nearest name: cosine "
        f"{score:.2f}; one in twenty ordinary photos is below {known.threshold:.2f}, too.)"
    )


@functools.lru_cache(maxsize=8)
def _read(path: Path) -> Seen | None:
    from safetensors import safe_open

    if not path.is_file():
        return None
    with safe_open(path, framework="numpy") as kept:
        rows = kept.get_tensor("rows").astype(np.float32)
        facts = kept.metadata()
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Seen(rows, float(facts["threshold"]), int(facts["photos"]))

"""Queries as one types them: `2:golden retriever + ./pool.jpg - fruit` is a weighted sum of texts and images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.datasets.samples import IMAGE_SUFFIXES
from workbench.errors import BadInput
from workbench.languages import in_english

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session

MAX_TERMS = 32
MAX_WEIGHT = 100.0
_SIGN = re.compile(
    r"(?:^|\s)([+-])(?=\s|$)(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)"
)  # with spaces around, outside quotation marks
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*:\s*")
_SMALL = 1e-4  # length of a sum that points nowhere


@dataclass(frozen=True)
class Term:
    """One text or image of a query with its weight, which is negative after a minus sign."""

    weight: float
    text: str = ""
    image: str = ""  # path

    def __str__(self) -> str:
        what = self.text or Path(self.image).name
        return f"{'-' if self.weight < 0 else '+'} {abs(self.weight):g}:{what}"


def parse_query(query: str, *, files: bool = False) -> tuple[Term, ...]:
    """Read a query: terms with a plus or a minus between spaces, each with an optional weight and a colon before it.

    A term in quotation marks is text whatever it holds. A minus within a word, as in black-and-white, is no sign.

    Args:
        query: as typed.
        files: whether a term that ends like an image names a file on this machine.

    Raises:
        BadInput: no term, too many, an empty one, a weight outside 0 < w <= 100, or no such file.
    """
    parts = _SIGN.split(query.strip())
    signed = [("+", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    if not signed[0][1].strip():
        signed = signed[1:]
    if not signed:
        raise BadInput("Type what the image shows, or give an image; got nothing.")
    if len(signed) > MAX_TERMS:
        raise BadInput(f"A query has at most {MAX_TERMS} terms; got {len(signed)}.")
    return tuple(_term(text.strip(), sign, files) for sign, text in signed)


def _term(text: str, sign: str, files: bool) -> Term:
    weight = 1.0
    if match := _WEIGHT.match(text):
        weight, text = float(match[1]), text[match.end() :]
    if not 0 < weight <= MAX_WEIGHT:
        raise BadInput(f"A weight is a number above 0 and up to {MAX_WEIGHT:g}, as in 2:dog; got {weight:g}.")
    weight = -weight if sign == "-" else weight
    if len(text) > 1 and text[0] == text[-1] == '"':
        text, files = text[1:-1], False
    if not text.strip():
        raise BadInput(f"A word or an image stands after each {sign}; one is missing.")
    if files and text.lower().endswith(IMAGE_SUFFIXES):
        path = Path(text).expanduser()
        if not path.is_file():
            raise BadInput(f"There is no image file {text[:200]!r}. Put a text that ends so into quotation marks.")
        return Term(weight, image=str(path))
    return Term(weight, text=text.strip())


def texts_of(terms: Sequence[Term]) -> list[str]:
    """Return the texts of a query, without its images."""
    return [term.text for term in terms if term.text]


def embed_query(session: Session, terms: Sequence[Term]) -> NDArray[np.float32]:
    """Return the weighted sum of the terms' unit vectors, of unit length; (dim,).

    Raises:
        BadInput: the terms cancel each other, or an image that cannot be opened.
    """
    texts = texts_of(terms)
    images = [term.image for term in terms if not term.text]
    vectors: dict[str, NDArray[np.float32]] = {}
    if texts:
        vectors |= dict(zip(texts, session.embed_texts(in_english(texts, session.spec)).numpy(), strict=True))
    if images:
        vectors |= dict(zip(images, session.embed_images(images).numpy(), strict=True))
    total = np.sum([term.weight * vectors[term.text or term.image] for term in terms], axis=0)
    length = float(np.linalg.norm(total))
    if length < _SMALL:
        raise BadInput("The terms of this query cancel each other; nothing is left to search for.")
    unit: NDArray[np.float32] = (total / length).astype(np.float32)
    return unit

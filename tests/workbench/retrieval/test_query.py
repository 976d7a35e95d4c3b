"""Query arithmetic: what each form of a typed query means, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.engine import Session
from workbench.errors import BadInput
from workbench.retrieval.query import Term, embed_query, parse_query


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("a dog", (Term(1.0, "a dog"),)),
        ("2:golden retriever + pool - fruit", (Term(2.0, "golden retriever"), Term(1.0, "pool"), Term(-1.0, "fruit"))),
        ("a black-and-white cat", (Term(1.0, "a black-and-white cat"),)),
        ("- snow + 0.5: mountain", (Term(-1.0, "snow"), Term(0.5, "mountain"))),
        ('"salt + pepper" - .25:table', (Term(1.0, "salt + pepper"), Term(-0.25, "table"))),
        ('3:"a.png"', (Term(3.0, "a.png"),)),
        ("a photo from 1969", (Term(1.0, "a photo from 1969"),)),
    ],
)
def test_a_query_is_read_as_it_is_meant(typed: str, terms: tuple[Term, ...]) -> None:
    assert parse_query(typed) == terms


@pytest.mark.parametrize("typed", ["", "  ", "dog + ", "0:dog", "101:dog", "dog - - cat", " + ".join(["x"] * 33), '""'])
def test_what_is_no_query_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        parse_query(typed)


def test_an_image_is_a_file_only_where_files_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "pool.png"
    Image.new("RGB", (8, 8)).save(path)
    assert parse_query(f"dog + {path}", files=True)[1] == Term(1.0, image=str(path))
    assert parse_query(f"dog + {path}")[1] == Term(1.0, text=str(path))
    with pytest.raises(BadInput, match="no image file"):
        parse_query("dog + missing.png", files=True)


def test_the_vector_is_the_weighted_sum(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (80, 80), (20, 20, 220)).save(path)
    red, green = session.embed_texts(["red", "green"]).numpy()
    (blue,) = session.embed_images([str(path)]).numpy()
    expected = 2 * red - 0.5 * green + blue
    vector = embed_query(session, parse_query(f"2:red - .5:green + {path}", files=True))
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)


def test_terms_that_cancel_are_refused(session: Session) -> None:
    with pytest.raises(BadInput, match="cancel"):
        embed_query(session, parse_query("red - red"))

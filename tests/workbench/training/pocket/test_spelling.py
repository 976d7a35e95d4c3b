"""Words as letters and their places."""

from __future__ import annotations

import string

from workbench.training.pocket import spelling
from workbench.training.pocket.writing import Spot


def test_a_word_says_its_letters_their_places_and_its_length() -> None:
    row = spelling.letters("cat")
    assert row.shape == (spelling.WIDTH,)
    by = [row[26 * part : 26 * (part + 1)].nonzero().flatten().tolist() for part in range(7)]
    read = ["".join(string.ascii_lowercase[letter] for letter in part) for part in by]
    assert read == ["act", "c", "a", "t", "c", "a", "t"]
    assert row[26 * 7 :].nonzero().flatten().tolist() == [1]  # three letters: the second of the lengths from two on
    assert spelling.letters("ox")[26 * 3 : 26 * 4].sum() == 0  # no third letter
    assert spelling.letters("").sum() == 0


def test_letters_lie_in_the_cells_of_their_middles_and_what_is_outside_is_left_out() -> None:
    spots = [[Spot("a", 0.1, 0.6), Spot("b", 0.49, 0.51), Spot("-", 0.5, 0.5), Spot("c", 1.0, 0.5)], []]
    result = spelling.cells(spots, 4)
    assert result.shape == (2, 26, 4, 4)
    assert result.nonzero().tolist() == [[0, 0, 2, 0], [0, 1, 2, 1]]

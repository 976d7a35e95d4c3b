"""Targets for two auxiliary tasks that get reading started: which letters an image's word has, and where.

A tower that only classifies an image among a thousand words stays at chance for long. Letters are easier, since
hundreds of words share each of them. A middle map predicts the letter at each position, the last map which letters the
word has and in which order. Both heads are dropped when training ends.

Source:
    Almazán et al. 2014, IEEE TPAMI 36:2552 (words embedded by their letters and the places of these).
"""

from __future__ import annotations

import string
from collections.abc import Sequence

import torch
from torch import Tensor

from workbench.training.pocket.writing import Spot

PLACES = (0, 1, 2, -3, -2, -1)  # of the letters asked for by place; all others only by presence
LENGTHS = (2, 13)
WIDTH = len(string.ascii_lowercase) * (1 + len(PLACES)) + LENGTHS[1] - LENGTHS[0] + 1


def letters(word: str) -> Tensor:
    """A word as answers of 0 and 1: which letters it has, which stand at six places, and how long it is.

    Args:
        word: lower-case ASCII letters; "" gives zeros alone.

    Returns:
        (`WIDTH`,).
    """
    row = torch.zeros(WIDTH)
    if not word:
        return row
    count = len(string.ascii_lowercase)
    places = [string.ascii_lowercase.index(letter) for letter in word]
    row[torch.tensor(places)] = 1
    for number, place in enumerate(PLACES):
        if -len(places) <= place < len(places):
            row[count * (1 + number) + places[place]] = 1
    row[count * (1 + len(PLACES)) + min(max(len(word), LENGTHS[0]), LENGTHS[1]) - LENGTHS[0]] = 1
    return row


def cells(spots: Sequence[Sequence[Spot]], side: int) -> Tensor:
    """Which letters have their middle in each cell of a square map; what lies outside, or is no letter, is left out.

    Args:
        spots: for each picture, its letters with their places in parts of a side.
        side: cells of the map.

    Returns:
        (pictures, 26, side, side) of 0 and 1.
    """
    letters = torch.zeros(len(spots), len(string.ascii_lowercase), side, side)
    for number, row in enumerate(spots):
        for spot in row:
            letter = string.ascii_lowercase.find(spot.letter)
            if letter >= 0 and 0 <= spot.x < 1 and 0 <= spot.y < 1:
                letters[number, letter, int(spot.y * side), int(spot.x * side)] = 1
    return letters

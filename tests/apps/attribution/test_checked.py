"""The sentence on whether a map holds."""

from __future__ import annotations

import numpy as np
import pytest

from apps.attribution.words import checked
from workbench.attribution import Attribution
from workbench.attribution.request import Deletion


def _answer(objective: str, deletion: Deletion | None) -> Attribution:
    return Attribution(np.zeros((3, 3), np.float32), "occlusion", objective, "", 0.1, deletion=deletion)  # type: ignore[arg-type]


def test_log_odds_are_told_as_probabilities() -> None:
    """log(9) is 90 %, 0 is 50 %, log(4) is 80 %."""
    (sentence,) = checked(_answer("contrast", Deletion(np.log(9), 0.0, np.log(4))))
    assert sentence == (
        "Check: with the most telling quarter of the image blurred, the probability is 50.0 % instead of 90.0 %; "
        "with the least telling quarter blurred, 80.0 %."
    )


@pytest.mark.parametrize(("odds", "told"), [(900.0, "100.0 %"), (-900.0, "0.0 %"), (12.0, "over 99.9 %")])
def test_near_certainty_is_no_error(odds: float, told: str) -> None:
    assert f"instead of {told};" in checked(_answer("contrast", Deletion(odds, 0.0, 0.0)))[0]


def test_one_label_is_told_by_its_cosine_and_a_map_that_fails_is_called_so() -> None:
    (sentence,) = checked(_answer("cosine", Deletion(0.25, 0.2, 0.125)))
    assert "the cosine is 0.200 instead of 0.250" in sentence
    assert sentence.endswith("0.125. So the answer does not rest on what this map names most.")


def test_without_a_test_nothing_is_said() -> None:
    assert checked(_answer("contrast", None)) == []

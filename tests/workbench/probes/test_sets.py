"""Conformal sets of a probe: halves that share no image, and none where an alpha cannot be promised."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workbench.probes.test_few_shot import made
from workbench.probes.labelled import TEST
from workbench.probes.sets import conformal_sets


def test_sets_are_measured_on_the_other_half_of_the_test_images() -> None:
    _, images = made(each=400)
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(5), len(images.y))
    answer = conformal_sets(chances, images)
    assert set(answer) == {"lac", "aps", "raps"}
    for one in answer.values():
        assert one.coverage.n == int(images.rows(TEST).sum()) / 2
        assert one.coverage.value == pytest.approx(0.9, abs=0.06)
        assert one.mean_size > 4  # probabilities that know nothing need nearly all classes
    only = chances.copy()
    only[~images.rows(TEST)] = 0.2
    assert conformal_sets(only, images)["lac"].coverage.value == answer["lac"].coverage.value


def test_too_few_test_images_give_no_sets() -> None:
    _, images = made(each=12)
    assert conformal_sets(np.full((60, 5), 0.2), images) == {}

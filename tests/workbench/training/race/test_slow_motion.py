"""One step in slow motion: softmaxes and gradient against autograd, shapes, and a loss that falls."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from workbench.errors import BadInput
from workbench.training.race.slow_motion import batch, slow_motion


def test_shapes_and_sums() -> None:
    step = slow_motion()
    for values in (step.cosines, step.text_given_image, step.image_given_text, step.gradient, step.after):
        assert values.shape == (6, 6)
    np.testing.assert_allclose(step.text_given_image.sum(axis=1), 1)
    np.testing.assert_allclose(step.image_given_text.sum(axis=0), 1)
    assert len({one.shape for one in batch()}) == len({one.colour for one in batch()}) == 6


def test_vectors_have_unit_length_and_their_products_are_the_matrix() -> None:
    step = slow_motion(seed=2)
    for rows in (step.image_rows, step.text_rows):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.einsum("id,jd->ij", step.image_rows, step.text_rows), step.cosines, atol=1e-6)
    assert step.cells.shape == (6, 4, 4)
    assert step.words.shape == (6, 4, 64)


def test_the_gradient_is_that_of_the_symmetric_cross_entropy() -> None:
    step = slow_motion(seed=3)
    logits = torch.tensor(step.scale * step.cosines, requires_grad=True)
    right = torch.arange(6)
    loss = (torch.nn.functional.cross_entropy(logits, right) + torch.nn.functional.cross_entropy(logits.T, right)) / 2
    loss.backward()
    assert logits.grad is not None
    np.testing.assert_allclose(step.gradient, logits.grad.numpy(), atol=1e-12)
    assert step.loss == pytest.approx(loss.item(), abs=1e-5)
    assert (np.diag(step.gradient) < 0).all(), "each image is pulled towards its own caption"
    assert (step.gradient[~np.eye(6, dtype=bool)] > 0).all(), "and pushed away from the others"


def test_the_step_lowers_the_loss_and_training_lowers_it_further() -> None:
    fresh = slow_motion()
    assert fresh.loss_after < fresh.loss
    assert fresh.loss == pytest.approx(math.log(6), abs=1.0)


def test_the_same_seed_gives_the_same_step() -> None:
    np.testing.assert_array_equal(slow_motion(seed=1).after, slow_motion(seed=1).after)
    assert not np.array_equal(slow_motion(seed=1).cosines, slow_motion(seed=2).cosines)
    with pytest.raises(BadInput, match="0 to 200"):
        slow_motion(steps=201)

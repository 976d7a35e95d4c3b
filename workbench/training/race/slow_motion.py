"""One contrastive step in slow motion: towers, cosines, two softmaxes, the gradient's pull, and the step.

The gradient of the symmetric cross-entropy with respect to the logits has a closed form: the two softmaxes minus the
identity, averaged. Radford et al. 2021, arXiv:2103.00020, figure 3.
"""

from __future__ import annotations

import numpy as np
import torch

from workbench.errors import BadInput
from workbench.training.miniature import pixels_of
from workbench.training.race import captions
from workbench.training.race.models import Contrast
from workbench.training.race.results import SlowMotion
from workbench.training.shapes import COLOURS, SHAPES, Drawing, draw

MOST_STEPS = 200
RATE = 1e-3


def batch() -> tuple[Drawing, ...]:
    """Return the six drawings of the batch: each shape once, each in a colour of its own."""
    colours = list(COLOURS)
    return tuple(Drawing(shape, colours[at], "large", 11 + at) for at, shape in enumerate(SHAPES))


def slow_motion(*, steps: int = 0, seed: int = 0) -> SlowMotion:
    """Take one gradient step on six images and their captions.

    Args:
        steps: that the model was trained on random batches before, 0..200.
        seed: of weights, images and captions.

    Raises:
        BadInput: a number of steps out of bounds.
    """
    if not 0 <= steps <= MOST_STEPS:
        raise BadInput(f"Slow motion begins after 0 to {MOST_STEPS} steps; got {steps}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Contrast()
    rng, unused = np.random.default_rng([seed, 7]), torch.Generator()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    with torch.enable_grad():
        for step in range(steps):
            drawings = draw(64, seed=seed + step)
            ids = captions.token_ids([captions.caption(one, rng) for one in drawings])
            optimiser.zero_grad()
            model.loss(pixels_of(drawings), ids, unused).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        shown = batch()
        texts = [one.caption for one in shown]
        ids, pixels = captions.token_ids([text.split() for text in texts]), pixels_of(shown)
        loss = model.loss(pixels, ids, unused)
        with torch.no_grad():
            cells = model.image_tower.cells(pixels).mean(dim=2).reshape(-1, 4, 4)
            by_word, images, rows = model.words(ids), model.images(pixels), model.texts(ids)
        cosines = (images @ rows.T).double()
        scale = float(model.log_scale.detach().exp())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    by_image, by_text = (scale * cosines).softmax(dim=1), (scale * cosines).softmax(dim=0)
    with torch.no_grad():
        after = model.images(pixels) @ model.texts(ids).T
        loss_after = float(model.loss(pixels, ids, unused))
    gradient = (by_image + by_text - 2 * torch.eye(len(shown), dtype=torch.float64)) / (2 * len(shown))
    return SlowMotion(
        shown,
        tuple(texts),
        cells.double().numpy(),
        by_word.double().numpy(),
        images.double().numpy(),
        rows.double().numpy(),
        scale,
        float(loss.detach()),
        cosines.numpy(),
        by_image.numpy(),
        by_text.numpy(),
        gradient.numpy(),
        after.double().numpy(),
        loss_after,
    )

"""What the methods fit on: labelled images of several drawings, and the classes' sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from workbench.probes.few_shot import drawn_shots

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.probes.labelled import LabelledImages
    from workbench.probes.text_weights import TextWeights

Scorer: TypeAlias = "Callable[[Tensor, int], Tensor]"
"""(n, dim) unit rows and the number of a drawing -> (n, k) logits."""


@dataclass(frozen=True, eq=False)
class Support:
    """s drawings of n images, the same number of every class; embeddings have unit rows."""

    images: Tensor  # (s, n, dim) float32
    y: Tensor  # (n,) numbers of classes, the same in every drawing
    judges: Tensor  # (s, m, dim): images that settings are chosen on
    judged: Tensor  # (m,) their classes
    texts: Tensor  # (k, dim): the sentences of each class, averaged
    scale: float  # of the logits

    @property
    def shots(self) -> int:
        """Images a class."""
        return len(self.y) // len(self.texts)


def drawn_support(
    embeddings: NDArray[np.floating],
    images: LabelledImages,
    shots: int,
    *,
    texts: TextWeights,
    seeds: int,
    seed: int,
) -> Support:
    """Draw the images that `few_shot.few_shot` draws for the same seeds.

    Args:
        embeddings: (n, dim) unit rows.
        images: what is drawn from; test images are never drawn.
        shots: images a class, 1 or more; see `few_shot.most_shots`.
        texts: the classes' sentences.
        seeds: how many drawings.
        seed: of the first.
    """
    import numpy as np
    import torch

    drawings = [drawn_shots(images, shots, seed=number) for number in range(seed, seed + seeds)]
    fitted, judging = (np.stack([drawing[side] for drawing in drawings]) for side in (0, 1))
    rows = torch.as_tensor(np.asarray(embeddings, np.float32))
    return Support(
        rows[torch.as_tensor(fitted)],
        torch.as_tensor(images.y[fitted[0]]),
        rows[torch.as_tensor(judging)],
        torch.as_tensor(images.y[judging[0]]),
        torch.as_tensor(np.asarray(texts.weights, np.float32)),
        texts.scale,
    )


def judgement(logits: Tensor, truth: Tensor) -> tuple[float, float]:
    """Return the accuracy on judging images, and the mean log probability of the truth for where it is equal."""
    right = float((logits.argmax(dim=-1) == truth).float().mean())
    return right, float(logits.log_softmax(dim=-1)[range(len(truth)), truth].mean())

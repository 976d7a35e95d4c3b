"""The classes' sentences as a zero-shot classifier, which needs the model no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.zeroshot import classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session


@dataclass(frozen=True, eq=False)
class TextWeights:
    """A zero-shot classifier: the classes' sentences, and the model's rule from cosines to probabilities."""

    weights: NDArray[np.float32]  # (k, dim) unit rows
    scale: float
    bias: float = 0.0
    sigmoid: bool = False  # each class on its own; else a softmax over the classes

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, dim) unit rows -> (n, k)."""
        from scipy.special import expit, softmax

        logits = self.scale * (embeddings @ self.weights.T).astype(np.float64) + self.bias
        answer: NDArray[np.float64] = expit(logits) if self.sigmoid else softmax(logits, axis=1)
        return answer

    def only(self, columns: Sequence[int]) -> TextWeights:
        """Return the same for some of the classes."""
        return replace(self, weights=self.weights[list(columns)])


def text_weights(session: Session, classes: Sequence[str], templates: Sequence[str]) -> TextWeights:
    """Embed the names of the classes in templates; underscores are spaces.

    Raises:
        Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
    """
    names = [name.replace("_", " ") for name in classes]
    rows = classifier(session, names, templates).numpy()
    return TextWeights(rows, session.logit_scale, session.logit_bias, session.spec.score == "sigmoid")

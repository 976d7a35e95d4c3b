"""The effect of each prompt template: its own answer, and the answer of the ensemble with and without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.labels import check_labels
from workbench.languages import in_english
from workbench.prompts import check_templates
from workbench.zeroshot import probabilities, prompt_embeddings

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import ClipBackend, Picture


@dataclass(frozen=True)
class Contributions:
    """The answers of t templates about one picture and k labels."""

    templates: tuple[str, ...]  # t
    labels: tuple[str, ...]  # k
    cosines: Tensor  # (t, k) float32, of each template alone
    probabilities: Tensor  # (t, k) float32, of each template alone
    together: Tensor  # (k,) float32, cosines of the ensemble
    without: Tensor  # (t, k) float32, cosines of the ensemble without that template; NaN where it is the only one


def contributions(
    backend: ClipBackend, picture: Picture, labels: Sequence[str], *, templates: Sequence[str]
) -> Contributions:
    """Ask each template alone, all together, and all but one.

    Raises:
        BadInput: no usable label, template or picture.
    """
    import torch

    names, kept = check_labels(labels), check_templates(templates)
    prompts = prompt_embeddings(backend, in_english(names, backend.spec), kept)  # (k, t, dim)
    image = backend.embed_images([picture])[0]  # (dim,)
    cosines = (prompts @ image).T.contiguous()  # (t, k)
    total = prompts.sum(dim=1)  # (k, dim)
    together = torch.nn.functional.normalize(total, dim=-1) @ image
    rest = torch.nn.functional.normalize(total[:, None] - prompts, dim=-1) @ image  # (k, t)
    if len(kept) == 1:
        rest = torch.full_like(rest, float("nan"))
    return Contributions(kept, names, cosines, probabilities(backend, cosines), together, rest.T.contiguous())

"""Name pictures with labels that nobody trained on: cosines, probabilities, template ensembles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.labels import NONE_OF_THESE, check_names
from workbench.languages import in_english
from workbench.prompts import DEFAULT, check_templates, fill
from workbench.taught.likeness import unlike_notes

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import ClipBackend, Picture

# "thing" rejected 2 % of right labels and noticed 25 % of absent ones (shipped model, 15 photos, 20 draws of
# distractors each); other words tried differ in that trade. It is a hint, not a detector.
_BACKGROUND = "thing"


@dataclass(frozen=True)
class Classification:
    """What a model answered for n pictures and k labels."""

    labels: tuple[str, ...]  # k, in the order given; "none of these" last where asked for
    cosines: Tensor  # (n, k) float32
    probabilities: Tensor  # (n, k) float32; rows sum to 1 for softmax models, each on its own for sigmoid models
    logit_scale: float
    score: str  # "softmax" or "sigmoid"
    unlike: tuple[str, ...] = ()  # n; a sentence for each picture that is unlike what the model has seen, else ""

    def ranked(self, row: int) -> list[tuple[str, float, float]]:
        """Return (label, probability, cosine) of one picture, the likeliest first."""
        order = self.probabilities[row].argsort(descending=True, stable=True).tolist()
        return [(self.labels[i], float(self.probabilities[row, i]), float(self.cosines[row, i])) for i in order]


@dataclass(frozen=True)
class ContrastMatrix:
    """The batch of the paper's figure 1: n pictures against m texts."""

    cosines: Tensor  # (n, m) float32
    text_given_image: Tensor  # (n, m) float32, rows sum to 1
    image_given_text: Tensor  # (n, m) float32, columns sum to 1
    unlike: tuple[str, ...] = ()  # n, as a classification has them


def classify(
    backend: ClipBackend,
    pictures: Sequence[Picture],
    labels: Sequence[str],
    *,
    templates: Sequence[str] = (DEFAULT,),
    none_of_these: bool = False,
) -> Classification:
    """Give each label a probability and a cosine, for each picture.

    Args:
        backend: the model.
        pictures: n PIL pictures or paths.
        labels: up to 256 distinct names.
        templates: prompts with `{}`; several are averaged in the joint space.
        none_of_these: adds a background. Its cosine is that of the templates filled with "thing". For softmax models
            it competes as one more label; for sigmoid models its probability is that no label fits, the product
            of 1 - p, as if the labels were independent.

    Raises:
        BadInput: no usable label, template or picture.

    Source:
        Radford et al. 2021, arXiv:2103.00020, sections 3.1.2 and 3.1.4.
    """
    check_names(labels, none_of_these)  # before the image tower works for nothing
    check_templates(templates)
    rows = backend.embed_images(pictures)
    return classify_rows(backend, rows, labels, templates=templates, none_of_these=none_of_these)


def classify_rows(
    backend: ClipBackend,
    rows: Tensor,
    labels: Sequence[str],
    *,
    templates: Sequence[str] = (DEFAULT,),
    none_of_these: bool = False,
) -> Classification:
    """Classify images that are embedded already, (n, dim) unit rows; otherwise as `classify`."""
    names, templates = check_names(labels, none_of_these), check_templates(templates)
    every = [*in_english(names, backend.spec), *[_BACKGROUND] * none_of_these]
    cosines = rows @ classifier(backend, every, templates).T  # (n, k)
    chances = probabilities(backend, cosines)
    if none_of_these:
        names = (*names, NONE_OF_THESE)
        if backend.spec.score == "sigmoid":
            chances[:, -1] = (1 - chances[:, :-1]).prod(dim=1)
    unlike = tuple(unlike_notes(backend.spec, rows))
    return Classification(names, cosines, chances, backend.logit_scale, backend.spec.score, unlike)


def classifier(backend: ClipBackend, labels: Sequence[str], templates: Sequence[str]) -> Tensor:
    """Average each label's prompts in the joint space: unit rows, mean, unit length again; (k, dim) float32."""
    rows = prompt_embeddings(backend, labels, templates).mean(dim=1)
    unit: Tensor = rows / rows.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return unit


def prompt_embeddings(backend: ClipBackend, labels: Sequence[str], templates: Sequence[str]) -> Tensor:
    """Embed every label in every template; (k, t, dim) float32, unit rows."""
    templates = check_templates(templates)
    prompts = [fill(template, label) for label in labels for template in templates]
    return backend.embed_texts(prompts).view(len(labels), len(templates), -1)


def probabilities(backend: ClipBackend, cosines: Tensor) -> Tensor:
    """Cosines -> probabilities by the model's own rule: softmax over the labels, or a sigmoid for each."""
    logits = cosines * backend.logit_scale + backend.logit_bias
    return logits.sigmoid() if backend.spec.score == "sigmoid" else logits.softmax(dim=-1)


def contrast(backend: ClipBackend, pictures: Sequence[Picture], texts: Sequence[str]) -> ContrastMatrix:
    """Compare every picture with every text, in both directions of the softmax.

    Source:
        Radford et al. 2021, arXiv:2103.00020, figures 1 and 3.
    """
    rows = backend.embed_images(pictures)
    cosines = rows @ backend.embed_texts(in_english(texts, backend.spec)).T
    logits = cosines * backend.logit_scale
    unlike = tuple(unlike_notes(backend.spec, rows))
    return ContrastMatrix(cosines, logits.softmax(dim=1), logits.softmax(dim=0), unlike)

"""The table of methods: what each is called, who published it, and which image towers it can look into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.backend import Anatomy


@dataclass(frozen=True)
class Method:
    """One way of asking where."""

    key: str
    title: str
    source: str  # the paper
    says: str  # what the map means, in a sentence
    signed: bool  # whether the map also holds evidence against the label


METHODS: tuple[Method, ...] = (
    Method(
        "grad-cam",
        "Grad-CAM",
        "Selvaraju et al. 2017, arXiv:1610.02391, section 3",
        "Which cells of a late layer raise the score; coarse and quick.",
        signed=True,
    ),
    Method(
        "integrated-gradients",
        "Integrated gradients",
        "Sundararajan, Taly and Yan 2017, arXiv:1703.01365, section 3",
        "How much each pixel adds on the way from a picture without content; the sum is checked by the delta.",
        signed=True,
    ),
    Method(
        "occlusion",
        "Occlusion",
        "Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2",
        "How far the score falls when a square of the picture is covered; no gradients.",
        signed=True,
    ),
    Method(
        "attention-relevance",
        "Attention relevance",
        "Chefer, Gur and Wolf 2021, arXiv:2103.15679, section 3.1",
        "How strongly each patch reaches the answer through the attention of all blocks; never negative.",
        signed=False,
    ),
)


def availability(backend: object) -> dict[str, str]:
    """Say for each method whether a model can serve it.

    Args:
        backend: anything with `.anatomy`; whatever has none, or None, is a black box.

    Returns:
        Method key -> "" where it can be served, otherwise the reason why not. Keys as in `METHODS`, in that order.
    """
    anatomy: Anatomy | None = getattr(backend, "anatomy", None)
    if anatomy is None:
        return {
            method.key: "This model is a black box: its inside and its gradients are out of reach."
            for method in METHODS
        }
    reasons: Mapping[str, str] = {
        "grad-cam": _without_layers(anatomy),
        "attention-relevance": _without_attention(anatomy),
    }
    return {method.key: reasons.get(method.key, "") for method in METHODS}


def _without_layers(anatomy: Anatomy) -> str:
    if anatomy.kind == "flat" or not anatomy.layers:
        return "It needs a layer that keeps places apart; this image tower names none."
    if anatomy.kind == "vit" and min(anatomy.grid) < 1:
        return "It needs tokens that lie on a grid; this image tower has none."
    return ""


def _without_attention(anatomy: Anatomy) -> str:
    if anatomy.kind == "vit" and min(anatomy.grid) > 0:
        return ""
    tower = "a convolutional one" if anatomy.kind == "convolutional" else "not one"
    return f"It needs a vision transformer; this image tower is {tower}."

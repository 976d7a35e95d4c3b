"""The table of few-shot methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import unknown_name
from workbench.probes.adapters.cross_modal import cross_modal
from workbench.probes.adapters.lp_plus_plus import lp_plus_plus
from workbench.probes.adapters.text_initialised import clap, text_initialised
from workbench.probes.adapters.tip_adapter import tip_adapter, tip_adapter_f

if TYPE_CHECKING:
    from workbench.probes.adapters.support import Scorer, Support

IMAGE_PROBE = "image-probe"  # the CLIP paper's logistic regression, which no sentence enters


@dataclass(frozen=True)
class FewShotMethod:
    """One way to add few labelled images to a model."""

    key: str
    title: str
    fit: Callable[[Support], Scorer] | None  # None: the image probe, on features before the projection
    chosen: str  # what is chosen on judging images
    source: str
    note: str = ""  # what a reader of published numbers should know


METHODS: tuple[FewShotMethod, ...] = (
    FewShotMethod(IMAGE_PROBE, "Probe of images alone", None, "penalty", "arXiv:2103.00020, section 3.1.5"),
    FewShotMethod("text-probe", "Probe from text", text_initialised, "nothing", "arXiv:2312.12730 (ZS-LP)"),
    FewShotMethod("clap", "CLAP", clap, "nothing", "arXiv:2312.12730"),
    FewShotMethod("lp++", "LP++", lp_plus_plus, "number of steps", "arXiv:2404.02285"),
    FewShotMethod("cross-modal", "Cross-modal probe", cross_modal, "penalty", "arXiv:2301.06267"),
    FewShotMethod("tip-adapter", "Tip-Adapter", tip_adapter, "alpha and beta", "arXiv:2207.09519"),
    FewShotMethod(
        "tip-adapter-f",
        "Tip-Adapter-F",
        tip_adapter_f,
        "alpha and beta",
        "arXiv:2207.09519",
        note="Tip-Adapter-F's published numbers chose the epoch on the test set; here the last epoch counts.",
    ),
)


def find(key: str) -> FewShotMethod:
    """Return the method of a key.

    Raises:
        UnknownName: no method has that key.
    """
    rows = {method.key: method for method in METHODS}
    if key not in rows:
        raise unknown_name("method", key, rows)
    return rows[key]

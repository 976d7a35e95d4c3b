"""What a visitor typed, read into settings; and the words that every answer carries about its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from apps.shared.markdown import describe, literal
from workbench.errors import BadInput
from workbench.labels import check_labels, parse_labels
from workbench.languages import language_note
from workbench.reproduce import OWN, Setup
from workbench.taught.likeness import unlike_note

if TYPE_CHECKING:
    from workbench.engine import Engine, Session


def read_setup(labels: str, templates: str, own: str, *, none_of_these: bool, model: str) -> Setup:
    """Turn what was typed and chosen into settings.

    Raises:
        BadInput: no label, too many, or an own template list with nothing usable in it.
    """
    if not labels or not labels.strip():
        raise BadInput("Type at least one label, for example: cat, dog, coffee cup.")
    names = check_labels(parse_labels(labels))
    setup = Setup(model, names, templates, tuple(own.splitlines()) if templates == OWN else (), bool(none_of_these))
    _ = setup.prompts  # refuses an unusable list here, before a model is asked
    return setup


def provenance(
    session: Session, engine: Engine, seconds: float, *, image: str | None = None, texts: Sequence[str] = ()
) -> str:
    """Return the line that says who answered: model, training, input size, dtype and device, time.

    Before it stands a sentence where the image, a path, is unlike what the model has seen, and one where texts are in
    other languages.
    """
    remarks = [unlike_note(session, Path(image)) if image else "", language_note(texts, session.spec)]
    before = "".join(f"{literal(remark)}\n\n" for remark in remarks if remark)
    place = " on ".join(numbers(engine))
    return (
        f"{before}Answered by {describe(session.spec)}; input {session.image_size} × {session.image_size} pixels; "
        f"{literal(place)}; logit scale {session.logit_scale:.2f}; {seconds:.2f} s."
    )


def numbers(engine: Engine) -> tuple[str, str]:
    """Return dtype and device that the engine computes with, by name."""
    from workbench.loading.device import choose_device, choose_dtype

    device = engine.status()["device"]
    return str(choose_dtype(engine.dtype, choose_device(device))).removeprefix("torch."), device


def percent(probability: float) -> str:
    """Return a probability as a reader wants it, without calling a near certainty certain."""
    if 0.9995 <= probability < 1:
        return "over 99.9 %"
    return "under 0.1 %" if 0 < probability < 0.0005 else f"{100 * probability:.1f} %"

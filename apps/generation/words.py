"""Texts of the view, and the form as settings and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from apps.shared.markdown import literal
from workbench.checkpoints.spec import ModelSpec
from workbench.errors import BadInput
from workbench.generation.judging import Generated
from workbench.generation.settings import BY_CHECKPOINT, PRIOR_FOLDER, Settings, methods, read_settings
from workbench.progress import Progress

LEAD = (
    "Type a sentence and watch an image grow. A prior draws many along the gradient of the model's score, and the "
    "model picks the best; in the other styles that gradient changes one image. "
    "Several texts with weights work too: `a castle | fog:0.5 | text:-0.3`."
)
IDLE = "Press “Go”. The first preview appears at once; Stop keeps the best image so far."
PRESETS = (
    "a red apple",
    "a yellow banana",
    "a cat",
    "a sunflower",
    "a rocket in the night sky",
    "Dogs playing poker",
    "A banquet hall",
)
CURVE_HEADERS = ["step", "similarity"]
HAS_PRIOR = (PRIOR_FOLDER / "config.json").is_file()
DRAWINGS = [
    ("any", "any"), ("Noto", "google"), ("Twemoji", "twitter"), ("Noto 1", "noto-v1"), ("EmojiOne", "emojione"),
    ("shapes, colours, counts", "scene"),
]  # fmt: skip
FIELDS = (  # widgets of the form, in the order of the layout; names of the settings
    *("prompt", "method", "seconds", "seed", "steps", "side", "cutouts", "wide", "augment", "smooth", "symmetry"),
    *("saturation", "clipping", "decay", "strokes", "cells", "palette", "neutral", "strength", "likeness"),
    *("drawing", "candidates", "guidance", "denoising", "search", "guide", "push", "noising"),
    *("image_weights", "also", "judge", "edit", "threshold"),
)
_EDITED = {
    "follow": "taken back towards noise and drawn anew",
    "gradient": "changed step by step along the model's gradient",
    "direction": "moved along one direction",
}
_WHOLE = ("seed", "steps", "side", "cutouts", "strokes", "cells", "candidates", "denoising")


def styles() -> list[tuple[str, str]]:
    """Return title and key of each method that the form offers."""
    left_out = BY_CHECKPOINT if HAS_PRIOR else (*BY_CHECKPOINT, "prior")
    return [(title, key) for key, title in methods().items() if key not in left_out]


def settings_of(values: Mapping[str, Any], model: str, hidden: Mapping[str, Any] | None = None) -> Settings:
    """Read the form; `hidden` are settings that a restored image brought along.

    Raises:
        BadInput: an empty sentence, or a number out of bounds or not whole.
    """
    read: dict[str, Any] = {"model": model, **(hidden or {})}
    if values["method"] in BY_CHECKPOINT:
        raise BadInput("A checkpoint of yours is used by the command `clip-workbench generate --checkpoint FOLDER`.")
    for name in FIELDS:
        value = values[name]
        if name in _WHOLE:
            whole = value is not None and math.isfinite(value) and value == int(value)
            value = int(value) if whole else value
        read[name] = "" if value is None and name in ("prompt", "neutral", "judge") else value
    read["push"] = values["push"] if values["method"] == "prior" else None
    read["image_weights"] = (values["image_weights"],) if values.get("image") else ()
    return read_settings(read)


def form_of(settings: Settings) -> list[Any]:
    """The form's values for settings, in the order of `FIELDS`."""
    values = {name: getattr(settings, name) for name in FIELDS}
    values["image_weights"] = settings.image_weights[0] if settings.image_weights else 1.0
    values["also"] = list(settings.also)
    values["push"] = 1.0 if settings.push is None else settings.push
    return [values[name] for name in FIELDS]


def hidden_of(settings: Settings) -> dict[str, Any]:
    """Settings that the form has no widgets for."""
    names = ("rate", "cutout_side", "start_image", "image_prompts", "checkpoint", "classes")
    return {name: getattr(settings, name) for name in names}


def status(step: Progress, settings: Settings, values: Sequence[float] = ()) -> str:
    """The line above a growing image; within a round, the similarity is the best of those before (`values`)."""
    left = "" if step.seconds_left is None else f", {step.seconds_left:.0f} s left"
    rate = f", {step.rate:.2g} {step.unit}/s" if step.rate else ""
    value = step.values.get("similarity", max(values, default=None))
    similarity = "" if value is None else f", similarity {value:.3f}"
    done = f"Round {step.done + (not step.values)}" if step.unit == "rounds" else f"Step {step.done}"
    return f"{done}{rate}{similarity}{left}. Seed {settings.seed}."


def caption(made: Generated, spec: ModelSpec) -> str:
    """What the image is: who steered it, who judged it, and what to make of the numbers."""
    settings, painting = made.painting.settings, made.painting
    steps = f"{settings.steps} {'round' if settings.method in ('prior', 'diffusion') else 'step'}"
    steps = f" after {steps}{'s' * (settings.steps != 1)} in {painting.seconds:.1f} s" if settings.steps else ""
    lines = [
        f"**{literal(settings.prompt)}**: similarity {made.similarity:.3f}{steps}, seed {settings.seed}.",
        f"Steered by {literal(' and '.join((spec.title, *settings.also)))}, trained on "
        f"{literal(spec.trained_on or 'data that is not known here')}. {_origin(made)} {_judged(made)}",
        f"Text leak {100 * made.text_leak:.0f} %: how much more it looks like the words written than like the thing "
        f"drawn. The text finder sees writing on {100 * made.written:.0f} % of it.",
    ]
    return "\n\n".join([*lines, f"**{literal(painting.note)}**"] if painting.note else lines)


def _judged(made: Generated) -> str:
    """What a model says that steered nothing."""
    if made.judged is None:
        return "No other model judged it, so the similarity is the steering model's own opinion."
    return f"Judged by {literal(made.judge)}, which steered nothing: similarity {made.judged:.3f} on its own scale."


def _origin(made: Generated) -> str:
    """Where the image comes from: a prior's drawings, the visitor's image, or noise."""
    settings, nearest = made.painting.settings, made.painting.nearest
    if settings.method != "prior":
        return f"No prior: pixels start from {'your image' if settings.start_image else 'noise'}."
    if settings.start_image and settings.neutral:
        return f"Your image, {_EDITED[settings.edit]}, by the shipped prior."
    best = f"the best of {settings.steps * settings.candidates} drawings" if settings.steps else "stopped on its way"
    best += ", whose steps followed the model's gradient" if settings.push else ""
    near = ""
    if nearest is not None:
        near = f" The nearest drawing of its training: {literal(nearest.name)}, style {literal(nearest.style)}, at a "
        near += f"distance of {nearest.distance:.3f} (root mean square of pixels; 0 is a copy)."
    return f"Drawn by the shipped prior, {best}.{near}"


def alt_text(settings: Settings, step: int) -> str:
    """What a growing or finished image shows, for those who do not see it."""
    return f"Image generated from “{settings.prompt}”, step {step}."


def curve_rows(values: Sequence[float]) -> list[list[str]]:
    """At most seven steps of the curve, the first, the best and the last among them."""
    if not values:
        return []
    best = max(range(len(values)), key=values.__getitem__)
    spread = {round(at * (len(values) - 1) / 5) for at in range(6)}
    return [[f"{at + 1} (best)" if at == best else f"{at + 1}", f"{values[at]:.3f}"] for at in sorted(spread | {best})]

"""Prompt templates as data, with their sources, and the checks on a user's own.

`{}` stands for the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import BadInput, unknown_name

DEFAULT = "a photo of a {}."
MAX_TEMPLATES = 200
TOO_MANY = 10 * MAX_TEMPLATES  # refused unseen; below it, blanks and repeats do not count
MAX_TEMPLATE = 800  # characters: with a label of 200, no more than a text may have


@dataclass(frozen=True)
class TemplateSet:
    """A named list of prompt templates."""

    key: str
    title: str
    templates: tuple[str, ...]
    source: str


NONE = TemplateSet("none", "No template: the label alone", ("{}",), "the bare class name")
ONE = TemplateSet("one", "One: “a photo of a …”", (DEFAULT,), "Radford et al. 2021, arXiv:2103.00020, section 3.1.4")
SEVEN = TemplateSet(
    "seven",
    "OpenAI's seven",
    (
        "itap of a {}.",
        "a bad photo of the {}.",
        "a origami {}.",
        "a photo of the large {}.",
        "a {} in a video game.",
        "art of the {}.",
        "a photo of the small {}.",
    ),
    "openai/CLIP, notebooks/Prompt_Engineering_for_ImageNet.ipynb (greedy subset)",
)

EIGHTY = TemplateSet(
    "eighty",
    "OpenAI's 80 for ImageNet",
    (
        "a bad photo of a {}.",
        "a photo of many {}.",
        "a sculpture of a {}.",
        "a photo of the hard to see {}.",
        "a low resolution photo of the {}.",
        "a rendering of a {}.",
        "graffiti of a {}.",
        "a bad photo of the {}.",
        "a cropped photo of the {}.",
        "a tattoo of a {}.",
        "the embroidered {}.",
        "a photo of a hard to see {}.",
        "a bright photo of a {}.",
        "a photo of a clean {}.",
        "a photo of a dirty {}.",
        "a dark photo of the {}.",
        "a drawing of a {}.",
        "a photo of my {}.",
        "the plastic {}.",
        "a photo of the cool {}.",
        "a close-up photo of a {}.",
        "a black and white photo of the {}.",
        "a painting of the {}.",
        "a painting of a {}.",
        "a pixelated photo of the {}.",
        "a sculpture of the {}.",
        "a bright photo of the {}.",
        "a cropped photo of a {}.",
        "a plastic {}.",
        "a photo of the dirty {}.",
        "a jpeg corrupted photo of a {}.",
        "a blurry photo of the {}.",
        "a photo of the {}.",
        "a good photo of the {}.",
        "a rendering of the {}.",
        "a {} in a video game.",
        "a photo of one {}.",
        "a doodle of a {}.",
        "a close-up photo of the {}.",
        "a photo of a {}.",
        "the origami {}.",
        "the {} in a video game.",
        "a sketch of a {}.",
        "a doodle of the {}.",
        "a origami {}.",
        "a low resolution photo of a {}.",
        "the toy {}.",
        "a rendition of the {}.",
        "a photo of the clean {}.",
        "a photo of a large {}.",
        "a rendition of a {}.",
        "a photo of a nice {}.",
        "a photo of a weird {}.",
        "a blurry photo of a {}.",
        "a cartoon {}.",
        "art of a {}.",
        "a sketch of the {}.",
        "a embroidered {}.",
        "a pixelated photo of a {}.",
        "itap of the {}.",
        "a jpeg corrupted photo of the {}.",
        "a good photo of a {}.",
        "a plushie {}.",
        "a photo of the nice {}.",
        "a photo of the small {}.",
        "a photo of the weird {}.",
        "the cartoon {}.",
        "art of the {}.",
        "a drawing of the {}.",
        "a photo of the large {}.",
        "a black and white photo of a {}.",
        "the plushie {}.",
        "a dark photo of a {}.",
        "itap of a {}.",
        "graffiti of the {}.",
        "a toy {}.",
        "itap of my {}.",
        "a photo of a cool {}.",
        "a photo of a small {}.",
        "a tattoo of the {}.",
    ),
    "openai/CLIP, notebooks/Prompt_Engineering_for_ImageNet.ipynb (imagenet_templates)",
)

TEMPLATE_SETS: tuple[TemplateSet, ...] = (NONE, ONE, SEVEN, EIGHTY)


def template_set(key: str) -> TemplateSet:
    """Return a named set of templates.

    Raises:
        UnknownName: no set has that key.
    """
    sets = {entry.key: entry for entry in TEMPLATE_SETS}
    if key not in sets:
        raise unknown_name("template set", key, sets)
    return sets[key]


def check_templates(templates: Sequence[str]) -> tuple[str, ...]:
    """Return the templates without blanks and repeats, in the order given.

    Raises:
        BadInput: no list of texts, none is left, one has no `{}` or over 800 characters, or there are more than 200.
    """
    if len(templates) > TOO_MANY:
        raise BadInput(f"At most {MAX_TEMPLATES} templates; got {len(templates)}.")
    if isinstance(templates, str) or not all(isinstance(entry, str) for entry in templates):
        raise BadInput(f"Templates are a list of texts, such as ['a photo of a {{}}.']; got {str(templates)[:80]!r}.")
    kept = tuple(dict.fromkeys(entry.strip() for entry in templates if entry.strip()))
    if not kept:
        raise BadInput("Give at least one template, for example “a photo of a {}.”; got none.")
    if len(kept) > MAX_TEMPLATES:
        raise BadInput(f"At most {MAX_TEMPLATES} templates; got {len(kept)}.")
    for entry in kept:
        if "{}" not in entry:
            raise BadInput(f"A template holds {{}} where the label goes; this one does not: {entry[:80]!r}.")
        if len(entry) > MAX_TEMPLATE:
            raise BadInput(
                f"A template may have at most {MAX_TEMPLATE} characters; one has {len(entry)}: {entry[:40]!r}…"
            )
    return kept


def fill(template: str, label: str) -> str:
    """Put a label into a template, both as they are: "a {}" stays "a" before a vowel, as in OpenAI's own prompts."""
    return template.replace("{}", label)


def read_templates(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return templates: those of a set by its name, one text with `{}`, or several.

    Raises:
        UnknownName: neither a set nor a text with `{}`.
        BadInput: see `check_templates`.
    """
    if not isinstance(given, str):
        return check_templates(given)
    return check_templates([given]) if "{" in given else template_set(given).templates

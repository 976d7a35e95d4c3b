"""Text that Markdown shows exactly as it was typed, the words for a model, and for a question without an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.checkpoints.spec import ModelSpec

NO_ANSWER = "No answer; the message says why."
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def literal(text: str) -> str:
    """Return text that Markdown shows exactly as typed: no markup, no link, no image is made of it."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def describe(spec: ModelSpec) -> str:
    """Return, as Markdown, a model's name and what it was trained on."""
    trained = f"trained on {spec.trained_on}" if spec.trained_on else "training data not known"
    return f"**{literal(spec.title)}**, {literal(trained)}"


def in_markdown(text: str) -> str:
    """Return HTML that Markdown leaves as it is: a blank line or an indent would end it."""
    return "".join(line.strip() + "\n" for line in text.splitlines() if line.strip())

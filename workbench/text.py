"""Cleans texts as for CLIP's training, and checks them."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from workbench.errors import BadInput

MAX_TEXT = 1000  # characters of one text
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """Repair mojibake, resolve HTML entities twice and collapse white space.

    Source:
        `basic_clean` and `whitespace_clean` of OpenAI's tokenizer (openai/CLIP, simple_tokenizer.py).
    """
    import ftfy

    repaired = ftfy.fix_text(text)
    return _SPACES.sub(" ", html.unescape(html.unescape(repaired))).strip()


def check_texts(texts: Sequence[str]) -> None:
    """Refuse texts that no model can read.

    Raises:
        BadInput: no list of texts, no text at all, a blank one, one over 1,000 characters.
    """
    if isinstance(texts, str):
        raise BadInput(f"Texts are a list, such as ['a cat']; got one text: {texts[:40]!r}.")
    if not texts:
        raise BadInput("Give at least one text; got none.")
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise BadInput(f"Texts are strings; text {number} is a {type(text).__name__}.")
        if not text.strip():
            raise BadInput(f"Every text needs at least one word. Text {number} is blank.")
        if len(text) > MAX_TEXT:
            raise BadInput(
                f"A text may have at most {MAX_TEXT} characters; text {number} has {len(text)}: {text[:40]!r}…"
            )

"""Clean texts as CLIP was trained on them, and say what a model will cut off.

Knows no tokenizer; a loading room passes what its tokenizer gives.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.errors import BadInput

if TYPE_CHECKING:
    from workbench.models import ModelSpec

MAX_TEXT = 1000  # characters of one text
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """Mend mojibake, resolve HTML entities twice and fold white space.

    Source:
        `basic_clean` and `whitespace_clean` of OpenAI's tokenizer (openai/CLIP, simple_tokenizer.py).
    """
    import ftfy

    mended = ftfy.fix_text(text)
    return _SPACES.sub(" ", html.unescape(html.unescape(mended))).strip()


def check_texts(texts: Sequence[str]) -> None:
    """Refuse what no model can read.

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
            raise BadInput(f"Every text needs at least one word; text {number} is blank.")
        if len(text) > MAX_TEXT:
            raise BadInput(
                f"A text may have at most {MAX_TEXT} characters; text {number} has {len(text)}: {text[:40]!r}…"
            )


def language_note(texts: Sequence[str], spec: ModelSpec) -> str:
    """Say which texts an English-only model cannot be expected to read, or nothing.

    One dependable rule and no language detector: a letter outside the Latin alphabet. French or Turkish in Latin
    letters passes unnoticed, and the note says so.
    """
    if not spec.english_only:
        return ""
    foreign = [text for text in dict.fromkeys(texts) if any(map(_outside_latin, text))]
    if not foreign:
        return ""
    named = ", ".join(f"“{text[:40]}”" for text in foreign[:3]) + (f" and {len(foreign) - 3} more" * (len(foreign) > 3))
    return (
        f"{spec.title} learnt from English texts. These hold letters outside the Latin alphabet, which it reads badly: "
        f"{named}. (Other languages in Latin letters are not recognised here.)"
    )


def _outside_latin(character: str) -> bool:
    if character.isascii() or not character.isalpha() or character in "ªºµ":
        return False
    plain = unicodedata.normalize("NFKC", character)  # letters in mathematical or full-width dress become plain ones
    return not all(unicodedata.name(part, "").startswith(("LATIN", "MODIFIER")) for part in plain if part.isalpha())

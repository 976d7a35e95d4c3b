"""Cleans texts as for CLIP's training, checks them, and warns about languages a model does not read."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.errors import BadInput

if TYPE_CHECKING:
    from workbench.checkpoints.spec import ModelSpec

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


def language_note(texts: Sequence[str], spec: ModelSpec) -> str:
    """Warn about texts that an English-only model cannot be expected to read; empty if there are none.

    The rule is a letter outside the Latin alphabet; French or Turkish in Latin letters goes unnoticed, and the note
    says so.
    """
    if not spec.english_only:
        return ""
    foreign = [text for text in dict.fromkeys(texts) if any(map(_outside_latin, text))]
    if not foreign:
        return ""
    named = ", ".join(f"“{text[:40]}”" for text in foreign[:3]) + (f" and {len(foreign) - 3} more" * (len(foreign) > 3))
    return (
        f"{spec.title} was trained on English texts and reads other alphabets badly: "
        f"{named}. (Other languages in Latin letters are not detected.) "
        "In a shell, `classify --read-as-english` reads labels of sixteen languages as English words."
    )


def _outside_latin(character: str) -> bool:
    if character.isascii() or not character.isalpha() or character in "ªºµ":
        return False
    plain = unicodedata.normalize("NFKC", character)  # letters in mathematical or full-width dress become plain ones
    return not all(unicodedata.name(part, "").startswith(("LATIN", "MODIFIER")) for part in plain if part.isalpha())

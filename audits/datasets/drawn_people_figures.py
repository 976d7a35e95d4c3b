"""The people that OpenMoji draws: four ages and eighteen occupations, as sequences of Unicode characters.

Names are Unicode's; its skin tones are five steps of the Fitzpatrick scale.
"""

from __future__ import annotations

from dataclasses import dataclass

from audits.datasets.drawn import glyphs

MALE, FEMALE, NEUTRAL = "male", "female", "neutral"  # neutral: drawn without a gender, Unicode's "person"
TONES = {  # Unicode's name -> modifier; UTS 51, section 2.4: Fitzpatrick types 1-2, 3, 4, 5, 6
    "light": "\U0001f3fb",
    "medium-light": "\U0001f3fc",
    "medium": "\U0001f3fd",
    "medium-dark": "\U0001f3fe",
    "dark": "\U0001f3ff",
}
_JOIN, _PICTURE = "\u200d", "\ufe0f"
_ADULTS = {MALE: "\U0001f468", FEMALE: "\U0001f469", NEUTRAL: "\U0001f9d1"}
_SIGNS = {MALE: "\u2642", FEMALE: "\u2640"}


@dataclass(frozen=True)
class DrawnFigure:
    """One drawn person, apart from the skin tone."""

    name: str  # "old-woman", "judge-female"
    age: str  # baby, child, adult, older
    gender: str  # male, female, neutral
    before: str  # characters before the skin tone
    behind: str = ""  # characters after it
    occupation: str = ""

    def sequence(self, tone: str) -> str:
        """Return the characters of the figure in a skin tone."""
        return self.before + TONES[tone] + self.behind


AGES: tuple[DrawnFigure, ...] = (
    DrawnFigure("baby", "baby", NEUTRAL, "\U0001f476"),
    DrawnFigure("child", "child", NEUTRAL, "\U0001f9d2"),
    DrawnFigure("boy", "child", MALE, "\U0001f466"),
    DrawnFigure("girl", "child", FEMALE, "\U0001f467"),
    DrawnFigure("person", "adult", NEUTRAL, "\U0001f9d1"),
    DrawnFigure("man", "adult", MALE, "\U0001f468"),
    DrawnFigure("woman", "adult", FEMALE, "\U0001f469"),
    DrawnFigure("older-person", "older", NEUTRAL, "\U0001f9d3"),
    DrawnFigure("old-man", "older", MALE, "\U0001f474"),
    DrawnFigure("old-woman", "older", FEMALE, "\U0001f475"),
)

_WITH_OBJECT = glyphs(  # occupation -> object that is joined to a man, a woman or a person
    "health worker \u2695, judge \u2696, farmer \U0001f33e, cook \U0001f373, student \U0001f393, "
    "singer \U0001f3a4, teacher \U0001f3eb, factory worker \U0001f3ed, office worker \U0001f4bc, "
    "scientist \U0001f52c, technologist \U0001f4bb, mechanic \U0001f527, artist \U0001f3a8, pilot \u2708, "
    "astronaut \U0001f680, firefighter \U0001f692"
)
_OWN = {"police officer": "\U0001f46e", "construction worker": "\U0001f477"}  # characters followed by a gender sign


def _occupied(occupation: str, gender: str) -> DrawnFigure:
    name = f"{occupation.replace(' ', '-')}-{gender}"
    if occupation in _OWN:
        sign = _SIGNS.get(gender, "")
        behind = _JOIN + sign + _PICTURE if sign else ""
        return DrawnFigure(name, "adult", gender, _OWN[occupation], behind, occupation)
    thing = _WITH_OBJECT[occupation]
    behind = _JOIN + thing + (_PICTURE if thing < "\U00010000" else "")
    return DrawnFigure(name, "adult", gender, _ADULTS[gender], behind, occupation)


OCCUPATIONS: tuple[DrawnFigure, ...] = tuple(
    _occupied(occupation, gender) for occupation in (*_WITH_OBJECT, *_OWN) for gender in (MALE, FEMALE, NEUTRAL)
)

"""Which labels a model was taught, and from what: photos, drawings, or not at all.

The words lie in `taught/words.json` beside the shipped weights; a model that is not named there has no marks.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.labels import NONE_OF_THESE
from workbench.languages import in_english
from workbench.places import read_json, shipped

if TYPE_CHECKING:
    from workbench.checkpoints.spec import ModelSpec

FOLDER, FILE = "taught", "words.json"  # among the weights
LARGER = "openai/clip-vit-base-patch32"  # the published model that a sentence names
LONGEST = 6  # words of a name
NAMED = 3  # labels that a sentence names
Taught = Literal["photos", "drawings", "no"]
MARKS = {"no": " (not taught)", "drawings": " (from drawings)"}  # behind a label, in tables and charts

_NEUTRAL = """a an the this that these those my his her its their our some any each of in on at by to with and or for
    from is are s very"""
NEUTRAL = frozenset(_NEUTRAL.split())  # neither known nor unknown
_MEDIUM = (
    r"(?:photo(?:graph)?|picture|image|drawing|sketch|painting|rendering|rendition|doodle|cartoon|close ?up|itap|art"
    r"|sculpture|tattoo|graffiti|embroidery|origami|toy|plushie)s?"
)
_TEMPLATE = re.compile(rf"^(?:\w+ ){{0,4}}?{_MEDIUM} of (?:(?:a|an|the|my|one|many) )?")
_IRREGULAR = {
    **{"men": "man", "women": "woman", "children": "child", "people": "person", "feet": "foot", "teeth": "tooth"},
    **{"geese": "goose", "mice": "mouse", "oxen": "ox", "knives": "knife", "leaves": "leaf", "wolves": "wolf"},
    **{"loaves": "loaf", "shelves": "shelf", "scarves": "scarf", "calves": "calf", "hooves": "hoof"},
    **{"thieves": "thief", "wives": "wife", "halves": "half", "elves": "elf", "cacti": "cactus"},
}


@dataclass(frozen=True)
class TaughtWords:
    """Words of one model, in the form of `plain`.

    Attributes:
        photos: names whose things were shown in photos, or which captions of photos have.
        drawings: names whose things were shown in drawings alone.
        adjectives: words that say how a thing is; they neither make a label known nor unknown.
    """

    photos: frozenset[str]
    drawings: frozenset[str]
    adjectives: frozenset[str]

    def taught(self, label: str) -> Taught:
        """Say from what a label is known: each word but adjectives and articles is one, or part of one, that is known.

        The label may stand in a template, in the plural, with adjectives, or be of several known names
        ("two dogs on a sofa").
        """
        words = plain(label).split()
        if self._begins(words, self.photos) < len(words):
            words = _TEMPLATE.sub("", " ".join(words)).split()
        at, photographed, drawn = 0, False, False
        while at < len(words):
            rest = words[at:]
            if length := self._begins(rest, self.photos):
                photographed = True
            elif length := self._begins(rest, self.drawings):
                drawn = True
            elif rest[0] in NEUTRAL or rest[0] in self.adjectives:
                length = 1
            else:
                return "no"
            at += length
        return "drawings" if drawn else "photos" if photographed else "no"

    @staticmethod
    def _begins(words: Sequence[str], names: Collection[str]) -> int:
        """How many words the longest of the names has that these words begin with; 0 for none."""
        lengths = range(min(LONGEST, len(words)), 0, -1)
        return next((length for length in lengths if any(one in names for one in singulars(words[:length]))), 0)


def plain(text: str) -> str:
    """Return lower-case words with single spaces, without punctuation: “St. Bernard's” becomes `st bernard s`."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def singulars(words: Sequence[str]) -> list[str]:
    """Return a name as it is, then what it may be the plural of."""
    if not words:
        return []
    before, last = words[:-1], words[-1]
    forms = [last]
    if last in _IRREGULAR:
        forms.append(_IRREGULAR[last])
    elif last.endswith("ies") and len(last) > 4:
        forms += [last[:-3] + "y", last[:-1]]
    elif last.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        forms += [last[:-2], last[:-1]]
    elif last.endswith("s") and not last.endswith("ss"):
        forms.append(last[:-1])
    return [" ".join((*before, form)) for form in forms]


def taught_words(spec: ModelSpec) -> TaughtWords | None:
    """Return what a model was taught; None where that is not known, as of all published models.

    An edited model was taught what its base was.
    """
    models, words = _read(shipped(FOLDER, FILE))
    return words if (spec.base or spec.key) in models else None


def shown_name(spec: ModelSpec) -> str:
    """Return a model's title without what stands in brackets."""
    return spec.title.partition(" (")[0]


def marks(spec: ModelSpec, labels: Iterable[str]) -> dict[str, Taught]:
    """Return each label with what it is known from; empty for a model whose words are not known."""
    words, names = taught_words(spec), [label for label in labels if label != NONE_OF_THESE]
    return dict(zip(names, map(words.taught, in_english(names, spec)), strict=True)) if words else {}


def taught_notes(spec: ModelSpec, labels: Iterable[str]) -> list[str]:
    """Return the sentences under an answer about labels that a model was not taught; often none."""
    from workbench.models import find

    known, name = marks(spec, labels), shown_name(spec)
    outside = [label for label, kind in known.items() if kind == "no"]
    drawn = [label for label, kind in known.items() if kind == "drawings"]
    notes = []
    if outside:
        is_not = "is not among" if len(outside) == 1 else "are not among"
        notes.append(f"{_listed(outside)} {is_not} the words that {name} was taught: it can only guess.")
    if drawn:
        was = "was" if len(drawn) == 1 else "were"
        notes.append(f"{_listed(drawn)} {was} taught to {name} by drawings alone: of a photo it can only guess.")
    if notes:
        larger = find(LARGER)
        size = f", {(larger.download_bytes or 0) / 1e6:,.0f} MB"
        knows = "knows it" if len(outside) + len(drawn) == 1 else "knows far more words"
        notes[-1] += f" A published CLIP {knows}: download {larger.title}{size}."
    return notes


def _listed(labels: Collection[str]) -> str:
    quoted = [f"“{label}”" for label in labels]
    more = [f"{len(quoted) - NAMED} more"] if len(quoted) > NAMED else []
    *first, last = [*quoted[:NAMED], *more]
    return f"{', '.join(first)} and {last}" if first else last


@functools.cache
def _read(file: Path) -> tuple[frozenset[str], TaughtWords]:
    """Return the keys of the models that were taught so, and the words."""
    content = read_json(file)
    photos, captions, drawings, adjectives = (
        frozenset(map(plain, content.get(part, ()))) for part in ("photos", "captions", "drawings", "adjectives")
    )
    return frozenset(content.get("models", ())), TaughtWords(photos | captions, drawings - photos, adjectives)

"""A word written on an image: what a model answers before and after, and the search for the smallest such label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from workbench.errors import BadInput
from workbench.labels import meant, with_words
from workbench.places import write_whole
from workbench.prompts import DEFAULT
from workbench.results import html
from workbench.typographic.attacking import AttackPlan, FoundAttack, find_attack
from workbench.typographic.comparing import WrittenAnswers, compare
from workbench.typographic.lettering import Label
from workbench.typographic.writing import checked

if TYPE_CHECKING:
    from pandas import DataFrame
    from PIL import Image

    from workbench.engine import Session
    from workbench.progress import Progress
    from workbench.results.charts import Chart


SEARCH = ("words", "calls", "method", "seed")  # settings that only a search has


class AttackSettings(TypedDict, total=False):
    """How a word is written, and how the smallest label is searched; everything has a default."""

    x: float  # middle of the label from the left, share of the centre square
    y: float  # ... from the top
    size: float  # height of the letters, share of the centre square
    font: str  # printed, serif, typewriter, handwriting; a search tries all where none is given
    ink: str  # a colour
    paper: str  # a colour; empty for bare letters
    form: Literal["paper", "sticker"]
    outline: str  # a colour; empty for none
    angle: float  # degrees, counter-clockwise
    tilt: float  # -1..1, perspective
    opacity: float  # 0..1
    also: Sequence[Label]  # further labels: text, x and y; the rest as in the first
    words: Sequence[str]  # of a search: what it may write
    calls: int  # of a search: how often the model is asked
    method: Literal["guided", "random"]  # of a search
    seed: int  # of a search


@dataclass(frozen=True, eq=False, repr=False)
class WordAttack:
    """An image with words on it, and the answers to it.

    Example:
        >>> import workbench as wb
        >>> attack = wb.load("pocket", device="cpu").attack(wb.sample("drawn-apple"), word="ipod", labels=["apple"])
        >>> attack.before, 0 < attack.cover < 1
        ('apple', True)
    """

    comparison: WrittenAnswers
    label: Label  # as it is written
    target: str  # what the word is meant to make the answer
    model: str = ""  # its key
    also: tuple[Label, ...] = ()
    search: dict[str, Any] = field(default_factory=dict)  # tries, seed and method, where the label was searched for

    @property
    def success(self) -> bool:
        """Whether the target is the answer, and was not before."""
        return self.comparison.success(self.target)

    @property
    def before(self) -> str:
        """The answer to the clean image."""
        return self.comparison.top(0)

    @property
    def answer(self) -> str:
        """The answer to the image with the words."""
        return self.comparison.top(1)

    @property
    def cover(self) -> float:
        """Share of the image that the words cover, 0..1."""
        return self.comparison.cover

    @property
    def image(self) -> Image.Image:
        """The image with the words."""
        return self.comparison.written

    def save(self, path: str | Path) -> Path:
        """Write the image with the words as PNG."""
        write_whole(Path(path), html.png(self.image))
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """Return target, word, cover, success, answer, its probability, the answer before, and how it is written.

        `probabilities` holds every label's before and after. After a search, `bound` is the share of the image that
        the smallest label needs at most; None where none was found.
        """
        also = [{"word": one.text, "x": one.x, "y": one.y} for one in self.also]
        return {
            "target": self.target,
            "word": self.label.text,
            "cover": self.cover,
            "success": self.success,
            "answer": self.answer,
            "probability": self.comparison.answers.ranked(1)[0][1],
            "before": self.before,
            "probabilities": [
                {"label": name, "before": clean, "after": written}
                for name, written, clean in self.to_frame()[["label", "written", "clean"]].values.tolist()
            ],
            "label": {name: value for name, value in vars(self.label).items() if name != "text"},
            **({"also": also} if also else {}),
            **self.search,
            **({"bound": self.cover if self.success else None} if self.search else {}),
            "model": self.model,
        }

    def to_frame(self) -> DataFrame:
        """Return a row per label: its probability for the clean image, and with the words."""
        import pandas as pd

        answers = self.comparison.answers
        clean, written = answers.probabilities.tolist()
        frame = pd.DataFrame({"label": answers.labels, "clean": clean, "written": written})
        return frame.sort_values("written", ascending=False, ignore_index=True)

    def plot(self) -> Chart:
        """Draw the clean image and the one with the words, each under its answer."""
        from workbench.results.charts import images

        return images([self.comparison.clean, self.image], [self.before, self.answer])

    def __repr__(self) -> str:
        verdict = "fooled" if self.success else "not fooled"
        return f"WordAttack({verdict}: {self.before!r} -> {self.answer!r}, {100 * self.cover:.1f} % covered)"

    def _repr_html_(self) -> str:
        pictures = [
            html.image(self.comparison.clean, f"clean image, answer: {self.before}"),
            html.image(self.image, f"image with the word {self.label.text}, answer: {self.answer}"),
        ]
        return html.block(repr(self), *pictures, html.table(self.to_frame()))


@dataclass(frozen=True)
class AttackRequest:
    """What is asked, checked without a model."""

    label: Label  # as it is written, or the style of a search
    also: tuple[Label, ...]  # further ones, written as well
    names: tuple[str, ...]  # that the model chooses from
    target: str  # one of them
    search: Mapping[str, Any] | None  # settings of `AttackPlan`; None where a word is written


def attack_request(
    labels: Sequence[str], *, word: str | None, find: str | None, settings: AttackSettings
) -> AttackRequest:
    """Check what is asked; the word, or the target of a search, is added to the labels.

    Raises:
        BadInput: neither or both of word and find, or a label, name or setting that cannot be used.
    """
    if (word is None) == (find is None):
        raise BadInput(f"Give a word to write or a target to find; got {'neither' if word is None else 'both'}.")
    if find is not None and settings.get("also"):
        raise BadInput("Further labels (also) are written with a word; a search writes one label.")
    if settings.get("method", "guided") not in ("guided", "random"):
        raise BadInput(f"A search is guided or random; got {str(settings.get('method'))[:40]!r}.")
    given: dict[str, Any] = dict(settings)
    style = {name: value for name, value in given.items() if name in Label.__dataclass_fields__}
    label = checked(Label(word or find or "", **style))
    also = tuple(checked(replace(label, text=one.text, x=one.x, y=one.y)) for one in settings.get("also", ()))
    goal = (find or label.text).strip()
    names = with_words(labels, [goal])
    search = None if find is None else {name: given[name] for name in SEARCH if name in given}
    if search is not None and "font" in settings:
        search["fonts"] = (settings["font"],)
    return AttackRequest(label, also, names, meant(goal, names), search)


def attack(
    session: Session, picture: Image.Image, request: AttackRequest, *, templates: Sequence[str] = (DEFAULT,)
) -> Iterator[Progress | WordAttack]:
    """Write a word on an image, or search for the smallest label that makes the target the answer.

    Raises:
        BadInput: the target is the answer already, or a setting that cannot be used.
    """
    key = session.spec.key
    if request.search is None:
        labels = [request.label, *request.also]
        result = compare(session, picture, labels, names=request.names, templates=templates)
        yield WordAttack(result, request.label, request.target, key, request.also)
        return
    plan = AttackPlan(request.target, request.names, tuple(templates), style=request.label)
    plan = replace(plan, **request.search)
    for step in find_attack(session, picture, plan):
        if isinstance(step, FoundAttack):
            how = {"tries": step.calls, "seed": plan.seed, "method": plan.method}
            yield WordAttack(step.comparison, step.label, request.target, key, search=how)
        else:
            yield step

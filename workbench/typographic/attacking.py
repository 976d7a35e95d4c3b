"""Search for the smallest label on an image; ask the model about the image itself, and refine the label there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import BadInput
from workbench.labels import check_labels
from workbench.languages import in_english
from workbench.progress import Progress
from workbench.prompts import DEFAULT
from workbench.typographic.comparing import WrittenAnswers, canvas, compare
from workbench.typographic.lettering import FONTS, Label
from workbench.typographic.neighbours import neighbours
from workbench.typographic.search import BATCH, CALLS, LabelSearch, Trial, candidate_words
from workbench.typographic.writing import SIZES, checked, covered, write
from workbench.zeroshot import classifier

if TYPE_CHECKING:
    from PIL import Image

    from workbench.backend import ClipBackend

LARGER, TIMES = 1.04, 8  # a label that wins on the prepared square and not on the image grows by that, so often
REFINING = 4  # one of so many model calls refines what was found
SMALLER, SHIFT, FINEST = 0.92, 0.04, 0.99  # first steps of refining: size, and place as a share; the last size's step


@dataclass(frozen=True)
class AttackPlan:
    """What to search for."""

    target: str  # one of `names`
    names: tuple[str, ...]  # what the model chooses from
    templates: tuple[str, ...] = (DEFAULT,)
    words: tuple[str, ...] = ()  # to write; empty for the target's own, their neighbours and short strings
    fonts: tuple[str, ...] = tuple(FONTS)
    style: Label = field(default_factory=lambda: Label("x"))  # ink, paper and form of every label
    calls: int = CALLS
    seed: int = 0
    method: Literal["guided", "random"] = "guided"


@dataclass(frozen=True)
class FoundAttack:
    """The smallest label that was found, and what the model answers to it; not always a success."""

    label: Label
    comparison: WrittenAnswers
    target: str
    calls: int  # of the model, in all: so many labels were tried
    first: int  # call at which the label was met

    @property
    def success(self) -> bool:
        """Whether the target is the answer."""
        return self.comparison.success(self.target)


def find_attack(session: Any, picture: Image.Image, plan: AttackPlan) -> Iterator[Progress | FoundAttack]:
    """Yield progress, and at the end a `FoundAttack`.

    Args:
        session: of the engine, or a loaded model.
        picture: upright RGB.
        plan: what to search for.

    Raises:
        BadInput: the target is not among the names, or is the answer already.
        Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
    """
    plan = replace(plan, names=check_labels(plan.names, 2))
    if plan.seed < 0:
        raise BadInput(f"A seed is a whole number from 0; got {plan.seed}.")
    if plan.target not in plan.names:
        raise BadInput(f"The target is one of the labels ({', '.join(plan.names[:8])}); got {plan.target[:80]!r}.")
    before = compare(session, picture, [], names=plan.names, templates=plan.templates)
    if before.top(0) == plan.target:
        raise BadInput(f"The model answers {plan.target!r} already; choose a target that is not its answer.")
    own = tuple(checked(Label(word)).text for word in plan.words)
    words = own or (*candidate_words(plan.target), *neighbours(session, plan.target, plan.names))
    request = LabelSearch(
        session.prepare(canvas(picture)).numpy(),
        classifier(session, in_english(plan.names, session.spec), plan.templates).numpy(),
        plan.names.index(plan.target),
        words,
        plan.fonts,
        checked(replace(plan.style, text="x")),
        plan.calls - refining(plan),
        plan.seed,
        plan.method,
    )
    for row in steps_of(session, request):
        if isinstance(row, Trial):
            yield _refined(session, picture, plan, held=_held(session, picture, plan, trial=row))
        else:
            yield row


def steps_of(session: Any, request: LabelSearch) -> Iterator[Progress | Trial]:
    """Run a search on a session of the engine, or on a model alone."""
    from workbench.engine.tasks import SEARCH_LABEL

    stream: Iterator[Progress | Trial] = session.stream(SEARCH_LABEL, request)
    return stream


def _held(session: ClipBackend, picture: Image.Image, plan: AttackPlan, *, trial: Trial) -> FoundAttack:
    """Ask about the image itself: it is resampled after writing, and a label at the edge of success may need more."""
    label, calls = trial.label, plan.calls - refining(plan)
    for _ in range(TIMES if trial.success else 1):
        comparison = compare(session, picture, [label], names=plan.names, templates=plan.templates)
        calls += 1
        if comparison.success(plan.target):
            break
        larger = replace(label, size=min(SIZES[1], label.size * LARGER))
        label = larger if trial.success else label
    return FoundAttack(label, comparison, plan.target, calls, trial.calls)


def refining(plan: AttackPlan) -> int:
    """How many model calls of a plan are for refining; none of a short or a random search, a thing to compare with."""
    return plan.calls // REFINING if plan.method == "guided" and plan.calls >= 2 * REFINING * BATCH else 0


def _refined(session: ClipBackend, picture: Image.Image, plan: AttackPlan, *, held: FoundAttack) -> FoundAttack:
    """Try smaller labels around a success, in every font and shifted, by ever finer steps; on the image itself."""
    if not held.success:
        return held
    clean, texts = canvas(picture), classifier(session, in_english(plan.names, session.spec), plan.templates)
    label, cover, shrink, shift, left = held.label, held.comparison.cover, SMALLER, SHIFT, refining(plan)
    while left > 0 and shrink < FINEST:
        near = [one for one in _around(label, plan.fonts, shrink=shrink, shift=shift) if SIZES[0] <= one.size]
        tries = [one for one in near if covered(clean.size, [one]) < cover][:left]
        left -= len(tries)
        rows = session.embed_images([write(clean, [one]) for one in tries]) @ texts.T if tries else ()
        wins = [one for one, row in zip(tries, rows, strict=True) if plan.names[int(row.argmax())] == plan.target]
        if wins:
            label = min(wins, key=lambda one: covered(clean.size, [one]))
            cover = covered(clean.size, [label])
        else:
            shrink, shift = shrink**0.5, shift / 2
    calls = held.calls + refining(plan) - left
    comparison = compare(session, picture, [label], names=plan.names, templates=plan.templates)
    return replace(held, label=label, comparison=comparison, calls=calls)


def _around(label: Label, fonts: Sequence[str], *, shrink: float, shift: float) -> list[Label]:
    """Labels a step smaller: in place, shifted eight ways, and in other fonts."""
    smaller, steps = replace(label, size=label.size * shrink), (-shift, 0.0, shift)
    moved = [(min(0.98, max(0.02, label.x + x)), min(0.98, max(0.02, label.y + y))) for x in steps for y in steps]
    moved.sort(key=lambda place: abs(place[0] - label.x) + abs(place[1] - label.y))
    others = [replace(smaller, font=font) for font in fonts if font != label.font]
    return [*(replace(smaller, x=x, y=y) for x, y in moved), *others]

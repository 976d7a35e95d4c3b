"""The search for prompt templates on images that are not for testing, beside templates of random words.

A gain over one template may be the averaging alone: random words, as many as the chosen templates, show how much it is.

Source: Roth et al. 2023, arXiv:2306.07282 (random words); Pratt et al. 2023, arXiv:2209.03320 (descriptions).
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadInput
from workbench.probes.labelled import TEST
from workbench.prompts import DEFAULT, EIGHTY
from workbench.statistics.intervals import Interval, proportion
from workbench.statistics.paired import compare
from workbench.zeroshot import prompt_embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session
    from workbench.probes.embedding import ImageFeatures
    from workbench.probes.labelled import LabelledImages

MOST = 7  # templates that are chosen, at most
DRAWS = 7  # drawings of random words
SENTENCES = 200  # of one class, at most
MAX_BYTES = 5_000_000  # of a file of descriptions


@dataclass(frozen=True, eq=False)
class PromptTrial:
    """One way to write the classes, on the test images."""

    name: str
    prompts: tuple[str, ...]  # templates, or the sentences of the first class
    accuracy: Interval
    difference: Interval | None  # to the first trial, image by image; None for the first
    spread: float = 0.0  # standard deviation over drawings


@dataclass(frozen=True, eq=False)
class _Judge:
    """Accuracies of classifiers on two parts of the images."""

    embeddings: NDArray[np.float32]
    y: NDArray[np.intp]
    test: NDArray[np.bool_]

    def score(self, weights: NDArray[np.float32]) -> tuple[float, float]:
        """Return the accuracy on the images that are not for testing, and the mean margin where it is equal."""
        cosines = self.embeddings[~self.test] @ weights.T
        truth = self.y[~self.test]
        own = cosines[np.arange(len(truth)), truth]
        return float((cosines.argmax(axis=1) == truth).mean()), float((own - cosines.mean(axis=1)).mean())

    def right(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n,) whether each test image is answered correctly."""
        cosines = self.embeddings[self.test] @ weights.T
        answer: NDArray[np.float64] = (cosines.argmax(axis=1) == self.y[self.test]).astype(np.float64)
        return answer


def search_prompts(
    session: Session,
    made: ImageFeatures,
    images: LabelledImages,
    *,
    candidates: Sequence[str] = EIGHTY.templates,
    descriptions: Mapping[str, Sequence[str]] | None = None,
    most: int = MOST,
) -> Iterator[PromptTrial]:
    """Yield one template, all candidates, the best few of them, random words, and descriptions where given.

    The best few are chosen greedily on train and validation images; each trial is tested once.

    Args:
        session: of the model.
        made: what it makes of the images.
        images: the images, all readable; their seed draws the random words.
        candidates: templates to choose from.
        descriptions: class -> sentences, every class with one or more.
        most: templates that are chosen at most.

    Raises:
        BadInput: descriptions that lack a class.
        Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
    """
    names = [name.replace("_", " ") for name in images.classes]
    sentences = checked_descriptions(descriptions, images.classes) if descriptions else None
    judge = _Judge(made.embeddings, images.y, images.rows(TEST))
    first = judge.right(averaged(_rows(session, names, [DEFAULT])))
    yield PromptTrial("one template", (DEFAULT,), _share(first), None)
    rows = _rows(session, names, candidates)
    yield _trial(f"all {len(candidates)} templates", candidates, judge.right(averaged(rows)), first)
    places = greedy(judge, rows, most)
    chosen = [candidates[place] for place in places]
    yield _trial(f"best {len(chosen)} of them", chosen, judge.right(averaged(rows[:, places])), first)
    yield _random_trial(session, judge, names, len(chosen), first=first, seed=images.seed)
    if sentences is not None:
        described = np.stack([session.embed_texts(list(group)).numpy().mean(axis=0) for group in sentences])
        yield _trial("descriptions", sentences[0], judge.right(_unit(described)), first)


def greedy(judge: _Judge, rows: NDArray[np.float32], most: int) -> list[int]:
    """Return the numbers of templates: each time the one that helps most, until none helps.

    Args:
        judge: has `score`, of (k, dim) weights.
        rows: (k, t, dim) of the classes in all templates.
        most: the number at which the search ends.
    """
    chosen: list[int] = []
    best: tuple[float, float] = (-1.0, 0.0)
    while len(chosen) < min(most, rows.shape[1]):
        tried = {
            place: judge.score(averaged(rows[:, [*chosen, place]]))
            for place in range(rows.shape[1])
            if place not in chosen
        }
        place = max(tried, key=lambda one: (tried[one], -one))
        if tried[place] <= best:
            break
        chosen, best = [*chosen, place], tried[place]
    return chosen


def averaged(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(k, t, dim) unit rows -> (k, dim) unit rows."""
    return _unit(rows.mean(axis=1))


def random_templates(count: int, words: Sequence[str], *, seed: int) -> list[str]:
    """Return templates that end in a random word or in random letters, by turns; all differ.

    Source:
        Roth et al. 2023, arXiv:2306.07282, section 3.
    """
    rng, templates = np.random.default_rng(seed), []
    order = rng.permutation(len(words))
    for number in range(count):
        letters = "".join(rng.choice(list(string.ascii_lowercase), int(rng.integers(4, 9))))
        word = words[int(order[number // 2])] if number % 2 == 0 else letters
        templates.append(f"{DEFAULT[:-1]}, which has {word}.")
    return templates


def read_descriptions(file: Path) -> Any:
    """Return what a JSON file of descriptions holds, not yet checked.

    Raises:
        BadInput: over 5 MB, or no JSON.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise BadInput(f"Descriptions may have at most {MAX_BYTES // 10**6} MB; {file.name[:80]!r} has more.")
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(
            f"Descriptions are a JSON file {{class: [sentence, …]}}; {file.name[:80]!r} cannot be read "
            f"({str(error).partition(': ')[0][:80]})."
        ) from None


def checked_descriptions(given: Mapping[str, Sequence[str]], classes: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each class's sentences in the order of the classes.

    Raises:
        BadInput: no mapping of classes to lists of texts, or a class without a sentence.
    """
    answer = []
    for name in classes:
        sentences = given.get(name) or given.get(name.replace("_", " ")) if isinstance(given, Mapping) else None
        good = isinstance(sentences, list | tuple) and 0 < len(sentences) <= SENTENCES
        if not good or not all(isinstance(one, str) and one.strip() for one in sentences or ()):
            raise BadInput(
                f"Descriptions give each class 1 to {SENTENCES} sentences: {{class: [sentence, …]}}; "
                f"{name[:80]!r} has none."
            )
        answer.append(tuple(sentences or ()))
    return answer


def _random_trial(
    session: Session, judge: _Judge, names: Sequence[str], count: int, *, first: NDArray[np.float64], seed: int
) -> PromptTrial:
    from workbench.neurons.vocabulary import common_words

    draws = [random_templates(count, common_words(), seed=seed + number) for number in range(DRAWS)]
    right = np.stack([judge.right(averaged(_rows(session, names, templates))) for templates in draws])
    values = right.mean(axis=1)
    trial = _trial(f"random words, {DRAWS} times {count}", draws[0], right.mean(axis=0), first)
    return PromptTrial(trial.name, trial.prompts, trial.accuracy, trial.difference, float(values.std(ddof=1)))


def _trial(name: str, prompts: Sequence[str], right: NDArray[np.float64], first: NDArray[np.float64]) -> PromptTrial:
    return PromptTrial(name, tuple(prompts), _share(right), compare(first, right).difference)


def _share(right: NDArray[np.float64]) -> Interval:
    from workbench.statistics.intervals import mean

    whole = bool(np.isin(right, (0.0, 1.0)).all())
    return proportion(int(right.sum()), len(right)) if whole else mean(right)


def _rows(session: Session, names: Sequence[str], templates: Sequence[str]) -> NDArray[np.float32]:
    answer: NDArray[np.float32] = prompt_embeddings(session, names, templates).numpy()
    return answer


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=-1, keepdims=True).clip(1e-12)
    return unit

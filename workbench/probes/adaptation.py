"""Zero-shot and few-shot methods on the test images and on images from elsewhere, method by method.

Source: Radford et al. 2021, arXiv:2103.00020, sections 3.1.5 and 3.3; Wortsman et al. 2022, arXiv:2109.01903.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from workbench.probes.adapters.methods import IMAGE_PROBE, METHODS, FewShotMethod
from workbench.probes.embedding import ImageFeatures
from workbench.probes.evaluation import ZERO_SHOT
from workbench.probes.few_shot import few_shot_probes, most_shots, over_draws
from workbench.probes.labelled import TEST, LabelledImages
from workbench.statistics.intervals import Interval, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.probes.adapters.support import Scorer
    from workbench.probes.shifts import ShiftedFeatures
    from workbench.probes.text_weights import TextWeights

MIXES = tuple(step / 10 for step in range(11))  # of WiSE-FT
WISE_FT = "wise-ft"


@dataclass(frozen=True)
class AdaptationPlan:
    """What is measured."""

    methods: tuple[FewShotMethod, ...] = METHODS
    shots: tuple[int, ...] = (1, 2, 4, 8, 16)
    seeds: int = 10
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Subject:
    """One model's view of the images."""

    images: LabelledImages
    made: ImageFeatures  # of all images
    texts: TextWeights | None = None  # None: a model without a text tower
    shifts: tuple[ShiftedFeatures, ...] = ()


@dataclass(frozen=True, eq=False)
class Adapted:
    """One method at one number of shots, over s drawings; zero-shot has one drawing and 0 shots."""

    method: str  # key
    shots: int
    right: Mapping[str, NDArray[np.bool_]]  # "test" or a shift -> (s, n) whether each image is answered correctly
    base: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Shift -> (s, m): the same for the test images of the shift's classes, answered among these classes."""
    seconds: float = 0.0  # of fitting, all drawings together
    _known: dict[tuple[str, bool], Interval] = field(default_factory=dict, repr=False)  # intervals worked out already

    def accuracy(self, name: str = TEST, *, base: bool = False) -> Interval:
        """Return the share right on some images; its interval covers drawings and images.

        Args:
            name: "test" or a shift.
            base: of the test images of the shift's classes instead.
        """
        if (name, base) not in self._known:
            right = (self.base if base else self.right)[name]
            one = len(right) == 1
            self._known[name, base] = proportion(int(right.sum()), right.size) if one else over_draws(right)
        return self._known[name, base]


def adapted(subject: Subject, plan: AdaptationPlan) -> Iterator[Adapted]:
    """Yield zero-shot, then each method at each number of shots that every class has images for.

    Test images and shifts are answered once each; nothing is fitted or chosen on them.
    """
    if subject.texts is not None:
        texts = subject.texts
        yield _judged(ZERO_SHOT, 0, lambda rows: iter([texts.probabilities(rows.embeddings)]), subject=subject)
    for shots in plan.shots:
        if shots > most_shots(subject.images):
            continue
        for method in plan.methods:
            if method.fit is None or subject.texts is not None:
                yield _fitted(subject, plan, method, shots)


def wise_ft(subject: Subject, plan: AdaptationPlan, shots: int) -> Iterator[tuple[float, Adapted]]:
    """Yield the mixes of the classes' sentences (0) and the probe that starts at them (1), weights averaged.

    Args:
        subject: a model with a text tower.
        plan: seeds.
        shots: images a class of the probe.

    Source:
        Wortsman et al. 2022, section 3, with the classifier's weights alone.
    """
    from workbench.probes.adapters.support import drawn_support
    from workbench.probes.adapters.text_initialised import mixed, trained

    assert subject.texts is not None
    support = drawn_support(
        subject.made.embeddings, subject.images, shots, texts=subject.texts, seeds=plan.seeds, seed=plan.seed
    )
    tuned = trained(support, support.images.new_zeros(plan.seeds, len(support.texts)))
    for mix in MIXES:
        scorer = mixed(support, tuned, mix)
        yield mix, _judged(WISE_FT, shots, _by_embeddings(scorer, plan.seeds), subject=subject)


def _fitted(subject: Subject, plan: AdaptationPlan, method: FewShotMethod, shots: int) -> Adapted:
    from workbench.probes.adapters.support import drawn_support

    began = time.perf_counter()
    images, made = subject.images, subject.made
    if method.fit is None:
        probes = few_shot_probes(made.features, images, shots, seeds=plan.seeds, seed=plan.seed)
        seconds = time.perf_counter() - began
        return _judged(
            IMAGE_PROBE,
            shots,
            lambda rows: (one.logits(rows.features) for one in probes),
            subject=subject,
            seconds=seconds,
        )
    assert subject.texts is not None
    scorer = method.fit(
        drawn_support(made.embeddings, images, shots, texts=subject.texts, seeds=plan.seeds, seed=plan.seed)
    )
    seconds = time.perf_counter() - began
    return _judged(method.key, shots, _by_embeddings(scorer, plan.seeds), subject=subject, seconds=seconds)


def _by_embeddings(scorer: Scorer, seeds: int) -> Callable[[ImageFeatures], Iterator[NDArray[np.floating]]]:
    import torch

    def scores(rows: ImageFeatures) -> Iterator[NDArray[np.floating]]:
        inputs = torch.from_numpy(rows.embeddings)
        return (scorer(inputs, drawing).numpy() for drawing in range(seeds))

    return scores


def _judged(
    method: str,
    shots: int,
    scores: Callable[[ImageFeatures], Iterator[NDArray[np.floating]]],
    *,
    subject: Subject,
    seconds: float = 0.0,
) -> Adapted:
    """Answer the test images among all classes, and each shift among its own."""
    test = subject.images.rows(TEST)
    rows = ImageFeatures(subject.made.embeddings[test], subject.made.features[test], {}, 0.0)
    truth = subject.images.y[test]
    answers = list(scores(rows))
    right = {TEST: np.stack([logits.argmax(axis=1) == truth for logits in answers])}
    base = {}
    for shift in subject.shifts:
        columns = np.unique(shift.y)
        same = np.isin(truth, columns)
        base[shift.name] = _right([logits[same] for logits in answers], truth[same], columns)
        right[shift.name] = _right(list(scores(shift.made)), shift.y, columns)
    return Adapted(method, shots, right, base, seconds)


def _right(
    answers: Sequence[NDArray[np.floating]], truth: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.bool_]:
    return np.stack([columns[logits[:, columns].argmax(axis=1)] == truth for logits in answers])

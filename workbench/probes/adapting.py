"""Few-shot methods of several models on embedded images, the shots that zero-shot is worth, and WiSE-FT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.probes.adaptation import AdaptationPlan, Adapted, Subject, adapted, wise_ft
from workbench.probes.adapters.methods import IMAGE_PROBE
from workbench.probes.embedding import model_ref
from workbench.probes.equivalent import equivalent_interval
from workbench.probes.evaluation import ZERO_SHOT
from workbench.probes.labelled import TEST, LabelledImages
from workbench.probes.linear import probe
from workbench.probes.robustness import Plane, plane
from workbench.probes.shifts import ShiftedFeatures, ShiftedImages, embed_shift
from workbench.progress import Progress
from workbench.statistics.intervals import Interval

if TYPE_CHECKING:
    from workbench.engine import Engine
    from workbench.probes.table import EmbeddedImages
    from workbench.scheduler import CancelToken


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What one model's methods give, as far as they are measured."""

    model: str
    rows: tuple[Adapted, ...]  # zero-shot, then by shots and method
    mixes: Mapping[float, Adapted] = field(default_factory=dict)  # WiSE-FT, at the most shots
    equivalent: Mapping[str, Interval] = field(default_factory=dict)  # method -> shots that zero-shot is worth
    most: int = 0  # images a class of the full probe, the end of that curve


def embed_shifts(
    engine: Engine,
    models: Sequence[str],
    shifts: Sequence[ShiftedImages],
    *,
    owner: str,
    token: CancelToken | None = None,
    deadline: float | None = None,
) -> Iterator[Progress | dict[str, tuple[ShiftedFeatures, ...]]]:
    """Embed images from elsewhere by each model; the last item is the result, by model.

    Raises:
        WorkbenchError: what loading and embedding raise.
    """
    answer: dict[str, tuple[ShiftedFeatures, ...]] = {}
    for key in models:
        with engine.session(owner, model_ref(key), token=token, deadline=deadline) as session:
            for images in shifts:
                for step in embed_shift(session, images):
                    if isinstance(step, Progress):
                        yield replace(step, stage=f"{session.spec.title}, {images.name}")
                    else:
                        answer[key] = (*answer.get(key, ()), step)
    yield answer


def adaptations(
    embedded: EmbeddedImages, plan: AdaptationPlan, shifts: Mapping[str, tuple[ShiftedFeatures, ...]]
) -> Iterator[Adaptation]:
    """Yield each model's result anew after each method and number of shots."""
    for key, made in embedded.made.items():
        subject = Subject(embedded.images, made, embedded.texts.get(key), tuple(shifts.get(key, ())))
        result = Adaptation(key, (), most=all_shots(embedded.images))
        for row in adapted(subject, plan):
            result = replace(result, rows=(*result.rows, row))
            yield result
        result = replace(result, equivalent=_equivalent(subject, result.rows, plan.seed))
        if subject.texts is not None and len(result.rows) > 1:
            result = replace(result, mixes=dict(wise_ft(subject, plan, result.rows[-1].shots)))
        if result.rows:
            yield result


def planes(results: Sequence[Adaptation], *, seed: int) -> list[Plane]:
    """Return the plane of each shift with the points of all models."""
    rows = [(result.model, row) for result in results for row in result.rows]
    names = list(rows[0][1].base) if rows else []
    return [plane([pair for pair in rows if name in pair[1].base], name, seed=seed) for name in names]


def all_shots(images: LabelledImages) -> int:
    """Return the images a class, on average, that the full probe is fitted on."""
    return round(float((~images.rows(TEST)).sum()) / len(images.classes))


def _equivalent(subject: Subject, rows: Sequence[Adapted], seed: int) -> dict[str, Interval]:
    """Compare zero-shot with the image probe at each number of shots and on all images."""
    images = subject.images
    zero = next((row for row in rows if row.method == ZERO_SHOT), None)
    curve = {row.shots: row.right[TEST] for row in rows if row.method == IMAGE_PROBE}
    if zero is None or not curve:
        return {}
    if (most := all_shots(images)) > max(curve):
        test = images.rows(TEST)
        full = probe(subject.made.features, images)
        curve[most] = (full.probabilities[test].argmax(axis=1) == images.y[test])[None]
    if len(curve) < 2:
        return {}
    return {IMAGE_PROBE: equivalent_interval(zero.right[TEST][0], curve, seed=seed)}

"""Several models on one set of labelled images, row by row as results arrive; models far behind are dropped early."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from workbench.errors import BadInput
from workbench.probes.choosing import ROUNDS, Standing, staged, standings, surviving
from workbench.probes.embedding import TIMM, ImageFeatures, embed_images, model_ref, readable
from workbench.probes.evaluation import PROBE, ZERO_SHOT, ModelEvaluation, Ways, evaluated
from workbench.probes.label_errors import out_of_sample
from workbench.probes.labelled import restricted
from workbench.probes.text_weights import TextWeights, text_weights
from workbench.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Engine, Session
    from workbench.probes.labelled import LabelledImages
    from workbench.scheduler import CancelToken

TIMED = 16  # images of noise by which the speed is measured
FEWEST = 8  # images a class in a round; fewer tell too little to drop a model


@dataclass(frozen=True)
class EvaluationRequest:
    """What is asked."""

    images: LabelledImages
    models: tuple[str, ...]  # keys
    ways: Ways
    by: str = ZERO_SHOT  # the column that decides which model is best: zero-shot or probe
    early: bool = False  # drop models whose interval lies below the leader's
    seed: int = 0  # of the order in which images are embedded


@dataclass(eq=False)
class EmbeddedImages:
    """What the models made of the images so far; asking again with other shots, seeds or classes starts from here."""

    images: LabelledImages  # those that can be read
    made: dict[str, ImageFeatures] = field(default_factory=dict)  # model -> rows of all images
    texts: dict[str, TextWeights] = field(default_factory=dict)  # model -> the classes' sentences
    rows: dict[str, ModelEvaluation] = field(default_factory=dict)  # model -> what is known without shots and probe


def embed_all(
    engine: Engine,
    question: EvaluationRequest,
    *,
    owner: str,
    token: CancelToken | None = None,
    deadline: float | None = None,
) -> Iterator[Progress | ModelEvaluation | EmbeddedImages]:
    """Embed the images by every model, round by round; yield progress, dropped models' rows, and at the end everything.

    Raises:
        BadInput: no model, one twice, or no image that can be read.
        WorkbenchError: what loading and embedding raise.
    """
    _check(engine, question)
    images, failed = question.images, dict[int, str]()
    rounds: tuple[float, ...] = ROUNDS if question.early and len(question.models) > 1 else (1.0,)
    rounds = tuple(share for share in rounds if share * len(images.y) >= FEWEST * len(images.classes)) or (1.0,)
    stages = staged(images.y, seed=question.seed, rounds=rounds)
    parts: dict[str, list[ImageFeatures]] = {key: [] for key in question.models}
    rows: dict[str, ModelEvaluation] = {}
    alive = list(question.models)
    texts: dict[str, TextWeights] = {}
    for number, stage in enumerate(stages):
        for key in alive:
            with engine.session(owner, model_ref(key), token=token, deadline=deadline) as session:
                if key not in rows:
                    rows[key] = _described(session, key)
                samples = [images.samples[at] for at in stage]
                for step in embed_images(session, samples):
                    if isinstance(step, Progress):
                        yield replace(step, stage=f"{rows[key].title}, round {number + 1} of {len(stages)}")
                    else:
                        parts[key].append(step)
                        failed |= {int(stage[at]): reason for at, reason in step.failed.items()}
                if session.dim and key not in texts:
                    texts[key] = text_weights(session, images.classes, question.ways.templates)
        if number + 1 < len(stages) and len(alive) > 1:
            numbers = np.concatenate(stages[: number + 1])
            readable_rows = np.array([at not in failed for at in numbers])
            right = {
                key: _right(question, key, _joined(parts[key]), texts, numbers=numbers)[readable_rows] for key in alive
            }
            stays = surviving(right, rounds=len(stages) - 1)
            for key in set(alive) - set(stays):
                share, count = float(right[key].mean()), int(readable_rows.sum())
                reason = f"dropped after {count} images at {100 * share:.1f} %: clearly below the leader"
                rows[key] = replace(rows[key], dropped=reason)
                yield rows[key]
            alive = [key for key in alive if key in stays]
    order = np.argsort(np.concatenate(stages))
    whole = {key: _ordered(_joined(parts[key]), order, failed) for key in alive}
    embedded = EmbeddedImages(images, rows=rows)
    for key, made in whole.items():
        embedded.images, embedded.made[key] = readable(images, made)
        if key in texts:
            embedded.texts[key] = texts[key]
    yield embedded


def only_classes(embedded: EmbeddedImages, classes: Sequence[str]) -> EmbeddedImages:
    """Return what is known of the images of some classes; nothing is embedded again.

    Raises:
        BadInput: fewer than two of the classes.
    """
    images, stays = restricted(embedded.images, classes)
    columns = [embedded.images.classes.index(name) for name in images.classes]
    made = {
        key: ImageFeatures(one.embeddings[stays], one.features[stays], {}, one.seconds)
        for key, one in embedded.made.items()
    }
    texts = {key: one.only(columns) for key, one in embedded.texts.items()}
    rows = {key: replace(row, answers={}) for key, row in embedded.rows.items()}
    return EmbeddedImages(images, made, texts, rows)


def with_answers(embedded: EmbeddedImages, rows: Mapping[str, ModelEvaluation]) -> EmbeddedImages:
    """Remember what does not depend on shots and seeds: zero-shot and the full probe."""
    lasting = {
        key: replace(row, answers={name: one for name, one in row.answers.items() if name in (ZERO_SHOT, PROBE)})
        for key, row in rows.items()
    }
    return replace(embedded, rows={**embedded.rows, **lasting})


def answers(embedded: EmbeddedImages, ways: Ways) -> Iterator[ModelEvaluation]:
    """Measure every model that was embedded to the end; yield its row after each column; dropped ones stay."""
    for key, row in embedded.rows.items():
        if row.dropped:
            yield row
            continue
        texts = embedded.texts.get(key)
        yield from evaluated(row, embedded.made[key], embedded.images, texts=texts, ways=ways)


def ranked(rows: Sequence[ModelEvaluation], by: str) -> dict[str, Standing]:
    """Return where each model stands by one column; models without it are left out."""
    right = {row.model: row.answers[by].right for row in rows if by in row.answers and not row.dropped}
    return standings(right) if right else {}


def _check(engine: Engine, question: EvaluationRequest) -> None:
    if not question.models or len(set(question.models)) < len(question.models):
        raise BadInput(f"Name one model or more, each once; got {', '.join(question.models)[:200] or 'none'}.")
    if question.by not in (ZERO_SHOT, PROBE):
        raise BadInput(f"Models are dropped by {ZERO_SHOT} or {PROBE}; got {question.by!r}.")
    engine.check([model_ref(key) for key in question.models])
    if question.early and question.by == ZERO_SHOT and any(key.startswith(TIMM) for key in question.models):
        raise BadInput(f"Image towers alone ({TIMM}…) have no zero-shot answers; drop models by {PROBE}.")


def _described(session: Session, key: str) -> ModelEvaluation:
    """Measure speed, on images that no cache knows, and memory."""
    rng = np.random.default_rng()
    noise = [Image.fromarray(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)) for _ in range(TIMED)]
    session.embed_features(noise[:2])
    began = time.perf_counter()
    session.embed_features(noise[2:])
    seconds = (time.perf_counter() - began) / (TIMED - 2) * 1000
    return ModelEvaluation(key, session.spec.title, seconds=seconds, megabytes=session.weights_bytes / 1e6)


def _joined(parts: Sequence[ImageFeatures]) -> ImageFeatures:
    embeddings, features = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("embeddings", "features")
    )
    return ImageFeatures(embeddings, features, {}, sum(part.seconds for part in parts))


def _ordered(made: ImageFeatures, order: NDArray[np.intp], failed: dict[int, str]) -> ImageFeatures:
    return ImageFeatures(made.embeddings[order], made.features[order], failed, made.seconds)


def _right(
    question: EvaluationRequest,
    key: str,
    made: ImageFeatures,
    texts: dict[str, TextWeights],
    *,
    numbers: NDArray[np.intp],
) -> NDArray[np.float64]:
    """(n,) whether each embedded image is answered correctly, by the column that decides."""
    y = question.images.y[numbers]
    if question.by == ZERO_SHOT and key in texts:
        chances = texts[key].probabilities(made.embeddings)
    else:
        chances, _ = out_of_sample(made.features, y, seed=question.seed)
    right: NDArray[np.float64] = (chances.argmax(axis=1) == y).astype(np.float64)
    return right

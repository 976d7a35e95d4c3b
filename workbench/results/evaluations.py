"""How well models do on labelled images: several compared, and one linear probe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.neurons.vocabulary import common_words, embed_words
from workbench.probes.choosing import BEST, Standing
from workbench.probes.embedding import ImageFeatures, embed_images, readable
from workbench.probes.evaluation import ModelEvaluation, Ways
from workbench.probes.labelled import LabelledImages
from workbench.probes.linear import ProbeResult
from workbench.probes.linear import probe as fit
from workbench.probes.pointing import pointings
from workbench.probes.sets import conformal_sets
from workbench.probes.strength import bracket_search, parametric_search
from workbench.probes.suite.published import published
from workbench.probes.table import EmbeddedImages, EvaluationRequest, answers, embed_all, ranked
from workbench.progress import Progress
from workbench.results import html
from workbench.statistics.p_values import UpperBound

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.engine import Engine, Session
    from workbench.probes.evaluation import Answered
    from workbench.results.charts import Chart
    from workbench.statistics.intervals import Interval

SOLVERS = ("auto", "scikit-learn", "torch")
SEARCHES = {"paper": parametric_search, "bracket": bracket_search}


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison:
    """Several models on the same test images: zero-shot, few shots and the full probe.

    Example:
        >>> import workbench as wb
        >>> rows = wb.evaluate("photos", models=["fake", "pocket"], shots=[1], seeds=2)
        >>> rows.best in ("fake", "pocket"), rows.to_frame()["n"].unique().tolist()
        (True, [4])
    """

    rows: Mapping[str, ModelEvaluation]  # by the model's key
    standings: Mapping[str, Standing]  # by the model's key: against the best; without models that were dropped
    by: str  # the way that decides: zero-shot or probe
    ways: Ways
    embedded: EmbeddedImages  # for further questions to the same images

    @property
    def best(self) -> str | None:
        """Key of the best model; None where none was measured."""
        return next((key for key, one in self.standings.items() if one.verdict == BEST), None)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return a dictionary per model: accuracy with its interval by each way, and its difference to the best."""
        decided = {"difference_in": f"accuracy of {self.by}", "difference_to": self.best}
        return [self._plain(row, self.standings.get(key)) | decided for key, row in self.rows.items()]

    def _plain(self, row: ModelEvaluation, standing: Standing | None) -> dict[str, Any]:
        difference = standing.difference if standing else None
        prior = published().get(row.model)
        return {
            "model": row.model,
            "title": row.title,
            "columns": {name: _way(one) for name, one in row.answers.items()},
            "verdict": standing.verdict if standing else row.dropped,
            "difference": difference.value if difference else None,
            "difference_low": difference.low if difference else None,
            "difference_high": difference.high if difference else None,
            "p_value": standing.p_value if standing else None,
            "images_needed": standing.needed if standing else None,
            "seconds_per_1000": row.seconds,
            "megabytes": row.megabytes,
            "published_zero_shot": prior.mean if prior else None,
            "seeds": self.ways.seeds,
            "seed": self.ways.seed,
        }

    def to_frame(self) -> DataFrame:
        """Return a row per model and way: model, way, accuracy, low, high, n, verdict by the way that decides."""
        import pandas as pd

        lines = [
            (key, way, one.accuracy.value, one.accuracy.low, one.accuracy.high, len(one.right), self._verdict(key))
            for key, row in self.rows.items()
            for way, one in row.answers.items()
        ]
        return pd.DataFrame(lines, columns=["model", "way", "accuracy", "low", "high", "n", "verdict"])

    def _verdict(self, key: str) -> str:
        standing = self.standings.get(key)
        return standing.verdict if standing else self.rows[key].dropped

    def plot(self) -> Chart:
        """Draw each model's accuracy by the way that decides, with intervals."""
        shown = {key: row.answers[self.by].accuracy for key, row in self.rows.items() if self.by in row.answers}
        return _bars(shown, axis=f"accuracy of {self.by}")

    def __repr__(self) -> str:
        return f"ModelComparison({', '.join(self.rows)}; best by {self.by}: {self.best})"

    def _repr_html_(self) -> str:
        chart = html.image(self.plot().image(), "accuracy of each model, as in the table", side=620)
        return html.block(repr(self), chart, html.table(self.to_frame()))


@dataclass(frozen=True, eq=False, repr=False)
class LinearProbe:
    """A fitted linear probe, and how well it answers on the test images.

    Example:
        >>> import workbench as wb
        >>> probe = wb.probe("photos", "pocket")
        >>> probe.to_frame().columns.tolist()
        ['class', 'accuracy', 'low', 'high', 'n']
    """

    result: ProbeResult
    images: LabelledImages  # those that can be read
    model: str  # its key
    width: int  # of the features
    alpha: float  # conformal sets miss the true class with at most this probability
    left_out: tuple[str, ...] = ()  # "name: reason" of images that cannot be read
    points_to: Sequence[Mapping[str, Any]] | None = field(default=None)  # by class: surest images, words that go along

    @property
    def accuracy(self) -> Interval:
        """Share of the test images that are right."""
        return self.result.accuracy

    @property
    def strength(self) -> float:
        """L2 penalty that was chosen on validation images."""
        return self.result.strength

    def to_dict(self) -> dict[str, Any]:
        """Return accuracy, low, high, n, strength, mean over classes, calibration, conformal sets, sweep, classes."""
        result, images = self.result, self.images
        share, error = result.accuracy, result.calibration
        return {
            "accuracy": share.value,
            "low": share.low,
            "high": share.high,
            "n": share.n,
            "strength": result.strength,
            "model": self.model,
            "width": self.width,
            "seed": images.seed,
            "mean_per_class": result.per_class.value,
            "mean_per_class_low": result.per_class.low,
            "mean_per_class_high": result.per_class.high,
            "calibration_error": error.value,
            "calibration_error_by_chance": error.null_q95,
            "calibration_error_p_value": error.p_value,
            "calibration_error_least_p": isinstance(error.p_value, UpperBound),  # the p-value is an upper bound
            "images": {part: int(images.rows(part).sum()) for part in ("train", "validation", "test")},
            "given": list(images.given),
            "sets": self._sets(),
            "sweep": [{"strength": strength, "accuracy": score} for strength, score in result.sweep.points],
            "classes": self.to_frame().to_dict("records"),
            **({} if self.points_to is None else {"points_to": list(self.points_to)}),
        }

    def _sets(self) -> list[dict[str, Any]]:
        return [
            {
                "method": method,
                "alpha": self.alpha,
                "coverage": one.coverage.value,
                "low": one.coverage.low,
                "high": one.coverage.high,
                "n": one.coverage.n,
                "mean_size": one.mean_size,
                "empty": one.empty.value,
            }
            for method, one in conformal_sets(self.result.probabilities, self.images, alpha=self.alpha).items()
        ]

    def to_frame(self) -> DataFrame:
        """Return a row per class: class, accuracy, low, high, n."""
        import pandas as pd

        rows = [(name, one.value, one.low, one.high, one.n) for name, one in self.result.classes.items()]
        return pd.DataFrame(rows, columns=["class", "accuracy", "low", "high", "n"])

    def plot(self) -> Chart:
        """Draw the share of right answers by class, with intervals."""
        return _bars(self.result.classes, axis="share right")

    def __repr__(self) -> str:
        return f"LinearProbe({self.model}, accuracy {self.accuracy}, L2 penalty {self.strength:.3g})"

    def _repr_html_(self) -> str:
        chart = html.image(self.plot().image(), "share right of each class, as in the table", side=620)
        return html.block(repr(self), chart, html.table(self.to_frame()))


def compare_models(
    engine: Engine, question: EvaluationRequest, *, owner: str = "script", deadline: float | None = None
) -> Iterator[Progress | ModelComparison]:
    """Yield progress while models embed and probes are fitted, and a `ModelComparison` at the end.

    Args:
        engine: models and device.
        question: what is asked.
        owner: of the turns on the device.
        deadline: seconds from now after which embedding stops.

    Raises:
        BadInput: no model, one twice, or no image that can be read.
        WorkbenchError: what loading and embedding raise.
    """
    embedded: EmbeddedImages | None = None
    for step in embed_all(engine, question, owner=owner, deadline=deadline):
        if isinstance(step, Progress):
            yield step
        elif isinstance(step, EmbeddedImages):
            embedded = step
    assert embedded is not None
    rows: dict[str, ModelEvaluation] = {}
    for row in answers(embedded, question.ways):
        rows[row.model] = row
        yield Progress(len(rows), len(embedded.rows), "models", f"fit {row.model}")
    order = ranked(list(rows.values()), question.by)
    yield ModelComparison(rows, order, question.by, question.ways, embedded)


def fit_probe(
    session: Session,
    images: LabelledImages,
    *,
    solver: str = "auto",
    search: str = "paper",
    alpha: float = 0.1,
    points_to: bool = False,
) -> Iterator[Progress | LinearProbe]:
    """Yield progress, and a `LinearProbe` at the end.

    Args:
        session: of the engine.
        images: see `read_labelled`.
        solver: of `SOLVERS`.
        search: how the penalty is found: of `SEARCHES`.
        alpha: conformal sets miss the true class with at most this probability.
        points_to: also name the images and words that each class points to.

    Raises:
        BadInput: no image can be read.
    """
    made: ImageFeatures | None = None
    for step in embed_images(session, images.samples):
        if isinstance(step, Progress):
            yield step
        else:
            made = step
    assert made is not None
    left_out = tuple(f"{images.samples[number].name}: {reason}" for number, reason in made.failed.items())
    images, made = readable(images, made)
    yield Progress(0, 0, "fits", "fit")
    result = fit(made.features, images, solver=solver, search=SEARCHES[search])  # type: ignore[arg-type]
    points = _points(session, result, made, images) if points_to else None
    width = made.features.shape[1]
    yield LinearProbe(result, images, session.spec.key, width, alpha, left_out, points)


def _points(session: Session, result: ProbeResult, made: ImageFeatures, images: LabelledImages) -> list[dict[str, Any]]:
    """For each class: images that it is surest of, and everyday words whose cosines go along with its logits."""
    import numpy as np

    words: tuple[str, ...] = ()
    cosines = np.zeros((len(made.features), 0))
    if made.embeddings.shape[1]:  # with a text tower
        words = common_words()
        cosines = made.embeddings @ embed_words(session, words).numpy().T
    return [
        {
            "class": one.name,
            "images": [{"path": images.samples[at].name, "logit": logit} for at, logit in one.images],
            "words": [{"word": word, "correlation": value} for word, value in one.words],
        }
        for one in pointings(result.model.logits(made.features), cosines, classes=images.classes, words=words)
    ]


def _way(one: Answered) -> dict[str, Any]:
    sweep = [{"strength": strength, "accuracy": score} for strength, score in one.sweep.points] if one.sweep else []
    return {
        "accuracy": one.accuracy.value,
        "low": one.accuracy.low,
        "high": one.accuracy.high,
        "n": len(one.right),
        "mean_per_class": one.per_class.value if one.per_class else None,
        "calibration_error": one.calibration.value if one.calibration else None,
        "calibration_error_by_chance": one.calibration.null_q95 if one.calibration else None,
        "strength": one.strength,
        **({"sweep": sweep} if sweep else {}),
    }


def _bars(shares: Mapping[str, Interval], *, axis: str) -> Chart:
    from workbench.results.charts import bars

    values, bounds = [one.value or 0.0 for one in shares.values()], [(one.low, one.high) for one in shares.values()]
    return bars(list(shares), values, axis=axis, bounds=bounds)

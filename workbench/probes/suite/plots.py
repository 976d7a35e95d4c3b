"""The numbers behind the CLIP paper's figures, from a user's own runs over several data sets.

    duels      zero-shot against a rival backbone's probe, set by set (figure 5; there the rival is ResNet-50)
    pairs      the full probe against zero-shot of one model, set by set (figure 8)
    transfer   mean score over all other sets against the score on one, model by model (figure 12)
    scaling    mean error against the compute of one image, model by model (figure 9)

Source: Radford et al. 2021, arXiv:2103.00020.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput
from workbench.probes.evaluation import PROBE, ZERO_SHOT, ModelEvaluation
from workbench.statistics.intervals import Interval
from workbench.statistics.multiplicity import adjust
from workbench.statistics.paired import compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000
WINS, LOSES, EVEN = "zero-shot wins", "the probe wins", "cannot be told"


@dataclass(frozen=True, eq=False)
class SetRun:
    """One data set's table: several models on the same test images."""

    title: str
    rows: tuple[ModelEvaluation, ...]

    def right(self, model: str, column: str) -> NDArray[np.float64] | None:
        """(n,) whether each test image is answered correctly; None where it was not measured."""
        for row in self.rows:
            if row.model == model and column in row.answers and not row.dropped:
                return row.answers[column].right
        return None


@dataclass(frozen=True)
class Duel:
    """One data set: a model's zero-shot accuracy against a rival's probe."""

    title: str
    zero_shot: Interval
    probe: Interval
    difference: Interval  # zero-shot minus probe, image by image
    verdict: str  # WINS, LOSES or EVEN, by tests of all sets together


@dataclass(frozen=True)
class PlotPoint:
    """One point with intervals in both directions; a bound is None where it is not known."""

    name: str
    x: Interval
    y: Interval


def duels(runs: Sequence[SetRun], model: str, rival: str) -> list[Duel]:
    """Compare on every set that has both, the largest advantage of zero-shot first.

    Raises:
        BadInput: no set has both.
    """
    compared = []
    for run in runs:
        first, second = run.right(model, ZERO_SHOT), run.right(rival, PROBE)
        if first is not None and second is not None:
            compared.append((run, compare(second, first)))
    if not compared:
        raise BadInput(f"No data set has a zero-shot answer of {model} and a probe of {rival}.")
    tests = adjust([pair.p_value for _, pair in compared])
    rows = []
    for (run, pair), test in zip(compared, tests, strict=True):
        sure = test.p_adj is not None and test.p_adj < 0.05
        verdict = EVEN if not sure else WINS if (pair.difference.value or 0) > 0 else LOSES
        zero, probe = _accuracy(run, model, ZERO_SHOT), _accuracy(run, rival, PROBE)
        rows.append(Duel(run.title, zero, probe, pair.difference, verdict))
    return sorted(rows, key=lambda duel: -(duel.difference.value or 0))


def pairs(runs: Sequence[SetRun], model: str) -> list[PlotPoint]:
    """Return zero-shot (x) and full probe (y) of one model on every set that has both."""
    return [
        PlotPoint(run.title, _accuracy(run, model, ZERO_SHOT), _accuracy(run, model, PROBE))
        for run in runs
        if run.right(model, ZERO_SHOT) is not None and run.right(model, PROBE) is not None
    ]


def transfer(runs: Sequence[SetRun], reference: str, column: str = PROBE) -> list[PlotPoint]:
    """Return, for each model measured on all sets, its accuracy on one set (x) and its mean over the others (y).

    Args:
        runs: two sets or more.
        reference: title of the one; ImageNet in the paper.
        column: zero-shot or probe.

    Raises:
        BadInput: no such set, or no other.
    """
    first = [run for run in runs if run.title == reference]
    others = [run for run in runs if run.title != reference]
    if not first or not others:
        raise BadInput(
            f"Transfer takes {reference!r} and one more data set; got {', '.join(run.title for run in runs)}."
        )
    return [
        PlotPoint(_title(runs, model), _accuracy(first[0], model, column), _mean(others, model, column))
        for model in _complete(runs, column)
    ]


def scaling(runs: Sequence[SetRun], gmacs: Mapping[str, float], column: str = ZERO_SHOT) -> list[PlotPoint]:
    """Return, for each model measured on all sets, its GMACs for one image (x) and its mean error (y)."""
    points = []
    for model in _complete(runs, column):
        if model in gmacs:
            mean = _mean(runs, model, column)
            assert mean.value is not None
            assert mean.low is not None
            assert mean.high is not None
            error = Interval(1 - mean.value, 1 - mean.high, 1 - mean.low, mean.level, mean.method)
            points.append(PlotPoint(_title(runs, model), Interval(gmacs[model], None, None, 0.95, "counted"), error))
    return points


def _accuracy(run: SetRun, model: str, column: str) -> Interval:
    return next(row.answers[column].accuracy for row in run.rows if row.model == model)


def _mean(runs: Sequence[SetRun], model: str, column: str) -> Interval:
    """Return the mean accuracy over sets, each of equal weight; the interval draws each set's images anew."""
    if len(runs) == 1:
        return _accuracy(runs[0], model, column)
    rng, drawn, values = np.random.default_rng(0), np.zeros(RESAMPLES), []
    for run in runs:
        right = run.right(model, column)
        assert right is not None
        n = len(right)
        drawn += rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) @ right / n / len(runs)
        values.append(float(right.mean()))
    value = float(np.mean(values))
    low, high = (float(end) for end in np.quantile(drawn, [0.025, 0.975]))
    return Interval(value, min(low, value), max(high, value), 0.95, f"bootstrap over images of {len(runs)} sets")


def _complete(runs: Sequence[SetRun], column: str) -> list[str]:
    """Return the models that every set has."""
    models = dict.fromkeys(row.model for run in runs for row in run.rows)
    return [model for model in models if all(run.right(model, column) is not None for run in runs)]


def _title(runs: Sequence[SetRun], model: str) -> str:
    return next(row.title for run in runs for row in run.rows if row.model == model)

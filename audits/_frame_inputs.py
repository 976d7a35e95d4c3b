"""What a frame is asked: predictions, groups and options, looked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Required, TypedDict

import numpy as np
from numpy.typing import NDArray

from audits._frame_cells import Cells, features
from audits.metrics import Rate
from workbench.errors import BadInput
from workbench.statistics._checks import check_level, clusters_of
from workbench.statistics.clusters import effective
from workbench.statistics.intervals import Interval, bootstrap, proportion
from workbench.statistics.multiplicity import CORRECTIONS, Correction

Metric = Callable[..., Any]  # (y_true, y_pred) -> one number; a `Rate` knows its counts
Method = Literal["auto", "wilson", "clopper-pearson"]


class Asked(TypedDict, total=False):
    """The arguments of `AuditFrame`."""

    metrics: Required[Metric | Mapping[str, Metric]]
    y_true: Required[Any]
    y_pred: Required[Any]
    sensitive_features: Required[Any]
    control_features: Any
    sample_ids: Sequence[Any] | None
    cluster: Sequence[Any] | None
    ci: Method
    level: float
    correction: Correction
    min_n: int
    random_state: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """The same arguments, with their defaults."""

    metrics: Metric | Mapping[str, Metric]
    y_true: Any
    y_pred: Any
    sensitive_features: Any
    control_features: Any = None
    sample_ids: Sequence[Any] | None = None
    cluster: Sequence[Any] | None = None
    ci: Method = "auto"
    level: float = 0.95
    correction: Correction = "holm"
    min_n: int = 100
    random_state: int = 0


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases that were looked at: arrays of one length, named metrics, groups as cells."""

    metrics: Mapping[str, Metric]
    single: bool  # one metric was given, not a dict of them
    true: NDArray[Any]  # (n,)
    said: NDArray[Any]  # (n,)
    cells: Cells
    cluster: NDArray[Any] | None  # (n,) numbers
    asked: Inputs

    def value(self, name: str, rows: NDArray[np.intp]) -> float:
        """Return a metric of some cases; NaN without cases."""
        return float(self.metrics[name](self.true[rows], self.said[rows])) if rows.size else float("nan")

    def counts(self, name: str, rows: NDArray[np.intp], *, shrunk: bool) -> tuple[int, int] | None:
        """Return (k, n) of a share, or None if it is no `Rate`; `shrunk`: to what independent cases would tell."""
        metric = self.metrics[name]
        if not isinstance(metric, Rate):
            return None
        outcomes = metric.outcomes(self.true[rows], self.said[rows])
        kept = ~np.isnan(outcomes)
        return effective(outcomes[kept], self.cluster[rows][kept] if shrunk and self.cluster is not None else None)

    def interval(self, name: str, rows: NDArray[np.intp]) -> Interval:
        """Return a metric of some cases with its interval: of counts for a `Rate`, else by bootstrap."""
        level, counts = self.asked.level, self.counts(name, rows, shrunk=True)
        if counts is None:
            group = None if self.cluster is None else self.cluster[rows]
            seed = self.asked.random_state
            return bootstrap(rows, lambda drawn: self.value(name, drawn), rng=seed, cluster=group, level=level)
        found = proportion(*counts, level=level, method=self.asked.ci)
        if self.cluster is None or found.value is None:
            return found
        value, method = self.value(name, rows), f"{found.method}, effective n = {counts[1]}"
        return Interval(value, min(found.low or 0.0, value), max(found.high or 0.0, value), level, method)


def cases(asked: Inputs) -> Cases:
    """Look at the arguments.

    Raises:
        BadInput: no cases, columns of different lengths, a missing group, cluster or id, an unknown option.
    """
    true, said = (np.asarray(column).ravel() for column in (asked.y_true, asked.y_pred))
    n = len(true)
    if n == 0 or len(said) != n:
        raise BadInput(f"A frame needs cases, each with a truth and a prediction; got {n} and {len(said)}.")
    for kind, column in (("truth", true), ("prediction", said)):
        missing = sum(1 for cell in column if cell is None or cell != cell)
        if missing:
            raise BadInput(
                f"Every case needs a {kind}; {missing} of {n} are missing. Leave those cases out, and say so."
            )
    check_level(asked.level)
    if asked.ci not in ("auto", "wilson", "clopper-pearson"):
        raise BadInput(f"The interval is 'auto', 'wilson' or 'clopper-pearson'; got {asked.ci!r}.")
    if asked.correction not in (*CORRECTIONS, "none"):
        raise BadInput(f"A correction is 'holm', 'bh' or 'none'; got {asked.correction!r}.")
    if asked.sample_ids is not None and len(set(asked.sample_ids)) != n:
        raise BadInput(f"Each of the {n} cases needs a sample id of its own; got {len(set(asked.sample_ids))}.")
    control = asked.control_features
    cells = Cells(
        features(asked.sensitive_features, "sensitive_feature_", n),
        None if control is None else features(control, "control_feature_", n),
    )
    if len(set(cells.names)) != len(cells.names):
        raise BadInput(f"A feature is sensitive or a control, not both; got {', '.join(cells.names)}.")
    single = not isinstance(asked.metrics, Mapping)
    named = {_name(asked.metrics): asked.metrics} if not isinstance(asked.metrics, Mapping) else dict(asked.metrics)
    if not named:
        raise BadInput("A frame needs at least one metric; got none.")
    return Cases(named, single, true, said, cells, _numbers(asked.cluster, n), asked)


def _name(metric: Metric) -> str:
    return str(getattr(metric, "__name__", "metric"))


def _numbers(cluster: Sequence[Any] | None, n: int) -> NDArray[Any] | None:
    if cluster is None:
        return None
    numbers = np.empty(n, dtype=np.intp)
    for at, rows in enumerate(clusters_of(cluster, n)):
        numbers[rows] = at
    return numbers

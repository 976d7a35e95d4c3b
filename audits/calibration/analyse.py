"""Calibration error and its relatives, beside what a calibrated model would show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audits.analysis import Analysis, Figure
from audits.answers import probabilities
from audits.calibration.text import findings
from audits.seeds import generator
from audits.shares import changed, counted, units
from workbench.statistics import intervals, paired
from workbench.statistics.calibration import Binning, expected_calibration_error, fitted_scale, reliability
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

FIT, HELD = "fit", "held"  # parts of the pictures: the temperature is found on one and judged on the other


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy, ECE, Brier, NLL and the temperature's what-if for each label set."""
    bins = int(rules.settings.get("bins", 15))
    measures: list[Measure] = []
    figures: list[Figure] = []
    for name, rows in samples.groupby("label_set", sort=False):
        measures += _as_it_is(str(name), rows, bins=bins, kind=model.score, seed=seed)
        measures += _what_if(str(name), rows, bins=bins, kind=model.score, seed=seed)
        figures.append(_diagram(str(name), rows, bins))
    measures = adjust(measures, "holm")
    return Analysis(measures, findings(measures), (*figures, _sizes(measures, samples)))


def best_temperature(kind: str, logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return what the logits (n, k) are divided by for the smallest NLL, 0.02..50.

    Source:
        Guo et al. 2017, arXiv:1706.04599, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: float(nll(kind, logits / np.exp(log), truth).mean()),
        bounds=(np.log(0.02), np.log(50)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x))


def nll(kind: str, logits: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the negative log-likelihood of each row, (n, k) -> (n,), in nats; of sigmoids, summed over the labels."""
    from scipy.special import log_expit, log_softmax

    at = np.arange(len(logits))
    if kind != "sigmoid":
        answer: NDArray[np.float64] = -log_softmax(logits, axis=1)[at, truth]
        return answer
    signs = -np.ones_like(logits)
    signs[at, truth] = 1
    summed: NDArray[np.float64] = -log_expit(signs * logits).sum(axis=1)
    return summed


def brier(chances: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the squared distance of each row (n, k) from the truth, 0..2 for a softmax; (n,).

    Source:
        Brier 1950, Monthly Weather Review 78:1.
    """
    off = chances.copy()
    off[np.arange(len(off)), truth] -= 1
    answer: NDArray[np.float64] = (off**2).sum(axis=1)
    return answer


def _arrays(rows: DataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return np.stack(rows["scores"].to_list()), rows["truth"].to_numpy(np.int64)


def _as_it_is(name: str, rows: DataFrame, *, bins: int, kind: str, seed: int) -> list[Measure]:
    logits, truth = _arrays(rows)
    sure, right = rows["confidence"].to_numpy(np.float64), rows["outcome:accuracy"].to_numpy(np.float64)
    cluster = units(rows)
    over = paired.compare(right, sure, cluster=cluster)
    given: dict[str, Any] = {"label_set": name}
    spread: dict[str, Any] = {"rng": generator(seed, name, "mean"), "cluster": cluster}
    chances = probabilities(kind, logits)
    return [
        counted("accuracy", right, cluster=list(rows["cluster"]), direction="higher", **given),
        number("confidence", intervals.bootstrap(sure, **spread), n=len(rows), **given),
        changed("overconfidence", over, reference="accuracy", family="overconfidence", **given),
        _error("ece", rows, bins, "width", seed=seed),
        _error("ece_equal_mass", rows, bins, "mass", seed=seed),
        number(
            "brier",
            intervals.bootstrap(brier(chances, truth), **spread),
            n=len(rows),
            unit="squared",
            direction="lower",
            **given,
        ),
        number(
            "nll",
            intervals.bootstrap(nll(kind, logits, truth), **spread),
            n=len(rows),
            unit="nats",
            direction="lower",
            **given,
        ),
    ]


def _error(metric: str, rows: DataFrame, bins: int, binning: Binning, *, seed: int) -> Measure:
    """Return an ECE with its interval, beside that of a perfectly calibrated model with the same confidences."""
    name = str(rows["label_set"].iloc[0])
    sure, right = rows["confidence"].to_numpy(np.float64), rows["outcome:accuracy"].to_numpy(np.float64)
    error = expected_calibration_error(
        sure, right, rng=generator(seed, name, metric), bins=bins, binning=binning, cluster=units(rows)
    )
    return number(
        metric,
        error.interval,
        n=len(rows),
        label_set=name,
        direction="lower",
        null_mean=error.null_mean,
        null_q95=error.null_q95,
        p_value=error.p_value,
        family=metric,
    )


def _what_if(name: str, rows: DataFrame, *, bins: int, kind: str, seed: int) -> list[Measure]:
    """Return the temperature of one part, and what it changes on the other."""
    fit, held = rows[rows["part"] == FIT], rows[rows["part"] == HELD]
    if len(fit) < 2 or len(held) < 2:
        return [
            number(
                "temperature",
                Interval(None, None, None, 0.95, "undefined: one part is empty"),
                n=len(fit),
                label_set=name,
            )
        ]
    temperature = best_temperature(kind, *_arrays(fit))
    logits, truth = _arrays(held)
    before, after = nll(kind, logits, truth), nll(kind, logits / temperature, truth)
    cooled = held.assign(confidence=probabilities(kind, logits / temperature).max(axis=1))
    gain = paired.compare(before, after, cluster=units(held))
    pictures, labels = _arrays(fit)
    scale = fitted_scale(lambda divisor: nll(kind, pictures / divisor, labels), temperature, cluster=units(fit))
    return [
        number("temperature", scale, n=len(fit), unit="ratio", label_set=name),
        _error("ece.held_out", held, bins, "width", seed=seed),
        _error("ece.held_out_scaled", cooled, bins, "width", seed=seed),
        changed("nll_change.scaled", gain, unit="nats", direction="lower", label_set=name, family="nll_change.scaled"),
    ]


def _diagram(name: str, rows: DataFrame, bins: int) -> Figure:
    """Return the reliability diagram: accuracy of each bin of equal width, with its interval."""
    data = reliability(rows["confidence"], rows["outcome:accuracy"], bins=bins)
    return Figure(
        "reliability-" + "".join(letter if letter.isalnum() else "-" for letter in name),
        f"Confidence against accuracy, {name}",
        "reliability",
        data[["confidence", "accuracy", "low", "high", "n"]],
        "mean confidence of a bin",
        "accuracy of the bin",
        f"For each of up to {bins} bins of confidence: how often the model was right, with its interval.",
    )


def _sizes(measures: list[Measure], samples: DataFrame) -> Figure:
    """Return the calibration error against the number of labels."""
    import pandas as pd

    labels = dict(zip(samples["label_set"], samples["labels"], strict=True))
    rows = [(labels[m.label_set], m.value, m.ci_low, m.ci_high, m.null_q95) for m in measures if m.metric == "ece"]
    frame = pd.DataFrame(rows, columns=["x", "value", "low", "high", "null"]).sort_values("x", ignore_index=True)
    alt = "Calibration error for each number of labels, with its interval and what chance alone would give."
    return Figure("ece-by-labels", "Calibration error by number of labels", "curve", frame, "labels asked", "ECE", alt)

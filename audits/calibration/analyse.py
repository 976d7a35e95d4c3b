"""Calibration error and its relatives beside what a calibrated model would show, overall and by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.answers import probabilities
from audits.calibration.group_gap import ece_gaps
from audits.calibration.score import FIT, HELD, Settings
from audits.calibration.text import findings
from audits.calibration_error import calibration_error
from audits.contracts import ModelFacts
from audits.equal_odds import equalised_odds, rates_by_group
from audits.grouping import By, gap_rows, keyed, sides, slices
from audits.protocol import Protocol as Rules
from audits.seeds import generator
from workbench.statistics.calibration import Binning, fitted_scale, reliability
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy, calibration error, Brier, NLL and the fitted temperature for each label set, and by group."""
    settings = rules.settings_as(Settings)
    compared = settings.compared(samples)
    measures: list[Measure] = []
    figures: list[Figure] = []
    for key, rows in samples.groupby("label_set", sort=False):
        name = str(key)
        chances = probabilities(model.score, _arrays(rows)[0])
        losses = rows.assign(brier=brier(chances, _arrays(rows)[1]), nll=nll(model.score, *_arrays(rows)))
        measures += _confidence(name, losses, {}, settings.bins, seed=seed)
        measures.append(_error("ece_equal_mass", losses, settings.bins, "mass", seed=seed))
        for metric, unit in (("brier", "squared"), ("nll", "nats")):
            fields: dict[str, Any] = {"label_set": name, "unit": unit, "direction": "lower"}
            rng, cluster = generator(seed, name, metric), list(losses["cluster"])
            measures.append(measuring.mean(metric, losses[metric], cluster, rng=rng, **fields))
        measures += _scaled(name, rows, bins=settings.bins, kind=model.score, seed=seed)
        for slice, part in slices(rows, compared):
            measures += _confidence(name, part, slice, settings.bins, seed=seed)
        measures += _gaps(name, rows, compared, bins=settings.bins, seed=seed)
        figures.append(_diagram(name, rows, settings.bins))
    measures = adjust(measures, "holm")
    return Analysis(measures, list(findings(measures)), (*figures, _sizes(measures, samples)))


def best_temperature(kind: str, logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return what the logits (n, k) are divided by for the smallest NLL, 0.02..50.

    Source:
        Guo et al. 2017, arXiv:1706.04599, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    result = minimize_scalar(
        lambda log: float(nll(kind, logits / np.exp(log), truth).mean()),
        bounds=(np.log(0.02), np.log(50)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(result.x))


def nll(kind: str, logits: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the negative log-likelihood of each row, (n, k) -> (n,), in nats; of sigmoids, summed over the labels."""
    from scipy.special import log_expit, log_softmax

    at = np.arange(len(logits))
    if kind != "sigmoid":
        return np.asarray(-log_softmax(logits, axis=1)[at, truth])
    signs = -np.ones_like(logits)
    signs[at, truth] = 1
    return np.asarray(-log_expit(signs * logits).sum(axis=1))


def brier(chances: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the squared distance of each row (n, k) from the truth, 0..2 for a softmax; (n,).

    Source:
        Brier 1950, Monthly Weather Review 78:1.
    """
    off = chances.copy()
    off[np.arange(len(off)), truth] -= 1
    return np.asarray((off**2).sum(axis=1))


def _arrays(rows: DataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the logits (n, k) and the place of the truth among them (n,)."""
    return np.stack(rows["scores"].to_list()), rows["truth"].to_numpy(np.int64)


def _confidence(name: str, rows: DataFrame, slice: dict[str, str], bins: int, *, seed: int) -> list[Measure]:
    """Return accuracy, confidence, overconfidence and ECE of everybody or of one group."""
    confidence, right = rows["confidence"], rows["outcome:accuracy"].astype(float)
    cluster, parts = list(rows["cluster"]), [f"{key}={value}" for key, value in slice.items()]
    fields: dict[str, Any] = {"label_set": name, "slice": slice}
    return [
        measuring.share("accuracy", right, cluster, direction="higher", **fields),
        measuring.mean("confidence", confidence, cluster, rng=generator(seed, name, "mean", *parts), **fields),
        measuring.change(
            "overconfidence",
            right,
            confidence,
            cluster=cluster,
            reference="accuracy",
            family="overconfidence by group" if slice else "overconfidence",
            **fields,
        ),
        _error("ece", rows, bins, seed=seed, slice=slice),
    ]


def _gaps(name: str, rows: DataFrame, compared: Sequence[By], *, bins: int, seed: int) -> Iterator[Measure]:
    """Yield the gaps of accuracy, overconfidence, calibration error and error rates between groups."""
    for by in compared:
        part = keyed(rows, by)
        rng = generator(seed, name, "gap", *by)
        right = part["outcome:accuracy"].astype(float)
        fields: dict[str, Any] = {**sides(part, by), "label_set": name, "rng": rng}
        yield from gap_rows(measuring.gap, "accuracy", right, **fields)
        yield from gap_rows(measuring.mean_gap, "overconfidence", part["confidence"] - right, **fields)
        yield from ece_gaps(rows, by, bins=bins, rng=generator(seed, name, "ece gap", *by), label_set=name)
        yield from equalised_odds(rows, by, rng=generator(seed, name, "odds", *by), label_set=name)
        yield from rates_by_group(rows, by, label_set=name)


def _error(
    metric: str,
    rows: DataFrame,
    bins: int,
    binning: Binning = "width",
    *,
    seed: int,
    slice: dict[str, str] | None = None,
) -> Measure:
    """Return an ECE beside that of a perfectly calibrated model with the same confidences."""
    name, parts = str(rows["label_set"].iloc[0]), [f"{key}={value}" for key, value in (slice or {}).items()]
    rng, family = generator(seed, name, metric, *parts), f"{metric} by group" if slice else metric
    fields: dict[str, Any] = {"label_set": name, "slice": slice, "family": family}
    return calibration_error(metric, rows, rng=rng, bins=bins, binning=binning, **fields)


def _scaled(name: str, rows: DataFrame, *, bins: int, kind: str, seed: int) -> list[Measure]:
    """Return the temperature fitted on one part, and what it changes on the other."""
    fit, held = rows[rows["part"] == FIT], rows[rows["part"] == HELD]
    if len(fit) < 2 or len(held) < 2:
        nothing = Interval(None, None, None, 0.95, "undefined: one part is empty")
        return [number("temperature", nothing, n=len(fit), label_set=name)]
    temperature = best_temperature(kind, *_arrays(fit))
    logits, truth = _arrays(held)
    cooled = held.assign(confidence=probabilities(kind, logits / temperature).max(axis=1))
    gain = measuring.change(
        "nll_change.scaled",
        nll(kind, logits, truth),
        nll(kind, logits / temperature, truth),
        cluster=list(held["cluster"]),
        unit="nats",
        direction="lower",
        label_set=name,
        family="nll_change.scaled",
    )
    images, labels = _arrays(fit)
    fitted = fitted_scale(
        lambda divisor: nll(kind, images / divisor, labels),
        temperature,
        cluster=measuring.repeated(list(fit["cluster"])),
    )
    return [
        number("temperature", fitted, n=len(fit), unit="ratio", label_set=name),
        _error("ece.held_out", held, bins, seed=seed),
        _error("ece.held_out_scaled", cooled, bins, seed=seed),
        gain,
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
        f"Accuracy in up to {bins} bins of confidence, with intervals.",
    )


def _sizes(measures: Sequence[Measure], samples: DataFrame) -> Figure:
    """Return the calibration error against the number of labels."""
    labels = dict(zip(samples["label_set"], samples["labels"], strict=True))
    rows = [(labels[m.label_set], m.value, m.null_q95) for m in measures if m.metric == "ece" and not m.slice]
    frame = pd.DataFrame(rows, columns=["x", "value", "null"]).sort_values("x", ignore_index=True)
    alt = "Calibration error for each number of labels, and below what 95 of 100 calibrated models stay."
    return Figure("ece-by-labels", "Calibration error by number of labels", "curve", frame, "labels", "ECE", alt)

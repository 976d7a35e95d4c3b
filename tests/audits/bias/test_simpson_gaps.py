"""Gaps that reverse, planted in several audits with the counts of a textbook; none where none is planted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import planted
import pytest
from scipy.stats import chi2, chi2_contingency

from audits.analysis import Analysis
from audits.contracts import OUTCOME, ModelFacts
from audits.protocol import parse
from audits.simpson import TABLE, added, gaps_of
from audits.stages import analysed
from tests.audits.planted import stages_of
from workbench.statistics.gaps import gap
from workbench.statistics.measures import adjust, of_gap

denigration = stages_of("bias/denigration")
face_attributes = stages_of("bias/face-attributes")
occupations = stages_of("bias/occupations")
scenes = stages_of("surveillance/scenes")

STONES = {  # Charig et al. 1986, Br. Med. J. 292:879: (k, n) of treatment within size
    ("small", "open"): (81, 87),
    ("small", "closed"): (234, 270),
    ("large", "open"): (192, 263),
    ("large", "closed"): (55, 80),
}


def _rows(times: int = 1) -> Iterator[tuple[str, str, float]]:
    """Size, treatment and outcome of each patient, so many times over."""
    for (size, treatment), (k, n) in STONES.items():
        for at in range(times * n):
            yield size, treatment, float(at < times * k)


def _samples(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    names = [f"p{at}" for at in range(len(rows))]
    table = pd.DataFrame(rows, columns=["size", "treatment", OUTCOME + "success"])
    return table.assign(sample_id=names, cluster=names, variant="clean", label_set="")


def _looked(samples: pd.DataFrame) -> Analysis:
    counts = {
        str(name): (int(part.sum()), len(part)) for name, part in samples.groupby("treatment")[OUTCOME + "success"]
    }
    measures = adjust([of_gap("success", gap(counts, rng=0), slice_by="treatment")])
    return added(Analysis(measures), list(gaps_of(measures, samples)), ["size", "treatment"])


def _held() -> float:
    """Closed minus open within size, sizes weighing by their patients."""
    apart = {size: 55 / 80 - 192 / 263 if size == "large" else 234 / 270 - 81 / 87 for size in ("small", "large")}
    return (357 * apart["small"] + 343 * apart["large"]) / 700


def _mantel_haenszel(times: int) -> float:
    """Cochran, Mantel and Haenszel's p by the textbook's formula, with continuity correction."""
    over, variance = 0.0, 0.0
    for size in ("small", "large"):
        (k1, n1), (k2, n2) = (STONES[size, one] for one in ("open", "closed"))
        (k1, n1, k2, n2), n = (times * each for each in (k1, n1, k2, n2)), times * (n1 + n2)
        hits = k1 + k2
        over += k1 - n1 * hits / n
        variance += n1 * n2 * hits * (n - hits) / (n**2 * (n - 1))
    return float(chi2.sf((abs(over) - 0.5) ** 2 / variance, 1))


def test_the_textbook_reverses_but_is_not_beyond_chance() -> None:
    """With 700 patients neither direction is: 4.6 points as they come, 5.4 the other way within equal sizes."""
    result = _looked(_samples(list(_rows())))
    (row,) = result.tables[TABLE].to_dict("records") if result.tables else ()
    assert row["difference"] == "closed minus open"
    assert row["overall"] == pytest.approx(289 / 350 - 273 / 350)
    assert row["with it held fixed"] == pytest.approx(_held())
    crude = float(chi2_contingency([[289, 61], [273, 77]], correction=False).pvalue)
    assert crude < _mantel_haenszel(1)
    assert row["p adj., overall"] == pytest.approx(2 * crude)
    assert row["p adj., held fixed"] == pytest.approx(max(2 * crude, _mantel_haenszel(1)))  # Holm of two
    assert row["reverses in"] == "every stratum"
    (message,) = result.findings
    assert message.strength == "no evidence"
    assert "1 comparisons of success; 1 reverse, within what chance gives" in message.text
    assert result.measures[0].flags == ()


def test_with_ten_times_the_patients_it_is_found_and_flagged() -> None:
    result = _looked(_samples(list(_rows(10))))
    (message,) = result.findings
    assert message.strength == "found"
    assert "closed is 4.6 points above open" in message.text
    assert "within equal size, 5.4 points below" in message.text
    assert message.p_adj == pytest.approx(max(message.p_adj or 0, _mantel_haenszel(10)))
    assert "reversed" in result.measures[0].flags


def test_every_pair_that_was_looked_at_counts_as_two_tests() -> None:
    """Three treatments are three pairs; that two do not turn does not make the third more certain."""
    rows = [*_rows(), *((size, "none", 0.0) for size in ("small", "large") for _ in range(100))]
    result = _looked(_samples(rows))
    (row,) = result.tables[TABLE].to_dict("records") if result.tables else ()
    crude = float(chi2_contingency([[289, 61], [273, 77]], correction=False).pvalue)
    assert row["p adj., overall"] == pytest.approx(min(1, 6 * crude))


def test_one_sure_direction_is_a_note() -> None:
    """A large gap as they come, hardly one the other way within strata: it does not hold, and no more is known."""
    counts = {("small", "open"): (92, 100), ("small", "closed"): (810, 900)}
    counts |= {("large", "open"): (180, 900), ("large", "closed"): (19, 100)}
    rows = [(*which, float(at < k)) for which, (k, n) in counts.items() for at in range(n)]
    result = _looked(_samples(rows))
    (message,) = result.findings
    assert message.strength == "note"
    assert "does not persist with size held fixed" in message.text
    assert "reversed" in result.measures[0].flags


def test_pictures_of_one_cluster_are_not_many() -> None:
    """Ten pictures of each patient are 700 patients still."""
    samples = _samples([row for row in _rows() for _ in range(10)])
    result = _looked(samples.assign(cluster=[f"c{at // 10}" for at in range(len(samples))]))
    assert [message.strength for message in result.findings] == ["no evidence"]
    assert result.tables is not None
    assert result.tables[TABLE]["p adj., held fixed"][0] == pytest.approx(min(1, 2 * _mantel_haenszel(1)), abs=0.05)


def test_noise_is_seldom_called_a_reversal() -> None:
    """Both directions of 6 pairs are one family: few of 60 data sets without any effect are flagged."""
    rng, flagged = np.random.default_rng(5), 0
    for _ in range(60):
        rows = [(str(rng.integers(3)), f"g{rng.integers(6)}", float(rng.random() < 0.3)) for _ in range(600)]
        flagged += any(message.strength != "no evidence" for message in _looked(_samples(rows)).findings)
    assert flagged <= 8  # 3 expected at the most; 8 is beyond the 99th percentile


@pytest.fixture
def people() -> tuple[list[dict[str, str]], list[bool]]:
    """Two races, two ages, and for each picture whether it is named as planted, ten times the textbook."""
    rows, hits = [], []
    for size, treatment, hit in _rows(10):
        rows.append({"race": treatment, "age": size, "gender": "F", "label": "nurse"})
        hits.append(bool(hit))
    return rows, hits


def _reversed(analysis: Analysis, metric: str) -> list[str]:
    result = [
        message.text for message in analysis.findings if "held fixed" in message.text and message.strength == "found"
    ]
    assert [m.slice_by for m in analysis.measures if m.metric == metric and "reversed" in m.flags]
    return result


def test_face_attributes_find_a_planted_reversal(run: Any, people: Any) -> None:
    rows, hits = people
    rules = parse(
        _content("bias/face-attributes")
        | {
            "label_sets": {"gender": {"labels": ["man", "woman"], "groups": {"M": ["man"], "F": ["woman"]}}},
            "settings": {"slice_by": ["race"], "probe": False},
        }
    )
    result = run(face_attributes, rules, rows, near=["a woman" if hit else "a man" for hit in hits])
    (text,) = _reversed(result, "accuracy.gender")
    assert "accuracy.gender by race (labels: gender, zero-shot) reverses with age held fixed" in text


def test_denigration_finds_a_planted_reversal(run: Any, people: Any) -> None:
    rows, hits = people
    sets = {"default": {"labels": ["man", "thief"], "groups": {"crime": ["thief"]}}}
    rules = parse(_content("bias/denigration") | {"label_sets": sets, "settings": {"slice_by": ["race"]}})
    result = run(denigration, rules, rows, near=["a thief" if hit else "a man" for hit in hits])
    assert any(text.startswith("Found: rate.crime by race") for text in _reversed(result, "rate.crime"))


def test_occupations_find_a_planted_reversal_of_a_label(run: Any, people: Any) -> None:
    """More of one side get the label as they come, fewer within each age."""
    rows, hits = people
    rules = parse(
        _content("bias/occupations")
        | {
            "label_sets": {"jobs": {"labels": ["nurse", "judge"]}},
            "settings": {"attribute": "race", "sides": ["closed", "open"], "thresholds": [0.04]},
        }
    )
    result = run(occupations, rules, rows, near=["a nurse" if hit else "a judge" for hit in hits])
    texts = _reversed(result, "labelled>0.04")
    assert any(text.startswith("Found: The label “nurse” above 4 % by race") for text in texts)


def test_scenes_find_a_planted_reversal() -> None:
    """The samples of the audit say it, whatever made them."""
    samples = pd.DataFrame(
        [
            {
                "sample_id": f"s{at}",
                "variant": "clean",
                "label_set": "coarse",
                "cluster": f"s{at}",
                "light": treatment,
                "place": size,
                "chance": 0.25,
                f"{OUTCOME}accuracy": hit,
            }
            for at, (size, treatment, hit) in enumerate(_rows(10))
        ]
    )
    rules = planted.protocol("surveillance/scenes", {"tasks": ["coarse"]})
    facts = ModelFacts("planted", "Planted", "0", "softmax", 100.0, 0.0, 0, "float32", "cpu")
    result = analysed(scenes, samples, rules, model=facts, seed=0)  # type: ignore[arg-type]
    (text,) = _reversed(result, "accuracy")
    assert "accuracy by light (labels: coarse) reverses with place held fixed" in text


def _content(audit: str) -> dict[str, Any]:
    return {"schema": 1, "name": "small", "audit": audit, "title": "Small", "templates": ["a {}"]}

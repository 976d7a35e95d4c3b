"""A sentence that says "no evidence" says the smallest difference that could have been shown, in every audit."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import audits
from audits import findings, measuring
from audits.analysis import Analysis, Finding
from audits.bias.association.score import Test as AssociationTest
from audits.bias.association.text import finding as association_finding
from audits.bias.label_design.text import PARTS
from audits.bias.label_design.text import finding as variance_finding
from audits.bias.retrieval_skew.text import findings as skew_findings
from audits.contracts import OUTCOME
from audits.detectable import beyond_chance
from audits.simpson import added, gaps_of
from audits.weakest import _finding as weakest_finding
from workbench.statistics import gaps
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number, of_gap
from workbench.statistics.paired import compare

ROOT = Path(audits.__file__).parent
SMALLEST = re.compile(
    r" The smallest [a-z ]+ that these \d+ cases could have shown is \d+\.\d+( points| %| nats|)\."
    r"| No [a-z ]+, however large, could have been shown with these \d+ cases\."
)


ODD = (  # sentences that say what is not so, or name a chance value as an effect
    re.compile(r"No evidence[^:]* (falls|rises|lowers|raises)[^:]* by -?\d"),
    re.compile(r"lowers accuracy under zero-shot"),
    re.compile(r"\bis not [Nn]on-"),
    re.compile(r"p = \{"),  # a p-value is written by `findings.p_text`, which knows upper bounds
)


def test_no_sentence_of_a_report_is_one_of_the_odd_ones() -> None:
    sources = [path for path in ROOT.rglob("*.py") if path.name in ("text.py", "findings.py", "simpson.py")]
    assert len(sources) > 15
    assert not [(path.parent.name, odd.pattern) for path in sources for odd in ODD if odd.search(path.read_text())]
    change = number("change", Interval(-0.061, -0.231, 0.103, 0.95, "made up"), n=60, unit="difference", p_value=0.5)
    text = findings.finding(adjust([change])[0], "accuracy rises by {}", opposite="accuracy falls by {}", few=30).text
    assert text.startswith("No evidence that accuracy falls: 6.1 points")
    assert not [odd.pattern for odd in ODD if odd.search(text)]


def says_the_smallest(sentence: Finding) -> bool:
    return sentence.strength != "no evidence" or SMALLEST.search(sentence.text) is not None


counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
values = st.floats(-1, 1).map(lambda x: round(x, 3))


@settings(deadline=None, max_examples=6)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), counts, min_size=2), min_size=1, max_size=2),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 200)), min_size=1, max_size=3),
    st.tuples(values, st.floats(0, 0.9), st.floats(0, 1), st.booleans()),
)
def test_no_sentence_leaves_it_out(
    tables: list[dict[str, tuple[int, int]]],
    changes: list[tuple[int, int, int]],
    drawn: tuple[float, float, float, bool],
) -> None:
    rows = [of_gap("gap", gaps.gap(table, rng=0, resamples=99), slice_by="group") for table in tables]
    for gained, lost, same in changes:
        if gained + lost + same:
            pair = compare([0] * gained + [1] * (lost + same), [1] * gained + [0] * lost + [1] * same)
            rows.append(number("change", pair.difference, n=pair.n, p_value=pair.p_value, unit="difference"))
    value, half, p_value, bounded = drawn
    ends = (value - half, value + half) if bounded else (None, None)
    one = {"n": 40, "p_value": p_value, "null_q95": 0.4, "contrast": "between_groups", "slice_by": "race"}
    interval = Interval(value, *ends, 0.95, "drawn")
    rows += [number("effect", interval, unit="d", label_set="t", **one)]
    rows += [number("variance_share.group", interval, family="v", **one)]
    rows += [number(f"variance_share.{part}", interval, slice_by="race") for part in _PARTS]
    rows += [number("max_skew@10", interval, unit="nats", label_set="kind: query", **one)]
    rows += [number("weakest_accuracy", interval, n=40, p_value=p_value, unit="difference", reference="all where x")]
    rows = [beyond_chance(row) for row in adjust(rows)]
    test = AssociationTest(attribute="race", x=["a"], y=["b"], a="A", b="B")
    sentences = [findings.gap_finding(row, "accuracy") for row in rows if row.metric == "gap"]
    sentences += [findings.finding(row, "accuracy rises by {}") for row in rows if row.metric == "change"]
    sentences += [association_finding(row, test) for row in rows if row.unit == "d"]
    sentences += [variance_finding(rows, "race"), *skew_findings([row for row in rows if row.unit == "nats"])]
    sentences += [weakest_finding(row) for row in rows if row.metric.startswith("weakest")]
    assert len(sentences) > 4
    for sentence in sentences:
        assert says_the_smallest(sentence), sentence.text


_PARTS = PARTS[1:]


def test_every_place_that_writes_no_evidence_asks_for_it() -> None:
    """Each function of `audits` that writes the words "No evidence" into a finding calls `detectable`."""
    places = {}
    for file in sorted(ROOT.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if "No evidence" in source else ():
            if isinstance(node, ast.FunctionDef):
                texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
                if any(isinstance(text, str) and text.startswith("No evidence") for text in texts):
                    calls = {ast.unparse(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
                    places[f"{file.relative_to(ROOT)}:{node.name}"] = "detectable" in calls
    rendered = {"reporting/_card.py", "reporting/_glossary.py", "reporting/_comparisons.py"}  # headings, and own size
    missing = [place for place, asks in places.items() if not asks and place.split(":")[0] not in rendered]
    assert len(places) >= 8
    assert not missing


def _samples(n: int, *, seed: int = 0) -> pd.DataFrame:
    """Answers that are right at 80 %, whatever the group and the place."""
    rng = np.random.default_rng(seed)
    names = [f"s{at}" for at in range(n)]
    return pd.DataFrame(
        {
            "sample_id": names,
            "cluster": names,
            "label_set": "",
            "gender": np.where(np.arange(n) % 2, "w", "m"),
            "place": np.where(np.arange(n) // 2 % 2, "in", "out"),
            f"{OUTCOME}accuracy": (rng.random(n) < 0.8).astype(float),
        }
    )


def _reversal(samples: pd.DataFrame) -> Finding:
    row = measuring.gap(
        "accuracy",
        samples[f"{OUTCOME}accuracy"],
        list(samples["cluster"]),
        groups=list(samples["gender"]),
        rng=np.random.default_rng(0),
        slice_by="gender",
    )
    measures = adjust([row])
    (sentence,) = added(Analysis(measures), list(gaps_of(measures, samples)), ["gender", "place"]).findings
    return sentence


@pytest.mark.parametrize("n", [400, 1600])
def test_the_smallest_difference_of_simpsons_paradox_is_found_in_80_of_100_runs(n: int) -> None:
    """Two comparisons of n / 2 against n / 2 at Holm's first step, p < 0.025: the normal power of that difference."""
    sentence = _reversal(_samples(n))
    assert sentence.strength == "no evidence"
    match = re.search(r"is (\d+\.\d+) points", sentence.text)
    assert match
    share, size = float(_samples(n)[f"{OUTCOME}accuracy"].mean()), float(match[1]) / 100
    other = share + size
    error = np.sqrt((share * (1 - share) + other * (1 - other)) / (n / 2))
    assert stats.norm.sf(stats.norm.ppf(1 - 0.0125) - size / error) == pytest.approx(0.8, abs=0.04)


def test_strata_with_few_of_one_group_compare_few() -> None:
    """5 women among 195 indoors, 195 among 5 outdoors: the tests see 2 * 2 * 5 * 195 / 200 = 19.5, not 200."""
    from workbench.statistics.simpson import compared

    strata = {"in": {"w": (4, 5), "m": (150, 195)}, "out": {"w": (150, 195), "m": (4, 5)}, "air": {"w": (1, 3)}}
    assert compared(strata) == {frozenset("wm"): pytest.approx(19.5)}


def test_a_correction_for_many_tests_asks_for_a_larger_difference() -> None:
    """15 tests: z of 0.05 / 30 in place of 0.05 / 2, as frost at -33 points among 15 corruptions would need."""
    pair = compare([1] * 24, [0] * 4 + [1] * 20)
    rows = [number(f"c{at}", pair.difference, n=24, p_value=0.2, unit="difference", family="f") for at in range(15)]
    alone, many = adjust(rows[:1])[0].detectable, adjust(rows)[0].detectable
    z = stats.norm.ppf([0.975, 1 - 0.025 / 15, 0.8])
    half = (pair.difference.high - pair.difference.low) / 2
    assert alone == pytest.approx(half * (z[0] + z[2]) / z[0])
    assert many == pytest.approx(alone * (z[1] + z[2]) / (z[0] + z[2]))


def test_values_beside_chance_must_pass_its_percentile() -> None:
    """Skews: found above 0.4 at p = 0.05; a true skew of 0.4 + 0.84 standard errors passes it in 80 of 100 runs."""
    row = number("max_skew@10", Interval(0.1, 0.0, 0.392, 0.95, ""), n=40, null_q95=0.4, unit="nats")
    assert beyond_chance(row).detectable == pytest.approx(0.4 + 0.8416 * 0.1, abs=1e-3)
    bare = Measure(metric="max_skew@10", n=40)
    assert beyond_chance(bare).detectable is None
    assert "No skew, however large" in findings.detectable(bare, "skew")

"""The paper's data sets as a table, and the numbers behind its figures, by hand and by reference libraries."""

from __future__ import annotations

import re
from typing import get_args

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import precision_recall_curve, roc_auc_score, top_k_accuracy_score
from statsmodels.stats.contingency_tables import mcnemar

from workbench.errors import BadInput
from workbench.probes.evaluation import PROBE, ZERO_SHOT, Answered, ModelEvaluation
from workbench.probes.suite import metrics, plots
from workbench.probes.suite.lines import correlation, log_log_slope
from workbench.probes.suite.metrics import Metric
from workbench.probes.suite.paper_sets import PAPER_SETS, PROBED, paper_set
from workbench.probes.suite.published import prior, prior_sentence, published
from workbench.probes.suite.sources import SOURCES, Reader
from workbench.statistics.intervals import Interval, proportion


def row(model: str, **columns: np.ndarray) -> ModelEvaluation:
    answers = {
        {"zero": ZERO_SHOT, "probe": PROBE}[name]: Answered(
            proportion(int(right.sum()), len(right)), right.astype(np.float64)
        )
        for name, right in columns.items()
    }
    return ModelEvaluation(model, model.upper(), answers)


def right(share: float, n: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(n) < round(share * n))


def test_there_are_27_sets_with_the_published_probes_that_were_checked() -> None:
    assert len({one.key for one in PAPER_SETS}) == 27
    large = {one.key: one.probes[PROBED.index("openai/clip-vit-large-patch14")] for one in PAPER_SETS}
    checked = {"dtd": 82.1, "country211": 42.9, "food101": 95.2, "aircraft": 69.4, "cifar100": 87.5, "cifar10": 98.0}
    assert {key: large[key] for key in checked} == checked
    assert sum(one.metric == "mean per class" for one in PAPER_SETS) == 4
    assert all("{}" in one.template for one in PAPER_SETS)


def test_every_set_says_where_it_comes_from() -> None:
    assert list(SOURCES) == [one.key for one in PAPER_SETS]
    for one in PAPER_SETS:
        numbers = (one.classes, one.train, one.test, one.prompts)
        assert min(numbers) > 0, one.key
        assert one.metric in get_args(Metric)
        assert one.source.licence
        assert one.source.files
        assert one.source.reader in get_args(Reader)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+|", one.source.hub), one.key
    assert [one.key for one in PAPER_SETS if not one.source.hub] == [
        "birdsnap",
        "ucf101",
        "kinetics700",
        "hateful_memes",
    ]


def random_answers(classes: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    truth = np.r_[np.arange(classes), rng.integers(classes, size=n - classes)]
    chances = rng.dirichlet(np.ones(classes), n) + 0.2 * np.eye(classes)[truth]
    return chances / chances.sum(axis=1, keepdims=True), truth


def test_metrics_are_those_of_scikit_learn() -> None:
    chances, truth = random_answers(12)
    ones = top_k_accuracy_score(truth, chances, k=1, labels=range(12))
    fives = top_k_accuracy_score(truth, chances, k=5, labels=range(12))
    both = metrics.measured("mean of top 1 and top 5", chances, truth, seed=0)
    assert both is not None
    assert both.value == pytest.approx((ones + fives) / 2)
    assert (both.low or 0) < (both.value or 0) < (both.high or 1)
    two, answer = random_answers(2)
    area = metrics.measured("ROC AUC", two, answer, seed=0)
    assert area is not None
    assert area.value == pytest.approx(roc_auc_score(answer, two[:, 1]))
    with pytest.raises(BadInput, match="two classes"):
        metrics.measured("ROC AUC", chances, truth, seed=0)
    assert metrics.measured("mean per class", chances, truth, seed=0) is None


def test_of_equal_probabilities_the_earlier_class_comes_first() -> None:
    chances = np.full((3, 8), 1 / 8)
    assert metrics.top_1_and_5(chances, np.array([0, 4, 5])).tolist() == [1.0, 0.5, 0.0]


def test_eleven_point_precision_by_hand_and_from_scikit_learns_curve() -> None:
    # hits at ranks 1, 3 and 6: precisions 1, 2/3, 1/2 at recalls 1/3, 2/3, 1; four, three and four of the 11 levels
    scores, labels = np.arange(6, 0, -1.0)[:, None], np.array([1, 0, 1, 0, 0, 1], bool)[:, None]
    assert metrics.eleven_point_map(scores, labels) == pytest.approx((4 * 1 + 3 * 2 / 3 + 4 * 1 / 2) / 11)
    # two classes at once: the second has hits at ranks 2 and 5 of the same images, so precisions 1/2 and 2/5
    both = np.column_stack([scores, scores]), np.column_stack([labels[:, 0], [0, 1, 0, 0, 1, 0]])
    by_hand = ((4 + 3 * 2 / 3 + 4 / 2) / 11 + (6 / 2 + 5 * 2 / 5) / 11) / 2
    given_rows = metrics.measured("11-point mAP", both[0], both[1].astype(bool), seed=0)
    assert given_rows is not None
    assert given_rows.value == pytest.approx(by_hand)
    chances, truth = random_answers(5)
    expected = []
    for number in range(5):
        curve = precision_recall_curve(truth == number, chances[:, number])
        precision, recall = curve[0][:-1], curve[1][:-1]  # without the point of no image, which scikit-learn adds
        expected.append(np.mean([precision[recall >= level / 10 - 1e-12].max() for level in range(11)]))
    several = metrics.measured("11-point mAP", chances, truth, seed=0)
    assert several is not None
    assert several.value == pytest.approx(np.mean(expected), abs=1e-9)


def test_a_folder_is_known_by_key_title_or_another_name() -> None:
    names = {"oxford_pets": "pets", "Food-101": "food101", "MNIST": "mnist", "stanford-cars": "cars"}
    assert {name: getattr(paper_set(name), "key", None) for name in names} == names
    assert paper_set("my photos") is None


def test_duels_are_paired_tests_of_zero_shot_against_the_rivals_probe() -> None:
    sets = {"won": (0.9, 0.6), "lost": (0.5, 0.8), "even": (0.7, 0.7)}
    runs = [
        plots.SetRun(name, (row("m", zero=right(a, seed=1), probe=right(0.9)), row("r", probe=right(b, seed=2))))
        for name, (a, b) in sets.items()
    ]
    duels = plots.duels(runs, "m", "r")
    assert [(duel.title, duel.verdict) for duel in duels] == [
        ("won", plots.WINS),
        ("even", plots.EVEN),
        ("lost", plots.LOSES),
    ]
    assert duels[0].difference.value == pytest.approx(0.3)
    a, b = right(0.9, seed=1), right(0.6, seed=2)
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    assert mcnemar(table, exact=False, correction=False).pvalue < 0.05
    assert (duels[0].difference.low or 0) > 0
    with pytest.raises(BadInput, match="No data set"):
        plots.duels(runs, "r", "m2")


def test_transfer_is_the_mean_of_the_other_sets_with_an_interval_over_their_images() -> None:
    runs = [
        plots.SetRun("imagenet", (row("a", probe=right(0.6)), row("b", probe=right(0.8)))),
        plots.SetRun("one", (row("a", probe=right(0.5, 100)), row("b", probe=right(0.7, 100)))),
        plots.SetRun("two", (row("a", probe=right(0.9, 400)),)),
    ]
    (point,) = plots.transfer(runs, "imagenet")  # b was not measured on all sets
    assert (point.name, point.x.value, point.y.value) == ("A", 0.6, pytest.approx(0.7))
    deviation = (0.5 * 0.5 / 100 + 0.9 * 0.1 / 400) ** 0.5 / 2
    assert (point.y.high or 0) - (point.y.low or 0) == pytest.approx(2 * 1.96 * deviation, rel=0.15)
    with pytest.raises(BadInput, match="one more data set"):
        plots.transfer(runs[:1], "imagenet")


def test_scaling_has_the_slope_of_errors_over_compute() -> None:
    errors = {"a": 0.4, "b": 0.2, "c": 0.1}  # halves where the compute quadruples: slope -1/2
    run = plots.SetRun("s", tuple(row(key, zero=right(1 - error, 1000)) for key, error in errors.items()))
    points = plots.scaling([run], {"a": 1.0, "b": 4.0, "c": 16.0, "d": 64.0})
    assert [point.y.value for point in points] == pytest.approx([0.4, 0.2, 0.1])
    assert log_log_slope(points) == pytest.approx(-0.5)
    assert log_log_slope(points[:2]) is None


def test_the_correlation_of_probe_and_zero_shot() -> None:
    values = [(0.2, 0.5), (0.4, 0.8), (0.9, 0.9), (0.5, 0.4)]
    points = [plots.PlotPoint("", *(Interval(value, None, None, 0.95, "") for value in pair)) for pair in values]
    assert correlation(points) == pytest.approx(np.corrcoef(*zip(*values, strict=True))[0, 1])
    assert correlation(points[:2]) is None


def test_published_zero_shot_is_open_clips_and_its_rank_correlation_scipys() -> None:
    rows = published()
    base, large = rows["openai/clip-vit-base-patch32"], rows["openai/clip-vit-large-patch14"]
    assert (base.zero_shot["mnist"], base.zero_shot["clevr"], base.zero_shot["stl10"]) == (0.4839, 0.232, 0.9713)
    assert (large.zero_shot["mnist"], large.zero_shot["food101"]) == (0.7634, 0.9305)
    measured = {key: float(np.random.default_rng(number).random()) for number, key in enumerate(rows)}
    expected = spearmanr(list(measured.values()), [one.mean for one in rows.values()]).statistic
    assert prior(measured).value == pytest.approx(expected)
    assert prior({"pocket": 0.9}).value is None
    assert prior_sentence({"pocket": 0.9}) == ""
    assert f"{len(rows)} models" in prior_sentence(measured)

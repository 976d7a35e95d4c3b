"""A race: equal draws give equal curves, turns are taken, ratios are as worked by hand, wrong settings are refused."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from scipy import stats

from workbench.errors import BadInput, UnknownName
from workbench.training.race import OBJECTIVES, RaceSettings, Runner, RunnerCurve, conclude, dial, image_ratio, watched
from workbench.training.race.run import race

SHORT = RaceSettings(tuple(Runner(key, batch=32) for key in OBJECTIVES), images=512, seeds=1, points=2)


def measured(settings: RaceSettings) -> list[RunnerCurve]:
    """Run a race and keep the steps that added a point."""
    every, points = list(race(settings)), {}
    kept = []
    for one in every:
        if len(one.accuracy) > points.get((one.runner, one.seed), 0):
            points[one.runner, one.seed] = len(one.accuracy)
            kept.append(one)
    steps = {runner: math.ceil(settings.images / runner.batch) for runner in settings.runners}
    assert len(every) == settings.seeds * sum(steps.values()), "one report a step"
    return kept


@pytest.fixture(autouse=True, scope="module")
def _fewer_drawings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.training.race.run.POOL", 512)
        patch.setattr("workbench.training.race.run.TESTED", 48)
        yield


@pytest.fixture(scope="module")
def curves() -> list[RunnerCurve]:
    return measured(SHORT)


def test_runners_take_turns_and_each_ends_with_its_answers(curves: list[RunnerCurve]) -> None:
    assert [curve.runner.objective for curve in curves] == [*OBJECTIVES] * 2
    for curve in curves[-len(OBJECTIVES) :]:
        assert curve.images == (256, 512)
        assert len(curve.accuracy) == len(curve.seconds) == len(curve.loss) == 2
        assert len(curve.answers) == len(watched()) == 12
        assert all(0 <= answer < 48 for answer in curve.answers)
        assert all(0 <= value <= 1 and math.isfinite(value) for value in curve.accuracy)
    assert all(not curve.answers for curve in curves[: len(OBJECTIVES)])


def test_the_same_settings_give_the_same_curves(curves: list[RunnerCurve]) -> None:
    again = measured(SHORT)
    assert [(curve.accuracy, curve.loss) for curve in again] == [(curve.accuracy, curve.loss) for curve in curves]
    (other,) = measured(RaceSettings((Runner(batch=32),), images=512, seeds=1, seed=1, points=2))[-1:]
    assert other.loss != curves[-len(OBJECTIVES)].loss


def test_every_loss_falls(curves: list[RunnerCurve]) -> None:
    for curve in curves[-len(OBJECTIVES) :]:
        assert curve.loss[1] < curve.loss[0]


def curve(seed: int, accuracy: tuple[float, ...], images: tuple[int, ...] = (100, 200, 300)) -> RunnerCurve:
    return RunnerCurve(Runner(), seed, images, images, accuracy, accuracy)


def test_the_ratio_is_that_of_the_images_for_the_slow_runners_accuracy() -> None:
    slow = [curve(0, (0.1, 0.2, 0.4)), curve(1, (0.0, 0.1, 0.2))]
    fast = [curve(0, (0.3, 0.5, 0.9)), curve(1, (0.4, 0.4, 0.8))]
    logs = [math.log(300 / 150), math.log(300 / 50)]  # half-way from 0.3 to 0.5; half-way from nothing to 0.4
    ratio = image_ratio(fast, slow)
    centre = sum(logs) / 2
    wide = stats.t.ppf(0.975, 1) * (abs(logs[0] - logs[1]) / math.sqrt(2)) / math.sqrt(2)
    assert ratio.value == pytest.approx(math.exp(centre))
    assert ratio.low == pytest.approx(math.exp(centre - wide))
    assert ratio.high == pytest.approx(math.exp(centre + wide))


def test_a_runner_that_never_gets_there_has_no_ratio() -> None:
    ratio = image_ratio([curve(0, (0.1, 0.1, 0.1))], [curve(0, (0.1, 0.2, 0.4))])
    assert ratio.value is None
    assert "never reaches" in ratio.method
    with pytest.raises(BadInput, match="same seeds"):
        image_ratio([curve(0, (0.1, 0.1, 0.1))], [curve(1, (0.1, 0.2, 0.4))])


@pytest.mark.parametrize(("fast", "slow"), [((0.1, 0.2, 0.3), (0.0, 0.0, 0.0)), ((0.4, 0.4, 0.4), (0.3, 0.3, 0.3))])
def test_an_accuracy_that_takes_no_image_gives_no_ratio(fast: tuple[float, ...], slow: tuple[float, ...]) -> None:
    ratio = image_ratio([curve(0, fast, (0, 100, 200))], [curve(0, slow, (0, 100, 200))])
    assert (ratio.value, ratio.low, ratio.high) == (None, None, None)
    assert "needs no image" in ratio.method


def test_a_result_is_the_mean_and_range_over_seeds() -> None:
    slow = Runner("caption")
    curves = [curve(0, (0.2, 0.4, 0.8)), curve(1, (0.4, 0.4, 0.4))]
    curves += [RunnerCurve(slow, seed, (100, 200, 300), (), values, ()) for seed, values in ((0, (0.0, 0.1, 0.2)),)]
    first, second = conclude(curves)
    assert first.accuracy == pytest.approx((0.3, 0.4, 0.6))
    assert (first.lowest, first.highest) == ((0.2, 0.4, 0.4), (0.4, 0.4, 0.8))
    assert first.ratio is None
    assert second.ratio is None, "its second seed is missing"
    curves.append(RunnerCurve(slow, 1, (100, 200, 300), (), (0.0, 0.2, 0.4), ()))
    _, second = conclude(curves)
    assert second.ratio is not None
    assert second.ratio.value == pytest.approx(math.sqrt((300 / 100) * (300 / 100)))


def test_each_dial_turns_one_setting_of_the_contrastive_runner() -> None:
    for name, count in (("batch", 3), ("temperature", 4), ("decay", 2)):
        runners = dial(name, SHORT).runners
        assert len({runner.name for runner in runners}) == len(runners) == count
        assert all(runner.objective == "contrast" for runner in runners)
    with pytest.raises(UnknownName, match="batch"):
        dial("volume", SHORT)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Runner("tell"),
        lambda: Runner(batch=1),
        lambda: Runner(scale=0.0),
        lambda: Runner(scale=float("nan")),
        lambda: RaceSettings(()),
        lambda: RaceSettings((Runner(), Runner())),
        lambda: RaceSettings(images=10),
        lambda: RaceSettings(seeds=0),
        lambda: RaceSettings(seed=-1),
        lambda: RaceSettings(points=1),
    ],
)
def test_what_cannot_be_run_is_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadInput):
        wrong()

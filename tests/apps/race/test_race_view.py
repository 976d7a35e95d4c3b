"""The race view's settings, tables, sentences and figures, on curves written by hand and on a short real race."""

from __future__ import annotations

import math

import pytest

from apps.race import running, slow_motion, words
from apps.race.figures import curves_figure, slow_motion_figure
from apps.race.towers import vector_rows
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.training.race import OBJECTIVES, RaceSettings, Runner, RunnerCurve, conclude
from workbench.training.race import slow_motion as steps


def curve(objective: str, seed: int, accuracy: tuple[float, ...]) -> RunnerCurve:
    return RunnerCurve(Runner(objective), seed, (512, 1024), (1.0, 3.0), accuracy, (4.0, 3.0), (0,) * 12)


CURVES = [
    *(curve("contrast", seed, accuracy) for seed, accuracy in ((0, (0.3, 0.6)), (1, (0.5, 0.8)))),
    *(curve("bag-of-words", seed, accuracy) for seed, accuracy in ((0, (0.1, 0.3)), (1, (0.2, 0.4)))),
    *(curve("caption", seed, accuracy) for seed, accuracy in ((0, (0.0, 0.1)), (1, (0.0, 0.2)))),
]
SETTINGS = RaceSettings(tuple(Runner(key) for key in ("contrast", "bag-of-words", "caption")), images=1024, seeds=2)


def test_the_form_becomes_settings_or_a_dial() -> None:
    settings = words.read_settings("objectives", ["caption", "contrast"], images=2048, seeds=2, seed=7)
    assert [runner.objective for runner in settings.runners] == ["caption", "contrast"]
    assert (settings.images, settings.seeds, settings.seed) == (2048, 2, 7)
    dials = words.read_settings("batch", [], images=2048, seeds=1, seed=0)
    assert [runner.batch for runner in dials.runners] == [8, 32, 128]
    for question, runners, seed in (("objectives", [], 0), ("objectives", ["caption"], 0.5), ("batch", [], math.nan)):
        with pytest.raises(BadInput):
            words.read_settings(question, runners, images=2048, seeds=1, seed=seed)


def test_the_verdict_says_whether_the_order_is_the_papers() -> None:
    assert "order is that of the paper, and the bands do not overlap" in words.verdict(conclude(CURVES), SETTINGS)
    overlapping = [*CURVES[:2], curve("bag-of-words", 0, (0.1, 0.65)), *CURVES[3:]]
    assert "bands overlap" in words.verdict(conclude(overlapping), SETTINGS)
    turned = [*CURVES[:4], curve("caption", 0, (0.0, 0.7)), curve("caption", 1, (0.0, 0.7))]
    assert "not the order of the paper" in words.verdict(conclude(turned), SETTINGS)
    assert "paper" not in words.verdict(conclude(CURVES[:2]), SETTINGS), "one runner has no order"


def test_the_verdict_sets_the_images_needed_beside_the_papers() -> None:
    close = words.verdict(conclude(CURVES), SETTINGS)
    assert "Bag of words" in close
    assert "the paper: 4" in close
    assert "the paper: 12" in close
    quick = [
        *(curve("contrast", seed, (0.9, 0.91)) for seed in (0, 1, 2)),
        *(curve("bag-of-words", seed, (0.1, 0.2 + 0.001 * seed)) for seed in (0, 1, 2)),
    ]  # contrast reaches 0.2 after 512 * 0.2 / 0.9 images: a ratio of 9, the same in each seed
    assert "Bag of words 9.0 (8.8 to 9.1); the paper: 4; **the miniature disagrees**" in words.verdict(
        conclude(quick), SETTINGS
    )
    assert "the paper:" not in words.verdict(conclude(CURVES[2:]), SETTINGS), "contrast did not run"


def test_tables_hold_what_the_chart_shows() -> None:
    rows = words.result_rows(conclude(CURVES))
    assert rows[0] == ["Contrast", "70.0 % (60.0 to 80.0)", ""]
    assert rows[2][1] == "15.0 % (10.0 to 20.0)"
    assert words.answer_headers(CURVES) == ["drawing", "Contrast", "Bag of words", "Caption, word by word"]
    answers = words.answer_rows(CURVES)
    assert len(answers) == 12
    assert all(len(row) == 4 for row in answers)
    assert [row[1].startswith("✓") for row in answers] == [row[0] == "red circle" for row in answers]


@pytest.mark.parametrize(("axis", "x"), [("images", [512, 1024]), ("seconds", [1.0, 3.0])])
def test_the_chart_has_a_line_and_a_band_for_each_runner(axis: str, x: list[float]) -> None:
    band, line = curves_figure(CURVES, axis).data[:2]
    assert list(line.x) == x
    assert list(line.y) == pytest.approx([0.4, 0.7])
    assert list(band.x) == [*x, *reversed(x)]
    assert list(band.y) == pytest.approx([0.5, 0.8, 0.6, 0.3])


def test_every_frame_has_a_sentence_a_chart_and_the_same_numbers() -> None:
    motion = steps.slow_motion()
    assert [row[:2] for row in vector_rows(motion)[5:7]] == [[motion.texts[5], "image"], [motion.texts[0], "text"]]
    assert vector_rows(motion)[6][2].startswith(f"{motion.text_rows[0, 0]:+.2f} {motion.text_rows[0, 1]:+.2f}")
    updates = slow_motion.frame_updates(1, motion)
    assert "1 of 6" in updates[0]
    assert updates[1]["value"].count('<img alt="') == 2
    assert (updates[2]["visible"], len(updates[3]["value"])) == ("hidden", 12)
    for frame in range(2, len(slow_motion.FRAMES) + 1):
        assert f"{frame} of {len(slow_motion.FRAMES)}" in slow_motion.frame_text(frame, motion)
        rows = slow_motion.frame_rows(frame, motion)
        figure = slow_motion_figure(frame, motion)
        chart = figure.data[0]
        assert len(rows) == 36
        assert f"{chart.z.diagonal().min():.2f} to {chart.z.diagonal().max():.2f}" in figure.layout.meta["alt"]
        assert float(rows[7][2]) == pytest.approx(chart.z[1][1], abs=5e-4)
        assert rows[7][1].endswith("(its own)")


@pytest.mark.heavy
def test_a_real_race_runs_in_turns_on_the_engine() -> None:
    settings = RaceSettings((Runner(batch=32), Runner("bag-of-words", batch=32)), images=512, seeds=1, points=2)
    with Engine(default="fake") as engine:
        seen = list(running(engine, settings, "ann"))
    assert [len(curves) for curves in seen] == [1, 2, 2, 2]
    assert {curve.runner.objective for curve in seen[-1]} < set(OBJECTIVES)
    assert all(len(curve.accuracy) == 2 for curve in seen[-1])

"""The Learn tab without a browser: what it reads, what it shows, and how lessons of several visitors take turns."""

from __future__ import annotations

import time

import numpy as np
import pytest

from apps.learn import train
from apps.learn.lesson import CURVE_HEADERS, MATRIX_HEADERS, Screen, course_rows, pair_rows, read_lesson, screens
from apps.shared.charts import drawings_in_two_rows
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.statistics.intervals import proportion
from workbench.training.miniature import LessonSettings, Moment, learn, watched


def test_what_was_chosen_becomes_a_lesson() -> None:
    assert read_lesson(100.0, 8, 3, temperature="learned") == LessonSettings(100, 8, 3, None)
    assert read_lesson(100, 8, 3, temperature="10").scale == 10


@pytest.mark.parametrize(
    ("steps", "batch", "seed", "temperature"),
    [(100.5, 8, 0, "1"), (100, 8, -1, "1"), (100, 8, 0, "7"), (10**9, 8, 0, "1"), (float("nan"), 8, 0, "1")],
)
def test_what_is_out_of_bounds_is_refused(steps: float, batch: float, seed: float, temperature: str) -> None:
    with pytest.raises(BadInput):
        read_lesson(steps, batch, seed, temperature=temperature)


def test_the_square_as_a_table_names_the_closest_rival() -> None:
    square = np.eye(12) * 0.9
    square[0, 3] = 0.95  # one drawing prefers another's sentence
    square[1, 0] = 0.5
    rows = pair_rows(square)
    assert len(rows) == 12
    assert {len(row) for row in rows} == {len(MATRIX_HEADERS)}
    rival = watched()[3].caption.removeprefix("a ")
    assert rows[0] == [watched()[0].caption.removeprefix("a "), "0.90", rival, "0.95", "no"]
    assert rows[1][1:] == ["0.90", watched()[0].caption.removeprefix("a "), "0.50", "yes"]
    assert [row[0].endswith("*") for row in rows] == [False, True] * 6


def test_the_course_has_about_ten_rows_and_the_last_one() -> None:
    course = [Moment(step, 300, 1.0, 14.0, None, proportion(step // 10, 192)) for step in range(10, 310, 10)]
    rows = course_rows([Moment(1, 300, 4.0, 14.0), *course])
    assert len(rows) == 10
    assert rows[-1] == ["300", "1.000", "16 % (11 to 21 %)", "14.0"]
    assert {len(row) for row in rows} == {len(CURVE_HEADERS)}
    assert course_rows([]) == []


def test_screens_show_the_square_every_few_steps_and_end_with_a_verdict() -> None:
    lesson = LessonSettings(steps=25, batch=8)
    shown = list(screens(learn(lesson), lesson))
    assert len(shown) == 25
    assert [number for number, screen in enumerate(shown, start=1) if screen.matrix is not None] == [20, 25]
    assert [screen.done for screen in shown] == [False] * 24 + [True]
    last = shown[-1]
    assert np.asarray(last.matrix.data[0].z).shape == (12, 12)
    assert len(last.curves.data[0].x) == 25
    assert list(last.curves.data[1].x) == [10, 20, 25]
    assert "of 12 drawings are closest" in last.status
    assert "n = 192" in last.status
    assert "2.08" in last.status  # the logarithm of 8


def test_the_strip_says_what_it_shows() -> None:
    picture, alt = drawings_in_two_rows(watched())
    assert picture.size == (6 * 96, 2 * 96)
    assert all(one.caption in alt for one in watched())


def test_two_visitors_learn_at_once_and_a_question_comes_in_between(engine: Engine) -> None:
    lesson = LessonSettings(steps=60, batch=8)
    first, second = train(engine, lesson, "one"), train(engine, lesson, "two")
    next(first), next(second)
    with engine.session("three") as session:
        assert session.embed_texts(["a question in between"]).shape[0] == 1
    one, two = list(first), list(second)
    assert one[-1].done
    assert two[-1].done
    assert one[-1].status == two[-1].status  # taking turns changes no number
    alone = list(screens(learn(lesson), lesson))[-1]
    assert alone.status == one[-1].status


def test_nothing_stays_of_a_lesson_that_nobody_looks_at(engine: Engine) -> None:
    lesson = train(engine, LessonSettings(steps=1000), "leaver")
    assert isinstance(next(lesson), Screen)
    lesson.close()  # type: ignore[attr-defined]
    until = time.monotonic() + 20
    while engine._context.scheduler.waiting and time.monotonic() < until:
        time.sleep(0.02)
    assert engine._context.scheduler.waiting == 0

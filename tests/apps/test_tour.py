"""The tour: what a browser kept is read with care, guesses are counted, and steps ask the model itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from apps.tabs import VIEWS
from apps.tour import Course, answered, summary
from apps.tour.steps import STEPS, Outcome
from workbench.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(default="pocket", device="cpu") as made:
        yield made


def test_eight_steps_each_with_a_view_and_a_guess() -> None:
    assert len(STEPS) == 8
    assert all(step.view in VIEWS and len(set(step.choices)) >= 2 for step in STEPS)
    assert len({step.key for step in STEPS}) == 8


def test_a_course_comes_back_as_it_was_kept() -> None:
    course = Course(3, {"names": 1, "reads": 0}, {"names": 0, "reads": 0})
    assert Course.read(course.write()) == course


@pytest.mark.parametrize(
    "kept", ["", "no JSON", "[]", "{}", '{"at": 1}', json.dumps({"at": "x", "guesses": {}, "right": {}}), "null"]
)
def test_what_is_no_course_begins_anew(kept: str) -> None:
    assert Course.read(kept) == Course()


def test_numbers_out_of_bounds_are_left_out() -> None:
    kept = {"at": 99, "guesses": {"names": 7, "reads": 1}, "right": {"names": -1, "other": 0}}
    assert Course.read(json.dumps(kept)) == Course(8, {"reads": 1}, {})


def test_the_end_counts_right_guesses() -> None:
    course = Course(8, {"names": 0, "reads": 0, "fails": 1}, {"names": 0, "reads": 1, "fails": 1})
    assert "2 of your 3 guesses" in summary(course)
    assert STEPS[3].choices[1] in summary(course)


def test_an_answer_is_escaped_and_says_what_opens() -> None:
    text = answered(STEPS[0], 1, Outcome(0, "<b>cat</b>"))
    assert "&lt;b&gt;cat" in text
    assert f'data-view="{STEPS[0].view}"' in text
    assert "No." in text


@pytest.mark.parametrize(("key", "right"), [("names", 0), ("contrast", 2), ("reads", 1), ("people", 1), ("fails", 1)])
def test_the_model_answers_a_step_itself(key: str, right: int, engine: Engine) -> None:
    step = next(step for step in STEPS if step.key == key)
    with engine.session("visitor", "pocket") as session:
        assert step.outcome(session, engine, "visitor").right == right

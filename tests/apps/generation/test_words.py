"""The form and its settings, and what the view says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from apps.generation import cells, words
from apps.generation.running import Course
from workbench.errors import BadInput
from workbench.generation.judging import Generated
from workbench.generation.painting import Painting
from workbench.generation.settings import Settings
from workbench.models import find
from workbench.progress import Progress

SETTINGS = Settings(prompt="a castle | fog:-0.5", method="strokes", steps=4, rate=0.02, cutout_side=96, model="pocket")


GRID = {"grid_prompts": "", "grid_seeds": 1, "grid_methods": [], "grid_strengths": False, "start": None}


def form(settings: Settings, **changed: Any) -> dict[str, Any]:
    return {**dict(zip(words.FIELDS, words.form_of(settings), strict=True)), **GRID, **changed}


def test_a_restored_form_gives_the_same_settings() -> None:
    assert words.settings_of(form(SETTINGS), "pocket", words.hidden_of(SETTINGS)) == SETTINGS


def test_form_and_hidden_settings_are_all_settings() -> None:
    assert {*words.FIELDS, *words.hidden_of(SETTINGS), "model"} == set(Settings.model_fields)


@pytest.mark.parametrize("changed", [{"prompt": ""}, {"prompt": None}, {"seed": 0.5}, {"seed": None}, {"side": 7}])
def test_a_form_that_cannot_be_used_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        words.settings_of(form(SETTINGS, **changed), "pocket")


def test_the_caption_says_who_steered_and_escapes_the_sentence() -> None:
    settings = Settings(prompt="<b>a cat</b>", steps=3)
    made = Generated(Painting(np.zeros((4, 4, 3), np.uint8), settings, (0.1,), 2.0, "It stopped."), 0.25, 0.5, "x")
    text = words.caption(made, find("pocket"))
    assert "<b>" not in text
    assert "similarity 0.250 after 3 steps in 2.0 s, seed 0" in text
    assert "Steered by Pocket" in text
    assert "own opinion" in text
    assert "It stopped" in text


def test_a_judge_that_steered_nothing_is_named_with_what_it_says() -> None:
    made = Generated(Painting(np.zeros((4, 4, 3), np.uint8), SETTINGS, (0.1,), 2.0), 0.25, 0.5, "x", 0.125, "fake")
    text = words.caption(made, find("pocket"))
    assert "Judged by fake, which steered nothing: similarity 0.125" in text
    assert "own opinion" not in text


def test_a_checkpoint_of_a_restored_image_is_not_read_by_the_page() -> None:
    settings = Settings(prompt="a cat", method="diffusion", checkpoint="/etc")
    with pytest.raises(BadInput, match="command"):
        words.settings_of(form(settings), "pocket", words.hidden_of(settings))


def test_a_grid_is_what_the_form_says_and_has_bounds() -> None:
    assert cells.grid_of(form(SETTINGS), SETTINGS) is None
    layout = cells.grid_of(form(SETTINGS, grid_prompts="a dog\n\na fox", grid_seeds=2), SETTINGS)
    assert layout is not None
    assert (layout.rows, layout.count) == ((SETTINGS.prompt, "a dog", "a fox"), 6)
    with pytest.raises(BadInput, match="24"):
        cells.grid_of(form(SETTINGS, grid_prompts="a\nb\nc\nd", grid_seeds=6), SETTINGS)
    with pytest.raises(BadInput, match="start image"):
        cells.grid_of(form(SETTINGS, grid_strengths=True), SETTINGS)


def test_the_table_of_the_curve_names_first_best_and_last() -> None:
    values = [0.1, 0.2, 0.9, 0.3, *[0.4] * 40]
    rows = words.curve_rows(values)
    assert rows[0] == ["1", "0.100"]
    assert ["3 (best)", "0.900"] in rows
    assert rows[-1][0] == "44"
    assert len(rows) <= 7
    assert words.curve_rows([]) == []


def test_a_course_keeps_the_best_frame() -> None:
    course = Course(SETTINGS)
    for done, value in enumerate((None, 0.1, 0.5, 0.2)):
        frame = np.full((2, 2, 3), done, np.uint8)
        course.see(
            Progress(done, 0, "steps", rate=2.0, values={} if value is None else {"similarity": value}, preview=frame)
        )
    assert course.best is not None
    assert course.best.pixels[0, 0, 0] == 2
    assert course.values == [0.1, 0.5, 0.2]
    assert course.seconds == 1.5
    assert len(course.growth.frames) == 4


def test_rounds_of_the_prior_are_counted_from_the_one_that_runs() -> None:
    prior = Settings(prompt="a cat", method="prior", steps=3, candidates=8, push=1.0)
    within = Progress(0, 3, "rounds", "generate", 0.25, 11.0)
    assert words.status(within, prior) == "Round 1, 0.25 rounds/s, 11 s left. Seed 0."
    later = Progress(2, 3, "rounds", "generate", 0.25, 3.0)
    assert words.status(later, prior, [0.5, 0.4]) == "Round 3, 0.25 rounds/s, similarity 0.500, 3 s left. Seed 0."
    after = Progress(1, 3, "rounds", "generate", 0.25, 8.0, {"similarity": 0.5})
    assert words.status(after, prior) == "Round 1, 0.25 rounds/s, similarity 0.500, 8 s left. Seed 0."
    step = Progress(4, 40, "steps", "generate", 12.0, 3.0)
    assert words.status(step, SETTINGS) == "Step 4, 12 steps/s, 3 s left. Seed 0."
    made = Generated(Painting(np.zeros((4, 4, 3), np.uint8), prior, (0.1,), 2.0), 0.25, 0.5, "x")
    assert "after 3 rounds in" in words.caption(made, find("pocket"))
    assert "the best of 24 drawings, whose steps followed the model's gradient" in words.caption(made, find("pocket"))


def test_a_push_of_the_form_counts_for_the_prior_alone() -> None:
    prior, strokes = Settings(prompt="a cat", method="prior", push=0.0), Settings(prompt="a cat", method="strokes")
    assert words.settings_of(form(prior), "pocket").push == 0.0
    assert words.settings_of(form(strokes), "pocket").push is None
    assert words.settings_of(form(strokes, method="prior"), "pocket").push == 1.0


def test_a_stop_within_the_first_round_keeps_the_image_on_its_way() -> None:
    course = Course(Settings(prompt="a cat", method="prior"))
    first, second, third = (np.full((4, 4, 3), shade, np.uint8) for shade in (10, 20, 30))
    course.see(Progress(0, 0, "rounds", preview=first))
    course.see(Progress(0, 0, "rounds", preview=second))
    assert course.best is not None
    assert course.best.pixels[0, 0, 0] == 20
    assert course.best.values == []
    course.see(Progress(1, 0, "rounds", rate=0.5, values={"similarity": 0.1}, preview=third))
    course.see(Progress(1, 0, "rounds", preview=first))  # the next round's
    assert (course.best.pixels[0, 0, 0], course.best.values) == (30, [0.1])
    made = Generated(Painting(third, course.settings, (), 2.0), 0.25, 0.5, "x")
    assert "similarity 0.250, seed 0" in words.caption(made, find("pocket"))
    assert "stopped on its way" in words.caption(made, find("pocket"))

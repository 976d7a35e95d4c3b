"""Which captions a picture is asked with, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audits.datasets.dataset import Dataset
from audits.protocol import Protocol, parse
from audits.surveillance.scenes.score import questions
from workbench.errors import BadInput

PLACES = ("car park", "street", "shop", "corridor", "garden", "kitchen")


def rules(**settings: object) -> Protocol:
    return parse({"schema": 1, "name": "t", "audit": "surveillance/scenes", "title": "t", "settings": settings})


@pytest.fixture
def rows() -> list[dict[str, str]]:
    return [
        {
            "sample_id": place,
            "label": f"a {place}",
            "distractor": f"a {place} with a dog | a {place} with a cat",
            "fine": "day|night",
            "fine_true": "night",
        }
        for place in PLACES
    ]


def test_each_task_offers_what_it_should(dataset: Callable[..., Dataset], rows: list[dict[str, str]]) -> None:
    request = {
        question.task: question
        for question in questions(dataset(rows), rules(), seed=0)
        if question.sample_id == "shop"
    }
    assert request["coarse"].options == tuple(sorted(f"a {place}" for place in PLACES))
    assert request["coarse"].truth == request["stress"].truth == "a shop"
    assert set(request["stress"].options) - set(request["coarse"].options) == {"a shop with a dog", "a shop with a cat"}
    assert request["stress"].close == ("a shop with a dog", "a shop with a cat")
    assert (request["fine"].options, request["fine"].truth) == (("day", "night"), "night")


def test_a_close_caption_that_is_true_of_another_picture_is_no_coarse_option(
    dataset: Callable[..., Dataset], rows: list[dict[str, str]]
) -> None:
    rows[2]["distractor"] = "a street"
    request = questions(dataset(rows), rules(options=5), seed=0)
    shop = next(question for question in request if question.sample_id == "shop" and question.task == "coarse")
    assert "a street" not in shop.options
    assert len(shop.options) == len(PLACES) - 1


def test_a_picture_without_close_or_fine_captions_is_asked_the_coarse_question_alone(
    dataset: Callable[..., Dataset], rows: list[dict[str, str]]
) -> None:
    rows[0] |= {"distractor": "", "fine": "", "fine_true": ""}
    tasks = [question.task for question in questions(dataset(rows), rules(), seed=0) if question.sample_id == PLACES[0]]
    assert tasks == ["coarse"]
    assert {question.task for question in questions(dataset(rows), rules(tasks=["fine"]), seed=0)} == {"fine"}


def test_options_are_drawn_by_a_lot_of_the_picture_itself(
    dataset: Callable[..., Dataset], rows: list[dict[str, str]]
) -> None:
    def drawn(some: list[dict[str, str]], seed: int) -> dict[str, tuple[str, ...]]:
        request = questions(dataset(some), rules(options=3, tasks=["coarse"]), seed=seed)
        return {question.sample_id: question.options for question in request}

    first = drawn(rows, 0)
    assert all(len(options) == 3 and f"a {name}" in options for name, options in first.items())
    assert first == drawn(rows, 0) != drawn(rows, 1)
    twin = {**rows[0], "sample_id": "another"}
    assert drawn([*rows, twin], 0).items() >= first.items()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": ""}, "needs a caption"),
        ({"distractor": "a car park"}, "as both"),
        ({"fine_true": "noon"}, "fine_true must repeat"),
        ({"fine_true": ""}, "fine_true must repeat"),
        ({"fine": "night"}, "two or more"),
    ],
)
def test_captions_that_contradict_each_other_are_refused(
    dataset: Callable[..., Dataset], rows: list[dict[str, str]], change: dict[str, str], message: str
) -> None:
    rows[0] |= change
    with pytest.raises(BadInput, match=message):
        questions(dataset(rows), rules(), seed=0)


def test_too_few_captions_and_unknown_settings_are_refused(
    dataset: Callable[..., Dataset], rows: list[dict[str, str]]
) -> None:
    with pytest.raises(BadInput, match="needs 7 captions"):
        questions(dataset(rows), rules(options=7), seed=0)
    with pytest.raises(BadInput, match="settings: colour"):
        questions(dataset(rows), rules(colour="red"), seed=0)

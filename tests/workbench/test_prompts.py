"""Template sets against open_clip's own lists."""

from __future__ import annotations

import time

import pytest

from workbench.errors import BadInput
from workbench.prompts import EIGHTY, SEVEN, TEMPLATE_SETS, check_templates, fill


def test_the_eighty_are_those_of_open_clip() -> None:
    from open_clip import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES

    assert {make("{}") for make in OPENAI_IMAGENET_TEMPLATES} == set(EIGHTY.templates)
    assert {make("{}") for make in SIMPLE_IMAGENET_TEMPLATES} == set(SEVEN.templates)
    assert len(EIGHTY.templates) == len(set(EIGHTY.templates)) == 80


def test_keys_are_unique_and_every_set_names_its_source() -> None:
    assert len({entry.key for entry in TEMPLATE_SETS}) == len(TEMPLATE_SETS)
    assert all(entry.source for entry in TEMPLATE_SETS)


def test_braces_in_a_label_stay_as_they_are() -> None:
    assert fill("a {} or {}.", "{0} {") == "a {0} { or {0} {."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "got none"),
        (["  "], "got none"),
        (["a photo"], "where the label goes"),
        (["a {} " + "very " * 400], "800 characters; one has 2004"),
        ([f"a {{}} {number}" for number in range(100_000)], "At most 200 templates; got 100000"),
    ],
)
def test_unusable_templates_are_refused_at_once(given: list[str], message: str) -> None:
    began = time.perf_counter()
    with pytest.raises(BadInput, match=message):
        check_templates(given)
    assert time.perf_counter() - began < 0.1

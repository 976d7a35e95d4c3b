"""Template sets against open_clip's own lists."""

from __future__ import annotations

from workbench.prompts import EIGHTY, SEVEN, TEMPLATE_SETS


def test_the_eighty_are_those_of_open_clip() -> None:
    from open_clip import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES

    assert {make("{}") for make in OPENAI_IMAGENET_TEMPLATES} == set(EIGHTY.templates)
    assert {make("{}") for make in SIMPLE_IMAGENET_TEMPLATES} == set(SEVEN.templates)
    assert len(EIGHTY.templates) == len(set(EIGHTY.templates)) == 80


def test_keys_are_unique_and_every_set_names_its_source() -> None:
    assert len({entry.key for entry in TEMPLATE_SETS}) == len(TEMPLATE_SETS)
    assert all(entry.source for entry in TEMPLATE_SETS)

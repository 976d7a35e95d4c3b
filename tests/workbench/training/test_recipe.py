"""Recipes: what is read, what a change on the command line does, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import BadInput, UnknownName
from workbench.training.recipe import Recipe, read_recipe, shipped


def test_the_shipped_recipe_is_read() -> None:
    assert shipped() == ["shapes"]
    read = read_recipe("shapes")
    assert (read.model, read.data.kind, read.steps) == ("pocket", "shapes", 200)
    assert Recipe.model_validate(read.model_dump()) == read


def test_the_shell_changes_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("from: pocket\nsteps: 5\nrate: 1e-4\ndata: {path: here, crop: 0.5}\n")
    read = read_recipe(str(file), steps=9, model="other", data="there", seed=None)
    assert (read.steps, read.model, read.data.path, read.data.crop, read.rate) == (9, "other", "there", 0.5, 1e-4)
    assert read_recipe("shapes", data="there").data.kind == "auto"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz: 5\ndata: {path: x}", "stepz"),
        ("steps: 0\ndata: {path: x}", "steps: Input should be greater"),
        ("steps: many\ndata: {path: x}", "steps"),
        ("steps: 5", "data.path names the training data"),
        ("data: {path: x, templates: [cat]}", "holds {} where the label goes"),
        ("batch_norm: learning\nchunk: 8\ndata: {path: x}", "cannot be combined"),
        ("- a list", "is not"),
        ("data: here", "is not"),
        ("a: [", "not valid YAML"),
        ("!!python/object/apply:os.system [echo]", "is not read"),
    ],
)
def test_a_bad_recipe_is_told(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_recipe(str(file))
    assert message in str(caught.value)
    assert "r.yaml" in str(caught.value)


def test_an_unknown_recipe_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="shapes"):
        read_recipe("shape")
    with pytest.raises(BadInput, match="cannot be read"):
        read_recipe(str(tmp_path / "none.yaml"))

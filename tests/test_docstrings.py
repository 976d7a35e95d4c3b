"""Every public name has an example in its docstring, the examples run, and `dir` lists these names alone."""

from __future__ import annotations

import doctest
import functools
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import audits
import workbench
from workbench import loading
from workbench.pictures import sample

RESULTS = Path(workbench.__file__).parent / "results"


def documented() -> dict[str, Any]:
    """Return every public function, class and method that notebooks call, and the classes of results."""
    parts = {f"{room.__name__}.{name}": getattr(room, name) for room in (workbench, audits) for name in dir(room)}
    for kind in [part for part in parts.values() if inspect.isclass(part) and part.__module__.startswith("workbench")]:
        own = {name: part for name, part in vars(kind).items() if inspect.isfunction(part) and name[0] != "_"}
        parts |= {f"{kind.__qualname__}.{name}": part for name, part in own.items()}
    for path in sorted(RESULTS.glob("*.py")):
        module = importlib.import_module(f"workbench.results.{path.stem}")
        shown = {n: x for n, x in vars(module).items() if inspect.isclass(x) and x.__module__ == module.__name__}
        parts |= {name: part for name, part in shown.items() if hasattr(part, "to_frame")}
    return parts


loaded_once = functools.cache(loading.load)


@pytest.mark.parametrize("name", documented())
def test_the_example_of_a_public_name_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _photos(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loading, "load", loaded_once)
    part = documented()[name]
    (test,) = [one for one in doctest.DocTestFinder(recurse=False).find(part, name, globs={})]
    assert test.examples, f"{name} has no example"
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test)
    assert result.failed == 0


def _photos(folder: Path) -> None:
    """Put the files there that examples name: cat.jpg, and class folders in photos/."""
    sample("cat").save(folder / "cat.jpg")
    for name in ("cat", "rocket"):
        (folder / "photos" / name).mkdir(parents=True)
        for turn in range(8):
            sample(name).resize((96, 96)).rotate(3 * turn).save(folder / "photos" / name / f"{turn}.png")


def test_dir_lists_the_public_names_and_nothing_else() -> None:
    for room in (workbench, audits):
        assert dir(room) == sorted(room.__all__)
    assert 20 <= len(dir(workbench)) + len(dir(audits)) <= 30

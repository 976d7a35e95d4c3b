"""OpenAI's own implementation, which the towers, the tokens and the preprocessing are held against."""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any

import packaging
import packaging.version
import pytest


@pytest.fixture(scope="session")
def openai() -> Any:
    """OpenAI's code: `clip` for texts and preprocessing, `model` for the towers.

    It imports `pkg_resources`, which current setuptools lacks, for `packaging` alone: a stand-in gives it that.
    """
    stand_in = types.ModuleType("pkg_resources")
    stand_in.packaging = packaging  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pkg_resources", stand_in)
        return types.SimpleNamespace(
            clip=importlib.import_module("clip.clip"), model=importlib.import_module("clip.model")
        )

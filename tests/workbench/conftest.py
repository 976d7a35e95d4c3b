"""OpenAI's own implementation, which the towers, the tokens and the preprocessing are held against."""

from __future__ import annotations

import gzip
import importlib
import json
import sys
import types
from pathlib import Path
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


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with CLIP's `vocab.json` and `merges.txt`, written from the vocabulary that OpenAI's package carries."""
    import clip as package

    lines = gzip.decompress((Path(package.__path__[0]) / "bpe_simple_vocab_16e6.txt.gz").read_bytes()).decode()
    merges = lines.split("\n")[1 : 49152 - 256 - 2 + 1]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + number) for number in range(256 - len(printable))]
    tokens = letters + [f"{letter}</w>" for letter in letters] + [merge.replace(" ", "") for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    folder = tmp_path_factory.mktemp("vocabulary")
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    return folder

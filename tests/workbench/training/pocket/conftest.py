"""A small world to draw from: three classes, a few words, grey photos, one font."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from workbench.training.pocket import bank as banks
from workbench.training.pocket.emoji import Emoji
from workbench.training.pocket.fonts import Font
from workbench.training.pocket.material import Material
from workbench.training.pocket.names import CLASSES, Concept, Lexicon

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    own = [
        ("tabby", "tabby cat"),
        ("crane",),
        ("crane", "lift"),
        *((f"thing {chr(97 + k % 26)}{k}",) for k in range(997)),
    ]
    concepts = [Concept(names, "a gloss", frozenset({number})) for number, names in enumerate(own)]
    concepts.append(Concept(("bird",), "it flies", frozenset({0, 1})))
    concepts.append(Concept(("motorcycle",), "", frozenset({5})))
    above = tuple((1000,) if number < 2 else (1001,) if number == 5 else () for number in range(CLASSES))
    return Lexicon(tuple(f"n{number:08d}" for number in range(CLASSES)), tuple(concepts), (), above)


@pytest.fixture(scope="session")
def emoji() -> tuple[Emoji, ...]:
    return (
        Emoji("cat", "1F408", "cat", ("pet",), (), False),
        Emoji("woman with dark skin", "1F469-1F3FF", "woman-dark-skin-tone", (), ("woman",), True),
        Emoji("tree", "1F333", "tree", (), (), False),
        Emoji("tabby", "1F431", "tabby", (), (), False),
    )


@pytest.fixture(scope="session")
def material(lexicon: Lexicon, emoji: tuple[Emoji, ...]) -> Material:
    rng = np.random.default_rng(0)

    def photo(side: int) -> Image.Image:
        return Image.fromarray(rng.integers(0, 255, (side, side, 3), dtype=np.uint8))

    bank = banks.bank(lexicon, emoji, Counter({0: banks.OFTEN, 1: banks.OFTEN - 1}))
    sprites = [(one, rng.integers(0, 255, (72, 72, 4), dtype=np.uint8)) for one in emoji]
    font = Font(str(FONT), "DejaVu Sans", "free", False)
    full, small = [(photo(120), k % 3) for k in range(4)], [(photo(64), k % 3) for k in range(4)]
    return Material(full, small, sprites, (font,), lexicon, bank, ("tree", "cat", "tabby", "crane"), (font,))


@pytest.fixture
def tokenizer(tmp_path: Path):  # type: ignore[no-untyped-def]
    from tests.workbench.training.pocket.world import PIECES
    from workbench.training.pocket import vocabulary

    (tmp_path / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return vocabulary.tokenizer(tmp_path / "vocab.txt")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches, the same in every part of a run."""
    from tests.workbench.training.pocket.world import FEW
    from workbench.training.pocket import stream

    for name in ("READING", "DRAWING"):
        monkeypatch.setattr(stream, name, FEW)
    monkeypatch.setattr(stream, "ENDINGS", (FEW,) * len(stream.ENDINGS))

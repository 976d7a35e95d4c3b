"""What is asked beside the table: milliseconds next to a bare tower, and what pruning the word pieces costs."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from workbench.errors import BadInput
from workbench.loading import load
from workbench.models import find
from workbench.training.pocket import towers
from workbench.training.pocket.quality import pruning, speed
from workbench.training.pocket.quality.answers import answered
from workbench.training.pocket.quality.beside import beside


def test_times_are_a_photo_and_taken_in_turns() -> None:
    order: list[str] = []

    def embed(pictures: object) -> None:
        assert len(pictures) == speed.BATCH  # type: ignore[arg-type]
        order.append("ours")
        time.sleep(0.064)

    def tower() -> None:
        order.append("bare")
        time.sleep(0.032)

    ours, bare = speed.a_photo(embed, [Image.new("RGB", (8, 8))] * 5, tower)
    assert ours == pytest.approx(2.0, rel=0.3)
    assert bare == pytest.approx(1.0, rel=0.3)
    assert order == ["ours", "ours", "bare", "bare"] * speed.ROUNDS  # each begins with one that does not count


@pytest.mark.heavy
def test_the_bare_tower_takes_a_batch() -> None:
    rows = speed.bare("tf_efficientnet_lite0", 64)()
    assert rows.shape == (speed.BATCH, 1280)  # type: ignore[attr-defined]


def test_two_checkpoints_are_counted_case_by_case() -> None:
    ten = [True] * 10
    own = [answered("reads", torch.tensor([*ten, True, True, True, False, False]), how="120-way")]
    own.append(answered("a label beats the object", torch.tensor([True, False]), how="photos it names"))
    other = [answered("reads", torch.tensor([*ten, False, False, True, True, False]), how="120-way")]
    other.append(answered("a label beats the object", torch.tensor([True]), how="photos it names"))
    (row,) = beside(own, other)  # the second question was asked of other photos
    counts = {"both": 11, "only_this": 2, "only_the_other": 1, "neither": 1}
    assert row == row | {"question": "reads", "how": "120-way", "n": 15} | counts
    assert row["difference"] == pytest.approx(1 / 15)
    assert row["low"] < 0 < row["high"]
    (turned,) = beside(other[:1], own[:1])
    assert (turned["difference"], turned["low"]) == (pytest.approx(-1 / 15), pytest.approx(-row["high"]))
    with pytest.raises(ValueError, match="zip"):
        beside(own, other[:1])


@pytest.mark.heavy
def test_restored_pieces_keep_what_was_trained_and_bring_back_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = find("pocket").folder
    assert shipped is not None
    kept = (shipped / "vocab.txt").read_text(encoding="utf-8").splitlines()
    (tmp_path / "minilm").mkdir()
    every = [*kept[:200], "zyzzyva", *kept[200:]]  # one piece was pruned
    (tmp_path / "minilm" / "vocab.txt").write_text("\n".join(every) + "\n", encoding="utf-8")
    table = torch.full((len(every), towers.TEXT_WIDTH), 0.01)
    monkeypatch.setattr(towers, "minilm_folder", lambda: tmp_path / "minilm")
    whole = {"embeddings.word_embeddings.weight": table}
    monkeypatch.setattr(towers, "minilm", lambda: SimpleNamespace(state_dict=lambda: whole))
    pruning.restored(shipped, tmp_path / "whole")
    before, after = load("pocket", device="cpu"), load(str(tmp_path / "whole"), device="cpu")
    message = ["a photo of a cat", "two dogs"]
    torch.testing.assert_close(after.embed_texts(message), before.embed_texts(message), rtol=0, atol=1e-5)
    (one,), (other,) = before.read(["zyzzyva"]), after.read(["zyzzyva"])
    assert other.tokens == 3  # start, the piece that is back, end
    assert one.tokens > 3
    with pytest.raises(BadInput, match="new folder"):
        pruning.restored(shipped, tmp_path / "whole")

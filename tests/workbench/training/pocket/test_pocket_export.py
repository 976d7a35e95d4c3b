"""What is written is what was trained: our loader and plain transformers read the same model from the folder."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import timm
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModel, BertConfig, BertModel

from workbench.errors import WeightsRefused
from workbench.loading import compact, load
from workbench.training.pocket import export, folding, opening, towers
from workbench.training.pocket.settings import Settings

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "photo", "of", "dog", ".", "##s"]


@pytest.fixture(scope="module")
def made() -> tuple[towers.Towers, torch.nn.Module]:
    torch.manual_seed(0)
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    text = BertModel(
        BertConfig(
            name_or_path="/a/folder/of/this/machine",
            **{"vocab_size": len(PIECES), "hidden_size": towers.TEXT_WIDTH, "num_hidden_layers": 1},
            **{"num_attention_heads": 12, "intermediate_size": 64, "max_position_embeddings": towers.POSITIONS},
        )
    )
    both = towers.Towers(folding.folded(net), text, dim=16, frozen=3)
    with torch.no_grad():  # as if trained
        both.image.blocks[5][1].conv_pw.weight.mul_(1.2)
    return both.eval(), net


@pytest.mark.heavy
def test_the_folder_holds_the_towers(
    made: tuple[towers.Towers, torch.nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, net = made
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    monkeypatch.setattr(towers, "locked", lambda name: net)
    nothing = SimpleNamespace(
        photos=SimpleNamespace(full=(), small=(), apart=()), fonts=(), bank=SimpleNamespace(words=(), names=())
    )
    export.write(both, Settings(photos=tmp_path), tmp_path, sources=nothing, steps=3, seconds=61.7)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert compact.fits(config)
    assert config["dtype"] == "float32"
    assert "/a/folder" not in (tmp_path / "config.json").read_text(encoding="utf-8")
    assert all(file.stat().st_size < 10 * 2**20 for file in tmp_path.glob("*.safetensors"))
    assert len({file.stat().st_mode for file in tmp_path.glob("*.*") if file.is_file()}) == 1  # weights are read by all
    record = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    assert (record["steps_done"], record["seconds"]) == (3, 62)
    assert len(record["weights"]) == len(list(tmp_path.glob("*.safetensors")))
    assert not {"photos", "modules", "fonts", "start"} & set(record["settings"])  # no path of this machine
    assert (record["began_from"], record["recipe"]) == (None, "pocket")
    later = export.record(Settings(photos=tmp_path, start=tmp_path), nothing, steps=1, seconds=1.0)
    assert later["began_from"] == record["weights"]

    ours = load(str(tmp_path), device="cpu")
    theirs = AutoModel.from_pretrained(tmp_path).eval()
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        want = both.embed_pixels(pixels)
        got = functional.normalize(theirs.get_image_features(pixel_values=pixels).pooler_output, dim=-1)
    torch.testing.assert_close(got, want, rtol=0, atol=5e-3)  # float16 lies between
    mine = ours.embed_pixels((pixels + 1) / 2)
    torch.testing.assert_close(mine.detach(), got, rtol=0, atol=1e-4)
    with torch.no_grad():
        tokens = {"input_ids": torch.tensor([[2, 5, 6, 3]]), "attention_mask": torch.ones(1, 4, dtype=torch.int64)}
        text = functional.normalize(theirs.get_text_features(**tokens).pooler_output, dim=-1)
        torch.testing.assert_close(text, both.embed_tokens(tokens), rtol=0, atol=5e-3)
    torch.testing.assert_close(ours.embed_texts(["a cat"]), text, rtol=0, atol=1e-4)

    fresh = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    again = opening.opened(tmp_path, net=fresh, text=BertModel(both.text.config), frozen=3).eval()
    with torch.no_grad():  # and what was written can learn on
        torch.testing.assert_close(again.embed_pixels(pixels), got, rtol=0, atol=1e-4)
        torch.testing.assert_close(again.embed_tokens(tokens), text, rtol=0, atol=1e-4)
    with torch.no_grad():
        both.text.pooler.dense.bias.add_(0.5)
    second, bias = tmp_path / "second", {"text_model.pooler.dense.bias": both.text.pooler.dense.bias.detach()}
    begun = Settings(photos=tmp_path, start=tmp_path)
    export.write_again(bias, begun, second, sources=nothing, steps=4, seconds=1)
    shards = sorted(file.name for file in tmp_path.glob("*.safetensors"))
    assert sorted(file.name for file in second.glob("*.safetensors")) == shards
    old, new = ({k: v for name in shards for k, v in load_file(place / name).items()} for place in (tmp_path, second))
    assert [name for name, value in old.items() if not torch.equal(value, new[name])] == [
        "text_model.pooler.dense.bias"
    ]
    facts = json.loads((second / "training.json").read_text(encoding="utf-8"))
    assert (facts["steps_done"], facts["began_from"]) == (4, record["weights"])
    assert sorted(file.name for file in second.iterdir()) == sorted(f.name for f in tmp_path.iterdir() if f.is_file())
    assert export.BLEND not in facts
    assert (facts["before"]["steps_done"], facts["before"]["began_from"]) == (record["steps_done"], None)
    file = second / "training.json"  # what an image tower was blended of is handed on
    file.write_text(json.dumps({**facts, export.BLEND: {"classifier": {}}}), encoding="utf-8")
    third = tmp_path / "third"
    export.write_again(bias, Settings(photos=tmp_path, start=second), third, sources=nothing, steps=4, seconds=1)
    handed_on = json.loads((third / "training.json").read_text(encoding="utf-8"))
    assert handed_on[export.BLEND] == {"classifier": {}}
    before = {"recipe", "settings", "began_from", "steps_done", "seconds", "before"}
    assert handed_on["before"] == {name: facts[name] for name in before}
    retold = load(str(second), device="cpu")
    with torch.no_grad():
        torch.testing.assert_close(retold.embed_texts(["a cat"]), both.embed_tokens(tokens), rtol=0, atol=5e-3)
        both.text.pooler.dense.bias.sub_(0.5)
    assert opening.image_tower(tmp_path) == "lite0"
    opening.same_pieces(tmp_path, tmp_path / "work" / "vocab.txt")
    (tmp_path / "work" / "vocab.txt").write_text("\n".join([*PIECES, "##ing"]) + "\n", encoding="utf-8")
    with pytest.raises(WeightsRefused, match=r"other word pieces \(12\) .* \(13\)"):
        opening.same_pieces(tmp_path, tmp_path / "work" / "vocab.txt")
    lite2 = timm.create_model("tf_efficientnet_lite2", pretrained=False)
    with pytest.raises(WeightsRefused, match="not of this recipe"):
        opening.opened(tmp_path, net=lite2, text=BertModel(both.text.config), frozen=3)

"""An edited model is its base with one change, loaded by its folder, with a fingerprint of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from workbench.backend import Tokens
from workbench.checkpoints.edit import DEEPEST, Edit, read_edit, write_edit
from workbench.errors import BadInput, UnknownName, WeightsRefused, WorkbenchError
from workbench.loading import fingerprint, hub, load
from workbench.loading.torch_backend import TorchBackend
from workbench.models import find
from workbench.pictures import sample


@pytest.fixture(scope="module")
def pocket() -> TorchBackend:
    return load("pocket", device="cpu")


def test_a_prefix_is_a_row_between_template_and_name(pocket: TorchBackend, tmp_path: Path) -> None:
    """A prefix that is the embedding of a known token must answer as if that token had been typed."""
    tokens = pocket.tokenize(["a photo of a dog."])
    opening = len(pocket.tokenize(["a photo of a"]).ids[0]) - 1
    ids = tokens.ids[0].tolist()
    typed = torch.tensor([[*ids[:opening], 5, *ids[opening:]]])
    edit = Edit(base="pocket", kind="prefix", settings={"after": "a photo of a"})
    write_edit(tmp_path / "p", edit, {"prefix": pocket.token_table[[5]].clone()})
    edited = load(str(tmp_path / "p"), device="cpu")
    expected = pocket.encode_tokens(Tokens(typed, torch.ones_like(typed), ()))
    assert torch.allclose(edited.embed_texts(["a photo of a dog."]), expected, atol=1e-6)
    other = pocket.tokenize(["dog"]).ids[0].tolist()  # no opening: behind the start token
    typed = torch.tensor([[other[0], 5, *other[1:]]])
    expected = pocket.encode_tokens(Tokens(typed, torch.ones_like(typed), ()))
    assert torch.allclose(edited.embed_texts(["dog"]), expected, atol=1e-6)
    both = edited.embed_texts(["dog", "a photo of a dog."])
    assert torch.allclose(both[0], expected[0], atol=1e-5)
    assert torch.equal(edited.embed_images([sample("cat")]), pocket.embed_images([sample("cat")]))


def test_names_have_a_prefix_of_their_own_and_all_other_texts_share_one(pocket: TorchBackend, tmp_path: Path) -> None:
    """Rows that are the embeddings of known tokens must answer as if those tokens had been typed."""
    shared, own = 5, {"dog": 9, "traffic light": 11}
    edit = Edit(base="pocket", kind="prefix", settings={"after": "a photo of a", "names": [*own]})
    named = torch.stack([pocket.token_table[[token]] for token in own.values()])
    write_edit(tmp_path / "p", edit, {"prefix": pocket.token_table[[shared]].clone(), "named": named})
    edited = load(str(tmp_path / "p"), device="cpu")
    opening = len(pocket.tokenize(["a photo of a"]).ids[0]) - 1
    texts = {
        **{f"a photo of a {name}.": token for name, token in own.items()},
        **{f"a photo of a {name}": shared for name in ("dog", "dog. A cat.", "hot dog.", "traffic.", "dog house.")},
    }
    given = edited.embed_texts([*texts])
    for row, (text, token) in zip(given, texts.items(), strict=True):
        ids = pocket.tokenize([text]).ids[0].tolist()
        typed = torch.tensor([[*ids[:opening], token, *ids[opening:]]])
        expected = pocket.encode_tokens(Tokens(typed, torch.ones_like(typed), ()))[0]
        assert torch.allclose(row, expected, atol=1e-5), text
        assert torch.allclose(edited.embed_texts([text])[0], row, atol=1e-5), text
    assert edited.fingerprint != load("pocket").fingerprint


@pytest.mark.parametrize(
    ("names", "shape", "error"),
    [(["a", "b"], (1, 1, 384), WeightsRefused), (["a"], (1, 2, 384), WeightsRefused), (["a"], None, WeightsRefused),
     ("ab", (2, 1, 384), BadInput), ([1], (1, 1, 384), BadInput), (["a"] * 2001, (2001, 1, 384), BadInput)],
)  # fmt: skip
def test_names_without_fitting_rows_are_refused(
    tmp_path: Path, names: object, shape: tuple[int, ...] | None, error: type[WorkbenchError]
) -> None:
    tensors = {"prefix": torch.zeros(1, 384)} | ({"named": torch.zeros(shape)} if shape else {})
    write_edit(tmp_path / "p", Edit(base="pocket", kind="prefix", settings={"names": names}), tensors)
    with pytest.raises(error, match="names"):
        load(str(tmp_path / "p"), device="cpu")


def test_a_long_text_keeps_its_end_and_makes_room(pocket: TorchBackend, tmp_path: Path) -> None:
    write_edit(tmp_path / "p", Edit(base="pocket", kind="prefix"), {"prefix": pocket.token_table[5:8].clone()})
    edited = load(str(tmp_path / "p"), device="cpu")
    limit = pocket.read(["a"])[0].limit
    (reading,) = edited.read(["dog " * 100])
    assert (reading.tokens, reading.limit) == (limit - 3, limit - 3)
    tokens = edited.tokenize(["dog " * 100])
    assert tokens.ids.shape[1] == limit - 3
    assert tokens.ids[0, -1] == pocket.tokenize(["dog"]).ids[0, -1]
    assert bool(edited.embed_texts(["dog " * 100]).isfinite().all())


def test_a_projection_forgets_its_direction_and_keeps_the_others(pocket: TorchBackend, tmp_path: Path) -> None:
    direction = torch.zeros(1, pocket.dim)
    direction[0, 7] = 1
    write_edit(tmp_path / "p", Edit(base="pocket", kind="projection"), {"removed": direction})
    edited = load(str(tmp_path / "p"), device="cpu")
    for rows, before in (
        (edited.embed_images([sample("cat")]), pocket.embed_images([sample("cat")])),
        (edited.embed_texts(["a dog"]), pocket.embed_texts(["a dog"])),
    ):
        expected = before.clone()
        expected[:, 7] = 0
        assert torch.allclose(rows, torch.nn.functional.normalize(expected), atol=1e-5)


@pytest.mark.parametrize(("alpha", "factor"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_interpolation_moves_weights_part_of_the_way(tmp_path: Path, alpha: float, factor: float) -> None:
    pocket = load("pocket", device="cpu")
    name = "visual_projection.weight"
    before = dict(pocket.towers.module.named_parameters())[name].clone()
    edit = Edit(base="pocket", kind="interpolation", settings={"alpha": alpha})
    write_edit(tmp_path / "i", edit, {name: 2 * before})
    edited = load(str(tmp_path / "i"), device="cpu")
    assert torch.allclose(dict(edited.towers.module.named_parameters())[name], factor * before)


def test_prompts_that_name_text_are_an_average_with_longer_ones(pocket: TorchBackend, tmp_path: Path) -> None:
    edit = Edit(base="pocket", kind="prompts", settings={"suffixes": ["with a note"], "share": 0.25})
    write_edit(tmp_path / "p", edit)
    edited = load(str(tmp_path / "p"), device="cpu")
    plain, longer = pocket.embed_texts(["a photo of a dog.", "a photo of a dog. with a note"])
    expected = torch.nn.functional.normalize(0.75 * plain + 0.25 * longer, dim=0)
    assert torch.allclose(edited.embed_texts(["a photo of a dog."])[0], expected, atol=1e-5)


def test_fingerprints_differ_by_edit_and_not_by_folder(tmp_path: Path) -> None:
    base = fingerprint("pocket")
    rows = {}
    for name, share in (("a", 0.5), ("b", 0.5), ("c", 0.25)):
        write_edit(tmp_path / name, Edit(base="pocket", kind="prompts", settings={"share": share}, title=name))
        rows[name] = fingerprint(str(tmp_path / name))
        assert load(str(tmp_path / name), device="cpu").fingerprint == rows[name]
    assert rows["a"] == rows["b"] != rows["c"]
    assert base not in rows.values()


def test_an_edit_of_an_edit_has_the_first_base(tmp_path: Path) -> None:
    write_edit(tmp_path / "a", Edit(base="pocket", kind="prompts"))
    write_edit(tmp_path / "b", Edit(base=str(tmp_path / "a"), kind="prompts", title="twice"))
    spec = find(str(tmp_path / "b"))
    assert (spec.loader, spec.trained_on) == ("edited", find("pocket").trained_on)
    assert spec.title == "Pocket (shipped), prompts, twice"
    assert hub.presence(spec).here
    write_edit(tmp_path / "circle", Edit(base="pocket", kind="prompts"))
    circle = {"base": f"folder:{tmp_path / 'circle'}", "kind": "prompts"}
    (tmp_path / "circle" / "edit.json").write_text(json.dumps(circle), encoding="utf-8")
    with pytest.raises(BadInput, match=f"{DEEPEST} deep"):
        find(str(tmp_path / "circle"))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("{", BadInput, "cannot be used"),
        ('{"base": "pocket"}', BadInput, "kind"),
        ('{"base": "pocket", "kind": "prompts", "code": "x"}', BadInput, "code"),
        ('{"base": "no such model", "kind": "prompts"}', UnknownName, "No model"),
        ('{"base": "pocket", "kind": "no such kind"}', UnknownName, "kind of edit"),
        ('{"base": "pocket", "kind": "prefix"}', WeightsRefused, "rows of"),
        ('{"base": "pocket", "kind": "projection"}', WeightsRefused, "removed"),
        ('{"base": "pocket", "kind": "interpolation"}', WeightsRefused, "there are none"),
        ('{"base": "pocket", "kind": "prompts", "settings": {"share": 2}}', BadInput, "share of 0..1"),
    ],
)
def test_a_damaged_edit_says_what_is_wrong(tmp_path: Path, text: str, error: type[Exception], words: str) -> None:
    (tmp_path / "edit.json").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=words):
        load(str(tmp_path), device="cpu")


def test_tensors_are_checked_before_they_are_read(tmp_path: Path) -> None:
    write_edit(tmp_path / "p", Edit(base="pocket", kind="projection"))
    (tmp_path / "p" / "edit.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(WeightsRefused, match="intact"):
        load(str(tmp_path / "p"), device="cpu")


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").write_bytes(b"x")
    with pytest.raises(BadInput, match="folder of its own"):
        write_edit(tmp_path / "mine", Edit(base="pocket", kind="prompts"))
    write_edit(tmp_path / "edit", Edit(base="pocket", kind="prompts"))
    write_edit(tmp_path / "edit", Edit(base="fake", kind="prompts"))
    assert read_edit(tmp_path / "edit").base == "fake"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

"""From a row to a backend: dispatch, devices, hashes that are enforced, and what is refused before it is opened."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import BadInput, OutOfResources, Unsupported, WeightsMissing, WeightsRefused
from workbench.loading import hashes, hub, load
from workbench.loading.device import choose_device, choose_dtype
from workbench.models import find


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder that passes inspection."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "clip"}))
    save_file({"a": torch.arange(6.0)}, folder / "model.safetensors")
    return folder


def _spec(folder: Path, **more: object) -> ModelSpec:
    return ModelSpec(key="tiny", title="Tiny", loader="transformers", folder=folder, **more)  # type: ignore[arg-type]


def test_the_shipped_weights_are_the_recorded_ones() -> None:
    """After new weights: put their hashes into workbench/checkpoints/shipped.py."""
    pocket = find("pocket")
    assert pocket.folder is not None
    shards = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in pocket.folder.glob("*.safetensors")}
    assert pocket.sha256 == shards
    assert hashes.vet(pocket, pocket.folder) == shards


def test_the_row_of_the_shipped_model_counts_its_parameters(pocket: object) -> None:
    module = pocket.towers.module  # type: ignore[attr-defined]
    # BatchNorm is folded into convolutions: of each pair of scale and shift only a bias is left
    scales = 21_008
    assert sum(parameter.numel() for parameter in module.parameters()) + scales == find("pocket").parameters


def test_a_changed_byte_is_refused_before_the_library_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pocket = find("pocket")
    assert pocket.folder is not None
    copy = tmp_path / "pocket"
    shutil.copytree(pocket.folder, copy)
    shard = copy / "model-00004-of-00004.safetensors"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(bytes(content))
    monkeypatch.setattr(hub, "locate", lambda spec: copy)
    monkeypatch.setattr("workbench.loading.towers", lambda *_, **given: pytest.fail("the file was opened"))
    with pytest.raises(WeightsRefused, match=r"model-00004-of-00004.safetensors of Pocket .* not the one"):
        load("pocket")


def test_a_hash_is_recorded_once_and_enforced_then(tiny: Path) -> None:
    spec = _spec(tiny, repo="someone/recorded", revision="a" * 40)
    assert hashes.recorded(spec) == {}
    first = hashes.vet(spec, tiny)
    assert hashes.recorded(spec) == first
    save_file({"a": torch.arange(6.0) + 1}, tiny / "model.safetensors")
    with pytest.raises(WeightsRefused, match="not the one that was recorded"):
        hashes.vet(spec, tiny)


def test_a_large_file_is_hashed_once_until_it_changes(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "REMEMBER_FROM", 0)
    read: list[Path] = []
    real = hashes._digest
    monkeypatch.setattr(hashes, "_digest", lambda file: read.append(file) or real(file))
    file = tiny / "model.safetensors"
    first = hashes.sha256_of(file)
    assert hashes.sha256_of(file) == first == hashlib.sha256(file.read_bytes()).hexdigest()
    assert len(read) == 1
    stat = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as one would who hides the change
    assert hashes.sha256_of(file) == hashlib.sha256(file.read_bytes()).hexdigest() != first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no intact safetensors"),
        (b"\x80\x02}q\x00.", "no intact safetensors"),  # a pickle under another name
        (struct.pack("<Q", 1 << 62) + b"{}", "no intact safetensors"),
        (struct.pack("<Q", 8) + b"not json" + b"0000", "header cannot be read"),
        (struct.pack("<Q", 2) + b"[]", "header cannot be read"),
        (struct.pack("<Q", 61) + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}      ' + b"12", "cut short"),
    ],
)
def test_a_damaged_file_is_refused(tiny: Path, content: bytes, message: str) -> None:
    (tiny / "model.safetensors").write_bytes(content)
    with pytest.raises(WeightsRefused, match=message):
        load(f"folder:{tiny}")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_refused(tiny: Path, name: str) -> None:
    (tiny / "model.safetensors").rename(tiny / name)
    with pytest.raises(WeightsRefused, match=f"holds only {name}, and pickled weights can run code"):
        load(f"folder:{tiny}")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "preprocessor_config.json"])
def test_a_model_with_code_is_refused(tiny: Path, name: str) -> None:
    (tiny / name).write_text(json.dumps({"model_type": "clip", "auto_map": {"AutoModel": "evil.Model"}}))
    with pytest.raises(WeightsRefused, match=f"code of its own .{name}"):
        load(f"folder:{tiny}")


@pytest.mark.parametrize("shard", ["../outside.safetensors", "/etc/passwd", "missing.safetensors", "config.json"])
def test_an_index_may_name_only_weights_beside_it(tiny: Path, shard: str) -> None:
    (tiny / "model.safetensors").rename(tiny.parent / "outside.safetensors")
    (tiny / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(WeightsRefused, match="no safetensors file in the folder"):
        load(f"folder:{tiny}")


def test_the_fingerprint_tells_apart_what_gives_other_embeddings(tiny: Path) -> None:
    spec = _spec(tiny)
    weights = hashes.vet(spec, tiny)
    first = hashes.fingerprint(spec, tiny, weights, dtype="torch.float32")
    assert first == hashes.fingerprint(spec, tiny, weights, dtype="torch.float32")
    assert first != hashes.fingerprint(spec, tiny, weights, dtype="torch.bfloat16")
    (tiny / "README.md").write_text("says nothing about embeddings")
    assert first == hashes.fingerprint(spec, tiny, weights, dtype="torch.float32")
    (tiny / "preprocessor_config.json").write_text("{}")
    second = hashes.fingerprint(spec, tiny, weights, dtype="torch.float32")
    assert second != first
    assert second != hashes.fingerprint(spec, tiny, {"model.safetensors": "0" * 64}, dtype="torch.float32")


def test_dtypes_have_their_own_fingerprints(pocket: object) -> None:
    half = load("pocket", device="cpu", dtype="bfloat16")
    assert half.dtype == torch.bfloat16
    assert half.fingerprint != pocket.fingerprint  # type: ignore[attr-defined]
    rows = half.embed_texts(["a cat"])
    assert rows.dtype == torch.float32
    cosine = (rows * pocket.embed_texts(["a cat"])).sum()  # type: ignore[attr-defined]
    assert cosine > 0.99


def test_the_configuration_chooses_the_room(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[str] = []

    def stop(name: str) -> object:
        def load_folder(folder: Path, device: torch.device, dtype: torch.dtype, *, frozen: bool) -> None:
            came.append(name)
            raise Unsupported(name)

        return load_folder

    monkeypatch.setattr("workbench.loading.hf.clip", stop("hf"))
    monkeypatch.setattr("workbench.loading.openclip.load_folder", stop("open_clip"))
    for _ in range(2):
        with pytest.raises(Unsupported):
            load(f"folder:{tiny}")
        (tiny / "open_clip_config.json").write_text(json.dumps({"model_cfg": {}}))
    assert came == ["hf", "open_clip"]


def test_weights_that_are_not_here_end_in_the_command() -> None:
    with pytest.raises(WeightsMissing, match="clip-workbench models --download open_clip:RN50/openai"):
        load("open_clip:RN50/openai")
    with pytest.raises(WeightsMissing, match="'gone'"):
        hub.locate(_spec(Path("gone")))


@pytest.mark.parametrize(
    ("has", "chosen", "dtype"),
    [
        ((True, True), "cuda", torch.bfloat16),
        ((False, True), "mps", torch.float32),
        ((False, False), "cpu", torch.float32),
    ],
)
def test_auto_takes_the_best_device(
    monkeypatch: pytest.MonkeyPatch, has: tuple[bool, bool], chosen: str, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has[0])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has[1])
    device = choose_device("auto")
    assert device.type == chosen
    assert choose_dtype("auto", device) == dtype
    assert choose_dtype("float16", device) == torch.float16


@pytest.mark.parametrize("device", ["gpu", "", "cpu:1", "cuda:x", "cuda:-1", "auto:0"])
def test_devices_that_nobody_has_are_refused(device: str) -> None:
    with pytest.raises(BadInput, match="A device is one of"):
        load("pocket", device=device)


def test_devices_and_dtypes_that_this_machine_lacks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OutOfResources, match="no cuda device"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(OutOfResources, match="1 CUDA device"):
        choose_device("cuda:1")
    with pytest.raises(BadInput, match="A dtype is one of"):
        load("pocket", dtype="int8")

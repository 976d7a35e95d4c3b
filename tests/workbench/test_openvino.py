"""The device openvino: the same embeddings as torch's, and torch wherever somebody looks inside."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.checkpoints.edit import Edit, write_edit
from workbench.engine import Engine
from workbench.errors import BadInput, OutOfResources, Unsupported
from workbench.hooks import recorded
from workbench.loading import fingerprint, load
from workbench.loading.device import choose_device, numbers
from workbench.loading.openvino_tower import OpenVinoTower
from workbench.loading.torch_backend import TorchBackend
from workbench.model_cache import weights_of
from workbench.pictures import SAMPLES, sample


@pytest.fixture(scope="module")
def plain() -> TorchBackend:
    return load("pocket", device="cpu")


@pytest.fixture(scope="module")
def quick() -> TorchBackend:
    return load("pocket", device="openvino")


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [sample(row.key) for row in SAMPLES[:11]]


def test_embeddings_are_torch_s_whatever_the_number_of_images(
    plain: TorchBackend, quick: TorchBackend, pictures: list[Image.Image]
) -> None:
    wanted = plain.embed_images(pictures)
    for count in (1, 11, 3):
        rows = quick.embed_images(pictures[:count])
        assert rows.shape == (count, plain.dim)
        assert rows.dtype == torch.float32
        assert torch.allclose(rows, wanted[:count], atol=2e-6)
    assert torch.equal(quick.embed_texts(["a cat"]), plain.embed_texts(["a cat"]))


def test_bfloat16_is_near_and_float16_is_refused(plain: TorchBackend, pictures: list[Image.Image]) -> None:
    rows = load("pocket", device="openvino", dtype="bfloat16").embed_images(pictures)
    cosines = (rows * plain.embed_images(pictures)).sum(dim=1)
    assert 0.98 < float(cosines.min()) < 1
    with pytest.raises(BadInput, match="float32 or bfloat16"):
        load("pocket", device="openvino", dtype="float16")


def test_gradients_and_layers_are_torch_s(
    plain: TorchBackend, quick: TorchBackend, pictures: list[Image.Image]
) -> None:
    pixels = torch.stack([plain.prepare(one) for one in pictures[:2]]).float() / 255
    seen = []
    for model in (plain, quick):
        leaf = pixels.clone().requires_grad_()
        with recorded(model.anatomy.pick(["conv_head"])) as values:
            model.embed_pixels(leaf)[:, 0].sum().backward()
        assert leaf.grad is not None
        seen.append((leaf.grad, values["conv_head"].detach()))
    assert torch.equal(seen[0][0], seen[1][0])
    assert torch.equal(seen[0][1], seen[1][1])


def test_an_edited_model_is_compiled_with_its_edit(
    plain: TorchBackend, quick: TorchBackend, pictures: list[Image.Image], tmp_path: Path
) -> None:
    removed = torch.eye(plain.dim)[:40]
    edit = Edit(base="pocket", kind="projection", settings={}, title="Forty less")
    folder = write_edit(tmp_path / "edited", edit, {"removed": removed})
    wanted, rows = (load(str(folder), device=device).embed_images(pictures) for device in ("cpu", "openvino"))
    assert torch.allclose(rows, wanted, atol=2e-6)
    assert float(rows[:, :40].abs().max()) < 1e-6
    assert float(quick.embed_images(pictures)[:, :40].abs().max()) > 0.01


def test_a_tower_that_openvino_cannot_compute_is_refused() -> None:
    def odd(pixels: torch.Tensor) -> torch.Tensor:
        return torch.special.bessel_j0(pixels.mean(dim=(2, 3)))

    with pytest.raises(Unsupported, match="device cpu"), torch.inference_mode():
        OpenVinoTower(odd, 8, torch.float32)(torch.zeros(1, 3, 8, 8))


def test_fingerprints_differ_by_device_and_numbers_and_are_known_from_the_files(quick: TorchBackend) -> None:
    known = {
        (device, dtype): fingerprint("pocket", dtype=numbers(device, dtype).removeprefix("torch."))
        for device in ("cpu", "openvino")
        for dtype in ("float32", "bfloat16")
    }
    assert len(set(known.values())) == 4
    assert quick.fingerprint == known["openvino", "float32"]
    assert quick.numbers == "float32 openvino"


def test_its_second_copy_of_the_weights_counts_as_memory(plain: TorchBackend, quick: TorchBackend) -> None:
    assert weights_of(quick) == 2 * weights_of(plain)


def test_the_engine_says_what_it_computes_with(pictures: list[Image.Image], plain: TorchBackend) -> None:
    with Engine(default="pocket", device="openvino") as engine, engine.session("test") as session:
        rows = session.embed_images(pictures[:2])
        assert (session.device, session.dtype) == ("cpu", "float32 openvino")
        assert engine.status()["device"] == "openvino"
    assert np.allclose(rows, plain.embed_images(pictures[:2]), atol=2e-6)


def test_without_the_package_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OutOfResources, match="pip install openvino"):
        choose_device("openvino")


def test_nothing_is_reported_to_its_maker(tmp_path: Path) -> None:
    code = (
        "import sys, socket; from workbench.loading import load; import numpy as np; from PIL import Image\n"
        "def refuse(*given): raise AssertionError(given)\n"
        "socket.getaddrinfo = socket.socket.connect = refuse\n"
        "load('pocket', device='openvino').embed_images([Image.new('RGB', (64, 64))])\n"
        "print([name for name, one in sys.modules.items() if 'openvino_telemetry' in name and one])"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "CI": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not (tmp_path / "intel").exists()

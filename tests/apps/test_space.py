"""The program as a Hugging Face Space: its card, its requirements, its files, and what a lent GPU is asked."""

from __future__ import annotations

import importlib
import importlib.metadata
import pickle
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from apps import space_export
from workbench.errors import BadInput
from workbench.loading.torch_backend import TorchBackend

KEYS = {  # huggingface.co/docs/hub/spaces-config-reference
    "title",
    "emoji",
    "colorFrom",
    "colorTo",
    "sdk",
    "sdk_version",
    "python_version",
    "app_file",
    "app_port",
    "base_path",
    "fullWidth",
    "header",
    "short_description",
    "models",
    "datasets",
    "tags",
    "license",
    "thumbnail",
    "pinned",
    "hf_oauth",
    "disable_embedding",
    "startup_duration_timeout",
    "suggested_hardware",
    "custom_headers",
    "preload_from_hub",
}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return space_export.export(tmp_path_factory.mktemp("space") / "mine")


def test_the_card_holds_only_what_the_hub_knows(exported: Path) -> None:
    text = (exported / "README.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    result = yaml.safe_load(head)
    assert set(result) <= KEYS
    assert result["sdk"] == "gradio"
    assert result["sdk_version"] == importlib.metadata.version("gradio")
    assert result["python_version"] == "3.12"
    assert len(result["short_description"]) <= 60
    assert {result["colorFrom"], result["colorTo"]} <= COLOURS
    assert (exported / result["app_file"]).is_file() or not (space_export.ROOT / "app.py").is_file()
    assert "CLIP Workbench" in body


def test_the_offered_checkpoint_is_named_by_commit_where_that_is_known(exported: Path) -> None:
    head = (exported / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    (line,) = yaml.safe_load(head)["preload_from_hub"]
    repo, files, *commit = line.split(" ")
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", repo)
    assert "config.json" in files.split(",")
    assert not [name for name in files.split(",") if name.endswith((".bin", ".pt", ".msgpack", ".h5"))]
    assert all(re.fullmatch(r"[0-9a-f]{40}", one) for one in commit)


def test_requirements_leave_to_zerogpu_what_is_its_own(exported: Path) -> None:
    lines = (exported / "requirements.txt").read_text(encoding="utf-8").split()
    names = [re.match(r"[\w-]+", line).group().lower().replace("_", "-") for line in lines]  # type: ignore[union-attr]
    assert not {"gradio", "spaces", "huggingface-hub"} & set(names)
    assert "torch" in lines
    assert "torchvision" in lines
    assert any(line.startswith("transformers>=") for line in lines)


def test_nothing_large_nothing_hidden_no_tests(exported: Path) -> None:
    files = [file for file in exported.rglob("*") if file.is_file()]
    assert max(file.stat().st_size for file in files) <= 10 * 2**20
    names = [file.relative_to(exported).as_posix() for file in files]
    assert not [name for name in names if "__pycache__" in name or name.startswith((".", "tests/"))]
    assert [name for name in names if name.startswith("workbench/weights/pocket/") and name.endswith(".safetensors")]
    assert {"README.md", "requirements.txt", "LICENSE", "apps/serving/guard.py"} <= set(names)
    assert exported.stat().st_mode & 0o777 == 0o755


def test_the_exported_program_imports_by_itself(exported: Path) -> None:
    import subprocess

    code = "import apps.space_export, workbench, sys; print(workbench.__file__)"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=exported, env={"PYTHONPATH": str(exported)}, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith(str(exported))


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something"):
        space_export.export(tmp_path)
    with pytest.raises(BadInput, match="holds something"):
        space_export.export(tmp_path / "mine.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_export, "MOST_BYTES", 1000)
    with pytest.raises(BadInput, match="larger"):
        space_export.export(tmp_path / "space")
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert space_export.export(empty) == empty
    assert (empty / "README.md").is_file()


class Lent:
    """`spaces` as it behaves on ZeroGPU, less the GPU: arguments and results are pickled, estimates are asked first."""

    def __init__(self) -> None:
        self.estimates: list[int] = []

    def gpu(self, *, duration: Callable[..., int]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrap(work: Callable[..., Any]) -> Callable[..., Any]:
            assert "." not in work.__qualname__, "a function at module level"

            def call(*args: Any) -> Any:
                self.estimates.append(duration(*args))
                values = work(*pickle.loads(pickle.dumps(args)))
                return (pickle.loads(pickle.dumps(value)) for value in values)

            return call

        return wrap


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Lent]]:
    stub, lent = types.ModuleType("spaces"), Lent()
    stub.GPU = lent.gpu  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spaces", stub)
    monkeypatch.delitem(sys.modules, "apps.zerogpu", raising=False)
    monkeypatch.setenv("SPACE_ID", "someone/clip")
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    yield importlib.import_module("apps.zerogpu"), lent
    sys.modules.pop("apps.zerogpu", None)


def test_a_lent_gpu_gives_the_same_embeddings(lent: tuple[Any, Lent], pocket: TorchBackend, photos: Path) -> None:
    from PIL import Image

    module, stub = lent
    picture = pocket.prepare(Image.open(photos / "chelsea.png").convert("RGB"))
    (got,) = module.stream("embed pixels", ("pocket",), picture[None].numpy())
    assert got.dtype == np.float32
    assert got.shape == (1, pocket.dim)
    torch.testing.assert_close(torch.from_numpy(got), pocket.encode_pixels(picture[None]), atol=1e-5, rtol=0)
    tokens = pocket.tokenize(["a photo of a cat.", "a dog"])
    (got,) = module.stream("embed tokens", ("pocket",), (tokens.ids.numpy(), tokens.mask.numpy()))
    torch.testing.assert_close(torch.from_numpy(got), pocket.encode_tokens(tokens), atol=1e-5, rtol=0)
    assert all(isinstance(one, int) and 1 <= one <= 110 for one in stub.estimates)


def test_where_it_looked_is_the_same_on_a_lent_gpu(lent: tuple[Any, Lent], pocket: TorchBackend, photos: Path) -> None:
    from workbench import attribution
    from workbench.engine import Engine
    from workbench.images import safe_open

    request = attribution.Request(
        method="grad-cam",
        pixels=pocket.prepare(safe_open(photos / "chelsea.png")).numpy(),
        texts=pocket.embed_texts(["a photo of a cat.", "a photo of a dog."]).numpy(),
        target=0,
    )
    engine = Engine(default="pocket", device="cpu", dtype="float32", remote=lent[0])
    with engine, engine.session("ann") as session:
        far = list(session.explain(request))[-1]
    here = list(attribution.explain(pocket, request))[-1]
    assert isinstance(far, attribution.Attribution)
    assert isinstance(here, attribution.Attribution)
    np.testing.assert_allclose(far.map, here.map, atol=1e-4)


def test_an_estimate_grows_with_the_work_and_ends_at_a_visitors_share(lent: tuple[Any, Lent]) -> None:
    module, _ = lent
    one, many, most = (module._seconds("embed pixels", ("pocket",), np.empty((n, 3, 1, 1))) for n in (1, 2000, 10**6))
    assert one < many < most == 110


def test_a_model_that_the_space_does_not_offer_is_refused(lent: tuple[Any, Lent]) -> None:
    from workbench.errors import Unsupported

    with pytest.raises(Unsupported, match="offers pocket"):
        list(lent[0].stream("embed pixels", ("open_clip:RN50/openai",), np.zeros((1, 3, 2, 2), np.uint8)))
    with pytest.raises(Unsupported, match=r"embed pixels, .*embed audit passes; got 'dance'"):
        list(lent[0].stream("dance", ("pocket",), None))


@pytest.mark.parametrize("method", ["prior", "diffusion"])
def test_an_image_drawn_on_a_lent_gpu_is_the_one_drawn_here(
    lent: tuple[Any, Lent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The shipped prior, and a checkpoint that takes embeddings, from a folder of the Space's own."""
    from tests.workbench.generation import tiny
    from workbench.engine import Engine
    from workbench.errors import Unsupported
    from workbench.generation.judging import Generated
    from workbench.generation.models import needed
    from workbench.generation.run import generate
    from workbench.generation.settings import read_settings

    module, stub = lent
    folder = tiny.unet(tmp_path / "checkpoints" / "mine", class_embed_type="identity", time_embedding_dim=384)
    given = {"prompt": "a red apple | fog:-0.3", "method": method, "side": 64, "steps": 1, "candidates": 2}
    if method == "diffusion":
        given["checkpoint"] = str(folder)
    settings = read_settings({**given, "denoising": 4})

    def drawn(remote: Any) -> tuple[list[Any], Generated]:
        engine = Engine(default="pocket", device="cpu", dtype="float32", remote=remote)
        with engine, engine.session("ann", others=needed(settings)) as session:
            *steps, made = generate(session, settings)
        assert isinstance(made, Generated)
        return steps, made

    if method == "diffusion":
        with pytest.raises(Unsupported, match="offers pocket"):
            drawn(module)
    monkeypatch.setattr(module, "CHECKPOINTS", tmp_path / "checkpoints")
    (steps, far), (_, here) = drawn(module), drawn(None)
    np.testing.assert_allclose(far.painting.pixels.astype(int), here.painting.pixels, atol=1)
    assert far.similarity == pytest.approx(here.similarity, abs=1e-3)
    assert steps[0].preview is not None or method == "diffusion"
    assert all(1 <= seconds <= 110 for seconds in stub.estimates)


def test_a_space_of_reports_is_one_page_without_a_program(tmp_path: Path) -> None:
    from audits.running.api import run

    done = run("limits/counting", "fake", out=tmp_path / "runs")
    space = space_export.export(tmp_path / "space", reports=done.folder)
    assert sorted(file.name for file in space.iterdir()) == ["README.md", "index.html"]
    head = yaml.safe_load((space / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert set(head) <= KEYS
    assert (head["sdk"], head["app_file"]) == ("static", "index.html")
    assert "limits/counting" in (space / "index.html").read_text(encoding="utf-8")

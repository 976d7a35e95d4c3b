"""Checkpoints of diffusers in a local folder: each kind of network draws, each autoencoder is a canvas."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.workbench.generation import tiny
from tests.workbench.generation.test_optimisation import RED, ToyBox
from workbench.errors import BadInput, OutOfResources, Unsupported, WeightsMissing, WeightsRefused
from workbench.generation.canvases import Latents
from workbench.generation.diffusion.checkpoint import class_numbers, load_checkpoint
from workbench.generation.diffusion.sources import CheckpointSource, Conditions, predictor
from workbench.generation.optimisation import optimise
from workbench.generation.painting import CanvasJob, Painting
from workbench.generation.sampling import draw
from workbench.generation.settings import read_settings
from workbench.progress import Progress

KINDS: dict[str, dict[str, Any]] = {
    "none": {},
    "class": {"num_class_embeds": 5},
    "embedding": {"class_embed_type": "identity", "time_embedding_dim": 3},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    made = {kind: tiny.unet(root / kind, **given) for kind, given in KINDS.items()}
    return made | {"text": tiny.stable_diffusion(root / "text")}


def job(folder: Path, **values: Any) -> CanvasJob:
    start = values.pop("start", None)
    neutral = RED if values.get("neutral") else None
    defaults = {"prompt": "red", "method": "diffusion", "side": 32, "steps": 2, "candidates": 2, "denoising": 3}
    edited = {} if start is None else {"start_image": "a" * 64}
    settings = read_settings({**defaults, **edited, "checkpoint": str(folder), **values})
    parts = settings.prompt.count("|") + 1
    return CanvasJob(settings, np.tile(RED, (parts, 1)), (1.0,) * parts, neutral, start)


def run(folder: Path, box: Any = None, **values: Any) -> tuple[list[Progress], Painting]:
    *steps, painting = draw([box or ToyBox()], load_checkpoint(folder), job(folder, **values))
    assert isinstance(painting, Painting)
    return [step for step in steps if isinstance(step, Progress)], painting


@pytest.mark.parametrize("kind", ["none", "class", "embedding", "text"])
def test_each_kind_of_network_draws_and_gives_the_device_back_after_each_step(
    folders: dict[str, Path], kind: str
) -> None:
    assert load_checkpoint(folders[kind]).condition == kind
    steps, painting = run(folders[kind], push=1.0)
    assert painting.pixels.shape == (32, 32, 3)
    assert len(painting.values) == 2
    assert len(steps) >= 1 + 2 * (3 + 1)
    assert all(step.preview is not None for step in steps[1:])
    again = run(folders[kind], push=1.0)[1]
    assert np.array_equal(painting.pixels, again.pixels)


@pytest.mark.parametrize("guide", ["dps", "freedom", "mpgd", "universal", "tfg"])
def test_each_guide_raises_the_score_over_a_network_of_pixels(folders: dict[str, Path], guide: str) -> None:
    plain, pushed = (run(folders["none"], guide=guide, push=push, denoising=6)[1].values[0] for push in (0.0, 3.0))
    assert pushed > plain


def test_weighted_prompts_and_negatives_are_one_batch(folders: dict[str, Path]) -> None:
    """The sum of differences from no text, by hand and one call at a time."""
    source = CheckpointSource(load_checkpoint(folders["embedding"]), read_settings({"prompt": "a"}))
    rows = torch.eye(3)[:2]
    conditions = Conditions(
        (rows[:1].expand(2, 3), rows[1:].expand(2, 3)), torch.zeros(2, 3), torch.tensor([0.75, -0.25]), 4.0
    )
    values, time = torch.randn(2, 3, 16, 16), torch.tensor(50)
    with torch.no_grad():
        mixed = predictor(source, conditions)(values, time)
        none, first, second = (source.output(values, time, one) for one in (conditions.nothing, *conditions.texts))
    assert torch.allclose(mixed, none + 4.0 * (0.75 * (first - none) - 0.25 * (second - none)), atol=1e-4)


def test_classes_are_numbers_or_names(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tiny.unet(tmp_path, num_class_embeds=3)
    (folder / "model_index.json").write_text('{"id2label": {"0": "cat, house cat", "1": "dog", "2": "fox"}}')
    checkpoint = load_checkpoint(folder)
    assert class_numbers(checkpoint, ["Dog", "2", "house cat"]) == [1, 2, 0]
    for wrong in ("3", "cow", "-1"):
        with pytest.raises(BadInput, match="0 to 2"):
            class_numbers(checkpoint, [wrong])
    one, two = (run(folder, classes=name)[1].pixels for name in ("dog", "fox"))
    assert not np.array_equal(one, two)


def test_noise_near_the_best_changes_less_than_new_noise(folders: dict[str, Path]) -> None:
    def spread(search: str) -> float:
        box, given = ToyBox(), job(folders["none"], search=search, steps=3, candidates=4)
        previews = [
            step.preview.astype(float)
            for step in draw([box], load_checkpoint(folders["none"]), given)
            if isinstance(step, Progress) and step.preview is not None and not step.values
        ]
        return float(np.abs(previews[2] - previews[-1]).mean())  # the first candidate at the ends of rounds 1 and 3

    assert spread("near") < spread("fresh")


def test_image_to_image_stays_nearer_the_less_it_is_noised(folders: dict[str, Path]) -> None:
    start = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    start = np.kron(start[::8, ::8], np.ones((8, 8, 1), np.uint8))
    far, near = (
        np.abs(run(folders["none"], start=start, noising=noising, denoising=10)[1].pixels.astype(float) - start).mean()
        for noising in (1.0, 0.1)
    )
    assert near < far
    assert run(folders["text"], start=start, noising=0.5)[1].pixels.shape == (32, 32, 3)


def test_an_edit_of_strength_zero_gives_the_image_back(folders: dict[str, Path]) -> None:
    start = np.full((32, 32, 3), 90, np.uint8)
    folder = folders["embedding"]
    kept, moved = (
        run(folder, start=start, neutral="plain", strength=strength, noising=0.5, denoising=8)[1].pixels.astype(float)
        for strength in (0.0, 3.0)
    )
    assert np.abs(kept - 90).mean() < 4
    assert np.abs(moved - 90).mean() >= np.abs(kept - 90).mean()


def test_it_can_be_closed_after_any_step(folders: dict[str, Path]) -> None:
    checkpoint = load_checkpoint(folders["text"])
    for steps in range(5):
        running = draw([ToyBox()], checkpoint, job(folders["text"]))  # type: ignore[list-item]
        list(itertools.islice(running, steps))
        running.close()  # type: ignore[attr-defined]


def test_where_memory_runs_out_half_of_the_candidates_go_on(folders: dict[str, Path]) -> None:
    class Small(ToyBox):
        def embed_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
            if len(pixels) > 2:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return super().embed_pixels(pixels)

    class Nothing(ToyBox):
        def embed_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory")

    painting = run(folders["none"], Small(), candidates=8, push=1.0)[1]
    assert painting.settings.candidates == 2
    assert "memory" in painting.note
    with pytest.raises(OutOfResources):
        run(folders["none"], Nothing(), push=1.0)


@pytest.mark.parametrize("kind", ["AutoencoderTiny", "AutoencoderKL", "VQModel"])
def test_latents_of_each_autoencoder_are_a_canvas(tmp_path: Path, kind: str) -> None:
    checkpoint = load_checkpoint(tiny.autoencoder(tmp_path, kind))
    assert checkpoint.autoencoder is not None
    canvas = Latents(checkpoint.autoencoder, 32)
    parameters = canvas.start(2, torch.Generator().manual_seed(0))
    assert parameters[0].shape == (2, 4, 16, 16)
    assert canvas.pixels(parameters).shape == (2, 3, 32, 32)
    assert canvas.start_from(torch.rand(1, 3, 32, 32))[0].shape == (1, 4, 16, 16)
    given = job(tmp_path, method="latents", steps=12, cutouts=2)
    *_, painting = optimise([ToyBox()], given, checkpoint)  # type: ignore[list-item]
    assert isinstance(painting, Painting)
    assert max(painting.values) > painting.values[0]
    with pytest.raises(BadInput, match="divides"):
        Latents(checkpoint.autoencoder, 33)


@pytest.mark.parametrize("kind", ["AutoencoderTiny", "AutoencoderKL"])
def test_gradients_of_latents_are_those_of_finite_differences(tmp_path: Path, kind: str) -> None:
    checkpoint = load_checkpoint(tiny.autoencoder(tmp_path, kind))
    assert checkpoint.autoencoder is not None
    canvas = Latents(checkpoint.autoencoder.double(), 8)
    parameters = [part.detach().double() * 0.1 for part in canvas.start(1, torch.Generator().manual_seed(0))]
    leaf = parameters[0].requires_grad_()
    canvas.pixels([leaf]).square().sum().backward()
    way = torch.randn(leaf.shape, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        ahead, behind = (canvas.pixels([leaf + step * way]).square().sum() for step in (1e-5, -1e-5))
    assert leaf.grad is not None
    assert float((leaf.grad * way).sum()) == pytest.approx(float(ahead - behind) / 2e-5, rel=1e-3)


def test_the_gradient_of_vq_latents_passes_straight_through_the_codebook(tmp_path: Path) -> None:
    """The codes jump, so a finite difference of them says nothing: it is taken of the decoder, at the codes."""
    checkpoint = load_checkpoint(tiny.autoencoder(tmp_path, "VQModel"))
    autoencoder: Any = checkpoint.autoencoder
    canvas = Latents(autoencoder.double(), 8)
    leaf = canvas.start(1, torch.Generator().manual_seed(0))[0].detach().double().requires_grad_()
    canvas.pixels([leaf]).square().sum().backward()
    way = torch.randn(leaf.shape, generator=torch.Generator().manual_seed(1)).double()

    def decoded(codes: torch.Tensor) -> torch.Tensor:
        return (autoencoder.decode(codes, force_not_quantize=True).sample / 2 + 0.5).clamp(0, 1).square().sum()

    scale = float(autoencoder.config.get("scaling_factor") or 1.0)
    with torch.no_grad():
        codes = autoencoder.quantize(leaf / scale)[0]
        slope = (decoded(codes + 1e-5 * way) - decoded(codes - 1e-5 * way)) / 2e-5 / scale
    assert not torch.equal(codes, leaf / scale)
    assert leaf.grad is not None
    assert float((leaf.grad * way).sum()) == pytest.approx(float(slope), rel=1e-3)


def test_only_safetensors_of_known_classes_are_read(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="no folder"):
        load_checkpoint(tmp_path / "nowhere")
    with pytest.raises(WeightsMissing, match="no network"):
        load_checkpoint(tmp_path)
    folder = tiny.unet(tmp_path / "pickled")
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(WeightsRefused, match="safetensors"):
        load_checkpoint(folder)
    (folder / "unet" / "config.json").write_text('{"_class_name": "os.system"}')
    with pytest.raises(Unsupported, match=r"os\.system"):
        load_checkpoint(folder)


def test_an_embedding_of_another_width_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tiny.unet(tmp_path, class_embed_type="identity", time_embedding_dim=7)
    with pytest.raises(Unsupported, match="7 numbers"):
        run(folder)
    with pytest.raises(Unsupported, match="no network"):
        run(tiny.autoencoder(tmp_path / "only", "AutoencoderTiny"))


def test_the_fingerprint_changes_with_the_weights(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tiny.unet(tmp_path)
    first = load_checkpoint(folder).fingerprint
    weights = next((folder / "unet").glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert load_checkpoint(folder).fingerprint != first

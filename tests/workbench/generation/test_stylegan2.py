"""The StyleGAN2 adapter: its pieces by other routes, its names, and a tiny generator as a canvas."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.signal import upfirdn
from torch import Tensor

from tests.workbench.generation.test_optimisation import RED, ToyBox
from workbench.errors import WeightsMissing, WeightsRefused
from workbench.generation.canvases.stylegan2 import StyleGan2, Styles, _twice, load_stylegan2, modulated
from workbench.generation.optimisation import optimise
from workbench.generation.painting import CanvasJob, Painting
from workbench.generation.settings import read_settings


def weights(width: int = 6, channels: int = 5) -> dict[str, Tensor]:
    """A generator of 8 pixels."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    made = {"mapping.w_avg": torch.zeros(width), "synthesis.b4.const": draw(channels, 4, 4)}
    for number in range(2):
        made |= {f"mapping.fc{number}.weight": 100 * draw(width, width), f"mapping.fc{number}.bias": draw(width)}
    layers = {"b4.conv1": (4, 3), "b8.conv0": (8, 3), "b8.conv1": (8, 3), "b4.torgb": (0, 1), "b8.torgb": (0, 1)}
    for name, (size, kernel) in layers.items():
        out = channels if size else 3
        made |= {
            f"synthesis.{name}.weight": draw(out, channels, kernel, kernel),
            f"synthesis.{name}.bias": 0.1 * draw(out),
            f"synthesis.{name}.affine.weight": draw(channels, width),
            f"synthesis.{name}.affine.bias": torch.ones(channels),
        }
        if size:
            made |= {f"synthesis.{name}.noise_const": draw(size, size)}
            made |= {f"synthesis.{name}.noise_strength": torch.tensor(0.1)}
    return made


def test_a_modulated_convolution_is_one_kernel_a_sample() -> None:
    """As the paper writes it: scale the kernel, divide by its length, convolve."""
    generator = torch.Generator().manual_seed(1)
    values, kernel, styles = (torch.randn(*s, generator=generator) for s in ((2, 3, 6, 6), (4, 3, 3, 3), (2, 3)))
    ours = modulated(values, kernel, styles, padding=1)
    for number in range(2):
        own = kernel * styles[number][None, :, None, None]
        own = own / (own.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        theirs = torch.nn.functional.conv2d(values[number : number + 1], own, padding=1)
        assert torch.allclose(ours[number : number + 1], theirs, atol=1e-5)


def test_upsampling_is_that_of_scipy() -> None:
    image = np.random.default_rng(0).normal(size=(5, 5))
    line = np.array([1, 3, 3, 1]) / 8 * 2
    theirs = upfirdn(line, upfirdn(line, image, up=2, axis=0), up=2, axis=1)[1:11, 1:11]
    ours = _twice(torch.from_numpy(image)[None, None], (2, 1))[0, 0].numpy()
    assert np.allclose(ours, theirs)


def test_the_mapping_is_the_one_by_hand() -> None:
    made = weights()
    z = torch.randn(3, 6, generator=torch.Generator().manual_seed(2))
    values = (z / z.square().mean(1, keepdim=True).sqrt()).double().numpy()
    for number in range(2):
        kernel, bias = (made[f"mapping.fc{number}.{part}"].double().numpy() * 0.01 for part in ("weight", "bias"))
        values = values @ kernel.T / math.sqrt(6) + bias
        values = np.where(values > 0, values, 0.2 * values) * math.sqrt(2)
    assert np.allclose(StyleGan2(made).map(z).numpy(), values, atol=1e-4)


def test_a_tiny_generator_is_a_canvas(tmp_path: Path) -> None:
    save_file(weights(), tmp_path / "generator.safetensors")
    generator = load_stylegan2(tmp_path / "generator.safetensors")
    canvas = Styles(generator, 32)
    first, again, other = (canvas.start(2, torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2))
    assert first.shape == (2, 4, 6)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert canvas.pixels([first]).shape == (2, 3, 32, 32)
    settings = read_settings({"prompt": "red", "method": "latents", "steps": 20, "side": 32, "cutouts": 2})
    *_, painting = optimise([ToyBox()], CanvasJob(settings, RED[None], (1.0,)), generator)  # type: ignore[list-item]
    assert isinstance(painting, Painting)
    assert max(painting.values) > painting.values[0]


def test_an_edit_begins_with_the_seed_s_own_image() -> None:
    generator = StyleGan2(weights())

    def redness(strength: float) -> float:
        given = {"prompt": "red", "neutral": "plain", "strength": strength, "method": "latents", "side": 32}
        settings = read_settings({**given, "steps": 25, "cutouts": 2, "likeness": 0, "smooth": 0})
        green = np.eye(3, dtype=np.float32)[1]
        *_, painting = optimise([ToyBox()], CanvasJob(settings, RED[None], (1.0,), green), generator)  # type: ignore[list-item]
        assert isinstance(painting, Painting)
        pixels = painting.pixels.astype(float)
        return float((pixels[..., 0] - pixels[..., 1]).mean())

    away, towards = redness(-1), redness(1)
    assert away < towards


def test_gradients_are_those_of_finite_differences() -> None:
    generator = StyleGan2({name: part.double() for name, part in weights().items()})
    w = torch.randn(1, 4, 6, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    generator.pixels(w).square().sum().backward()
    way = torch.randn(w.shape, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        ahead, behind = (generator.pixels(w + step * way).square().sum() for step in (1e-6, -1e-6))
    assert w.grad is not None
    assert float((w.grad * way).sum()) == pytest.approx(float(ahead - behind) / 2e-6, rel=1e-3)


def test_what_is_no_generator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing):
        load_stylegan2(tmp_path / "nothing.safetensors")
    (tmp_path / "pickled.safetensors").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(WeightsRefused, match="no safetensors"):
        load_stylegan2(tmp_path / "pickled.safetensors")
    for lacking in ("mapping.w_avg", "synthesis.b4.torgb.weight"):
        with pytest.raises(WeightsRefused, match="lacks"):
            StyleGan2({name: part for name, part in weights().items() if name != lacking})

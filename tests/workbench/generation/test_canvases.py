"""Canvases: seeded, in 0..1, with right gradients, and able to reach a picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.generation.canvases import Fourier, Maco, Pixels, Siren, Strokes
from workbench.generation.canvases.fourier import frequency_weights
from workbench.generation.canvases.photos import colour_basis, spectrum
from workbench.pictures import sample

CANVASES = [
    Fourier(side=16),
    Fourier(side=17, contrast=0),
    Maco(side=16),
    Pixels(side=16, cells=8),
    Siren(side=12, width=8),
    Strokes(side=16, strokes=3, softness=0.03),
    Pixels(side=16, cells=4, palette=((1, 0, 0), (0, 0, 1), (1, 1, 1))),
]


@pytest.mark.parametrize("canvas", CANVASES, ids=str)
def test_pixels_lie_within_bounds_and_follow_the_seed(canvas: Any) -> None:
    first, again, other = (
        canvas.pixels(canvas.start(2, torch.Generator().manual_seed(seed))).detach() for seed in (3, 3, 4)
    )
    assert first.shape == (2, 3, canvas.side, canvas.side)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first[0], first[1])


@pytest.mark.parametrize("canvas", CANVASES, ids=str)
def test_gradients_agree_with_finite_differences(canvas: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    parameters = canvas.start(1, generator)
    weights = torch.randn(1, 3, canvas.side, canvas.side, generator=generator, dtype=torch.float64)

    def value(points: list[torch.Tensor]) -> torch.Tensor:
        return (canvas.pixels(points) * weights).sum()

    points = [part.detach().double().requires_grad_() for part in parameters]
    gradients = torch.autograd.grad(value(points), points)
    ways = [torch.randn(point.shape, generator=generator, dtype=torch.float64) for point in points]
    step = 1e-6
    with torch.no_grad():
        ahead, behind = (
            value([point + side * step * way for point, way in zip(points, ways, strict=True)]) for side in (1, -1)
        )
    slope = float(ahead - behind) / (2 * step)
    along = sum(float((gradient * way).sum()) for gradient, way in zip(gradients, ways, strict=True))
    assert along == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize("canvas", [*CANVASES[:2], CANVASES[3]], ids=str)
def test_optimising_reaches_a_plain_picture(canvas: Any) -> None:
    half = torch.ones(3, canvas.side, canvas.side)
    half[:2, :, : canvas.side // 2] = 0.2
    parameters = canvas.start(1, torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(parameters, lr=canvas.rate)
    losses = []
    for _ in range(60):
        loss = (canvas.pixels(parameters) - half).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_maco_keeps_the_magnitudes_of_photos_whatever_its_phases() -> None:
    canvas = Maco(side=32)
    images = canvas.pixels(canvas.start(3, torch.Generator().manual_seed(0))).detach().double()
    axes = torch.einsum("ck,nkhw->nchw", (2 * colour_basis().double()).inverse(), torch.logit(images))
    magnitudes = torch.fft.rfft2(axes).abs()[:, :, 1:8, 1:8]
    shares = magnitudes / magnitudes.sum(dim=(1, 2, 3), keepdim=True)
    wanted = spectrum(32, 32)[:, 1:8, 1:8].double()
    assert torch.allclose(shares, (wanted / wanted.sum()).expand_as(shares), rtol=1e-3)


def test_the_colour_basis_undoes_how_colours_of_photos_vary_together() -> None:
    pixels = np.concatenate(
        [
            np.asarray(sample(key).resize((64, 64)), dtype=float).reshape(-1, 3) / 255
            for key in ("cat", "coffee", "rocket", "motorcycle", "astronaut")
        ]
    )
    axes = pixels @ np.linalg.inv(colour_basis().double().numpy()).T
    correlation = np.corrcoef(axes.T)
    assert abs(np.corrcoef(pixels.T)[0, 1]) > 0.8
    assert np.abs(correlation - np.eye(3)).max() < 0.15


def test_frequencies_of_photos_fall_as_one_over_frequency() -> None:
    strengths = spectrum(128, 128)[0]
    rings = [float(strengths[ring, ring].log()) for ring in (2, 4, 8, 16, 32)]
    slope = np.polyfit(np.log([2, 4, 8, 16, 32]), rings, 1)[0]
    assert -1.7 < slope < -0.7
    weights = frequency_weights(64, 1.0)
    assert float(weights[0, 2] / weights[0, 4]) == pytest.approx(2.0)


def test_a_fourier_canvas_begins_with_a_picture() -> None:
    canvas = Fourier(side=32, contrast=0)
    picture = 0.1 + 0.8 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(canvas.pixels(canvas.start_from(picture)), picture, atol=1e-4)


def test_a_straight_stroke_covers_what_geometry_says() -> None:
    canvas = Strokes(side=64, strokes=1, softness=0.002)
    _, widths, _ = canvas.start(1, torch.Generator().manual_seed(0))
    across = torch.tensor([[0.2, 0.5], [0.4, 0.5], [0.6, 0.5], [0.8, 0.5]])
    black = torch.tensor([-9.0, -9, -9, 9])
    pixels = canvas.pixels([((across - 0.5) * 2)[None, None], torch.zeros_like(widths), black.expand(1, 1, 4)])
    width = 0.08  # half of the widest
    wanted = 0.6 * width + 3.14159 * (width / 2) ** 2  # a bar with round ends
    assert float(1 - pixels.mean()) == pytest.approx(wanted, rel=0.03)


def test_an_svg_says_the_same_as_the_pixels() -> None:
    import resvg_py

    canvas = Strokes(side=96, strokes=8)
    parameters = canvas.start(1, torch.Generator().manual_seed(2))
    drawn = bytes(resvg_py.svg_to_bytes(svg_string=canvas.svg(parameters, size=96)))
    wanted = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB"), dtype=float) / 255
    pixels = canvas.pixels(parameters).detach()[0].movedim(0, -1).numpy()
    assert np.abs(pixels - wanted).mean() < 0.02
    assert (1 - wanted).mean() > 0.03

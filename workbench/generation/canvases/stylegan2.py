"""A canvas in the latent space of a StyleGAN2 generator of the user's own.

The adapter reads a safetensors file with the names of the official PyTorch code: `mapping.fc0.weight`,
`synthesis.b4.const`, `synthesis.b8.conv0.affine.weight` and so on; docs/stylegan2.md says how to write one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import WeightsMissing, WeightsRefused

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_FILTER = (1.0, 3.0, 3.0, 1.0)
_SLOWER = 0.01  # learning rate of the mapping network beside the others; its weights are scaled by it
_TRUNCATION = 0.7  # how far a start lies from the mean


class StyleGan2:
    """The generator: from z to w, and from one w a layer to pixels.

    Source:
        Karras et al. 2020, arXiv:1912.04958, section 2 and figure 2 (modulation, demodulation, skips).
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights
        sizes = {int(match[1]) for name in weights if (match := re.match(r"synthesis\.b(\d+)\.torgb\.weight$", name))}
        self.sizes = sorted(sizes)
        doubled = self.sizes and self.sizes == [4 * 2**step for step in range(len(self.sizes))]
        needed = ("synthesis.b4.const", "synthesis.b4.conv1.affine.weight", "mapping.fc0.weight", "mapping.w_avg")
        if not doubled or (missing := [name for name in needed if name not in weights]):
            lacking = missing if doubled else ["synthesis.b4.torgb.weight, b8, b16 …"]
            raise WeightsRefused(
                f"This is no StyleGAN2 generator: it lacks {', '.join(lacking)}; see docs/stylegan2.md."
            )
        self.layers = 2 * len(self.sizes)  # how many w an image takes
        self.width = int(weights["mapping.w_avg"].shape[0])

    def map(self, z: Tensor) -> Tensor:
        """(n, z) standard noise -> (n, w)."""
        import torch

        values = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        number = 0
        while (name := f"mapping.fc{number}") + ".weight" in self.weights:
            weight, bias = self.weights[f"{name}.weight"] * _SLOWER, self.weights[f"{name}.bias"] * _SLOWER
            values = torch.nn.functional.linear(values, weight / math.sqrt(weight.shape[1]), bias)
            values = torch.nn.functional.leaky_relu(values, 0.2) * math.sqrt(2)
            number += 1
        return values

    def pixels(self, w: Tensor) -> Tensor:
        """(n, layers, w) -> (n, 3, side, side) in 0..1, with gradient."""
        values = self.weights["synthesis.b4.const"].expand(len(w), -1, -1, -1)
        image: Tensor | None = None
        at = 0
        for size in self.sizes:
            block = f"synthesis.b{size}"
            if size > 4:
                values = self._layer(f"{block}.conv0", values, w[:, at], larger=True)
                at += 1
            values = self._layer(f"{block}.conv1", values, w[:, at], larger=False)
            at += 1
            colours = self._colours(f"{block}.torgb", values, w[:, at])
            image = colours if image is None else _twice(image, (2, 1)) + colours
        assert image is not None
        return (image / 2 + 0.5).clamp(0, 1)

    def _styles(self, name: str, w: Tensor) -> Tensor:
        import torch

        weight = self.weights[f"{name}.affine.weight"]
        return torch.nn.functional.linear(w, weight / math.sqrt(weight.shape[1]), self.weights[f"{name}.affine.bias"])

    def _layer(self, name: str, values: Tensor, w: Tensor, *, larger: bool) -> Tensor:
        import torch

        weight = self.weights[f"{name}.weight"]
        if larger:  # upsample, then convolve with the turned kernel, as the official code does
            values = modulated(_twice(values, (3, 2)), weight.flip([2, 3]), self._styles(name, w), padding=0)
        else:
            values = modulated(values, weight, self._styles(name, w), padding=weight.shape[-1] // 2)
        noise = self.weights.get(f"{name}.noise_const")
        if noise is not None:
            values = values + noise * self.weights[f"{name}.noise_strength"]
        values = values + self.weights[f"{name}.bias"][:, None, None]
        return torch.nn.functional.leaky_relu(values, 0.2) * math.sqrt(2)

    def _colours(self, name: str, values: Tensor, w: Tensor) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        styles = self._styles(name, w) / math.sqrt(weight.shape[1] * weight.shape[2] ** 2)
        colours = modulated(values, weight, styles, padding=0, demodulate=False)
        return colours + self.weights[f"{name}.bias"][:, None, None]


def modulated(values: Tensor, weight: Tensor, styles: Tensor, *, padding: int, demodulate: bool = True) -> Tensor:
    """Convolve each sample (n, in, h, w) with a kernel whose inputs are scaled by its styles (n, in)."""
    import torch

    scaled = values * styles[:, :, None, None]
    out: Tensor = torch.nn.functional.conv2d(scaled, weight, padding=padding)
    if demodulate:
        strength = torch.einsum("oikl,ni->no", weight.square(), styles.square())
        out = out * (strength + 1e-8).rsqrt()[:, :, None, None]
    return out


def _twice(values: Tensor, padding: tuple[int, int]) -> Tensor:
    """Put zeros between the pixels, pad, and smooth with the filter 1, 3, 3, 1."""
    import torch

    count, channels, height, width = values.shape
    spread = values.new_zeros(count, channels, height, 2, width, 2)
    spread[:, :, :, 0, :, 0] = values
    padded = torch.nn.functional.pad(spread.reshape(count, channels, 2 * height, 2 * width), padding * 2)
    line = torch.tensor(_FILTER).to(values)
    kernel = torch.outer(line, line) * 4 / line.sum() ** 2
    return torch.nn.functional.conv2d(padded, kernel.expand(channels, 1, 4, 4), groups=channels)


@dataclass(frozen=True, eq=False)
class Styles:
    """One w for each layer of a generator, enlarged or shrunk to `side` pixels."""

    generator: StyleGan2
    side: int = 224  # pixels
    rate: float = 0.1

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw `count` images near the mean, (count, layers, w)."""
        import torch

        wide = self.generator.weights["mapping.fc0.weight"]
        z = torch.randn((count, wide.shape[1]), generator=generator).to(wide)
        mean = self.generator.weights["mapping.w_avg"]
        w = mean + _TRUNCATION * (self.generator.map(z) - mean)
        return [w[:, None].repeat(1, self.generator.layers, 1).requires_grad_()]

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """(count, layers, w) -> (count, 3, side, side) in 0..1."""
        import torch

        (w,) = parameters
        images = self.generator.pixels(w)
        sized: Tensor = torch.nn.functional.interpolate(
            images, size=(self.side, self.side), mode="bilinear", antialias=True
        )
        return sized


def load_stylegan2(file: Path, *, device: str | torch.device = "cpu") -> StyleGan2:
    """Read a generator's weights.

    Raises:
        WeightsMissing: no such file.
        WeightsRefused: no safetensors, or not a StyleGAN2 generator.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not file.is_file():
        raise WeightsMissing(f"There is no file {str(file)!r}; give a StyleGAN2 generator as safetensors.")
    try:
        weights = load_file(file)
    except SafetensorError:
        raise WeightsRefused(f"{file.name!r} is no safetensors; other formats can run code and are not read.") from None
    return StyleGan2({name: part.float().to(device) for name, part in weights.items()})

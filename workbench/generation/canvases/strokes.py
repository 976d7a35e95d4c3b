"""A canvas of brush strokes: cubic Bézier curves with width and colour, which leave as SVG too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.generation.canvases.kinds import CanvasKind

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.settings import Settings

OPTIMISED_SIDE = 128  # pixels
_PIECES = 10  # straight pieces of a curve, to measure distances
_REACH, _BEND = 3.0, 3.0  # how far a unit of a parameter moves: a point's place, a logit of colour
_WIDEST = 0.16  # as a share of the side


@dataclass(frozen=True)
class Strokes:
    """Cubic curves on white, painted in order.

    A pixel's opacity is a sigmoid of its distance to the curve, so that gradients reach points, widths and colours.

    Source:
        Mihai and Hare 2021, arXiv:2103.16194 (differentiable drawing), section 3; the use follows Frans et al. 2021,
        arXiv:2106.14843 (CLIPDraw).
    """

    side: int = 224  # pixels
    strokes: int = 48
    softness: float = 0.006  # of an edge, as a share of the side
    rate: float = 0.03

    def start(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """Draw points (count, strokes, 4, 2), widths (count, strokes) and colours (count, strokes, 4)."""
        import torch

        first = torch.rand((count, self.strokes, 1, 2), generator=generator)
        ways = 0.15 * torch.randn((count, self.strokes, 3, 2), generator=generator)
        points = (torch.cat([first, first + ways.cumsum(dim=2)], dim=2) - 0.5) / (_REACH / 6)
        widths = torch.rand((count, self.strokes), generator=generator) - 1.0
        colours = torch.randn((count, self.strokes, 4), generator=generator) * 0.4
        colours[..., 3] += 0.5
        return [points.requires_grad_(), widths.requires_grad_(), colours.requires_grad_()]

    def pixels(self, parameters: Sequence[Tensor]) -> Tensor:
        """Points, widths and colours -> (count, 3, side, side) in 0..1."""
        import torch

        points, widths, colours = self._drawn(parameters)
        distances = self._distances(points)
        cover = torch.sigmoid((widths[..., None] / 2 - distances) / self.softness) * colours[..., 3:]
        through = torch.cat([1 - cover[:, 1:], torch.ones_like(cover[:, :1])], dim=1)
        seen = cover * through.flip(1).cumprod(dim=1).flip(1)  # what later strokes leave visible
        paper = (1 - cover).prod(dim=1)
        image = torch.einsum("nkp,nkc->ncp", seen, colours[..., :3]) + paper[:, None]
        return image.reshape(-1, 3, self.side, self.side).clamp(0, 1)

    def svg(self, parameters: Sequence[Tensor], *, size: int = 1024) -> str:
        """The strokes of the first image as an SVG of `size` units a side."""
        points, widths, colours = (part[0].detach().cpu() for part in self._drawn(parameters))
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" height="{size}">',
            f'<rect width="{size}" height="{size}" fill="#fff"/>',
        ]
        for curve, width, colour in zip((points * size).tolist(), widths.tolist(), colours.tolist(), strict=True):
            (a, b), *rest = curve
            way = f"M{a:.2f} {b:.2f}C" + " ".join(f"{x:.2f} {y:.2f}" for x, y in rest)
            red, green, blue = (round(255 * part) for part in colour[:3])
            lines.append(
                f'<path d="{way}" fill="none" stroke="#{red:02x}{green:02x}{blue:02x}" '
                f'stroke-opacity="{colour[3]:.3f}" '
                f'stroke-width="{width * size:.2f}" stroke-linecap="round" stroke-linejoin="round"/>'
            )
        return "\n".join([*lines, "</svg>"]) + "\n"

    def _drawn(self, parameters: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Parameters -> points and widths as shares of the side, colours with opacity in 0..1."""
        import torch

        points, widths, colours = parameters
        return 0.5 + points * (_REACH / 6), _WIDEST * torch.sigmoid(widths), torch.sigmoid(_BEND * colours)

    def _distances(self, points: Tensor) -> Tensor:
        """Distance of each pixel to each curve, (count, strokes, side * side).

        The nearest point of a curve is found without a gradient; the two pieces that meet there keep one.
        """
        import torch

        share = torch.linspace(0, 1, _PIECES + 1).to(points)[:, None]
        basis = torch.cat([(1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3], dim=1)
        on = torch.einsum("sb,nkbd->nksd", basis, points)
        line = (torch.arange(self.side).to(points) + 0.5) / self.side
        down, across = torch.meshgrid(line, line, indexing="ij")
        places = torch.stack([across, down], -1).reshape(-1, 2)
        with torch.no_grad():  # |p - s|^2 up to what is the same for all points of a curve
            squared = on.square().sum(-1)[..., None] - 2 * on @ places.T
            nearest = squared.argmin(dim=2).clamp(1, _PIECES - 1)[..., None].expand(-1, -1, -1, 2)
        before, at, after = (on.gather(2, nearest + step) for step in (-1, 0, 1))
        return (torch.minimum(_squared(places, before, at), _squared(places, at, after)) + 1e-10).sqrt()


def _squared(places: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Squared distance of points to pieces of line, by broadcasting; the last axis holds x and y."""
    way, off = second - first, places - first
    share = ((off * way).sum(-1) / (way * way).sum(-1).clamp_min(1e-12)).clamp(0, 1)
    return (off - share[..., None] * way).square().sum(-1)


def make(settings: Settings, *, held: bool, whole: bool) -> Strokes:
    """Return the canvas that settings describe; while it is optimised, at most `OPTIMISED_SIDE` pixels do."""
    return Strokes(settings.side if whole else min(settings.side, OPTIMISED_SIDE), settings.strokes)


STROKES = CanvasKind("strokes", "Strokes: brush strokes, with SVG", f"{__name__}:make")

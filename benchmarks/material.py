"""What is measured on: full-size ViT-B/32 towers of seeded random weights, and photographs of an everyday size.

Weights do not change speed, so nothing needs to be downloaded. The same tensors are saved twice: as transformers
and as open_clip want them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.conversion import save_transformers

if TYPE_CHECKING:
    from torch import Tensor

ARCHITECTURE = "ViT-B-32-quickgelu"
ANIMALS_AND_VEHICLES = "cat dog horse fish bird rocket motorcycle bicycle car boat"
THINGS = "cup clock banana guitar tree chair lamp bread phone book"
LABELS = tuple(f"{ANIMALS_AND_VEHICLES} {THINGS}".split())  # 20
PHOTOS = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png", "motorcycle_left.png", "ihc.png")
SIZE = (640, 480)  # pixels: a common size of photographs in data sets


@dataclass(frozen=True)
class BenchmarkData:
    """Where the material of a run lies."""

    folder: Path

    @property
    def pictures(self) -> list[Path]:
        """The JPEG files, in order."""
        return sorted((self.folder / "pictures").glob("*.jpg"))

    @property
    def transformers(self) -> Path:
        """The towers as transformers reads them."""
        return self.folder / "transformers"

    @property
    def open_clip(self) -> Path:
        """The towers as open_clip reads them: one safetensors file."""
        return self.folder / "open_clip" / "open_clip_model.safetensors"


def make(folder: Path, pictures: int = 64, seed: int = 0) -> BenchmarkData:
    """Write pictures and weights into a folder."""
    material = BenchmarkData(folder)
    _save_pictures(folder / "pictures", pictures, seed)
    state = _random_state(seed)
    save_transformers(state, material.transformers)
    material.open_clip.parent.mkdir(parents=True)
    _save(state, material.open_clip)
    return material


def _save_pictures(folder: Path, count: int, seed: int) -> None:
    """Cut windows out of scikit-image's photographs: real content, real JPEG decoding."""
    import skimage

    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    photos = [Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB") for name in PHOTOS]
    for number in range(count):
        photo = photos[number % len(photos)]
        share = random.uniform(0.6, 1.0)
        width, height = int(photo.width * share), int(photo.height * share)
        left = int(random.integers(0, photo.width - width + 1))
        top = int(random.integers(0, photo.height - height + 1))
        window = photo.crop((left, top, left + width, top + height)).resize(SIZE, Image.Resampling.BICUBIC)
        window.save(folder / f"{number:03d}.jpg", quality=90)


def _random_state(seed: int) -> dict[str, Tensor]:
    import open_clip
    import torch

    torch.manual_seed(seed)
    model = open_clip.create_model(ARCHITECTURE, pretrained=None)
    return {name: value.clone() for name, value in model.state_dict().items()}


def _save(state: dict[str, Tensor], file: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: value.contiguous() for name, value in state.items()}, file, metadata={"format": "pt"})

"""Random crops of photos and mixtures of two, and the locked tower's features of them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from workbench.images import safe_open
from workbench.training.pocket.ingredients import Photo
from workbench.training.pocket.towers import late

BATCH = 64


def crop(picture: Image.Image, size: int, rng: random.Random, *, least: float = 0.35) -> Image.Image:
    """A random part of a picture, of `least` to all of its area, mirrored half of the time, as a square."""
    width, height = picture.size
    area, ratio = width * height * rng.uniform(least, 1), math.exp(rng.uniform(-0.25, 0.25))
    wide, high = min(width, math.sqrt(area * ratio)), min(height, math.sqrt(area / ratio))
    left, top = rng.uniform(0, width - wide), rng.uniform(0, height - high)
    box = (left, top, left + wide, top + high)
    part = picture.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else part


def mixed(picture: Image.Image, other: Image.Image, rng: random.Random) -> Image.Image:
    """Two squares of one size in one, blended or with a side of the second; 50 to 70 % of it is of the first."""
    share, side = rng.uniform(0.3, 0.5), picture.width
    if rng.random() < 0.5:
        return Image.blend(picture, other, share)
    part, made = int(share * side), picture.copy()
    rest = side - part
    box = rng.choice(((0, 0, part, side), (rest, 0, side, side), (0, 0, side, part), (0, rest, side, side)))
    made.paste(other.crop(box), box)
    return made


def pixels(pictures: Sequence[Any]) -> Tensor:
    """Square pictures of one size -> (n, 3, size, size) in -1..1, as the tower wants them."""
    stack = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
    return (stack.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def opened(photos: Sequence[Photo], side: int) -> list[Image.Image]:
    """Photos in memory, their shorter side at most `side`."""
    images = []
    for photo in photos:
        rgb = safe_open(photo.path)
        ratio = side / min(rgb.size)
        if ratio < 1:
            size = (max(side, round(rgb.width * ratio)), max(side, round(rgb.height * ratio)))
            rgb = rgb.resize(size, Image.Resampling.BICUBIC)
        images.append(rgb)
    return images


def views(pictures: Sequence[Image.Image], *, count: int, size: int, rng: random.Random) -> Iterator[Tensor]:
    """Batches of crops; a third of them mixed with a neighbour: blended, or with a rectangle of it."""
    for _ in range(count // BATCH):
        batch = pixels([crop(rng.choice(pictures), size, rng) for _ in range(BATCH)])
        for place in range(0, BATCH // 3, 2):
            share = rng.uniform(0.3, 0.7)
            if rng.random() < 0.5:
                batch[place] = share * batch[place] + (1 - share) * batch[place + 1]
            else:
                batch[place, :, :, : int(share * size)] = batch[place + 1, :, :, : int(share * size)]
        yield batch


def features(net: Any, batches: Iterator[Tensor]) -> Iterator[tuple[int, Tensor]]:
    """Run the locked tower over batches; yields (pictures so far, features of this batch (n, 1280) on the CPU).

    Args:
        net: the locked classifier.
        batches: pictures as `pixels` gives them.
    """
    device = net.conv_stem.weight.device
    for number, batch in enumerate(batches, start=1):
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            rows = late(net, net.bn1(net.conv_stem(batch.to(device))), 0).float().cpu()
        yield number * BATCH, rows

"""On a CUDA device: ViT-L/14 image embedding in bfloat16, and its share of the measured matrix-product ceiling.

The ceiling is what the same device reaches on one large matrix product, measured in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.ceiling import VIT_L_14, multiply_adds


def measure(batch: int = 256, repeats: int = 20) -> dict[str, Any]:
    """Pictures per second and the share of the ceiling; {"missing": reason} without a CUDA device."""
    import torch

    if not torch.cuda.is_available():
        return {"missing": "no CUDA device on this machine"}
    import open_clip

    tower = open_clip.create_model("ViT-L-14-quickgelu", pretrained=None).visual.cuda().bfloat16().eval()
    pixels = torch.randn(batch, 3, 224, 224, device="cuda", dtype=torch.bfloat16)
    with torch.inference_mode():
        seconds = _timed(lambda: tower(pixels), repeats)
    rate = batch / seconds
    ceiling = _matrix_ceiling(repeats)
    used = 2 * multiply_adds(**VIT_L_14) * rate  # floating-point operations per second
    return {"pictures_per_s": rate, "ceiling_tflops": ceiling / 1e12, "share_of_ceiling": used / ceiling}


def _matrix_ceiling(repeats: int, size: int = 8192) -> float:
    import torch

    left = torch.randn(size, size, device="cuda", dtype=torch.bfloat16)
    right = torch.randn(size, size, device="cuda", dtype=torch.bfloat16)
    return 2 * size**3 / _timed(lambda: left @ right, repeats)


def _timed(work: Callable[[], object], repeats: int) -> float:
    import torch

    for _ in range(3):
        work()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / repeats

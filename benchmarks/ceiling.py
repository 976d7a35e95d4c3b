"""What the machine can do at most: one large matrix product, and what share of that an embedding reaches."""

from __future__ import annotations

import time

SIZE, REPEATS = 2048, 8  # of the matrices, and runs of which the best counts
VIT_B_32 = {"tokens": 50, "width": 768, "blocks": 12, "patch": 32}
VIT_L_14 = {"tokens": 257, "width": 1024, "blocks": 24, "patch": 14}


def multiply_adds(*, tokens: int, width: int, blocks: int, patch: int) -> float:
    """Multiply-adds of one image through a ViT's image tower, without projection and norms."""
    block = tokens * (4 * width * width + 8 * width * width) + 2 * tokens * tokens * width
    return float(blocks * block + (tokens - 1) * 3 * patch * patch * width)


def images_per_second(operations_per_second: float, tower: dict[str, int]) -> float:
    """Images per second if every operation ran at the ceiling."""
    return operations_per_second / (2 * multiply_adds(**tower))


def matrix_product(dtype: str, threads: int) -> float:
    """Floating-point operations per second of a product of two square matrices on the CPU, the best of the repeats."""
    import torch

    torch.set_num_threads(threads)
    left, right = (torch.randn(SIZE, SIZE).to(getattr(torch, dtype)) for _ in range(2))
    best = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - started)
    return 2 * SIZE**3 / best

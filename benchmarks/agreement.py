"""What bfloat16 costs in accuracy: the same weights and pictures in both number formats, compared by cosine."""

from __future__ import annotations

from benchmarks.cases import TEMPLATES
from benchmarks.material import LABELS, BenchmarkData
from workbench.prompts import fill


def least_cosine(material: BenchmarkData) -> float:
    """Return the smallest cosine between a float32 and a bfloat16 embedding, over all pictures and prompts; 0..1."""
    import torch

    from workbench.loading import load

    prompts = [fill(template, label) for label in LABELS for template in TEMPLATES]
    rows = []
    for dtype in ("float32", "bfloat16"):
        backend = load(f"folder:{material.transformers}", device="cpu", dtype=dtype)
        rows.append(torch.cat([backend.embed_images(material.pictures), backend.embed_texts(prompts)]))
    return float((rows[0] * rows[1]).sum(dim=1).min())

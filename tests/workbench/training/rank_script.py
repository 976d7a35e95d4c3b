"""One process of a joint batch, for `test_ranks`: gradients in float64, written by the first process.

Started by torchrun, or alone; arguments: loss, chunk, folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from workbench.training.gradients import EncodedBatch, TowerPair, backward
from workbench.training.losses import same, sigmoid_loss, symmetric_cross_entropy
from workbench.training.ranks import joined, sum_gradients, total


def main(kind: str, chunk: int, out: Path) -> None:
    """Compute the gradient of one batch of eight pairs."""
    torch.manual_seed(0)
    see, read = nn.Linear(5, 4).double(), nn.Embedding(9, 4).double()
    scale, bias = nn.Parameter(torch.tensor(4.0).double()), nn.Parameter(torch.tensor(-1.0).double())
    pixels = torch.randn(8, 5, dtype=torch.float64)
    ids, keys = torch.arange(8)[:, None], torch.tensor([0, 1, 2, 3, 0, 5, 2, 7])
    with joined(torch.device("cpu")) as place:
        part = place.part(8)

        def loss(images: Tensor, texts: Tensor, every: Tensor) -> Tensor:
            mine, right = place.part(len(images)), same(every.tolist())
            if kind == "sigmoid":
                return sigmoid_loss(images, texts, scale, bias=bias, positives=right, mine=mine)
            return symmetric_cross_entropy(images, texts, scale, positives=right, mine=mine) + 0 * bias

        batch = EncodedBatch(pixels, ids, torch.ones_like(ids), keys).chunk(part)
        result = backward(TowerPair(see, lambda ids, mask: read(ids[:, 0])), batch, loss, chunk=chunk)
        learned = {"see": see.weight, "see.bias": see.bias, "read": read.weight, "scale": scale, "bias": bias}
        sum_gradients(learned.values())
        whole = total(result.loss, torch.device("cpu"))
        if place.rank == 0:
            outcome = {name: one.grad for name, one in learned.items() if one.grad is not None}
            save_file(
                {**outcome, "loss": torch.tensor(whole), "images": result.images}, out / f"{place.world}.safetensors"
            )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

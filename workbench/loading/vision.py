"""Image towers without a text tower, to be probed beside CLIPs: timm's, from a folder, the hub's cache or a package.

Nothing is downloaded, and no weights are drawn at random.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import BadInput, WeightsMissing, WeightsRefused
from workbench.loading import hashes
from workbench.loading.device import choose_device, choose_dtype
from workbench.loading.packaged import packaged
from workbench.preprocessing import Preprocessing, normalise, prepare, unit_range

if TYPE_CHECKING:
    from PIL import Image

PREFIX = "timm:"
PACKAGED = {"efficientnet-lite0": "lite0", "efficientnet-lite2": "lite2"}  # what packages on PyPI carry


class VisionBackbone:
    """An image tower on a device; like a CLIP for whoever embeds features, with a joint space of width 0."""

    dim = 0

    def __init__(self, spec: ModelSpec, module: Any, *, fingerprint: str, preprocessing: Preprocessing) -> None:
        self.spec, self.module, self.fingerprint = spec, module, fingerprint
        self.preprocessing, self.image_size = preprocessing, preprocessing.size

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.module.parameters()).device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are."""
        dtype: torch.dtype = next(self.module.parameters()).dtype
        return dtype

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB picture; (3, size, size) uint8. timm's margin around the crop is left out."""
        return self.finish(prepare(image, self.preprocessing))

    def finish(self, square: Tensor) -> Tensor:
        """Return a prepared picture as it is."""
        return square

    @torch.inference_mode()
    def encode_features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, size, size) uint8 -> (n, 0), and (n, width) before the classifier; float32 on the CPU."""
        prepared = normalise(unit_range(pixels.to(self.device)), self.preprocessing).to(self.dtype)
        features = self.module.forward_head(self.module.forward_features(prepared), pre_logits=True).float().cpu()
        return features.new_zeros(len(features), 0), features


def load_backbone(key: str, device: str = "auto", dtype: str = "auto") -> VisionBackbone:
    """Load a backbone that is on this machine.

    Args:
        key: `timm:` and the name of a package's tower, a folder with `config.json` and `model.safetensors` as timm
            saves them, or timm's name of a model that lies in the hub's cache.
        device: auto, cpu, cuda or mps.
        dtype: auto, float32, bfloat16 or float16.

    Raises:
        WeightsMissing: it is not on this machine.
        WeightsRefused: the weights do not fit the architecture.
    """
    name = key.removeprefix(PREFIX)
    module, print_of = _packaged(name) if name in PACKAGED else _saved(_folder(name))
    place = choose_device(device)
    kind = choose_dtype(dtype, place)
    module = module.to(device=place, dtype=kind).eval().requires_grad_(False)
    settings = module.pretrained_cfg
    interpolation: Literal["bilinear", "bicubic"] = (
        "bilinear" if settings.get("interpolation") == "bilinear" else "bicubic"
    )
    preprocessing = Preprocessing(
        int(settings["input_size"][-1]), tuple(settings["mean"]), tuple(settings["std"]), interpolation
    )
    weights = sum(one.numel() for one in module.parameters())
    spec = ModelSpec(key, f"{name} (image tower)", "timm", parameters=weights, image_size=preprocessing.size)
    fingerprint = hashlib.sha256(f"{print_of} {preprocessing} {kind}".encode()).hexdigest()[:32]
    return VisionBackbone(spec, module, fingerprint=fingerprint, preprocessing=preprocessing)


def _packaged(name: str) -> tuple[Any, str]:
    """Return a tower that a package carries, and a hash of its weights."""
    module = packaged(PACKAGED[name])
    digest = hashlib.sha256(name.encode())
    for part in module.state_dict().values():
        digest.update(part.contiguous().numpy().tobytes())
    return module, digest.hexdigest()


def _saved(folder: Path) -> tuple[Any, str]:
    import timm
    from safetensors.torch import load_file

    file = folder / "model.safetensors"
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        architecture, classes = config["architecture"], int(config.get("num_classes", 0))
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(
            f"A folder of a timm model holds config.json with its architecture; got {folder.name!r}."
        ) from None
    if not file.is_file():
        raise WeightsMissing(f"A folder of a timm model holds model.safetensors; {folder.name!r} does not.")
    hashes.check_header(file)
    try:
        module: Any = timm.create_model(
            architecture, pretrained=False, num_classes=classes, **config.get("model_args", {})
        )
        module.load_state_dict(load_file(file), strict=True)
    except (RuntimeError, ValueError, TypeError) as error:
        raise WeightsRefused(
            f"The weights of {folder.name!r} do not fit {architecture!r}: {str(error)[:200]}"
        ) from None
    module.pretrained_cfg = {**module.pretrained_cfg, **config.get("pretrained_cfg", {})}
    return module, hashes.sha256_of(file)


def _folder(name: str) -> Path:
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import try_to_load_from_cache

    try:
        cached = try_to_load_from_cache(f"timm/{name}", "model.safetensors")
    except ValueError:  # no name that the hub could have
        cached = None
    if not isinstance(cached, str):
        names = ", ".join(f"{PREFIX}{one}" for one in PACKAGED)
        raise WeightsMissing(
            f"The image tower {name!r} is not on this machine. Give a folder as timm saves it, a timm name whose "
            f"weights lie in the hub's cache, or {names}, which packages of these names and -pytorch-model carry."
        )
    return Path(cached).parent

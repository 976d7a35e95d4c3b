"""EfficientNet-Lite0 beside a small BERT, written out: the shipped model's two towers without a model library.

transformers and timm read the same checkpoint, but importing them takes several times as long as loading it, and
whoever opens the workbench waits for that. Tensor names are theirs, so one folder serves both; a test holds the two
readings equal. `fits` says whether a configuration is this one to the last detail.

Sources:
    Tan & Le 2019, arXiv:1905.11946, and EfficientNet-Lite (no squeeze-and-excitation, ReLU6, fixed stem and head).
    Devlin et al. 2019, arXiv:1810.04805.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.errors import WeightsRefused

STAGES = (  # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_LARGE = 2  # stages whose maps are large
SHRINKS = 32  # pixels of the input for one cell of the last map, each way
_PROJECTIONS = ("query", "key", "value")
_EPSILON = 1e-3  # of BatchNorm, as in the TensorFlow original


def fits(config: dict[str, Any]) -> bool:
    """Whether a `config.json` describes these two towers."""
    vision, text = config.get("vision_config") or {}, config.get("text_config") or {}
    return (
        config.get("model_type") == "vision-text-dual-encoder"
        and (vision.get("model_type"), vision.get("architecture")) == ("timm_wrapper", "tf_efficientnet_lite0")
        and vision.get("do_pooling") is True
        and not vision.get("model_args")
        and (text.get("model_type"), text.get("hidden_act")) == ("bert", "gelu")
        and text.get("position_embedding_type", "absolute") == "absolute"
        and not text.get("is_decoder")
    )


def load(folder: Path, config: dict[str, Any]) -> tuple[DualEncoder, set[str], set[str], set[str]]:
    """Build the towers and copy the weights in; return them with missing, unexpected and misshapen tensors' names.

    Raises:
        WeightsRefused: a shard that is no safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    state: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        try:
            state |= load_file(file)
        except (SafetensorError, OSError) as error:
            raise WeightsRefused(f"The file {file.name} of {folder.name!r} is no safetensors ({error}).") from None
    with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten below, and moves nobody's seed
        model = DualEncoder(config["text_config"], int(config["projection_dim"]))
    own = model.state_dict()
    idle = {name for name in own if name.endswith("num_batches_tracked")}  # counts training steps; no use here
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    wrong = {name for name in own.keys() & state.keys() if own[name].shape != state[name].shape}
    missing, unexpected = own.keys() - state.keys() - idle, state.keys() - own.keys()
    if not missing and not unexpected and not wrong:
        counters = {name: torch.zeros((), dtype=torch.int64) for name in idle - state.keys()}
        model.load_state_dict({**counters, **state}, assign=True)
    return model, missing, unexpected, wrong


class DualEncoder(nn.Module):
    """Both towers with their projections into the joint space."""

    def __init__(self, text: dict[str, Any], dim: int) -> None:
        super().__init__()
        self.vision_model = nn.ModuleDict({"timm_model": EfficientNetLite()})
        self.text_model = Bert(text)
        self.visual_projection = nn.Linear(EfficientNetLite.width, dim, bias=False)
        self.text_projection = nn.Linear(int(text["hidden_size"]), dim, bias=False)
        self.logit_scale = nn.Parameter(torch.zeros(()))  # a logarithm

    def image(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) normalised -> (n, dim), any length."""
        rows: Tensor = self.visual_projection(self.vision_model["timm_model"](pixels))
        return rows

    def text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(n, length) ids and mask -> (n, dim), any length."""
        rows: Tensor = self.text_projection(self.text_model(ids, mask))
        return rows


class EfficientNetLite(nn.Module):
    """The image tower; (n, 3, size, size) -> (n, 1280)."""

    width = 1280

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = _SameConv(3, 32, 3, stride=2, bias=False)
        self.bn1 = _Norm(32)
        stages, before = [], 32
        for kernel, stride, expansion, channels, repeats in STAGES:
            blocks = []
            for number in range(repeats):
                step = stride if number == 0 else 1
                blocks.append(_Block(before, channels, kernel, stride=step, expansion=expansion))
                before = channels
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = nn.Conv2d(before, self.width, 1, bias=False)
        self.bn2 = _Norm(self.width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Run stem, blocks and head, and average over the last map."""
        if self._in_pairs(pixels):
            pairs = [self.blocks[:_LARGE](self.bn1(self.conv_stem(pair))) for pair in torch.split(pixels, 2)]
            last = self.blocks[_LARGE:](torch.cat(pairs))
        else:
            last = self.blocks(self.bn1(self.conv_stem(pixels)))
        maps: Tensor = self.bn2(self.conv_head(last))
        return maps.mean(dim=(2, 3))

    def _in_pairs(self, pixels: Tensor) -> bool:
        """Whether the first maps are made of two images at a time: a CPU's cache holds so many, which saves a seventh.

        Not while it learns, is compiled or traced, and not for those who read or change these maps.
        """
        if self.training or pixels.device.type != "cpu" or torch.compiler.is_compiling():
            return False
        if torch.jit.is_tracing():  # type: ignore[attr-defined,no-untyped-call]
            return False  # the number of images is open there
        early = (self.conv_stem, self.bn1, self.blocks, *self.blocks[:_LARGE].modules())
        return not any(part._forward_hooks or part._forward_pre_hooks for part in early)


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's `SAME`: (before, after) in pixels, as much as the output size needs, the odd pixel at the end."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class _SameConv(nn.Conv2d):
    """TensorFlow's padding.

    The convolution pads both sides alike, and a kernel with a row and a column of zeros before it leaves out what
    was one too many. Maps padded beforehand have to be copied, which took a fifth of a batch's time on two cores.
    """

    def forward(self, maps: Tensor) -> Tensor:
        (top, bottom), (left, right) = map(same_padding, maps.shape[2:], self.kernel_size, self.stride)
        zeros = (right - left, 0, bottom - top, 0)
        weight = functional.pad(self.weight, zeros) if any(zeros) else self.weight
        return functional.conv2d(maps, weight, self.bias, self.stride, (bottom, right), self.dilation, self.groups)


class _Norm(nn.BatchNorm2d):
    """BatchNorm, and the activation behind it where there is one."""

    def __init__(self, channels: int, *, active: bool = True) -> None:
        super().__init__(channels, eps=_EPSILON)
        self.act = nn.ReLU6(inplace=True) if active else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        active: Tensor = self.act(super().forward(maps))
        return active


class _Block(nn.Module):
    """Widen, filter each channel, narrow; with a way around where the shape stays. Without expansion: no widening."""

    def __init__(self, before: int, after: int, kernel: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        depthwise = _SameConv(wide, wide, kernel, stride=stride, groups=wide, bias=False)
        if expansion == 1:
            self.conv_dw, self.bn1 = depthwise, _Norm(wide)
            self.conv_pw, self.bn2 = nn.Conv2d(wide, after, 1, bias=False), _Norm(after, active=False)
        else:
            self.conv_pw, self.bn1 = nn.Conv2d(before, wide, 1, bias=False), _Norm(wide)
            self.conv_dw, self.bn2 = depthwise, _Norm(wide)
            self.conv_pwl, self.bn3 = nn.Conv2d(wide, after, 1, bias=False), _Norm(after, active=False)
        self.around = stride == 1 and before == after

    def forward(self, maps: Tensor) -> Tensor:
        out = maps
        for part in self.children():  # in the order they were made
            out = part(out)
        return out + maps if self.around else out


class Bert(nn.Module):
    """The text tower; ids and mask (n, length) -> (n, width), from the first token through the pooler."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, epsilon = int(config["hidden_size"]), float(config["layer_norm_eps"])
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": _table(int(config["vocab_size"]), width),
                "position_embeddings": _table(int(config["max_position_embeddings"]), width),
                "token_type_embeddings": _table(int(config["type_vocab_size"]), width),
                "LayerNorm": nn.LayerNorm(width, eps=epsilon),
            }
        )
        layers = [_BertLayer(config) for _ in range(int(config["num_hidden_layers"]))]
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(layers)})
        self.pooler = nn.ModuleDict({"dense": nn.Linear(width, width)})

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Run embeddings, layers and pooler."""
        parts: Any = self.embeddings
        places = torch.arange(ids.shape[1], device=ids.device)
        rows = parts["word_embeddings"](ids) + parts["position_embeddings"](places)
        rows = parts["LayerNorm"](rows + parts["token_type_embeddings"].weight[0])
        seen = mask[:, None, None, :].bool()  # (n, 1, 1, length): nobody looks at padding
        layers: Any = self.encoder["layer"]
        for layer in layers:
            rows = layer(rows, seen)
        pooled: Tensor = self.pooler["dense"](rows[:, 0]).tanh()
        return pooled


class _BertLayer(nn.Module):
    """Self-attention, then two dense layers, each added to its input and normalised."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, wide = int(config["hidden_size"]), int(config["intermediate_size"])
        self.heads = int(config["num_attention_heads"])
        projections = nn.ModuleDict({name: nn.Linear(width, width) for name in _PROJECTIONS})
        self.attention = nn.ModuleDict({"self": projections, "output": _merge(width, width, config)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, wide)})
        self.output = _merge(wide, width, config)

    def forward(self, rows: Tensor, seen: Tensor) -> Tensor:
        projections: Any = self.attention["self"]
        merge: Any = self.attention["output"]
        q, k, v = (projections[name](rows).unflatten(-1, (self.heads, -1)).transpose(1, 2) for name in _PROJECTIONS)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen).transpose(1, 2).flatten(2)
        rows = merge["LayerNorm"](merge["dense"](mixed) + rows)
        wide = functional.gelu(self.intermediate["dense"](rows))
        out: Tensor = self.output["LayerNorm"](self.output["dense"](wide) + rows)
        return out


def _merge(before: int, after: int, config: dict[str, Any]) -> nn.ModuleDict:
    norm = nn.LayerNorm(after, eps=float(config["layer_norm_eps"]))
    return nn.ModuleDict({"dense": nn.Linear(before, after), "LayerNorm": norm})


def _table(rows: int, width: int) -> nn.Embedding:
    """An embedding that is not drawn at random first, which for a vocabulary takes a while."""
    return nn.Embedding(rows, width, _weight=torch.empty(rows, width))

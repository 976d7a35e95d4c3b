"""CLIP4Clip's sequential head: a small transformer over a video's frames, from imported weights.

The frames enter with the lengths that the image tower gives them, so they are decoded and embedded anew: an index keeps
unit vectors. A head belongs to the towers that it was trained with.

Source:
    Luo et al. 2021, CLIP4Clip, arXiv:2104.08860, section 3.3 ("seqTransf").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.tasks import EMBED_RAW
from workbench.errors import BadInput, WeightsRefused
from workbench.images import safe_open
from workbench.progress import Progress
from workbench.retrieval.decoding import frames

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.engine import Session
    from workbench.retrieval.collection import CollectionItem

FRAMES = 12  # of a video, evenly spread over those in the index, as CLIP4Clip slices
WIDTH_OF_HEAD = 64  # CLIP's
_POSITIONS, _BLOCK = "frame_position_embeddings.weight", "transformerClip.resblocks."
_NAMES = {  # in CLIP4Clip's checkpoint -> in torch's encoder layer
    "attn.in_proj_weight": "self_attn.in_proj_weight",
    "attn.in_proj_bias": "self_attn.in_proj_bias",
    "attn.out_proj.weight": "self_attn.out_proj.weight",
    "attn.out_proj.bias": "self_attn.out_proj.bias",
    "mlp.c_fc.weight": "linear1.weight",
    "mlp.c_fc.bias": "linear1.bias",
    "mlp.c_proj.weight": "linear2.weight",
    "mlp.c_proj.bias": "linear2.bias",
    "ln_1.weight": "norm1.weight",
    "ln_1.bias": "norm1.bias",
    "ln_2.weight": "norm2.weight",
    "ln_2.bias": "norm2.bias",
}


class SequenceHead:
    """Turns the frames of a video into one vector; made by `read_head`.

    Args:
        tensors: of the checkpoint, by CLIP4Clip's names; what belongs to the towers is left alone.
        sha256: of the file.
    """

    def __init__(self, tensors: Mapping[str, Tensor], sha256: str = "") -> None:
        from torch import nn

        self.sha256 = sha256
        self._positions = tensors[_POSITIONS].float()
        self.dim = int(self._positions.shape[1])
        numbers = sorted({int(name[len(_BLOCK) :].split(".")[0]) for name in tensors if name.startswith(_BLOCK)})
        self._layers = []
        for number in numbers:
            layer = nn.TransformerEncoderLayer(
                self.dim, max(1, self.dim // WIDTH_OF_HEAD), 4 * self.dim, 0.0, _quick_gelu, 1e-12, True, True
            )
            layer.load_state_dict({ours: tensors[f"{_BLOCK}{number}.{name}"].float() for name, ours in _NAMES.items()})
            self._layers.append(layer.train())  # `eval` would choose a fused path that needs a known activation

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the vector of a video, of unit length; (dim,).

        Args:
            rows: (frames, dim) embeddings as the tower gives them, in order.

        Raises:
            BadInput: more frames than the head has positions, or another width.
        """
        import torch

        if len(rows) > len(self._positions) or rows.shape[1] != self.dim:
            raise BadInput(
                f"This head takes up to {len(self._positions)} frames of width {self.dim}; got {len(rows)} frames of "
                f"width {rows.shape[1]}."
            )
        with torch.no_grad():
            original = torch.from_numpy(rows).float()
            hidden = (original + self._positions[: len(rows)])[None]
            for layer in self._layers:
                hidden = layer(hidden)
            unit = torch.nn.functional.normalize(hidden[0] + original, dim=-1)
            pooled: NDArray[np.float32] = torch.nn.functional.normalize(unit.mean(dim=0), dim=0).numpy()
        return pooled


def read_head(file: Path) -> SequenceHead:
    """Read a head from a safetensors file with CLIP4Clip's names.

    Raises:
        BadInput: there is no such file.
        WeightsRefused: no safetensors file, or tensors are missing.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not file.is_file():
        raise BadInput(f"There is no file {str(file)[:200]!r} with weights of a sequential head.")
    data = file.read_bytes()
    try:
        return SequenceHead(load(data), hashlib.sha256(data).hexdigest())
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsRefused(
            f"{file.name!r} is no seqTransf head: a safetensors file with {_POSITIONS} and {_BLOCK}0… "
            f"({str(error).splitlines()[0][:160]}). Save a CLIP4Clip checkpoint with safetensors.torch.save_file first."
        ) from None


def sequence_vectors(
    session: Session, items: Sequence[CollectionItem], head: SequenceHead
) -> Iterator[Progress | NDArray[np.float32]]:
    """Decode and embed each item's frames anew, and yield progress and, for each item, its vector; (1, dim).

    Raises:
        BadInput: the model's width is another one, or a video cannot be read.
        Unsupported: the model gives no embeddings of their own length.
    """
    import torch

    if session.dim != head.dim:
        raise BadInput(f"This head belongs to a model of width {head.dim}; {session.spec.title} has {session.dim}.")
    for number, item in enumerate(items):
        yield Progress(number, len(items), "videos", "seqTransf")
        pixels = torch.stack([session.prepare(image) for image in _images(item)]).numpy()
        rows: Any = next(iter(session.stream(EMBED_RAW, pixels)))
        yield head(rows)[None]


def _images(item: CollectionItem) -> Iterator[Any]:
    if not len(item.seconds):
        yield safe_open(item.path)
        return
    wanted = set(np.linspace(0, len(item.seconds) - 1, min(FRAMES, len(item.seconds)), dtype=int).tolist())
    step = float(np.median(np.diff(item.seconds))) if len(item.seconds) > 1 else 1.0
    for number, frame in enumerate(frames(item.path, fps=1 / step)):
        if number in wanted:
            yield frame.image


def _quick_gelu(values: Tensor) -> Tensor:
    gated: Tensor = values * (1.702 * values).sigmoid()
    return gated

"""The one class behind every loaded checkpoint: two towers, a tokenizer and a preprocessing, as a `ClipBackend`.

Does not know about transformers or open_clip: their modules return `TowerParts`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from workbench.backend import Anatomy, Reading, Tokens
from workbench.embedding.prefetch import prefetch
from workbench.errors import BadInput, Unsupported
from workbench.hooks import Intervention, hooked, recorded
from workbench.images import check_pictures, safe_open
from workbench.loading.features import with_features
from workbench.preprocessing import Preprocessing, normalise, prepare, unit_range
from workbench.text import check_texts

if TYPE_CHECKING:
    from PIL import Image

    from workbench.backend import Picture
    from workbench.checkpoints.spec import ModelSpec, Score
    from workbench.engine.task import Task
    from workbench.loading.openvino_tower import OpenVinoTower

T = TypeVar("T")

BATCH = 32  # pictures or texts of one pass
AHEAD = 2  # batches of images that are prepared in advance
READERS = min(8, os.cpu_count() or 1)  # threads that open pictures


@dataclass(frozen=True)
class TowerParts:
    """What a model library provides."""

    module: nn.Module  # owns all weights
    image: Callable[[Tensor], Tensor]  # (n, 3, size, size) normalised -> (n, dim), any length
    text: Callable[[Tensor, Tensor], Tensor]  # ids, mask -> (n, dim), any length
    tokenize: Callable[[Sequence[str]], Tokens]
    preprocessing: Preprocessing
    anatomy: Anatomy
    dim: int
    logit_scale: float
    logit_bias: float = 0.0
    score: Score = "softmax"  # what the weights were trained for
    attention: Callable[[Tensor], tuple[Tensor, list[Tensor]]] | None = None  # normalised pixels; eager
    text_anatomy: Anatomy = field(default_factory=lambda: Anatomy("flat"))
    token_embedding: nn.Embedding | None = None  # of the text tower, called once for each pass
    repair: Callable[[Tensor], Tensor] | None = None  # (3, size, size) uint8 -> the same: done to each prepared picture

    def inside(self, block: Callable[[], AbstractContextManager[None]]) -> TowerParts:
        """Return these parts with the image tower run within a `with` block that changes what its layers give.

        The last step is no longer known: layers are read before they are changed, so their sum is not the cosine.
        """

        def within(function: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
            def changed(pixels: Tensor) -> Any:
                with block():
                    return function(pixels)

            return changed

        return replace(
            self,
            image=within(self.image),
            attention=None if self.attention is None else within(self.attention),
            anatomy=replace(self.anatomy, head=None),
        )


class TorchBackend:
    """A loaded checkpoint on a device; fulfils `ClipBackend`, `TowerEncoder` and `WhiteBox`."""

    compiled: OpenVinoTower | None = None  # embeds images in the image tower's place

    def __init__(
        self, spec: ModelSpec, towers: TowerParts, fingerprint: str, *, compiled: OpenVinoTower | None = None
    ) -> None:
        # a folder's row does not know how its weights score; the weights do
        self.spec = spec if spec.score == towers.score else replace(spec, score=towers.score)
        self.towers = towers
        self.compiled = compiled
        self.fingerprint = fingerprint
        self.dim = towers.dim
        self.logit_scale = towers.logit_scale
        self.logit_bias = towers.logit_bias
        self.preprocessing = towers.preprocessing
        self.image_size = towers.preprocessing.size
        self.anatomy = towers.anatomy
        self.text_anatomy = towers.text_anatomy

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.towers.module.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are."""
        return next(self.towers.module.parameters()).dtype

    @property
    def numbers(self) -> str:
        """What images are embedded in: float32, bfloat16, "bfloat16 openvino"."""
        dtype = self.dtype if self.compiled is None else self.compiled.dtype
        return f"{dtype}{' openvino' * (self.compiled is not None)}".removeprefix("torch.")

    def embed_images(self, images: Sequence[Picture]) -> Tensor:
        """Embed pictures; (n, dim) float32 on the CPU, unit rows."""
        check_pictures(images)
        batches = (images[at : at + BATCH] for at in range(0, len(images), BATCH))
        prepared = prefetch(batches, lambda one: self.prepare(safe_open(one)), ahead=AHEAD, workers=READERS)
        return torch.cat([self.encode_pixels(torch.stack(squares)) for squares in prepared])

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts; (n, dim) float32 on the CPU, unit rows."""
        *_, rows = self.text_batches(texts)
        return rows

    def text_batches(self, texts: Sequence[str]) -> Iterator[Tensor]:
        """Embed texts one batch at a time; yields all rows after each batch, complete after the last."""
        check_texts(texts)
        tokens = self.tokenize(texts)
        lengths = tokens.mask.sum(dim=1)
        rows = torch.empty(len(texts), self.dim)
        for batch in torch.split(lengths.argsort(), BATCH):  # of like length: short texts do not pay for long ones
            longest = int(lengths[batch].max())
            part = Tokens(tokens.ids[batch, :longest], tokens.mask[batch, :longest], ())
            rows[batch] = self.encode_tokens(part)
            yield rows

    def steps(self, work: Callable[[TorchBackend], Iterator[T]]) -> Iterator[T]:
        """Run a long job as `Session.steps` does, without taking turns: nobody else uses this model."""
        return work(self)

    def stream(self, task: Task, payload: Any) -> Iterator[Any]:
        """Run a task as `Session.stream` does, without taking turns."""
        return task.run(self, payload)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Say how each text is read."""
        check_texts(texts)
        return list(self.tokenize(texts).readings)

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB picture; (3, size, size) uint8."""
        return self.finish(prepare(image, self.preprocessing))

    def finish(self, square: Tensor) -> Tensor:
        """Do to a prepared picture what this model's edits ask for; (3, size, size) uint8 each."""
        return square if self.towers.repair is None else self.towers.repair(square)

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Clean, tokenize and cut."""
        return self.towers.tokenize(texts)

    @torch.inference_mode()
    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, unit rows."""
        if self.compiled is not None:
            rows = torch.cat([self.compiled(self._normalised(part)) for part in self.passes(pixels)])
            return nn.functional.normalize(rows, dim=-1)
        return torch.cat([self.embed_pixels(part).float().cpu() for part in self.passes(pixels)])

    @torch.inference_mode()
    def encode_raw(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, of the lengths that the image tower gives."""
        return torch.cat([self.embed_raw(part).cpu() for part in self.passes(pixels)])

    @torch.inference_mode()
    def encode_features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Encode once for both: (n, 3, size, size) uint8 -> (n, dim) unit rows, (n, width) before the projection.

        Both float32 on the CPU; the features have any length.
        """
        module, image = self.towers.module, self.towers.image
        pairs = [with_features(module, image, self._normalised(part)) for part in self.passes(pixels)]
        rows, features = (torch.cat([part.float().cpu() for part in parts]) for parts in zip(*pairs, strict=True))
        return nn.functional.normalize(rows, dim=-1), features

    def passes(self, pixels: Tensor) -> Iterator[Tensor]:
        """Yield (m, 3, size, size) in 0..1 on the device: (n, 3, size, size) uint8 in parts of one pass each.

        A convolutional tower on a CPU takes eight at once, since maps of more are new memory from the system each time:
        with 32 an image of RN50 took a tenth longer on two cores, of `pocket` a sixth, of MobileCLIP-S2 three quarters.
        """
        maps = self.anatomy.kind == "convolutional" and self.device.type == "cpu"
        for part in torch.split(pixels, 8 if maps else max(1, len(pixels))):
            yield unit_range(part.to(self.device))

    def _normalised(self, pixels: Tensor) -> Tensor:
        return normalise(pixels, self.preprocessing).to(self.dtype)

    @torch.inference_mode()
    def encode_tokens(self, tokens: Tokens) -> Tensor:
        """Tokens of n texts -> (n, dim) float32 on the CPU, unit rows."""
        return self.embed_tokens(tokens).cpu()

    @property
    def token_table(self) -> Tensor:
        """The text tower's input embeddings, (vocabulary, width)."""
        return self._token_embedding().weight

    def _token_embedding(self) -> nn.Embedding:
        if self.towers.token_embedding is None:
            raise Unsupported(f"{self.spec.title} has no table of token embeddings in its text tower.")
        return self.towers.token_embedding

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) in 0..1 -> (n, dim) float32 on the device, unit rows, with gradient."""
        return nn.functional.normalize(self.embed_raw(pixels), dim=-1)

    def embed_raw(self, pixels: Tensor) -> Tensor:
        """As `embed_pixels`, of the lengths that the image tower gives."""
        return self.towers.image(self._normalised(pixels)).float()

    def embed_tokens(self, tokens: Tokens, soft: Tensor | None = None) -> Tensor:
        """Tokens of n texts -> (n, dim) float32 on the device, unit rows, with gradient to `soft` where given."""
        ids, mask = tokens.ids.to(self.device), tokens.mask.to(self.device)
        with ExitStack() as stack:
            if soft is not None:
                table = self._token_embedding()
                if soft.shape != (*ids.shape, table.embedding_dim):
                    wanted = (*ids.shape, table.embedding_dim)
                    raise BadInput(f"Soft tokens of these texts have shape {wanted}; got {tuple(soft.shape)}.")
                stack.enter_context(hooked([(table, lambda rows: soft.to(rows))]))
            return nn.functional.normalize(self.towers.text(ids, mask).float(), dim=-1)

    def activations(self, pixels: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Outputs of image layers by name, with gradient."""
        with recorded(self.anatomy.pick(layers)) as values:
            self.embed_pixels(pixels)
        return {name: values[name] for name in layers}

    def text_activations(self, tokens: Tokens, layers: Sequence[str]) -> dict[str, Tensor]:
        """Outputs of text layers by name, with gradient."""
        with recorded(self.text_anatomy.pick(layers)) as values:
            self.embed_tokens(tokens)
        return {name: values[name] for name in layers}

    @contextmanager
    def intervened(self, *image: Intervention, text: Sequence[Intervention] = ()) -> Iterator[None]:
        """Change units of image and text layers within the `with` block."""
        pairs = [(self.anatomy.pick([one.layer])[one.layer], one) for one in image]
        pairs += [(self.text_anatomy.pick([one.layer])[one.layer], one) for one in text]
        with hooked(pairs):
            yield

    def attention(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Embeddings, and per block (n, heads, tokens, tokens) attention, both with gradient."""
        if self.towers.attention is None:
            raise Unsupported(f"{self.spec.title} has no attention blocks in its image tower.")
        if not pixels.requires_grad:
            pixels = pixels.detach().requires_grad_()  # the weights are frozen: gradients flow from the pixels on
        rows, maps = self.towers.attention(normalise(pixels, self.preprocessing).to(self.dtype))
        return nn.functional.normalize(rows.float(), dim=-1), maps

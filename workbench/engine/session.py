"""A leased model for one owner: it embeds through cache and device, and runs long jobs step by step.

Fulfils `ClipBackend`, so that every analysis can use it in place of the model itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from workbench.engine.embed_call import EmbedCall, EngineContext, read_tokens
from workbench.engine.task import Task
from workbench.engine.tasks import EMBED_PIXELS, EXPLAIN, Remote
from workbench.errors import Unsupported
from workbench.images import check_pictures, read_file, safe_open
from workbench.model_cache import CLIP, LoadedModel
from workbench.prepared import prepare_file
from workbench.scheduler import CancelScope
from workbench.text import check_texts

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.attribution import Attribution, Request
    from workbench.backend import Anatomy, Picture, Reading
    from workbench.cache import MemoryCache
    from workbench.checkpoints.spec import ModelSpec
    from workbench.progress import Progress

T = TypeVar("T")
PASS = 8  # images of one pass of long work on a processor: about 0.1 s with a small model, 4 % slower than passes of 32


class Session:
    """Models on lease, for one owner, until the end of the `with` block; made by `Engine.session`."""

    def __init__(
        self,
        context: EngineContext,
        leased: Sequence[LoadedModel],
        *,
        owner: str,
        scope: CancelScope,
        keep_pictures: bool,
    ) -> None:
        self.owner = owner
        self._context, self._leased, self._loaded, self._scope = context, tuple(leased), leased[0], scope
        self._keep_pictures = keep_pictures
        self._others: list[Any] = []
        for loaded in leased[1:]:
            one = [loaded]
            clip = Session(context, one, owner=owner, scope=scope, keep_pictures=keep_pictures)
            self._others.append(clip if loaded.ref.kind == CLIP else loaded.ready.result())
        self._over = False

    @property
    def scope(self) -> CancelScope:
        """How long the owner waits."""
        return self._scope

    @property
    def others(self) -> tuple[Any, ...]:
        """The further models of this session, in the order given: a session for each CLIP, others as they are."""
        self._refuse_when_over()
        return tuple(self._others)

    @property
    def spec(self) -> ModelSpec:
        """The catalogue row of the model."""
        spec: ModelSpec = self.backend.spec
        return spec

    @property
    def fingerprint(self) -> str:
        """Hash of weights, preprocessing and dtype."""
        fingerprint: str = self.backend.fingerprint
        return fingerprint

    @property
    def dim(self) -> int:
        """Width of the joint space."""
        dim: int = self.backend.dim
        return dim

    @property
    def logit_scale(self) -> float:
        """What a cosine is multiplied with."""
        logit_scale: float = self.backend.logit_scale
        return logit_scale

    @property
    def logit_bias(self) -> float:
        """What is added afterwards."""
        logit_bias: float = self.backend.logit_bias
        return logit_bias

    @property
    def anatomy(self) -> Anatomy:
        """Layers, token grid and kind of the image tower."""
        anatomy: Anatomy = self.backend.anatomy
        return anatomy

    @property
    def device(self) -> str:
        """Where the weights are: cpu, cuda, mps."""
        return str(getattr(self.backend, "device", "cpu"))

    @property
    def dtype(self) -> str:
        """What images are embedded in: float32, bfloat16, float16, "bfloat16 openvino"."""
        dtype = str(getattr(self.backend, "dtype", "float32")).removeprefix("torch.")
        return str(getattr(self.backend, "numbers", dtype))

    @property
    def weights_bytes(self) -> int:
        """Bytes of the weights in memory."""
        return self._loaded.bytes

    @property
    def image_size(self) -> int:
        """Side of the square that the image tower sees, in pixels."""
        image_size: int = self.backend.image_size
        return image_size

    @property
    def kept(self) -> MemoryCache:
        """Rows that all sessions keep in memory, by key and under one limit."""
        return self._context.cache

    def prepare(self, image: Picture) -> Tensor:
        """Open, resize and crop an image; (3, size, size) uint8.

        Raises:
            BadPicture: see `images.safe_open`.
        """
        if isinstance(image, str | Path):
            return prepare_file(self.backend, read_file(Path(image)), Path(image).name).square
        square: Tensor = self.backend.prepare(safe_open(image))
        return square

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, unit rows, past the cache.

        On a processor in passes so short that nobody waits long for a turn, elsewhere in one pass.
        """
        import torch

        size = PASS if self.device == "cpu" and self._context.remote is None else max(1, len(pixels))
        parts = [next(iter(self.stream(EMBED_PIXELS, part.numpy()))) for part in torch.split(pixels, size)]
        return torch.cat([torch.from_numpy(rows) for rows in parts])

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Say how each text is read."""
        check_texts(texts)
        self._refuse_when_over()
        return list(read_tokens(self._loaded, texts).readings)

    def embed_images(self, images: Sequence[Picture]) -> Tensor:
        """Embed images; (n, dim) float32 on the CPU, unit rows.

        An image that was seen before, under whatever name, costs the reading of its bytes.

        Raises:
            BadInput: no image, or one that `images.safe_open` refuses.
            Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
        """
        check_pictures(images)
        with self._embed_call(keep=self._keep_pictures) as call:
            return _stack(call.images(images))

    def embed_features(self, images: Sequence[Picture]) -> tuple[Tensor, Tensor]:
        """Embed images, and return the features before the projection as well; one pass gives both.

        Returns (n, dim) unit rows and (n, width) of any length, float32 on the CPU.

        Raises:
            BadInput: no image, or one that `images.safe_open` refuses.
            Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
        """
        check_pictures(images)
        with self._embed_call(keep=self._keep_pictures, features=True) as call:
            rows = _stack(call.images(images))
        return rows[:, : self.dim], rows[:, self.dim :]

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts; (n, dim) float32 on the CPU, unit rows. Each text is embedded once and kept.

        Raises:
            BadInput: no text, or a blank one.
            Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
        """
        check_texts(texts)
        with self._embed_call(keep=True) as call:
            return _stack(call.texts(texts))

    def steps(self, work: Callable[..., Iterator[T]]) -> Iterator[T]:
        """Run a long job on this process's device, one step at a time, and yield what each step yields.

        Between steps others have their turn; token and deadline are checked before each. When the caller stops
        listening, the job's generator is closed. A step must not end inside `torch.inference_mode()`.

        Args:
            work: called with the session's models, its own first; returns the generator of steps.

        Raises:
            Unsupported: the device is in another process, which takes no functions; see `stream`.
            Busy: too many long jobs, of this owner or of all.
            Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
        """
        models = self._models
        if self._context.remote is not None:
            raise Unsupported("The device is in another process here, which runs only the tasks of its table.")
        return self._context.scheduler.stream(lambda: work(*models), owner=self.owner, scope=self._fresh())

    def stream(self, task: Task, payload: Any) -> Iterator[Any]:
        """Run a task of the table on the session's models, on whatever device there is, and yield what it yields.

        Args:
            task: of `engine.tasks.TASKS`, or of a table of another room that the remote device knows.
            payload: plain data.

        Raises:
            Unsupported: the remote device does not offer the model or the task.
            Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
        """
        if self._context.remote is None:
            return self.steps(lambda *models: task.run(*models, payload))
        return self._remote_stream(self._context.remote, task, payload)

    def _remote_stream(self, remote: Remote, task: Task, payload: Any) -> Iterator[Any]:
        self._refuse_when_over()
        scope = self._fresh()
        scope.check()
        for value in remote.stream(task.name, tuple(loaded.key for loaded in self._leased), payload):
            scope.check()
            yield value

    def explain(self, request: Request) -> Iterator[Progress | Attribution]:
        """Attribute a score to the pixels, step by step; see `attribution.explain`.

        Raises:
            Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
        """
        return self.stream(EXPLAIN, request)

    def end(self) -> None:
        """Refuse everything from here on, and stop what is still running."""
        self._over = True
        for other in self._others:
            if isinstance(other, Session):
                other.end()
        self._scope.token.cancel()

    @property
    def backend(self) -> Any:
        """The model itself; its work takes no turns with others'."""
        self._refuse_when_over()
        return self._loaded.ready.result()

    @property
    def _models(self) -> tuple[Any, ...]:
        self._refuse_when_over()
        return tuple(loaded.ready.result() for loaded in self._leased)

    def _refuse_when_over(self) -> None:
        if self._over:
            raise RuntimeError("this session has ended; open another one with engine.session(...)")

    def _fresh(self) -> CancelScope:
        return CancelScope(self._scope.token, self._scope.until)

    def _embed_call(self, *, keep: bool, features: bool = False) -> EmbedCall:
        self._refuse_when_over()
        return EmbedCall(
            self._context, self._loaded, owner=self.owner, scope=self._fresh(), keep=keep, features=features
        )


def _stack(rows: Sequence[Any]) -> Tensor:
    """Copy rows into one tensor that is the caller's own; (n, dim) float32."""
    import torch

    return torch.from_numpy(np.stack(rows))

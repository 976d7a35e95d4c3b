"""What one visitor's request sees: a model that embeds through cache and device, and steps through long jobs.

Fulfils `ClipBackend`, so that every analysis takes it for the model itself. Knows no screen and loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from workbench.engine.embed_call import EmbedCall, EngineContext, Remote, read_tokens
from workbench.errors import Unsupported
from workbench.images import check_pictures
from workbench.model_cache import LoadedModel
from workbench.scheduler import CancelScope
from workbench.text import check_texts

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from workbench.attribution import Attribution, Request
    from workbench.backend import Anatomy, Picture, Reading
    from workbench.loading.torch_backend import TorchBackend
    from workbench.models import ModelSpec
    from workbench.progress import Progress

T = TypeVar("T")


class Session:
    """A model on lease, for one owner, until the end of the `with` block; made by `Engine.session`."""

    def __init__(
        self, context: EngineContext, loaded: LoadedModel, *, owner: str, scope: CancelScope, keep_pictures: bool
    ) -> None:
        self.owner = owner
        self._context, self._loaded, self._scope = context, loaded, scope
        self._keep_pictures = keep_pictures
        self._over = False

    @property
    def spec(self) -> ModelSpec:
        """The catalogue row of the model."""
        spec: ModelSpec = self._backend.spec
        return spec

    @property
    def fingerprint(self) -> str:
        """Hash of weights, preprocessing and dtype."""
        fingerprint: str = self._backend.fingerprint
        return fingerprint

    @property
    def dim(self) -> int:
        """Width of the joint space."""
        dim: int = self._backend.dim
        return dim

    @property
    def logit_scale(self) -> float:
        """What a cosine is multiplied with."""
        logit_scale: float = self._backend.logit_scale
        return logit_scale

    @property
    def logit_bias(self) -> float:
        """What is added afterwards."""
        logit_bias: float = self._backend.logit_bias
        return logit_bias

    @property
    def anatomy(self) -> Anatomy:
        """Layers, token grid and kind of the image tower."""
        anatomy: Anatomy = self._backend.anatomy
        return anatomy

    @property
    def device(self) -> str:
        """Where the weights are: cpu, cuda, mps."""
        return str(getattr(self._backend, "device", "cpu"))

    @property
    def dtype(self) -> str:
        """What the weights are: float32, bfloat16, float16."""
        return str(getattr(self._backend, "dtype", "float32")).removeprefix("torch.")

    @property
    def image_size(self) -> int:
        """Side of the square that the image tower sees, in pixels."""
        image_size: int = self._backend.image_size
        return image_size

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB picture; (3, size, size) uint8."""
        square: Tensor = self._backend.prepare(image)
        return square

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Say how each text is read."""
        check_texts(texts)
        self._refuse_when_over()
        return list(read_tokens(self._loaded, texts).readings)

    def embed_images(self, images: Sequence[Picture]) -> Tensor:
        """Embed pictures; (n, dim) float32 on the CPU, unit rows.

        A picture that was seen before, under whatever name, costs the reading of its bytes.

        Raises:
            BadInput: no picture, or one that `images.safe_open` refuses.
            Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
        """
        check_pictures(images)
        with self._embed_call(keep=self._keep_pictures) as call:
            return _stack(call.pictures(images))

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts; (n, dim) float32 on the CPU, unit rows. Each text is embedded once and kept.

        Raises:
            BadInput: no text, or a blank one.
            Cancelled, DeadlinePassed, Busy, OutOfResources: see `scheduler`.
        """
        check_texts(texts)
        with self._embed_call(keep=True) as call:
            return _stack(call.texts(texts))

    def steps(self, work: Callable[[TorchBackend], Iterator[T]]) -> Iterator[T]:
        """Run a long job, one step at a time on the device, and hand on what each step yields.

        Between steps others have their turn; token and deadline are checked before each. When the caller stops
        listening, the job's generator is closed. A step must not end inside `torch.inference_mode()`.

        Raises:
            Unsupported: the device is in another process, which takes no functions; see `explain`.
            Busy: too many long jobs, of this owner or of all.
            Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
        """
        backend = self._backend
        if self._context.remote is not None:
            raise Unsupported("The device is in another process here, which runs no jobs of this kind.")
        return self._context.scheduler.stream(lambda: work(backend), owner=self.owner, scope=self._fresh())

    def explain(self, request: Request) -> Iterator[Progress | Attribution]:
        """Say where the model looked: as `attribution.explain`, step by step here, or all at once on a remote device.

        Raises:
            Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
        """
        from workbench.attribution import explain

        remote = self._context.remote
        return self.steps(lambda box: explain(box, request)) if remote is None else self._far(remote, request)

    def _far(self, remote: Remote, request: Request) -> Iterator[Progress | Attribution]:
        scope = self._fresh()
        scope.check()
        told = remote.explain(self._loaded.key, request)
        scope.check()
        yield from told

    def end(self) -> None:
        """Refuse everything from here on, and stop what is still under way."""
        self._over = True
        self._scope.token.cancel()

    @property
    def _backend(self) -> Any:
        self._refuse_when_over()
        return self._loaded.ready.result()

    def _refuse_when_over(self) -> None:
        if self._over:
            raise RuntimeError("this session has ended; open another one with engine.session(...)")

    def _fresh(self) -> CancelScope:
        return CancelScope(self._scope.token, self._scope.until)

    def _embed_call(self, *, keep: bool) -> EmbedCall:
        self._refuse_when_over()
        return EmbedCall(self._context, self._loaded, owner=self.owner, scope=self._fresh(), keep=keep)


def _stack(rows: Sequence[Any]) -> Tensor:
    """Copy rows into one tensor that is the caller's own; (n, dim) float32."""
    import torch

    return torch.from_numpy(np.stack(rows))

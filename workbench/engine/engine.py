"""The one object that a server, an audit or a command creates: it loads models and opens sessions with them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.cache import DiskCache, MemoryCache
from workbench.engine.embed_call import EngineContext
from workbench.engine.loaders import LOADERS
from workbench.engine.session import Session
from workbench.engine.tasks import Remote
from workbench.errors import WorkbenchError, unknown_name
from workbench.images import LARGE_AT_ONCE
from workbench.loading.device import OPENVINO
from workbench.model_cache import CLIP, ModelCache, ModelRef
from workbench.models import find
from workbench.scheduler import CancelScope, CancelToken, Scheduler
from workbench.scheduler.attempt import device_lost

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend

T = TypeVar("T")

_log = logging.getLogger(__name__)

MAX_WORKERS = 8  # threads that prepare images; one per core up to here


class Engine:
    """Models, cache and device for all callers.

    Args:
        default: key of the model for sessions that name none.
        device: auto, cpu, cuda, mps or openvino.
        dtype: auto, float32, bfloat16 or float16.
        memory_limit: bytes of weights in memory; None for half of the machine's or the device's.
        remote: a device in another process; then no scheduler thread is started.
        disk: keeps texts, and the images of sessions that allow it; None keeps everything in memory only.

    Raises:
        UnknownName: no model is called `default`.
    """

    def __init__(
        self,
        *,
        default: str = "pocket",
        device: str = "auto",
        dtype: str = "auto",
        memory_limit: int | None = None,
        remote: Remote | None = None,
        disk: DiskCache | None = None,
    ) -> None:
        find(default)
        self.default, self.dtype = default, dtype
        self.device = self._requested = device  # where the default model is, once it is loaded
        self.trouble = ""  # why the default model could not be loaded
        self.lost = ""  # the device that failed, in whose place the CPU computes
        workers = min(MAX_WORKERS, os.cpu_count() or 1)
        self._context = EngineContext(
            scheduler=Scheduler(lost=self._lose_device),
            cache=MemoryCache(),
            disk=disk,
            workers=ThreadPoolExecutor(workers, thread_name_prefix="prepare"),
            large=ThreadPoolExecutor(LARGE_AT_ONCE, thread_name_prefix="prepare-large"),
            decode_ahead=2 * workers,
            remote=remote,
        )
        self._changing = threading.Lock()
        self._working: defaultdict[str, set[CancelToken]] = defaultdict(set)  # owner -> of what is done for it
        self._models = ModelCache(self._load, limit=memory_limit, estimate=self._estimate, device=self._where)

    @contextmanager
    def session(
        self,
        owner: str,
        model: str | ModelRef | None = None,
        *,
        others: Sequence[str | ModelRef] = (),
        token: CancelToken | None = None,
        deadline: float | None = None,
        keep_pictures: bool = False,
    ) -> Iterator[Session]:
        """Lease one or several models to an owner for the length of a `with` block, loading them first where needed.

        Args:
            owner: who asks; turns are fair between owners.
            model: a key of the catalogue, or a model of another kind; the default model when not given.
            others: further models, leased together with the first: keys of the catalogue, or other kinds of `LOADERS`.
            token: stops everything in this session when cancelled.
            deadline: seconds from now after which everything in this session stops; None for no end.
            keep_pictures: let images' embeddings go to the engine's disk cache; never for visitors' uploads.

        Raises:
            UnknownName, WeightsMissing, WeightsRefused: see `workbench.load`.
            OutOfResources, Busy: see `ModelCache.lease`.
        """
        named = (model or self.default, *others)
        refs = [one if isinstance(one, ModelRef) else ModelRef(CLIP, one) for one in named]
        self.check(refs)
        with self._scope(owner, token, deadline) as scope, self._models.lease(*refs, scope=scope) as leased:
            session = Session(self._context, leased, owner=owner, scope=scope, keep_pictures=keep_pictures)
            try:
                yield session
            finally:
                session.end()

    def check(self, refs: Sequence[ModelRef]) -> None:
        """Refuse models that are neither in memory nor known.

        Raises:
            UnknownName, BadInput: see `models.find`.
        """
        for ref in refs:
            if ref.kind not in LOADERS:
                raise unknown_name("kind of model", ref.kind, LOADERS)
            if ref.kind == CLIP and self._models.state(ref) == "absent":
                find(ref.key)

    def hold(self, model: TorchBackend) -> str:
        """Take a model that is loaded already, whatever its name; return the key that sessions name it by."""
        self._models.hold(ModelRef(CLIP, model.spec.key), model)
        return model.spec.key

    def stream(
        self,
        work: Callable[[], Iterator[T]],
        *,
        owner: str,
        token: CancelToken | None = None,
        deadline: float | None = None,
    ) -> Iterator[T]:
        """Run a long job that needs no model of the catalogue, one step at a time, in turn with everybody else's work.

        When the caller stops listening, the job's generator is closed; nothing of it stays.

        Args:
            work: makes the generator whose steps run in the device's thread.
            owner: who asks; turns are fair between owners.
            token: stops the job after its step when cancelled, and whoever waits for that step at once.
            deadline: seconds from now after which the job ends.

        Raises:
            Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
        """
        with self._scope(owner, token, deadline) as scope:
            yield from self._context.scheduler.stream(work, owner=owner, scope=scope)

    def leave(self, owner: str) -> None:
        """Stop everything that is done for an owner, who has left; what others wait for as well goes on."""
        with self._changing:
            tokens = list(self._working.get(owner, ()))
        for token in tokens:
            token.cancel()

    @contextmanager
    def _scope(self, owner: str, token: CancelToken | None, deadline: float | None) -> Iterator[CancelScope]:
        """Give a scope that ends with the block, with the caller's token, and when its owner leaves."""
        own = CancelToken()
        forget = token.on_cancel(own.cancel) if token else lambda: None
        with self._changing:
            self._working[owner].add(own)
        try:
            yield CancelScope(own, None if deadline is None else time.monotonic() + deadline)
        finally:
            forget()
            with self._changing:
                self._working[owner].discard(own)
                if not self._working[owner]:
                    del self._working[owner]

    def status(self) -> dict[str, str]:
        """Return what `/healthz` answers: status (ready, loading or degraded), model and device.

        After a device was lost the status stays degraded: answers come from the CPU until the process starts anew.
        """
        state = self._models.state(ModelRef(CLIP, self.default))
        ready = state == "ready" and not self.lost
        word = "ready" if ready else "degraded" if self.trouble or self.lost else "loading"
        return {"status": word, "model": self.default, "device": self.device}

    def loading(self) -> list[str]:
        """Keys of the catalogue's models that are being loaded right now."""
        return self._in_state("loading")

    def loaded(self) -> list[str]:
        """Keys of the catalogue's models in memory, the longest unused first."""
        return self._in_state("ready")

    def warm(self) -> threading.Thread:
        """Load the default model in the background and run it once; `status` shows the outcome."""
        thread = threading.Thread(target=self._warm, name="warm-up", daemon=True)
        thread.start()
        return thread

    def drop_idle(self, seconds: float) -> None:
        """Drop models but the default one that nobody has asked for so many seconds; the next session loads them."""
        self._models.drop_idle(seconds, keep=ModelRef(CLIP, self.default))

    def close(self) -> None:
        """Finish short requests, stop long jobs, and drop threads, rows and models."""
        for pool in (self._context.workers, self._context.large):
            pool.shutdown(wait=False, cancel_futures=True)
        self._context.scheduler.close()
        self._context.cache.clear()
        if self._context.disk is not None:
            self._context.disk.close()
        self._models.clear()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _warm(self) -> None:
        try:
            with self.session("warm-up") as session:
                if self._context.remote is None:
                    _run_once(session)
        except WorkbenchError as error:
            self.trouble = self.trouble or str(error)

    def _in_state(self, state: str) -> list[str]:
        return [ref.key for ref in self._models.refs() if ref.kind == CLIP and self._models.state(ref) == state]

    def _load(self, ref: ModelRef) -> Any:
        default = ref == (CLIP, self.default)
        try:
            model = LOADERS[ref.kind].load(ref.key, self._requested, self.dtype)
        except WorkbenchError as error:
            if default:
                self.trouble = str(error)
            raise
        except RuntimeError as error:
            lost = device_lost(error)
            if lost is None:
                raise
            self._lose_device()
            raise lost from None
        if default:
            self.trouble, self.device = "", OPENVINO if self._requested == OPENVINO else str(model.device)
        return model

    def _lose_device(self) -> None:
        """Go on with the CPU, and load anew what stood on the device that failed."""
        if self._requested != "cpu":
            self.lost = self.device
            _log.error("The device %s failed; from here on models are loaded on the CPU.", self.device)
        self._requested = self.device = "cpu"
        self._models.forget(lambda model: not str(getattr(model, "device", "")).startswith("cpu"))

    def _where(self) -> str:
        from workbench.loading.device import choose_device

        return str(choose_device(self._requested))

    def _estimate(self, ref: ModelRef) -> int:
        """Bytes of weights as far as they are known before loading."""
        half = self.dtype in ("bfloat16", "float16") or (self.dtype == "auto" and self._where().startswith("cuda"))
        each = (2 if half else 4) + 4 * (self._requested == OPENVINO)  # torch's weights stay beside OpenVINO's
        return LOADERS[ref.kind].weights(ref.key) * each


def _run_once(session: Session) -> None:
    """Make the first answer fast: libraries load late, and kernels are chosen at first use."""
    from PIL import Image

    session.embed_texts(["a photo of a cat."])
    session.embed_images([Image.new("RGB", (session.image_size, session.image_size), "grey")])

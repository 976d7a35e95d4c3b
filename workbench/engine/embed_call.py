"""One embed call: rows from the cache, rows that another call computes already, and new rows from the device.

Images are opened and prepared by a few threads while the device works.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from workbench.cache import DiskCache, Key, MemoryCache, file_key, picture_key, text_key
from workbench.cache.memory import Row
from workbench.engine.task import Task
from workbench.engine.tasks import EMBED_FEATURES, EMBED_PIXELS, EMBED_TOKENS, Remote
from workbench.errors import OutOfResources
from workbench.images import is_large, read_file, safe_open
from workbench.model_cache import LoadedModel
from workbench.prepared import prepare_file
from workbench.scheduler import CancelScope, Scheduler

if TYPE_CHECKING:
    from workbench.backend import Picture, Tokens

AHEAD = 128  # images of one call that are started and not yet done, at most
TEXTS_AHEAD = 256  # texts of one call that wait for the device, at most; others' texts find room beside them
REMOTE_BATCH = 256  # images or texts of one remote call


@dataclass(frozen=True)
class EngineContext:
    """What all sessions share."""

    scheduler: Scheduler
    cache: MemoryCache
    disk: DiskCache | None
    workers: ThreadPoolExecutor  # open and prepare images
    large: ThreadPoolExecutor  # the same for large images, so that no small one waits for them
    decode_ahead: int  # images of one call that wait for a worker; few, so that other calls get their turn
    remote: Remote | None


@dataclass(frozen=True)
class RowRequest:
    """One row that this call needs."""

    key: Key
    row: Future[Row]
    own: bool  # computed by this call; otherwise by another one


class EmbedCall:
    """The rows that one call needs; leaving the `with` block drops requests that are not done.

    Args:
        keep: whether the rows may go to the disk.
        features: let images' rows be the embedding followed by the features before the projection.
    """

    def __init__(
        self,
        context: EngineContext,
        loaded: LoadedModel,
        *,
        owner: str,
        scope: CancelScope,
        keep: bool,
        features: bool = False,
    ) -> None:
        self._context, self._loaded, self._model = context, loaded, loaded.ready.result()
        self._images_by = EMBED_FEATURES if features else EMBED_PIXELS
        self._fingerprint = f"{self._model.fingerprint}+features" if features else self._model.fingerprint
        self._owner, self._scope = owner, scope
        self._disk = context.disk if keep else None
        self._remote = context.remote
        # a remote device is driven by the caller's thread; the rules for batches and failing items are the same
        self._scheduler = Scheduler(batch=REMOTE_BATCH, threaded=False) if context.remote else context.scheduler

    def __enter__(self) -> EmbedCall:
        self._scope.check()
        return self

    def __exit__(self, *error: object) -> None:
        self._scope.stop_listening()
        self._run()

    def images(self, images: Sequence[Picture]) -> list[Row]:
        """Return one row per image, in order."""
        started: deque[Future[RowRequest]] = deque()
        rows: list[Row] = []
        try:
            with self._scheduler.more_coming():
                for number, image in enumerate(images):
                    if len(started) >= AHEAD:
                        rows.append(self._image_row(started.popleft(), images[len(rows)]))
                    pool = self._context.large if is_large(image) else self._context.workers
                    started.append(pool.submit(self._request_image, image))
                    if number >= self._context.decode_ahead and len(started) > self._context.decode_ahead:
                        self._scope.until_done(started[-1 - self._context.decode_ahead])
                for future in started:
                    self._scope.until_done(future)
            while started:
                rows.append(self._image_row(started.popleft(), images[len(rows)]))
        finally:
            self._scope.stop_listening()
            for future in started:
                future.cancel()
            if self._remote is not None:
                wait(started)  # none may send anything once this call has left
        return rows

    def texts(self, texts: Sequence[str]) -> list[Row]:
        """Return one row per text, in order; equal texts are embedded once."""
        keys = {text: text_key(self._model.fingerprint, text) for text in texts}
        known = self._context.cache.get_many(list(keys.values()))
        rows = {text: known[key] for text, key in keys.items() if key in known}
        stored = self._on_disk([key for text, key in keys.items() if text not in rows])
        requests: dict[str, RowRequest] = {}
        sent: deque[RowRequest] = deque()
        with self._scheduler.more_coming():
            for text in sorted(keys.keys() - rows.keys(), key=len):  # of similar length, so that padding is short
                requests[text] = self._request(keys[text], stored)
                if requests[text].own:
                    self._send(requests[text], text)
                    sent.append(requests[text])
                if len(sent) > TEXTS_AHEAD:
                    self._run()
                    self._scope.until_done(sent.popleft().row)
        rows |= {text: self._text_row(request, text) for text, request in requests.items()}
        self._to_disk({request.key: rows[text] for text, request in requests.items() if request.own})
        return [rows[text] for text in texts]

    def _on_disk(self, keys: Sequence[Key]) -> dict[Key, Row]:
        return self._disk.get_many(keys) if self._disk is not None else {}

    def _to_disk(self, rows: dict[Key, Row]) -> None:
        if self._disk is not None:
            self._disk.put_many(rows)

    def _request(self, key: Key, stored: dict[Key, Row]) -> RowRequest:
        if key in stored:
            self._context.cache.put_many({key: stored[key]})
        row, own = self._context.cache.claim(key)
        return RowRequest(key, row, own)

    def _request_image(self, image: Picture) -> RowRequest:
        """Hash an image; prepare and send it unless its row is known or under way. Runs in a worker."""
        self._scope.check()
        opened = safe_open(image) if isinstance(image, Image.Image) else None
        if opened is not None:
            key = picture_key(self._fingerprint, opened)
        else:
            path = Path(cast("Path | str", image))
            data = read_file(path)  # once: a file may change in between
            key = file_key(self._fingerprint, data)
        request = self._request(key, {} if self._context.cache.has(key) else self._on_disk([key]))
        if not request.own:
            return request
        try:
            if opened is not None:
                square = self._model.prepare(opened)
            else:
                square = prepare_file(self._model, data, path.name, scope=self._scope).square
        except BaseException as error:
            self._context.cache.give_up(key, error)
            raise
        self._send(request, square)
        return request

    def _send(self, request: RowRequest, value: Any) -> None:
        """Send one claimed row to the device; whatever the outcome, the claim ends with it."""
        kind = "text" if request.key.kind == "text" else "picture"
        encode = self._encode_texts if kind == "text" else self._encode_images
        batch_key = (request.key.fingerprint, kind)
        try:
            row = self._scheduler.submit(batch_key, value, encode, owner=self._owner, scope=self._scope)
        except BaseException as error:
            self._context.cache.give_up(request.key, error)
            raise
        row.add_done_callback(lambda done: self._land(request.key, done))

    def _land(self, key: Key, done: Future[Row]) -> None:
        error = done.exception()
        if error is None:
            self._context.cache.settle(key, done.result())
        else:
            self._context.cache.give_up(key, error)

    def _image_row(self, future: Future[RowRequest], image: Picture) -> Row:
        request = self._scope.wait(future)
        while not self._arrives(request):
            request = self._request_image(image)
        row = request.row.result()
        if request.own:
            self._to_disk({request.key: row})
        return row

    def _text_row(self, request: RowRequest, text: str) -> Row:
        while not self._arrives(request):
            request = self._request(request.key, {})
            if request.own:
                self._send(request, text)
        return request.row.result()

    def _arrives(self, request: RowRequest) -> bool:
        """Wait for a row; False when the call that computed it failed, so that this one has to request it again."""
        self._run()
        self._scope.until_done(request.row)
        return request.own or request.row.exception() is None

    def _run(self) -> None:
        """Run in this thread what was sent to a remote device; a local device runs by itself."""
        while self._remote is not None and self._scheduler.turn():
            pass

    def _encode_images(self, squares: Sequence[Any]) -> list[Row]:
        import torch

        return self._encode(self._images_by, torch.stack(list(squares)).numpy())

    def _encode_texts(self, texts: Sequence[str]) -> list[Row]:
        tokens = read_tokens(self._loaded, texts)
        return self._encode(EMBED_TOKENS, (tokens.ids.numpy(), tokens.mask.numpy()))

    def _encode(self, task: Task, payload: Any) -> list[Row]:
        """Run an embedding task on the device, wherever it is; n rows (dim,)."""
        if self._remote is not None:
            (rows,) = self._remote.stream(task.name, (self._loaded.key,), payload)
        else:
            (rows,) = task.run(self._model, payload)
        return self._checked(rows, more=task is EMBED_FEATURES)

    def _checked(self, rows: np.ndarray[Any, Any], *, more: bool) -> list[Row]:
        if rows.ndim != 2 or rows.shape[1] < self._model.dim or (rows.shape[1] > self._model.dim and not more):
            raise RuntimeError(f"embeddings are (n, {self._model.dim}); the model gave {rows.shape}")
        if not np.isfinite(rows).all():
            raise OutOfResources(
                f"{self._model.spec.title} returned NaN or infinity; float32 (--dtype float32) has the range."
            )
        return list(rows)


def read_tokens(loaded: LoadedModel, texts: Sequence[str]) -> Tokens:
    """Tokenize, one caller at a time: tokenizers store truncation and padding settings in themselves."""
    with loaded.reading:
        tokens: Tokens = loaded.ready.result().tokenize(texts)
    return tokens

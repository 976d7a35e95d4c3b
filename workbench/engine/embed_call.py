"""One call of a session, from names of contents to rows: what the cache has, what others compute, what is left to do.

Pictures are read and prepared by a few workers while the device works. Knows no model library and loads nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from workbench.cache import DiskCache, Key, MemoryCache, file_key, picture_key, text_key
from workbench.cache.memory import Row
from workbench.errors import BadPicture, OutOfResources
from workbench.images import MAX_BYTES, safe_open
from workbench.model_cache import LoadedModel
from workbench.scheduler import CancelScope, Scheduler

if TYPE_CHECKING:
    from workbench.backend import Picture, Tokens

AHEAD = 128  # pictures of one call that are begun and not yet done, at most
FAR_BATCH = 256  # pictures or texts of one remote call


class Remote(Protocol):
    """A device in another process: plain data in, plain data out, called in the caller's own thread."""

    def encode_pixels(self, key: str, pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """(n, 3, size, size) uint8 -> (n, dim) float32, unit rows."""

    def encode_tokens(self, key: str, ids: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Two (n, length) int64 -> (n, dim) float32, unit rows."""

    def explain(self, key: str, request: Any) -> Sequence[Any]:
        """All that `attribution.explain` yields for a request."""


@dataclass(frozen=True)
class EngineContext:
    """What all sessions share."""

    scheduler: Scheduler
    cache: MemoryCache
    disk: DiskCache | None
    workers: ThreadPoolExecutor  # read and prepare pictures
    at_once: int  # pictures of one call that wait for a hand; few, so that others' pictures come in between
    remote: Remote | None


@dataclass(frozen=True)
class Ask:
    """One row that is asked for."""

    key: Key
    row: Future[Row]
    mine: bool  # computed for this call; else another one computes it


class EmbedCall:
    """What one call asks for; leaving the `with` block drops what nobody waits for any more.

    Args:
        keep: whether the rows may go to the disk.
    """

    def __init__(
        self, context: EngineContext, loaded: LoadedModel, *, owner: str, scope: CancelScope, keep: bool
    ) -> None:
        self._context, self._loaded, self._model = context, loaded, loaded.ready.result()
        self._owner, self._scope = owner, scope
        self._disk = context.disk if keep else None
        self._far = context.remote
        # A remote device is driven by this very thread; the rules for batches and poisoned items are the same.
        self._lane = Scheduler(batch=FAR_BATCH, threaded=False) if context.remote else context.scheduler

    def __enter__(self) -> EmbedCall:
        self._scope.check()
        return self

    def __exit__(self, *error: object) -> None:
        self._scope.stop_listening()
        self._run()

    def pictures(self, pictures: Sequence[Picture]) -> list[Row]:
        """Return one row a picture, in order."""
        begun: deque[Future[Ask]] = deque()
        rows: list[Row] = []
        try:
            with self._lane.more_coming():
                for number, picture in enumerate(pictures):
                    if len(begun) >= AHEAD:
                        rows.append(self._picture_row(begun.popleft(), pictures[len(rows)]))
                    begun.append(self._context.workers.submit(self._ask_picture, picture))
                    if number >= self._context.at_once and len(begun) > self._context.at_once:
                        self._scope.until_done(begun[-1 - self._context.at_once])
                for asking in begun:
                    self._scope.until_done(asking)
            while begun:
                rows.append(self._picture_row(begun.popleft(), pictures[len(rows)]))
        finally:
            self._scope.stop_listening()
            for asking in begun:
                asking.cancel()
            if self._far is not None:
                wait(begun)  # none may send anything once this call has left
        return rows

    def texts(self, texts: Sequence[str]) -> list[Row]:
        """Return one row a text, in order; equal texts are asked for once."""
        keys = {text: text_key(self._model.fingerprint, text) for text in texts}
        kept = self._on_disk([key for key in keys.values() if not self._context.cache.has(key)])
        asked: dict[str, Ask] = {}
        with self._lane.more_coming():
            for text in sorted(keys, key=len):  # texts of like length share a batch, and are padded little
                asked[text] = self._ask(keys[text], kept)
                if asked[text].mine:
                    self._send(asked[text], text)
        rows = {text: self._text_row(ask, text) for text, ask in asked.items()}
        self._to_disk({ask.key: rows[text] for text, ask in asked.items() if ask.mine})
        return [rows[text] for text in texts]

    def _on_disk(self, keys: Sequence[Key]) -> dict[Key, Row]:
        return self._disk.get_many(keys) if self._disk is not None else {}

    def _to_disk(self, rows: dict[Key, Row]) -> None:
        if self._disk is not None:
            self._disk.put_many(rows)

    def _ask(self, key: Key, kept: dict[Key, Row]) -> Ask:
        if key in kept:
            self._context.cache.put_many({key: kept[key]})
        row, mine = self._context.cache.claim(key)
        return Ask(key, row, mine)

    def _ask_picture(self, picture: Picture) -> Ask:
        """Name a picture and, where nobody has its row, prepare and send it. Runs in a hand's thread."""
        self._scope.check()
        opened = safe_open(picture) if isinstance(picture, Image.Image) else None
        path = Path() if isinstance(picture, Image.Image) else Path(picture)
        key = picture_key(self._model.fingerprint, opened) if opened is not None else self._file_key(path)
        ask = self._ask(key, {} if self._context.cache.has(key) else self._on_disk([key]))
        if not ask.mine:
            return ask
        try:
            square = self._model.prepare(opened if opened is not None else self._open_again(path, key))
        except BaseException as error:
            self._context.cache.give_up(key, error)
            raise
        self._send(ask, square)
        return ask

    def _file_key(self, path: Path) -> Key:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            safe_open(path)  # says what is wrong, before a huge file is read
        return file_key(self._model.fingerprint, path)

    def _open_again(self, path: Path, key: Key) -> Image.Image:
        """Decode a file that was named before; a file that changed in between would put a row under a wrong name."""
        opened = safe_open(path)
        if self._file_key(path) != key:
            raise BadPicture(f"The picture {path.name!r} changed while it was read; please try again.")
        return opened

    def _send(self, ask: Ask, value: Any) -> None:
        """Give one claimed row to the device; however that ends, the claim ends with it."""
        kind = "text" if ask.key.kind == "text" else "picture"
        encode = self._encode_texts if kind == "text" else self._encode_pictures
        lane = (ask.key.fingerprint, kind)
        try:
            row = self._lane.submit(lane, value, encode, owner=self._owner, scope=self._scope)
        except BaseException as error:
            self._context.cache.give_up(ask.key, error)
            raise
        row.add_done_callback(lambda done: self._land(ask.key, done))

    def _land(self, key: Key, done: Future[Row]) -> None:
        error = done.exception()
        if error is None:
            self._context.cache.settle(key, done.result())
        else:
            self._context.cache.give_up(key, error)

    def _picture_row(self, asking: Future[Ask], picture: Picture) -> Row:
        ask = self._scope.wait(asking)
        while not self._arrived(ask):
            ask = self._ask_picture(picture)
        row = ask.row.result()
        if ask.mine:
            self._to_disk({ask.key: row})
        return row

    def _text_row(self, ask: Ask, text: str) -> Row:
        while not self._arrived(ask):
            ask = self._ask(ask.key, {})
            if ask.mine:
                self._send(ask, text)
        return ask.row.result()

    def _arrived(self, ask: Ask) -> bool:
        """Wait for a row; False when another call failed at it, so that this one has to ask anew."""
        self._run()
        self._scope.until_done(ask.row)
        return ask.mine or ask.row.exception() is None

    def _run(self) -> None:
        """Do in this thread what was sent to a remote device; what a local device does goes on by itself."""
        while self._far is not None and self._lane.turn():
            pass

    def _encode_pictures(self, squares: Sequence[Any]) -> list[Row]:
        import torch

        pixels = torch.stack(list(squares))
        if self._far is not None:
            return self._checked(self._far.encode_pixels(self._model.spec.key, pixels.numpy()))
        return self._checked(self._model.encode_pixels(pixels).numpy())

    def _encode_texts(self, texts: Sequence[str]) -> list[Row]:
        tokens = read_tokens(self._loaded, texts)
        if self._far is not None:
            return self._checked(self._far.encode_tokens(self._model.spec.key, tokens.ids.numpy(), tokens.mask.numpy()))
        return self._checked(self._model.encode_tokens(tokens).numpy())

    def _checked(self, rows: np.ndarray[Any, Any]) -> list[Row]:
        if rows.ndim != 2 or rows.shape[1] != self._model.dim:
            raise RuntimeError(f"embeddings are (n, {self._model.dim}); the model gave {rows.shape}")
        if not np.isfinite(rows).all():
            raise OutOfResources(
                f"{self._model.spec.title} gave values that are no numbers; float32 (--dtype float32) has the range."
            )
        return list(rows)


def read_tokens(loaded: LoadedModel, texts: Sequence[str]) -> Tokens:
    """Tokenize, one caller at a time: tokenizers keep their settings for cutting and padding in themselves."""
    with loaded.reading:
        return loaded.ready.result().tokenize(texts)

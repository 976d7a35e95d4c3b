"""The folder of uploads on its own: it takes no more than it may hold, and a broken upload leaves nothing in it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio import route_utils
from gradio.data_classes import FileData, ListFiles
from starlette.requests import Request

from apps.limits import Limits
from apps.serving import uploads
from apps.serving.guard import Guard, Rules
from apps.serving.refusal import Message, Receive, Refused, Send
from apps.serving.uploads import Uploads


@pytest.fixture(autouse=True)
def _measured_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FRESH_SECONDS", -1.0)


def _room(folder: Path, quota: int = 100, share: int = 1000) -> Uploads:
    return Uploads(folder, Limits(quota_bytes=quota, quota_per_visitor=share))


async def _send(room: Uploads, announced: int, file: Path | None = None, who: str = "a") -> None:
    async with room.one(who, announced) as came:
        if file is not None:
            came(announced)
            file.write_bytes(bytes(announced))


def test_a_full_folder_takes_no_more_until_something_is_deleted(tmp_path: Path) -> None:
    room = _room(tmp_path)
    (tmp_path / "deep").mkdir()
    asyncio.run(_send(room, 60, tmp_path / "deep" / "first.png"))
    asyncio.run(_send(room, 40))  # announced, and within what is left
    with pytest.raises(Refused) as caught:
        asyncio.run(_send(room, 41))
    assert caught.value.status == 507
    assert str(tmp_path) not in caught.value.reason
    (tmp_path / "deep" / "first.png").unlink()
    asyncio.run(_send(room, 100))


def test_uploads_that_do_not_say_how_much_they_send_are_counted_while_they_arrive(tmp_path: Path) -> None:
    room = _room(tmp_path)
    refused: list[int] = []

    async def send(who: str) -> None:
        try:
            async with room.one(who, 0) as came:
                for _ in range(6):
                    came(10)
                    await asyncio.sleep(0)
        except Refused as error:
            refused.append(error.status)

    async def three() -> None:
        await asyncio.gather(*(send(who) for who in "abc"))

    asyncio.run(three())
    assert refused == [507, 507]  # 180 bytes came at once; one upload found room in the end


def test_a_visitor_has_a_share_and_gets_it_back_after_the_hour(tmp_path: Path) -> None:
    now = [0.0]
    room = Uploads(tmp_path, Limits(quota_bytes=1000, quota_per_visitor=50), clock=lambda: now[0])
    asyncio.run(_send(room, 40, tmp_path / "one"))
    with pytest.raises(Refused, match="of one visitor"):
        asyncio.run(_send(room, 11))
    asyncio.run(_send(room, 50, tmp_path / "two", who="b"))
    now[0] = 3601.0
    asyncio.run(_send(room, 50, tmp_path / "three"))


def test_what_broke_off_is_charged_to_its_address(tmp_path: Path) -> None:
    now = [0.0]
    room = Uploads(tmp_path, Limits(quota_bytes=1000, quota_per_visitor=50), clock=lambda: now[0])

    async def break_off(size: int) -> None:
        with suppress(ConnectionError):
            async with room.one("a", 0) as came:
                came(size)
                raise ConnectionError

    asyncio.run(break_off(30))
    asyncio.run(break_off(20))
    with pytest.raises(Refused, match="of one visitor"):
        asyncio.run(_send(room, 1))
    asyncio.run(_send(room, 50, who="b"))
    assert sum(upload.size for upload in room._open) == 0
    now[0] = 3661.0
    asyncio.run(_send(room, 50))


class Sender:
    """Sends an upload in pieces through the guard to gradio's parser, when it is told to."""

    def __init__(self, guard: Guard, name: str) -> None:
        self._guard = guard
        self._name = name
        self.pieces: asyncio.Queue[Message] = asyncio.Queue()
        self.said: list[Message] = []

    def head(self) -> None:
        head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{self._name}"\r\n\r\nhalf'
        self.pieces.put_nowait({"type": "http.request", "body": head.encode(), "more_body": True})

    def rest(self) -> None:
        self.pieces.put_nowait({"type": "http.request", "body": b" and half\r\n--x--\r\n", "more_body": False})

    def break_off(self) -> None:
        self.pieces.put_nowait({"type": "http.disconnect"})

    async def send(self) -> None:
        async def sending(message: Message) -> None:
            self.said.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=x")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/gradio_api/upload",
            "headers": headers,
            "query_string": b"",
        }
        await self._guard(scope, self.pieces.get, sending)


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guard:
    """A guard around gradio's own way to store an upload."""
    monkeypatch.setattr(route_utils, "NamedTemporaryFile", route_utils.NamedTemporaryFile)  # put back at the end
    uploads.own_fragments()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        stored, late, places = await route_utils.upload_fn(
            Request(scope, receive), tmp_path, math.inf, None, force_move=False
        )
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(stored[0]).encode()})
        route_utils.move_uploaded_files_to_cache(late, places)

    return Guard(app, Rules(Limits(), tmp_path, dict))


async def _until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.001)


def test_an_upload_that_begins_while_another_is_cleared_away_is_stored(
    tmp_path: Path, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race: the fragments of a broken upload are deleted just when the next one has made its temporary file."""

    def fragments() -> int:
        return len(list(tmp_path.glob("tmp*")))

    async def race() -> bytes:
        in_thread, cleared = asyncio.to_thread, asyncio.Event()
        first, second = Sender(guard, "first.png"), Sender(guard, "second.png")

        async def held(work: Any, *more: Any) -> Any:
            if work is not uploads._bytes_in and not cleared.is_set():  # the clearing waits for the second upload
                second.head()
                await _until(lambda: fragments() == 2)
                await in_thread(work, *more)
                cleared.set()
                return None
            return await in_thread(work, *more)

        first.head()
        sending = asyncio.create_task(first.send())
        await _until(lambda: fragments() == 1)
        monkeypatch.setattr(asyncio, "to_thread", held)
        other = asyncio.create_task(second.send())
        first.break_off()
        await sending
        await asyncio.wait_for(cleared.wait(), 10)
        assert fragments() == 1  # the first one's is gone
        second.rest()
        await other
        return bytes(second.said[-1]["body"])

    assert Path(asyncio.run(race()).decode()).read_bytes() == b"half and half"
    assert fragments() == 0


def test_a_box_of_files_makes_no_empty_file(tmp_path: Path) -> None:
    uploads.own_fragments()
    box = gr.File(file_count="multiple", render=False)
    box.GRADIO_CACHE = str(tmp_path / "uploads")
    Path(box.GRADIO_CACHE).mkdir()
    (file := tmp_path / "a.png").write_bytes(b"a")
    assert box.preprocess(ListFiles([FileData(path=str(file))])) == [str(file)]
    assert not list(Path(box.GRADIO_CACHE).iterdir())

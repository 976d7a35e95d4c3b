"""The folder of uploads on its own: it takes no more than it may hold, and a broken upload leaves nothing in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from apps.limits import Limits
from apps.serving import uploads
from apps.serving.refusal import Refused
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


def test_fragments_go_when_the_last_upload_ends_and_not_before(tmp_path: Path) -> None:
    room = _room(tmp_path)
    kept, fragment = tmp_path / "picture.png", tmp_path / "tmpabc"
    kept.write_bytes(b"x")

    async def two() -> None:
        async with room.one("a", 1):
            fragment.write_bytes(b"half")
            with pytest.raises(ConnectionError):
                async with room.one("a", 1):
                    raise ConnectionError
            assert fragment.exists()  # the other one may be writing it

    asyncio.run(two())
    assert kept.exists()
    assert not fragment.exists()

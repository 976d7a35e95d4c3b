"""The folder of uploads on its own: it takes no more than it may hold, and a broken upload leaves nothing in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from apps.serving import uploads
from apps.serving.refusal import Refused
from apps.serving.uploads import Uploads


@pytest.fixture(autouse=True)
def _measured_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FRESH_SECONDS", -1.0)


async def _send(room: Uploads, announced: int, file: Path | None = None) -> None:
    async with room.one(announced):
        if file is not None:
            file.write_bytes(bytes(announced))


def test_a_full_folder_takes_no_more_until_something_is_deleted(tmp_path: Path) -> None:
    room = Uploads(tmp_path, quota=100)
    (tmp_path / "deep").mkdir()
    asyncio.run(_send(room, 60, tmp_path / "deep" / "first.png"))
    asyncio.run(_send(room, 40))  # announced, and within what is left
    with pytest.raises(Refused) as caught:
        asyncio.run(_send(room, 41))
    assert caught.value.status == 507
    assert str(tmp_path) not in caught.value.reason
    (tmp_path / "deep" / "first.png").unlink()
    asyncio.run(_send(room, 100))


def test_fragments_go_when_the_last_upload_ends_and_not_before(tmp_path: Path) -> None:
    room = Uploads(tmp_path, quota=100)
    kept, fragment = tmp_path / "picture.png", tmp_path / "tmpabc"
    kept.write_bytes(b"x")

    async def two() -> None:
        async with room.one(1):
            fragment.write_bytes(b"half")
            with pytest.raises(ConnectionError):
                async with room.one(1):
                    raise ConnectionError
            assert fragment.exists()  # the other one may be writing it

    asyncio.run(two())
    assert kept.exists()
    assert not fragment.exists()

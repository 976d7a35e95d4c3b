"""An agent's way in: the protocol's own client asks the commands over stdio."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from apps.mcp.tools import Fence, tools
from workbench.errors import BadInput

ROOT = Path(__file__).parents[2]


def conversation(folders: list[str], talk: Callable[[ClientSession], Awaitable[None]]) -> None:
    """Start a server on folders, and talk to it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = StdioServerParameters(command=sys.executable, args=["-m", "app", "mcp", *folders], env=environment)

    async def whole() -> None:
        async with stdio_client(started) as streams, ClientSession(*streams) as session:
            await session.initialize()
            await talk(session)

    asyncio.run(asyncio.wait_for(whole(), 200))


@pytest.mark.heavy
def test_an_agent_classifies_searches_attacks_and_audits(tmp_path: Path, photos: Path) -> None:
    seen, out = tmp_path / "seen", tmp_path / "out"
    seen.mkdir()
    out.mkdir()
    for name in ("chelsea.png", "rocket.jpg", "coffee.png"):
        (seen / name).write_bytes((photos / name).read_bytes())
    progress: list[float] = []

    async def talk(session: ClientSession) -> None:
        async def ask(tool: str, /, **arguments: Any) -> Any:
            async def note(done: float, total: float | None, message: str | None) -> None:
                progress.append(done)

            answer = await session.call_tool(tool, arguments, progress_callback=note)
            assert not answer.isError, answer.content
            assert answer.structuredContent is not None
            return answer.structuredContent.get("result", answer.structuredContent), answer.content[1:]

        named, _ = await ask("classify", images=["chelsea.png"], labels="cat,rocket,cup of coffee")
        assert named[0]["labels"][0]["label"] == "cat"
        await ask("index_add", name="mcp", paths=[str(seen)])
        hits, _ = await ask("index_search", name="mcp", query="a rocket", top=1)
        assert Path(hits[0]["path"]).name == "rocket.jpg"
        attacked, pictures = await ask(
            "attack", image="chelsea.png", labels="cat,rocket", word="rocket", out=str(out / "attacked.png")
        )
        assert attacked
        assert [one.type for one in pictures] == (["image"] if "attacked.png" in str(attacked) else [])
        run, _ = await ask("audit_run", audits=["limits/counting"], model=["fake"], out=str(out / "runs"), html=True)
        assert run
        addresses = [str(one.uri) for one in (await session.list_resources()).resources]
        assert "card://pocket" in addresses
        report = next(one for one in addresses if one.endswith(".html"))
        page = (await session.read_resource(report)).contents[0]  # type: ignore[arg-type]
        assert "limits/counting" in page.text  # type: ignore[union-attr]

    conversation([str(seen), "--write", str(out)], talk)
    assert max(progress) > 50


@pytest.mark.heavy
def test_without_a_folder_for_outputs_nothing_is_written_and_nothing_else_is_read(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "cat.png").write_bytes((photos / "chelsea.png").read_bytes())

    async def talk(session: ClientSession) -> None:
        listed = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert not {"embed", "generate", "audit_run", "index_add", "train"} & set(listed)
        assert "out" not in listed["attack"].inputSchema["properties"]
        for name, arguments in (
            ("classify", {"images": [str(photos / "rocket.jpg")], "labels": "cat,dog"}),
            ("classify", {"images": [f"{photos}/*.jpg"], "labels": "cat,dog"}),
            ("classify", {"images": ["cat.png"], "labels": "cat,dog", "model": str(photos)}),
            ("classify", {"images": "cat.png", "labels": 3, "colour": "red"}),
            ("nothing", {}),
        ):
            answer = await session.call_tool(name, arguments)
            assert answer.isError
            assert "Traceback" not in answer.content[0].text  # type: ignore[union-attr]

    conversation([str(tmp_path)], talk)
    assert [path.name for path in tmp_path.iterdir()] == ["cat.png"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"paths": ["/etc/passwd"]}, "read"),
        ({"query": "2:cat + /etc/hostname - dog"}, "read"),
        ({"dataset": "csv:/etc/passwd"}, "read"),
        ({"paths": ["inside/../../outside.txt"]}, "read"),
        ({"paths": ["link"]}, "read"),
        ({"out": "/tmp/elsewhere.png"}, "written"),
        ({"out": "../elsewhere.png"}, "written"),
    ],
)
def test_paths_outside_of_the_folders_are_refused(tmp_path: Path, arguments: dict[str, Any], why: str) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    (home / "inside").mkdir(parents=True)
    out.mkdir()
    (tmp_path / "outside.txt").touch()
    (home / "link").symlink_to("/etc/hostname")
    fence = Fence((home,), out)
    with pytest.raises(BadInput, match=f"cannot be {why}"):
        fence.check(arguments, "out")
    fence.check({"paths": ["inside"], "labels": "black / white, a photo of a {}.", "out": str(out / "x.png")}, "out")


def test_each_command_that_answers_in_json_is_a_tool() -> None:
    from typer.main import get_command

    from apps.mcp.tools import LEFT_OUT
    from apps.shell import shell

    def commands(group: Any, words: tuple[str, ...] = ()) -> set[str]:
        names: set[str] = set()
        for name, one in group.commands.items():
            deeper = hasattr(one, "commands")
            json = not deeper and any(part.name == "as_json" for part in one.params)
            names |= commands(one, (*words, name)) if deeper else {" ".join((*words, name))} if json else set()
        return names

    every = tools(get_command(shell), write=True).values()
    assert {" ".join(tool.words) for tool in every} == commands(get_command(shell)) - set(LEFT_OUT)
    written = {" ".join(tool.words): tool.written for tool in every}
    assert written["audit resume"] == written["audit score"] == "folder"  # a run that is only read is not gone on with
    for tool in every:
        assert tool.help
        assert all(one["description"] for one in tool.schema["properties"].values())

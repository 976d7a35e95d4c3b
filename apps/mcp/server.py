"""Speaks the protocol over stdio: lists the tools, runs a command in a process of its own for each call.

A process of its own can be stopped at any moment, and what it writes on stdout never mixes with the protocol.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.stdio import stdio_server
from pydantic import AnyUrl

from apps.mcp.tools import Fence, Tool, tools
from workbench.errors import INCOMPLETE, BadInput, WorkbenchError, unknown_name
from workbench.models import find
from workbench.places import shipped

IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
REPORTS = {".html": "text/html", ".md": "text/markdown"}
MOST_IMAGES, IMAGE_BYTES = 8, 2_000_000  # that an answer holds
MOST_REPORTS = 100
GRACE_SECONDS = 3.0  # between asking a command to stop and killing it
PERCENT = re.compile(rb"(\d{1,3})%")
OK = (0, INCOMPLETE, 1, 4)  # codes whose output is an answer: done, incomplete, a gate that failed or is undecided


def serve(commands: Any, fence: Fence) -> None:
    """Speak until stdin ends."""
    asyncio.run(_serve(server(commands, fence)))


def server(commands: Any, fence: Fence) -> Server[Any, Any]:
    """Return the server, not yet connected.

    Args:
        commands: the group of all commands.
        fence: which folders may be read and written.
    """
    made: Server[Any, Any] = Server("clip-workbench")
    table = tools(commands, write=fence.writable is not None)

    @made.list_tools()
    async def listed() -> list[types.Tool]:
        return [
            types.Tool(
                name=one.name,
                description=one.help,
                inputSchema=one.schema,
                annotations=types.ToolAnnotations(readOnlyHint=not one.written, openWorldHint=False),
            )
            for one in table.values()
        ]

    @made.call_tool(validate_input=False)
    async def called(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        context = made.request_context
        token = context.meta.progressToken if context.meta else None

        async def report(percent: int) -> None:
            if token is not None:
                await context.session.send_progress_notification(token, percent, 100)

        try:
            if name not in table:
                raise unknown_name("tool", name, list(table))
            fence.check(arguments, table[name].written)
            code, output, errors = await _run(table[name], arguments, fence, report)
        except WorkbenchError as error:
            return answered(str(error), error=True)
        if code not in OK or not output.strip():
            return answered(errors or f"The command ended with code {code}.", error=True)
        return answered(output, *_images(output, fence), error=False)

    @made.list_resources()
    async def resources() -> list[types.Resource]:
        return [types.Resource(uri=AnyUrl(uri), name=name, mimeType=kind) for uri, name, kind, _ in _resources(fence)]

    @made.read_resource()
    async def read(uri: AnyUrl) -> list[ReadResourceContents]:
        for known, _, kind, path in _resources(fence):
            if str(AnyUrl(known)) == str(uri):
                return [ReadResourceContents(path.read_text(encoding="utf-8"), kind)]
        raise BadInput(f"There is no card or report at {str(uri)[:200]!r}.")

    return made


async def _serve(made: Server[Any, Any]) -> None:
    async with stdio_server() as (incoming, outgoing):
        await made.run(incoming, outgoing, made.create_initialization_options())


async def _run(tool: Tool, arguments: Mapping[str, Any], fence: Fence, report: Any) -> tuple[int, str, str]:
    """Run a command; return its exit code, what it wrote on stdout, and its error. Ends with whoever waits for it."""
    given = dict(arguments)
    if (
        tool.written
        and tool.written not in given
        and fence.writable is not None
        and tool.parameters[tool.written].default
    ):
        given[tool.written] = str(fence.writable / str(tool.parameters[tool.written].default))
    line = tool.line(given)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TTY_COMPATIBLE": "1", "COLUMNS": "100", "NO_COLOR": "1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *line),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=fence.readable[0],
        env={
            **environment,
            "PYTHONPATH": os.pathsep.join(
                filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")))
            ),
        },
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        output, errors = await asyncio.gather(process.stdout.read(), _watch(process.stderr, report))
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(asyncio.shield(process.wait()), GRACE_SECONDS)
            except (TimeoutError, asyncio.CancelledError):
                process.kill()
    message = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", errors.decode(errors="replace")).strip()
    last = next((part for part in reversed(message.splitlines()) if "clip-workbench:" in part), message[-500:])
    return code, output.decode(errors="replace"), last.partition("clip-workbench:")[2].strip() or last


async def _watch(stream: asyncio.StreamReader, report: Any) -> bytes:
    """Read stderr; report each percentage that a progress bar shows. Return its last part."""
    tail, before = b"", -1
    while part := await stream.read(4096):
        tail = (tail + part)[-20_000:]
        if (shown := PERCENT.findall(part)) and (percent := min(100, int(shown[-1]))) > before:
            before = percent
            await report(percent)
    return tail


def answered(text: str, *images: types.ImageContent, error: bool) -> types.CallToolResult:
    """Return the answer to a call: text, the same as data where it is JSON, and images."""
    structured = None
    if not error:
        try:
            value = json.loads(text)
            structured = value if isinstance(value, dict) else {"result": value}
        except ValueError:
            structured = None
    content: list[Any] = [types.TextContent(type="text", text=text), *images]
    return types.CallToolResult(content=content, structuredContent=structured, isError=error)


def _images(output: str, fence: Fence) -> Iterator[types.ImageContent]:
    """Yield the images that an answer names, where they were written."""
    if fence.writable is None:
        return
    home, number = fence.writable.expanduser().resolve(), 0
    for text in re.findall(r'"((?:[^"\\]|\\.)+\.(?:png|jpe?g|webp))"', output):
        path = (fence.readable[0] / json.loads(f'"{text}"')).resolve()
        fits = path.is_relative_to(home) and path.is_file() and path.stat().st_size <= IMAGE_BYTES
        if fits and number < MOST_IMAGES:
            number += 1
            data = base64.b64encode(path.read_bytes()).decode()
            yield types.ImageContent(type="image", data=data, mimeType=IMAGES[path.suffix.lower()])


def _resources(fence: Fence) -> Iterator[tuple[str, str, str, Path]]:
    """Yield address, name, kind and file of the shipped models' cards, and of reports in the folder for outputs."""
    for key in ("pocket", "pocket-lite2"):
        card = shipped(key, "README.md")
        if card.is_file():
            yield f"card://{key}", f"Model card of {find(key).title}", "text/markdown", card
    if fence.writable is not None:
        home = fence.writable.expanduser().resolve()
        files = sorted(path for path in home.rglob("*") if path.suffix in REPORTS and path.is_file())
        for path in files[:MOST_REPORTS]:
            yield f"report:///{path.relative_to(home).as_posix()}", path.name, REPORTS[path.suffix], path

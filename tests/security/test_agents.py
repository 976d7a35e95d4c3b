"""Agents over HTTP (`serve --mcp`): the page's guards hold, and nothing answers where the owner did not ask for it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from guarded_server import Server, running

PLACE = "/gradio_api/mcp"
WORD = secrets.token_hex(8)
ACCEPT = {"accept": "application/json, text/event-stream"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("agents"), mcp=True, auth=f"me:{WORD}") as started:
        yield started


@pytest.fixture
def agent(served: Server) -> Iterator[httpx.Client]:
    """A client that is logged in."""
    with httpx.Client(base_url=served.url, timeout=20, trust_env=False, headers=ACCEPT) as opened:
        assert opened.post("/login", data={"username": "me", "password": WORD}).status_code == 200
        yield opened


def said(answer: httpx.Response) -> Any:
    """What the event of an answer holds."""
    return json.loads(answer.text.split("data: ", 1)[1])["result"]


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """The body of a tool call."""
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


def test_an_agent_that_is_logged_in_is_told_the_tools(agent: httpx.Client) -> None:
    tools = {tool["name"]: tool["inputSchema"] for tool in said(agent.post(PLACE, json=LIST))["tools"]}
    assert tools["classify"]["required"] == ["image", "labels"]
    assert tools["classify"]["properties"]["image"]["type"] == "string"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 400), ({"origin": "http://evil.example"}, 403), ({"content-type": "text/plain"}, 415)],
)
def test_other_names_pages_and_kinds_are_refused(agent: httpx.Client, headers: dict[str, str], status: int) -> None:
    sent = {"content-type": "application/json", **headers}
    assert agent.post(PLACE, content=json.dumps(LIST), headers=sent).status_code == status


def test_a_stranger_learns_nothing(served: Server) -> None:
    answer = httpx.post(served.url + PLACE, json=LIST, headers=ACCEPT, trust_env=False)
    assert answer.status_code == 401
    assert "classify" not in answer.text


def test_a_call_has_the_limits_of_every_request(agent: httpx.Client, served: Server) -> None:
    assert agent.post(PLACE, json={**LIST, "params": "x" * 2_000_001}).status_code == 413
    assert agent.get(PLACE).status_code in (404, 405)
    assert agent.delete(PLACE).status_code in (404, 405)
    for arguments, words in (
        ({"image": "data:image/png;base64,!", "labels": ["a"]}, "base64"),
        ({"image": "x", "labels": ["a"], "colour": 1}, "colour"),
        ({"labels": ["a"]}, "classify needs 'image'"),
        ({"image": "data:image/png;base64,aGFsbG8=", "labels": ["a"]}, "no function of that name"),  # not on this page
    ):
        answer = said(agent.post(PLACE, json=call("classify", **arguments)))
        assert answer["isError"]
        assert words in answer["content"][0]["text"]
    assert "No tool is called" in said(agent.post(PLACE, json=call("train")))["content"][0]["text"]
    assert served.outgoing() == []
    assert len(list(served.uploads.rglob("given.png"))) == 1

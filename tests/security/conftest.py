"""What the security tests share: one server, and a client that no proxy of this machine gets between."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from guarded_server import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as opened:
        yield opened

"""What `serve` refuses before anything is loaded, and what it makes of its environment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apps.serving.environment import FIXED, REMOVED, prepare_environment, private_uploads
from apps.serving.launch import CLOSED, check_port
from apps.serving.options import ServeOptions, check_options, for_space, is_loopback, login, names_of
from workbench.errors import BadInput


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org"])
def test_others_are_let_in_only_with_a_password(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    with pytest.raises(BadInput, match="--auth"):
        check_options(ServeOptions(host=host))
    check_options(ServeOptions(host=host, auth="ann:secret"))
    monkeypatch.setenv("SPACE_ID", "someone/clip")
    check_options(ServeOptions(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.1.2.3"])
def test_this_machine_needs_none(host: str) -> None:
    assert is_loopback(host)
    check_options(ServeOptions(host=host))


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        (ServeOptions(port=0), "--port"),
        (ServeOptions(port=70000), "--port"),
        (ServeOptions(root_path="clip"), "--root-path"),
        (ServeOptions(root_path="/clip/"), "--root-path"),
        (ServeOptions(allow_host=("https://a.example",)), "--allow-host"),
        (ServeOptions(allow_host=("a.example:80",)), "--allow-host"),
        (ServeOptions(allow_host=("*",)), "--allow-host"),
    ],
)
def test_a_wrong_flag_is_named(options: ServeOptions, flag: str) -> None:
    with pytest.raises(BadInput, match=flag):
        check_options(options)


def test_names_of_the_server() -> None:
    names = names_of(ServeOptions(host="0.0.0.0", allow_host=("Clip.Example",)))
    assert names == {"localhost", "127.0.0.1", "::1", "clip.example"}


def test_in_a_space_the_spaces_own_name_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "someone-clip.hf.space")
    options = for_space(ServeOptions())
    assert options.host == "0.0.0.0"
    assert names_of(options) == {"localhost", "127.0.0.1", "::1", "someone-clip.hf.space"}


def test_a_login(tmp_path: Path) -> None:
    file = tmp_path / "auth"
    file.write_text("ann:sec:ret\n", encoding="utf-8")
    for auth in ("ann:sec:ret", f"@{file}"):
        check = login(auth)
        assert check is not None
        assert check("ann", "sec:ret")
        assert not check("ann", "sec")
        assert not check("bob", "sec:ret")
        assert not check("ännchen", "sec:ret")
    assert login(None) is None


@pytest.mark.parametrize("auth", ["ann", "ann:", ":secret", "@/nowhere/at/all"])
def test_a_login_that_is_none(auth: str) -> None:
    with pytest.raises(BadInput, match="--auth") as met:
        login(auth)
    assert "/nowhere" not in str(met.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_port_is_said_with_its_flag(host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as other:
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BadInput, match=f"Port {port} is taken.*--port"):
            check_port(ServeOptions(host=host, port=port))
    check_port(ServeOptions(host=host, port=port))


def test_an_address_of_another_machine() -> None:
    with pytest.raises(BadInput, match="--host"):
        check_port(ServeOptions(host="192.0.2.1"))


def test_the_environment_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*FIXED, *REMOVED, "no_proxy", "NO_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "True")
    monkeypatch.setenv("NO_PROXY", "intern.example")
    assert set(prepare_environment(downloads=False)) == set(REMOVED)
    assert not [name for name in REMOVED if name in os.environ]
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["NO_PROXY"] == "intern.example,localhost,127.0.0.1,::1"


def test_the_doors_that_gradio_has_are_shut_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of the threat model, written out once more: a name that leaves our table is missed here."""
    doors = ["SHARE", "VIBE_MODE", "ALLOWED_PATHS", "WATCH_DIRS", "MCP_SERVER", "RUN_HISTORY"]
    for name in doors:
        monkeypatch.setenv(f"GRADIO_{name}", "True")
    for name in FIXED:
        monkeypatch.delenv(name, raising=False)
    prepare_environment()
    assert not [name for name in doors if f"GRADIO_{name}" in os.environ]
    fixed = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_SSR_MODE": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    assert {name: os.environ.get(name) for name in fixed} == fixed
    shut = ("share", "ssr_mode", "show_error", "run_history", "mcp_server", "pwa", "enable_monitoring")
    assert [CLOSED[name] for name in shut] == [False] * len(shut)
    assert CLOSED["strict_cors"] is True
    assert CLOSED["_frontend"] is False  # a page that takes more than 3 s to answer is no reason not to start


def test_uploads_are_private_and_go_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with private_uploads() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert folder.parent == tmp_path
        (folder / "a.png").write_bytes(b"x")
    assert not folder.exists()
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)


def test_importing_the_room_is_light() -> None:
    """The environment can be set before gradio is imported, and `--help` waits for neither gradio nor torch."""
    code = "import sys, apps.serving; print([m for m in ('gradio', 'torch', 'transformers') if m in sys.modules])"
    begun = time.perf_counter()
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."}
    )
    assert out.stdout.strip() == "[]", out.stderr
    assert time.perf_counter() - begun < 5

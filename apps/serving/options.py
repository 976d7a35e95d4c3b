"""The options of `serve`, checked before anything is loaded or opened."""

from __future__ import annotations

import hmac
import importlib.util
import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from apps.serving.origins import LOOPBACK
from workbench.errors import BadInput, Unsupported

SHARED = "CLIP_WORKBENCH_SHARED"  # of the environment; set where others than this machine's user may visit
NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9a-fA-F:]+")  # of a host, or an address


@dataclass(frozen=True)
class ServeOptions:
    """The flags of `serve`, in the same words."""

    host: str = "127.0.0.1"  # address to listen at
    port: int = 7860
    model: str = "pocket"  # the model that answers first
    device: str = "auto"
    dtype: str = "auto"
    allow_host: tuple[str, ...] = ()  # further names that visitors use for this server
    auth: str | None = None  # "user:password", or "@file" that holds that
    root_path: str = ""  # where a proxy shows this server, "/clip" for example
    folder: tuple[str, ...] = ()  # folders of this machine that calls of the API may read
    mcp: bool = False  # agents may call the API as tools


def in_space() -> bool:
    """Say whether this runs in a Hugging Face Space."""
    return bool(os.environ.get("SPACE_ID"))


def for_space(options: ServeOptions) -> ServeOptions:
    """Return the options as a Space needs them: open to its proxy, under the Space's own name."""
    own = tuple(name for name in os.environ.get("SPACE_HOST", "").split(",") if name)
    port = int(os.environ.get("GRADIO_SERVER_PORT", options.port))
    return replace(options, host="0.0.0.0", port=port, allow_host=(*options.allow_host, *own), folder=())


def check_options(options: ServeOptions) -> None:
    """Refuse what cannot be served, or not safely.

    Raises:
        BadInput, Unsupported: and which flag mends it.
    """
    if not 1 <= options.port <= 65535:
        raise BadInput(f"--port takes 1 to 65535; got {options.port}.")
    if options.root_path and not (options.root_path.startswith("/") and not options.root_path.endswith("/")):
        raise BadInput(f"--root-path begins with / and does not end with it, as /clip; got {options.root_path!r}.")
    for name in options.allow_host:
        if not NAME.fullmatch(name):
            raise BadInput(f"--allow-host takes a name without port or scheme, as clip.example.org; got {name!r}.")
    for folder in options.folder:
        if not Path(folder).expanduser().is_dir():
            raise BadInput(f"--folder takes a folder that exists; {folder[:200]!r} is none.")
    if options.mcp and not importlib.util.find_spec("mcp"):
        raise Unsupported("--mcp needs the extra `mcp`: pip install 'mcp>=1.21,<2'")
    if not is_loopback(options.host) and not options.auth and not in_space():
        raise BadInput(
            f"--host {options.host} lets others in, so it needs --auth user:password (or --auth @FILE). "
            "Without --host only this machine is served."
        )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches that address."""
    bare = host.strip("[]")
    if bare in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def names_of(options: ServeOptions) -> frozenset[str]:
    """Return the names that the server answers to, in lower case."""
    every = (*LOOPBACK, *options.allow_host, options.host.strip("[]"))
    return frozenset(name.lower() for name in every) - {"0.0.0.0", "::"}


def login(auth: str | None) -> Callable[[str, str], bool] | None:
    """Return what checks a name and a password, in a time that tells nothing about either.

    Raises:
        BadInput: not of the form user:password, or a file that cannot be read.
    """
    if not auth:
        return None
    given = auth
    if auth.startswith("@"):
        try:
            given = Path(auth[1:]).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise BadInput(f"The file of --auth {Path(auth[1:]).name!r} cannot be read.") from None
    user, colon, password = given.partition(":")
    if not (user and colon and password):
        raise BadInput("--auth takes user:password, or @FILE with a file that holds user:password.")

    def check(name: str, word: str) -> bool:
        right_name = hmac.compare_digest(name.encode(), user.encode())
        right_word = hmac.compare_digest(word.encode(), password.encode())
        return right_name and right_word

    return check

"""Open the web server and keep it open until it is told to stop.

The page itself comes from `apps`, the answers from `workbench.engine`.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from apps import limits, quick_gradio
from apps.api.asking import FOLDERS
from apps.serving.environment import prepare_environment, private_uploads
from apps.serving.guard import Guard, Rules
from apps.serving.housekeeping import kept_clean
from apps.serving.options import (
    SHARED,
    ServeOptions,
    check_options,
    for_space,
    in_space,
    is_loopback,
    login,
    names_of,
)
from apps.serving.turns import Turns
from workbench.errors import BadInput
from workbench.worker import supervised

if TYPE_CHECKING:
    import gradio as gr

    from workbench.engine import Engine

CLOSED: dict[str, Any] = {  # what gradio offers beyond serving one page to one place
    "share": False,
    "ssr_mode": False,
    "show_error": False,
    "run_history": False,
    "mcp_server": False,
    "strict_cors": True,
    "pwa": False,
    "enable_monitoring": False,
    "max_threads": 24,  # the lines of `apps.shared.events` together, and some
    "footer_links": ["api", "settings"],
    "prevent_thread_lock": True,
    "quiet": True,
    "_frontend": False,  # does not ask itself for its page at the start: a busy machine takes longer than 3 s
}
SWITCH_SECONDS = 0.0005  # a thread that computes in Python lets others go on after that time; Python's own is ten times
IDLE_SECONDS = 600.0  # after which a model that nobody asked is dropped, unless it is the default one
STOP_SECONDS = 8.0  # after the signal; whoever is not done by then is left behind


class ServedEngine(Protocol):
    """What the server asks of the engine."""

    def status(self) -> dict[str, str]:
        """Return what `/healthz` answers."""

    def leave(self, owner: str) -> None:
        """Stop what is done for a page that was left."""


def serve(options: ServeOptions, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve the workbench until SIGTERM or Ctrl-C.

    Args:
        options: the flags.
        ready: is told the address when the page can be opened; the model may still be loading then.

    Raises:
        BadInput: an option that cannot be served, or a port that is taken.
        WorkbenchError: no such model or device.
    """
    table = limits.current()
    prepare_environment(downloads=table.downloads)
    sys.setswitchinterval(SWITCH_SECONDS)
    if in_space():
        options = for_space(options)
    check_options(options)
    _note_shared(options)
    os.environ[FOLDERS] = os.pathsep.join(str(Path(one).expanduser().resolve()) for one in options.folder)
    check_port(options)
    check_login = login(options.auth)
    with private_uploads() as uploads, kept_clean(uploads, table), supervised(), stop_signals() as stop:
        engine = _engine(options)
        busy: list[threading.Thread] = []
        try:
            from apps import assemble

            demo = assemble(engine)
            gc.freeze()  # a full collection would look at a million objects of libraries each time, and all wait for it
            address = launch(demo, options, uploads=uploads, engine=engine, check_login=check_login)
            if ready is not None:
                ready(address)
            busy += [engine.warm(), _aside(_import_charts)]
            while not stop.wait(IDLE_SECONDS / 10):
                engine.drop_idle(IDLE_SECONDS)
            _leave_in_time(uploads)
            demo.close(verbose=False)
            for thread in busy:  # an interpreter that ends in the middle of an import of theirs aborts
                thread.join()
        finally:
            engine.close()


def launch(
    demo: gr.Blocks,
    options: ServeOptions,
    *,
    uploads: Path,
    engine: ServedEngine,
    check_login: Callable[[str, str], bool] | None = None,
    table: limits.Limits | None = None,
) -> str:
    """Launch a page the hardened way, in threads of its own; return its address."""
    from apps.serving import log_once, sessions
    from apps.serving.connections import Connections, hardened
    from apps.serving.inputs import in_words
    from apps.serving.uploads import own_fragments
    from apps.shared.theme import HEAD, theme

    table = table or limits.current()
    with quick_gradio.one_server():
        demo.queue(max_size=table.queue, default_concurrency_limit=1, api_open=False)
    turns = Turns(demo._queue, table, left=engine.leave)
    turns.install()
    pages = sessions.install()
    own_fragments()
    in_words(demo)
    rules = replace(
        _rules(demo, options, uploads=uploads, status=engine.status, table=table), turns=turns, sessions=pages
    )
    with hardened(Connections(table, proxied=in_space())):
        _, local_url, _ = demo.launch(
            server_name=f"[{options.host}]" if ":" in options.host.strip("[]") else options.host,
            server_port=options.port,
            auth=check_login,
            root_path=options.root_path or None,
            max_file_size=table.upload_bytes,
            app_kwargs={"lifespan": _guarded(rules), "openapi_url": None, "docs_url": None, "redoc_url": None},
            theme=theme(),
            head=HEAD,  # an event's `js` would need eval
            allowed_paths=[],
            state_session_capacity=sessions.CAPACITY,
            **CLOSED,
        )
    log_once.install()
    return str(local_url)


def _rules(
    demo: gr.Blocks,
    options: ServeOptions,
    *,
    uploads: Path,
    status: Callable[[], dict[str, str]],
    table: limits.Limits,
) -> Rules:
    from apps.api.table import in_order

    return Rules(
        limits=table,
        uploads=uploads,
        status=status,
        functions=lambda: {number: str(fn.api_name or "") for number, fn in demo.fns.items()},
        positional=in_order,
        hosts=names_of(options),
        public=frozenset(name.lower() for name in options.allow_host),
        root_path=options.root_path,
        space=in_space(),
        agents=_agents() if options.mcp else None,
    )


def _agents() -> Any:
    from apps.mcp.page import Agents

    return Agents()


def _note_shared(options: ServeOptions) -> None:
    """Note in the environment whether others than this machine's user may visit: views then hide what is the user's."""
    alone = is_loopback(options.host) and not (options.auth or options.allow_host or options.root_path or in_space())
    os.environ.pop(SHARED, None) if alone else os.environ.update({SHARED: "1"})


def _engine(options: ServeOptions) -> Engine:
    from workbench.engine import Engine

    remote = None
    if os.environ.get("SPACES_ZERO_GPU"):
        from apps import zerogpu  # imports `spaces`, which wants to come before torch

        remote = zerogpu
    return Engine(default=options.model, device=options.device, dtype=options.dtype, remote=remote)


def _aside(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _import_charts() -> None:
    """Import what first answers need and the page does not, while the visitor reads the page."""
    import ftfy  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import plotly.graph_objects  # noqa: F401
    import scipy.stats  # noqa: F401


def _guarded(rules: Rules) -> Callable[[Any], Any]:
    """Put the guard around everything when the server starts.

    The `middleware` that an application may bring stands inside of gradio's CORS and compression, which would answer
    foreign pages without asking it.
    """
    from apps.serving.copies import Copies

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        app.middleware_stack = guard = Guard(app.middleware_stack, rules, Copies(app, app.middleware_stack))
        async with rules.agents.running(guard) if rules.agents else contextlib.nullcontext():
            yield

    return lifespan


def check_port(options: ServeOptions) -> None:
    """Refuse an address that cannot be listened at.

    Raises:
        BadInput: and which flag mends it.
    """
    bare = options.host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bare, options.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"Port {options.port} is taken, perhaps by another workbench; --port takes another number."
            ) from None
        if error.errno == errno.EACCES:
            raise BadInput(f"Port {options.port} needs rights that this user lacks; --port takes another.") from None
        raise BadInput(f"--host {options.host} is no address of this machine.") from None


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and Ctrl-C set."""
    stop = threading.Event()
    kept = {}
    with contextlib.suppress(ValueError):  # not in the main thread: whoever started the thread stops it
        for number in (signal.SIGINT, signal.SIGTERM):
            kept[number] = signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _leave_in_time(uploads: Path) -> None:
    """End the process even where a thread is deep in a computation that does not stop."""

    def leave() -> None:
        shutil.rmtree(uploads, ignore_errors=True)
        os._exit(0)

    last = threading.Timer(STOP_SECONDS, leave)
    last.daemon = True
    last.start()

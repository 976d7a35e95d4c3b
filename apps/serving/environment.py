"""The environment variables with which Gradio and its friends would speak to the outside; set before their import.

Does not know about our options. Gradio reads some of them when it is imported, others at every call.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

FIXED = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # exactly "True" would enable it
    "GRADIO_ANALYTICS_MAX_EVENTS": "500",  # its summary is computed anew after each event
    "GRADIO_SSR_MODE": "False",
    "GRADIO_NODE_SERVER_NAME": "127.0.0.1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1",
    "FORWARDED_ALLOW_IPS": "",  # uvicorn would believe X-Forwarded-For from this machine
}
REMOVED = (  # each would open a door that the launch keeps shut
    "GRADIO_SHARE",
    "GRADIO_VIBE_MODE",
    "GRADIO_ALLOWED_PATHS",
    "GRADIO_WATCH_DIRS",
    "GRADIO_MCP_SERVER",
    "GRADIO_RUN_HISTORY",
    "GRADIO_ROOT_PATH",
    "GRADIO_NUM_WORKERS",
    "GRADIO_HOT_RELOAD",
    "GRADIO_LOCAL_DEV_MODE",
    "GRADIO_DEBUG",
)
PREFIX = "clip-workbench-"  # of the names of folders of uploads
LOCK = "running.lock"  # in such a folder, locked by its server
OWN = ("localhost", "127.0.0.1", "::1")  # never to be asked through a proxy


def prepare_environment(*, downloads: bool = True) -> list[str]:
    """Set and remove variables of this process; return the removed ones that would have opened something.

    Args:
        downloads: whether a visitor may have a checkpoint fetched; what is on this machine is read either way.
    """
    os.environ.update(FIXED)
    if not downloads:
        os.environ["HF_HUB_OFFLINE"] = "1"
    removed = [name for name in REMOVED if os.environ.pop(name, None)]
    for name in ("no_proxy", "NO_PROXY"):
        given = [part for part in os.environ.get(name, "").split(",") if part]
        os.environ[name] = ",".join([*given, *(own for own in OWN if own not in given)])
    return removed


@contextmanager
def private_uploads() -> Iterator[Path]:
    """Give gradio a folder that no other user of this machine can look into, and delete it at the end.

    A folder in GRADIO_TEMP_DIR, where that is set. Folders there that a killed server left behind are deleted first.
    """
    place = os.environ.get("GRADIO_TEMP_DIR")
    if place:
        Path(place).mkdir(parents=True, exist_ok=True)
    sweep(Path(place or tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place or None)).resolve()  # mode 0700
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    with (folder / f"{LOCK}.new").open("w") as lock:
        _locked(lock)  # until this process ends, however it does
        Path(lock.name).rename(folder / LOCK)  # a server that starts just now sees it only once it is held
        try:
            yield folder
        finally:
            if place:
                os.environ["GRADIO_TEMP_DIR"] = place
            else:
                os.environ.pop("GRADIO_TEMP_DIR", None)
            shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Delete the folders of uploads there whose server does not run any more."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("r+") as lock:
            if _locked(lock):
                shutil.rmtree(folder, ignore_errors=True)


def _locked(file: IO[str]) -> bool:
    """Lock a file for this process; False where another one has it, or this system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

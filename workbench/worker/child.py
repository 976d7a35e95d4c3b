"""A worker: it bounds itself, then does one job after another until its server is gone.

Started as `python -m workbench.worker.child SHARED SERVER MEMORY IDLE NICE FAT`; see `process`.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench import errors
from workbench.worker.channel import Channel, Closed


def main(arguments: Sequence[str]) -> None:
    """Answer requests until there are no more, or none for `IDLE` seconds."""
    shared, server, memory, idle, nice, fat = map(int, arguments)
    channel = Channel(os.dup(0), os.dup(1), shared)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):  # what a library prints must not reach the server
        os.dup2(nothing, number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to answer
    threading.Thread(target=_watch, args=[server], daemon=True).start()
    os.nice(nice)
    with suppress(OSError):  # a system out of memory takes a worker before it takes the server
        Path("/proc/self/oom_score_adj").write_text("500")
    with suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(Closed):
        channel.send({"ready": True})
        while channel.wait(idle):
            request, data = channel.receive()
            _answer(channel, request, bytes(data))
            if _memory() > fat:
                return


def _answer(channel: Channel, request: dict[str, Any], data: bytes) -> None:
    room, name = request["where"].split(":")
    end: dict[str, Any] = {"end": True}
    try:
        _limit_computing(request["cpu"])
        for reply, parts in getattr(importlib.import_module(room), name)(data, **request["arguments"]):
            channel.send({"reply": reply, "end": request["single"]}, parts)
            if request["single"]:
                return
            channel.receive()
    except errors.WorkbenchError as error:
        end = {"error": type(error).__name__, "says": str(error)}
    except MemoryError:
        end = {"error": "OutOfResources", "says": "This needs more memory than one job may use."}
    except Closed:
        raise
    except Exception as error:  # boundary: it goes to the caller whose work it was
        end = {"error": "", "says": f"{type(error).__name__}: {error}"}
    channel.send(end)


def _limit_computing(seconds: float) -> None:
    """Let the system end this process once the next job has computed for so long."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 1, most))


def _memory() -> int:
    """Resident bytes of this process; 0 where the system does not say."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def _watch(server: int) -> None:
    while os.getppid() == server:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])

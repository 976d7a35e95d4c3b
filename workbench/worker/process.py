"""One worker as its server sees it: started with few rights, asked, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from typing import Any

from workbench import errors
from workbench.errors import DeadlinePassed, OutOfResources, WorkbenchError
from workbench.scheduler.cancel import CancelScope
from workbench.worker.channel import Channel, Closed
from workbench.worker.jobs import Lane, NativeJob

MALLOC = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_TOP_PAD_": "16777216"}
START_SECONDS = 60.0
CHECK_SECONDS = 0.2  # how often a worker's caller is asked whether it still waits
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")  # of the server's, without its secrets


class Died(Exception):
    """A worker ended in the middle of a job.

    Args:
        code: how, as `Popen.returncode` says it.
    """

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(signal.Signals(-code).name if code < 0 else f"exit code {code}")


class Worker:
    """A process that does one job at a time.

    Args:
        lane: which limits hold for it.

    Raises:
        OutOfResources: no process can be started.
        Died: it ended at once, or was not ready in a minute.
    """

    def __init__(self, lane: Lane) -> None:
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        environment |= {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), "OMP_NUM_THREADS": "1", **MALLOC}
        shared = _shared_memory()
        limits = (shared, os.getpid(), lane.memory, lane.idle, lane.nice, lane.fat)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workbench.worker.child", *map(str, limits)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                pass_fds=[shared], env=environment, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            os.close(shared)
            raise OutOfResources(f"No further process can be started ({error.strerror}). Please try again.") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._shared = shared
        self._channel = Channel(self._process.stdout.fileno(), self._process.stdin.fileno(), shared)
        try:
            if not self._channel.wait(START_SECONDS):
                raise Closed
            self._channel.receive()
        except Closed:
            self.kill()
            raise Died(self._process.returncode) from None

    @property
    def alive(self) -> bool:
        """Whether it can take a job."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def answers(
        self, job: NativeJob, arguments: Mapping[str, Any], data: bytes, *, single: bool, scope: CancelScope
    ) -> Generator[tuple[Any, memoryview]]:
        """Have a job done; yield its values with their bytes. Whoever stops listening has the worker killed.

        Raises:
            Died: it ended before the job did.
            DeadlinePassed, Cancelled: the caller's scope is over, or the job's own time; the worker is killed.
            WorkbenchError: what the job raises.
        """
        until, done = time.monotonic() + job.seconds, False
        try:
            self._channel.send(
                {"where": job.where, "cpu": job.cpu, "single": single, "arguments": dict(arguments)}, [data]
            )
            while True:
                message, body = self._received(job, until, scope)
                done = message.get("end") is not False
                if "reply" in message:
                    yield message["reply"], body
                if done:
                    break
                self._channel.send({"next": True})
        except Closed:
            self._process.wait()
            raise Died(self._process.returncode) from None
        finally:
            if not done:
                self.kill()
        if "error" in message:
            raise _error(message)

    def stop(self) -> None:
        """End it, whatever it does; whoever waits for it gets `Died`."""
        self._process.kill()

    def kill(self) -> None:
        """End it, and close what is shared with it; for its only caller."""
        self.stop()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if self._shared >= 0:
            os.close(self._shared)
            self._shared = -1

    def _received(self, job: NativeJob, until: float, scope: CancelScope) -> tuple[dict[str, Any], memoryview]:
        while not self._channel.wait(CHECK_SECONDS):
            scope.check()
            if time.monotonic() > until:
                raise DeadlinePassed(
                    f"{job.title.capitalize()} takes longer than {job.seconds:.0f} s, and was stopped."
                )
        return self._channel.receive()


def _shared_memory() -> int:
    """Return the descriptor of a file in memory that nobody else can open."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("clip-workbench")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _error(message: Mapping[str, Any]) -> Exception:
    kind, says = getattr(errors, str(message.get("error")), None), str(message.get("says"))
    if isinstance(kind, type) and issubclass(kind, WorkbenchError):
        return kind(says)
    return RuntimeError(f"a worker failed: {says}")

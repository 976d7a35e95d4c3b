"""Run directories: how they are called, found again, begun, and marked when a run does not end well."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audits.protocol import Protocol as Rules
from audits.run_directory import header
from audits.run_directory.header import Header
from audits.run_directory.seal import EVENTS
from audits.running.jobs import AuditJob
from workbench.errors import BadInput, Cancelled, OutOfResources

MOST_TRACE = 8_000  # characters of an error that the log keeps


def find(out: Path, run_id: str) -> Path | None:
    """Return the newest directory of a run, or None."""
    runs = sorted(path for path in out.glob(f"*_{run_id}*") if (path / header.FILE).is_file())
    return runs[-1] if runs else None


def make(out: Path, job: AuditJob, run_id: str) -> Path:
    """Make a directory `<utc time>_<audit>_<model>_<dataset>_<id>`.

    Raises:
        BadInput: `out` is a file.
        OutOfResources: it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    words = (stamp, _short(job.audit.key), _short(job.model), _short(job.dataset.removeprefix("builtin:")), run_id)
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out takes a folder for runs; {out.name!r} is a file.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = out / ("_".join(words) + ("" if number == 1 else f"-{number}"))
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise OutOfResources(f"The folder of --out {str(out)[-200:]!r} cannot be written ({error.strerror}).") from None
    raise OutOfResources(f"A thousand runs of one kind within a second, in {out.name!r}.")


def resumed(folder: Path, first: Header) -> Header:
    """Return a new header that keeps what an interrupted run had done already."""
    if not (folder / header.FILE).is_file():
        return first
    before = header.read(folder)
    return first.changed(created=before.created, stages=before.stages)


def fail(folder: Path, error: BaseException, trace: str) -> None:
    """Write down why a run did not end, so that it is never taken for a whole one."""
    stopped = isinstance(error, Cancelled | KeyboardInterrupt | GeneratorExit)
    message = "" if stopped else f"{type(error).__name__}: {error}"
    head = header.read(folder).changed(status="cancelled" if stopped else "error", error=message)
    try:
        header.write(folder, head)
        log(folder, "cancelled" if stopped else "error", trace="" if stopped else trace[-MOST_TRACE:])
    except OutOfResources:  # the error itself says more
        return


def log(folder: Path, event: str, **more: Any) -> None:
    """Add a line to the run's log."""
    line = json.dumps({"at": round(time.time(), 3), "event": event, **more})
    try:
        with (folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise OutOfResources(f"The run's log could not be written ({error.strerror}).") from None


def yaml_of(rules: Rules) -> str:
    """Return a protocol as YAML: every label and template, and the settings as they were used."""
    import yaml

    return str(
        yaml.safe_dump(rules.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True, width=100)
    )


def _short(text: str) -> str:
    kind, _, rest = text.partition(":")
    name = Path(rest).stem if rest and kind in ("folder", "csv", "fairface", "utkface") else text
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:40] or "x"

"""Where indexes lie, and the lock that lets one process at a time write to one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import BadInput, Busy
from workbench.places import home

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def folder() -> Path:
    """Return the folder of the indexes that have a name."""
    return home() / "indexes"


def place(name: str) -> str:
    """Return where an index lies: in the folder of indexes, or where a folder or an address (`s3://…`) says.

    Raises:
        BadInput: a name that is no name.
    """
    if "://" in name or "/" in name:
        return name if "://" in name else str(Path(name).expanduser().absolute())
    if not _NAME.fullmatch(name):
        raise BadInput(
            "An index is named with up to 64 letters, digits, dots, dashes and underscores, the first a letter or a "
            f"digit; got {name[:80]!r}."
        )
    return str(folder() / name)


def names() -> list[str]:
    """Return the names of all indexes on this machine."""
    if not folder().is_dir():
        return []
    return sorted(one.name for one in folder().iterdir() if one.is_dir() and _NAME.fullmatch(one.name))


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Let one process at a time write to an index on this machine.

    Raises:
        Busy: another one does.
    """
    from filelock import FileLock, Timeout

    if "://" in place(name):  # LanceDB's own commits must suffice
        yield
        return
    file = lock_file(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(file, timeout=0):
            yield
    except Timeout:
        raise Busy(f"Images are being added to the index {name!r} already; wait for the end, or stop that.") from None


def lock_file(name: str) -> Path:
    """Return the file that is locked while an index on this machine is written to."""
    where = Path(place(name))
    return where.with_name(f".{where.name}.lock")

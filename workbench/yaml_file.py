"""Read a YAML file that somebody wrote: bounded, nothing in it can run, and an error names what it should be.

Knows nothing of what should stand in it.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from workbench.errors import BadInput, UnknownName

MAX_BYTES = 1_000_000  # of one file


def load(path: Path, kind: str) -> object:
    """Return what a YAML file holds.

    Args:
        path: the file.
        kind: what it should be, for messages: "protocol file".

    Raises:
        UnknownName: no such file.
        BadInput: over 1 MB, or no YAML.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"A {kind} may have at most {MAX_BYTES // 10**6} MB; {path.name!r} has more.")
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise UnknownName(f"There is no {kind} {path.name!r}, or it cannot be read.") from None
    except UnicodeDecodeError:
        raise BadInput(f"The {kind} {path.name!r} cannot be read; it is no YAML: it is no text in UTF-8.") from None
    return parse(text, f"The {kind} {path.name!r}")


def parse(text: str, what: str) -> object:
    """Return what a YAML text holds.

    Raises:
        BadInput: no YAML; `what` begins the message.
    """
    try:
        found: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadInput(f"{what} cannot be read; it is no YAML: {said}") from None
    return found

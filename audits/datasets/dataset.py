"""A data set: a table of images with what is known about each, and a hash over all of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame

FIXED = ("sample_id", "path", "sha256", "cluster", "split", "label")  # columns that every table has; all text


@dataclass(frozen=True)
class About:
    """What a reader of an audit should know about its data."""

    title: str
    licence: str = ""  # empty where unknown
    source: str = ""
    people: bool = False  # shows people, drawn ones included
    shows: str = ""  # Markdown: what images like these can show, and what they cannot


@dataclass(frozen=True)
class Dataset:
    """Images with labels and attributes."""

    key: str  # "builtin:drawn-people", "csv:…", "folder:…"
    about: About
    table: DataFrame  # `FIXED` and one text column an attribute; rows in order of sample_id; "" where unknown
    root: Path  # `path` is relative to it
    attributes: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = field(default=())  # (path, reason) of images that could not be used

    @property
    def hash(self) -> str:
        """SHA-256 over sorted (id, image hash, label, attributes), 64 hexadecimal digits."""
        columns = ["sample_id", "sha256", "label", *sorted(self.attributes)]
        digest = hashlib.sha256("\x1f".join(columns).encode())
        for row in sorted(self.table[columns].itertuples(index=False, name=None)):
            digest.update(("\x1e" + "\x1f".join(map(str, row))).encode())
        return digest.hexdigest()

    def file(self, path: str) -> Path:
        """Return the file of an image."""
        return self.root / path

    def require(self, columns: tuple[str, ...], audit: str) -> None:
        """Refuse a data set that lacks what an audit needs.

        Raises:
            BadInput: a column is missing, or has no value in any row.
        """
        usable = [c for c in columns if c in self.table.columns and (self.table[c] != "").any()]
        missing = [c for c in columns if c not in usable]
        if missing:
            raise BadInput(
                f"The audit {audit!r} needs the column(s) {', '.join(missing)}; "
                f"{self.about.title!r} has: {', '.join(self.attributes) or 'none'}, and label."
            )

"""Tables that installed packages add rows to, through entry points; the built-in rows come through the same door.

    [project.entry-points."clip_workbench.audits"]
    brightness = "my_package.brightness:AUDIT"

The value names a row of the table, or a tuple of rows. It is imported when the whole table is first read, or a key that
is not built in is looked up; what a row names (a module, a function) is imported when it is first used. A plugin that
cannot be imported, or whose row the table refuses, is left out and named with its error in `Table.plugins`.
"""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, TypeVar

from workbench.errors import BadInput, UnknownName, Unsupported, unknown_name

PREFIX = "clip_workbench."  # of the names of entry point groups
TABLES = ("audits", "models", "attacks", "canvases", "views")


class Keyed(Protocol):
    """A row of a table."""

    @property
    def key(self) -> str:
        """The name that commands, settings and run headers use."""


Row = TypeVar("Row", bound=Keyed)


@dataclass(frozen=True)
class Plugin:
    """One entry point of an installed package."""

    table: str  # one of TABLES
    name: str
    place: str  # "module:NAME" of the rows
    package: str
    version: str
    keys: tuple[str, ...] = ()  # of the rows that it added
    error: str = ""  # why it was left out

    @property
    def title(self) -> str:
        """Say in one line what it adds, or that it was left out; for visitors, whom an error could tell too much."""
        added = f"{self.name} is left out; `clip-workbench doctor` says why" if self.error else ", ".join(self.keys)
        return f"{self.package} {self.version}, {self.table}: {added}"

    @property
    def text(self) -> str:
        """Say in one line what it adds, or why it was left out."""
        return self.title.partition(";")[0] + f". {self.error}" if self.error else self.title


class Table(Mapping[str, Row]):
    """Rows by key: the built-in ones in their order, then those of installed packages.

    A built-in row is found without a look at the packages.
    """

    def __init__(self, name: str, kind: type[Row] | tuple[type[Row], ...], built_in: tuple[str, ...]) -> None:
        """Make a table; nothing is imported yet.

        Args:
            name: one of TABLES.
            kind: class or classes of the rows.
            built_in: "module:NAME" of each built-in row, or of a tuple of them.
        """
        self.name, self.kind, self.built_in = name, kind, built_in

    def __getitem__(self, key: str) -> Row:
        return self._built_in[key] if key in self._built_in else self._content[0][key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content[0])

    def __len__(self) -> int:
        return len(self._content[0])

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The entry points of installed packages in this table, the broken ones too."""
        return self._content[1]

    def find(self, key: str, word: str) -> Row:
        """Return the row of a key; `word` names one in the error, such as "audit".

        Raises:
            UnknownName: no row has that key.
        """
        if key not in self:
            raise self.unknown(word, key, list(self))
        return self[key]

    def unknown(self, word: str, key: str, known: Iterable[str]) -> UnknownName:
        """Return the error for an unknown key; it names the plugins that were left out, whose key it may be."""
        left_out = [plugin.text for plugin in self.plugins if plugin.error]
        return UnknownName(" ".join([str(unknown_name(word, key, known)), *left_out]))

    def leave_out(self, key: str, error: BaseException) -> None:
        """Take a plugin's row out of the table, because using it raised an error."""
        rows, plugins = self._content
        del rows[key]
        self._content = (
            rows,
            tuple(replace(one, keys=(), error=_reason(error)) if key in one.keys else one for one in plugins),
        )

    def forget(self) -> None:
        """Read the installed packages again at the next use."""
        self.__dict__.pop("_content", None)
        _points.cache_clear()

    @functools.cached_property
    def _built_in(self) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        for place in self.built_in:
            rows |= self._load(EntryPoint("built-in", place, PREFIX + self.name), rows)
        return rows

    @functools.cached_property
    def _content(self) -> tuple[dict[str, Row], tuple[Plugin, ...]]:
        rows, plugins = dict(self._built_in), []
        for point in _points().select(group=PREFIX + self.name):
            plugin = described(point)
            try:
                added = self._load(point, rows)
            except (Exception, SystemExit) as error:  # boundary: somebody else's code must not stop the program
                plugins.append(replace(plugin, error=_reason(error)))
                continue
            rows |= added
            plugins.append(replace(plugin, keys=tuple(added)))
        return rows, tuple(plugins)

    def _load(self, point: EntryPoint, present: Mapping[str, Row]) -> dict[str, Row]:
        loaded: Any = point.load()
        rows: dict[str, Row] = {}
        for row in loaded if isinstance(loaded, tuple) else (loaded,):
            if not isinstance(row, self.kind):
                kinds = self.kind if isinstance(self.kind, tuple) else (self.kind,)
                names = " or ".join(kind.__name__ for kind in kinds)
                raise BadInput(f"{point.value} must be a {names} or a tuple of them; got {type(row).__name__}.")
            if row.key in present or row.key in rows:
                raise BadInput(f"The key {row.key!r} stands in the table of {self.name} already.")
            rows[row.key] = row
        return rows


@functools.cache
def _points() -> Any:
    """Read the entry points of all installed packages, whose files are many, once."""
    return entry_points()


def resolve(place: str) -> Any:
    """Return what a row names by "module:NAME".

    Raises:
        Unsupported: it cannot be imported.
    """
    try:
        return pkgutil.resolve_name(place)
    except (Exception, SystemExit) as error:  # boundary: somebody else's code
        raise Unsupported(f"{place!r} cannot be imported. {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300] if str(error).strip() else 'no message'}"


def described(point: EntryPoint) -> Plugin:
    """Return what an entry point says about itself, without importing anything."""
    package = point.dist
    table = point.group.removeprefix(PREFIX)
    return Plugin(table, point.name, point.value, package.name if package else "", package.version if package else "")


def misplaced() -> list[Plugin]:
    """Return entry points of groups that have the prefix but no table, such as "clip_workbench.audit"."""
    return [
        replace(described(point), error=f"No such table; the tables are {', '.join(TABLES)}.")
        for group in _points().groups
        for point in _points().select(group=group)
        if point.group.startswith(PREFIX) and point.group.removeprefix(PREFIX) not in TABLES
    ]

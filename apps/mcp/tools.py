"""The table of tools: one for each command that answers in JSON, with a schema from the command's own options.

Does not know about the protocol or about processes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from workbench.errors import BadInput, unknown_name
from workbench.strict import reason

LEFT_OUT = ("serve", "mcp", "train", "cache clear", "index rm", "audit sign", "audit view")  # not for an agent
WRITERS = {  # command -> the argument or option that names what is written, by its Python name
    **{"embed": "out", "defend": "out", "generate": "out", "neuron": "out", "attack": "out", "dictionary": "out"},
    **{"visualise": "out", "atlas": "out", "suite": "out", "prior-export": "folder", "space-export": "folder"},
    **{"audit resume": "folder", "audit score": "folder"},  # which go on in the folder of a run
    **{"audit run": "out", "audit suite": "out", "audit report": "out", "audit compare": "out", "audit gate": "out"},
}
ALWAYS = ("embed", "generate", "visualise", "prior-export", "space-export", "audit run", "audit suite", "audit report")
IN_PLACE = (
    "index add",
    "audit resume",
    "audit score",
    "audit repro",
    "defend",
    "dictionary",
    "atlas",
)  # write as they are
HIDDEN = {
    "as_json",
    "download",
    "without",
    "page",
    "report",
    "browser",
    "cache",
    "force",
}  # options not offered
PARTS = re.compile(r"[\s=|,+]+")  # what stands between the words of a query or the cells of a list
LONE = ("/", ".", "..")  # no path where they stand between words
PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Tool:
    """One command."""

    name: str  # of the tool: the command's words joined by "_"
    words: tuple[str, ...]
    help: str
    parameters: Mapping[str, Any]  # Python name -> Typer's parameter
    written: str = ""  # the parameter that names what is written

    @functools.cached_property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        properties, required = {}, []
        for name, one in self.parameters.items():
            properties[name] = {**_adapter(one).json_schema(), "description": str(getattr(one, "help", "") or name)}
            if one.required:
                required.append(name)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def line(self, arguments: Mapping[str, Any]) -> list[str]:
        """Return the command line.

        Raises:
            BadInput: an argument that the command does not take, one that is missing, or of the wrong type.
        """
        options, places = list(self.words), list[str]()
        for name in arguments:
            if name not in self.parameters:
                raise unknown_name(f"argument of {self.name}", name, list(self.parameters))
        for name, one in self.parameters.items():
            value = arguments.get(name)
            if value is None:
                if one.required:
                    raise BadInput(f"{self.name} needs {name!r}.")
                continue
            try:
                value = _adapter(one).validate_python(value)
            except ValidationError as error:
                raise BadInput(f"{self.name}: {reason(error, name)}; got {str(value)[:80]!r}.") from None
            values = [str(part) for part in value] if isinstance(value, list) else [str(value)]
            if one.param_type_name == "argument":
                places += values
            elif isinstance(value, bool):
                options += [one.opts[0]] if value else one.secondary_opts[:1]
            else:
                options += [f"{one.opts[0]}={part}" for part in values]
        return [*options, "--json", "--", *places] if places else [*options, "--json"]


@dataclass(frozen=True)
class Fence:
    """Which folders an agent may read, and where it may write."""

    readable: tuple[Path, ...]
    writable: Path | None = None
    _every: tuple[Path, ...] = field(init=False)

    def __post_init__(self) -> None:
        every = (*self.readable, *((self.writable,) if self.writable else ()))
        object.__setattr__(self, "_every", tuple(one.expanduser().resolve() for one in every))

    def check(self, arguments: Mapping[str, Any], written: str = "") -> None:
        """Refuse a path outside of the folders, wherever in an argument it stands.

        Args:
            arguments: of a tool.
            written: the argument that names an output.

        Raises:
            BadInput: see above.
        """
        for name, value in arguments.items():
            texts = [str(part) for part in value] if isinstance(value, list) else [str(value)]
            for text in texts:
                if name == written:
                    self._inside(self._every[0] / Path(text).expanduser(), self._every[len(self.readable) :], "written")
                    continue
                parts = {text, text.partition(":")[2], *(one for one in _parts(text) if one not in LONE)}
                for place in filter(None, (_place(part, self._every[0]) for part in parts)):
                    self._inside(place, self._every, "read")

    def _inside(self, place: Path, folders: tuple[Path, ...], verb: str) -> None:
        whole = place.expanduser().resolve()
        if not any(whole.is_relative_to(folder) for folder in folders):
            names = ", ".join(folder.name or str(folder) for folder in folders) or "none; start with --write FOLDER"
            raise BadInput(f"{str(place)[:200]!r} cannot be {verb}: it lies outside of the folders for that ({names}).")


def tools(commands: Any, *, write: bool) -> dict[str, Tool]:
    """Return the tools by name.

    Args:
        commands: the group of all commands.
        write: whether commands that write files are offered.
    """
    offered = {}
    for words, command in _commands(commands, ()):
        name, every = " ".join(words), {one.name: one for one in command.params}
        needs_folder = name in ALWAYS or name in IN_PLACE
        if "as_json" not in every or name in LEFT_OUT or (needs_folder and not write):
            continue
        written = WRITERS.get(name, "")
        hidden = HIDDEN if write else HIDDEN | {written}
        kept = {key: one for key, one in every.items() if key not in hidden and "--help" not in one.opts}
        text = (command.help or "").strip()
        tool = Tool("_".join(words).replace("-", "_"), words, text, kept, written if write else "")
        offered[tool.name] = tool
    return offered


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in getattr(command, "commands", {}).items():
        if hasattr(one, "commands"):
            yield from _commands(one, (*words, name))
        else:
            yield (*words, name), one


@functools.cache
def _adapter_of(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation, config=ConfigDict(strict=False))


def _adapter(parameter: Any) -> TypeAdapter[Any]:
    annotation = parameter.type_descriptor.annotation
    return _adapter_of(str if annotation is Path else annotation)


def _parts(text: str) -> Iterator[str]:
    """Yield the words of a text, with and without a weight or kind before them, as in `2:photo.jpg`."""
    for part in PARTS.split(text):
        yield from (part, part.rpartition(":")[2])


def _place(text: str, base: Path) -> Path | None:
    """Return the file or folder that a text leads to from a folder; None where it leads to none."""
    text = text.strip().lstrip("-")
    if not text or "\0" in text or len(text) > 4096:
        return None
    if PATTERN.search(text):
        text = PATTERN.split(text)[0].rpartition("/")[0] or "."
    try:
        path = base / Path(text).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError):
        return None

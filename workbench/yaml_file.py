"""Read YAML that somebody wrote: bounded in size, values and time, and an error names what the text should be.

Does not know about what should stand in it. Plain values are text, numbers, true, false and null; dates and base-60
numbers (which take quadratic time to read) stay text.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, ClassVar

import yaml

from workbench.errors import BadInput, UnknownName

MAX_BYTES = 64_000  # of one text
MAX_VALUES = 50_000  # in it, with everything that an alias repeats
MAX_DEPTH = 64  # lists and mappings within each other
MAX_DIGITS = 18  # of a whole number
MAX_SECONDS = 0.8  # of computing; what is read is checked afterwards, all within 1 s

_INT = re.compile(r"[-+]?(0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$")
_FLOAT = re.compile(
    r"[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|\.(inf|Inf|INF))$|\.(nan|NaN|NAN)$"
)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Lists, mappings and plain values only: no tags (`!!int`), no merge keys; gives up after `MAX_SECONDS`."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":bool", ":null"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._end = time.thread_time() + MAX_SECONDS

    def fetch_more_tokens(self) -> Any:
        if time.thread_time() > self._end:
            raise yaml.YAMLError(f"it takes more than {MAX_SECONDS:g} s to read")
        if self.flow_level + len(self.indents) > MAX_DEPTH:
            raise yaml.YAMLError(f"it has more than {MAX_DEPTH} lists or mappings within each other")
        return super().fetch_more_tokens()

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node:
        event = self.peek_event()
        if getattr(event, "tag", None):
            raise yaml.composer.ComposerError(None, None, f"the tag {event.tag[:80]!r} is not read", event.start_mark)
        return super().compose_node(parent, index)

    def short_int(self, node: yaml.ScalarNode) -> int:
        if len(node.value) > MAX_DIGITS:
            problem = f"a whole number has at most {MAX_DIGITS} digits"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return int(self.construct_yaml_int(node))


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.short_int)


def load(path: Path, kind: str) -> object:
    """Return what a YAML file holds.

    Args:
        path: the file.
        kind: what it should be, for messages: "protocol file".

    Raises:
        UnknownName: no such file.
        BadInput: see `parse`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError:
        raise UnknownName(f"There is no {kind} {path.name!r}, or it cannot be read.") from None
    return parse(content, f"The {kind} {path.name!r}")


def parse(text: str | bytes, what: str) -> object:
    """Return what a YAML text holds.

    Args:
        text: at most 64 kB; bytes are UTF-8.
        what: begins the message of an error: "The suite 'a.yaml'".

    Raises:
        BadInput: too long, too many values or levels, too slow to read, or not valid YAML.
    """
    if len(text) > MAX_BYTES:
        raise BadInput(f"{what} is longer than {MAX_BYTES // 1000} kB, which is the most that is read.")
    try:
        content: object = _Loader(text if isinstance(text, str) else text.decode()).get_single_data()
        _check_values(content)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise BadInput(f"{what} is not valid YAML: {_problem(error)}.") from None
    return content


def _check_values(content: object) -> None:
    """Count what an alias repeats as often as it stands there, and look for halves of characters."""
    count, rest = 0, [content]
    while rest:
        value = rest.pop()
        count += 1
        if count + len(rest) > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES:,} values")
        if isinstance(value, str):
            value.encode()
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, dict):
            rest += [*value.keys(), *value.values()]


def _problem(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    if isinstance(error, OverflowError) or "chr()" in str(error):
        return "it names a character that does not exist"
    mark = getattr(error, "problem_mark", None)
    text = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"{text[:200]}, line {mark.line + 1}" if mark else text[:200]

"""The filter language: conditions on the columns of an index, read here and compiled to what LanceDB evaluates.

    label = 'cat' and (width >= 800 or not path like '%/draft/%') and second between 10 and 20

LanceDB's own parser recurses as deep as a text asks it to, and its functions compute for as long; here nesting, length
and the number of comparisons are bounded, and there are no functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import NoReturn

from workbench.errors import BadInput
from workbench.retrieval.conditions import TypedSql, quoted
from workbench.worker import active, supervised
from workbench.worker.jobs import INDEX

MAX_CHARS = 1000
MAX_COMPARISONS = 50
MAX_DEPTH = 10  # of brackets and `not` within each other
TEXT, NUMBER, LIST = "text", "number", "list of texts"
COLUMNS = {
    **{"path": TEXT, "label": TEXT, "caption": TEXT, "tags": LIST},
    **{"width": NUMBER, "height": NUMBER, "size": NUMBER, "second": NUMBER},
}
COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")
EXAMPLE = "label = 'cat' and width > 800"

_WORDS = ("and", "or", "not", "in", "like", "between", "is", "null")
_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[^\W\d]\w*)"""
    r"""|(?P<sign><=|>=|!=|<>|[=<>(),])""",
)
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")  # what a float64 holds exactly, or nearly


@dataclass(frozen=True)
class _Token:
    kind: str  # text, number, word, sign, or end
    text: str
    at: int  # position of its first character, from 1

    def __str__(self) -> str:
        return repr(self.text[:40]) if self.text else "the end"


def compile_filter(text: str) -> str:
    """Return the SQL condition for a filter; empty for an empty one.

    Comparisons with a missing value, such as `second` of an image, are neither true nor false, as in SQL. In `like`,
    `%` stands for any characters and `_` for one; a backslash is a character like others.

    Args:
        text: as typed: comparisons (`=`, `!=`, `<`, `<=`, `>`, `>=`, `in (…)`, `like`, `between … and …`, `is null`)
            of the columns in `COLUMNS`, joined by `and`, `or`, `not` and brackets. `tags = 'a=b'` asks for one tag.

    Raises:
        BadInput: what cannot be read, with its position; over 1,000 characters, 50 comparisons or 10 brackets deep.
    """
    if isinstance(text, TypedSql):
        if active() is None:
            raise BadInput(f"{text.refusal} SQL needs a process of its own, which this system does not make.")
        return text
    if len(text) > MAX_CHARS:
        raise BadInput(f"A filter has at most {MAX_CHARS:,} characters; got {len(text):,}.")
    if not text.strip():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        _refuse(error.start + 1, f"a filter is text; got the character {text[error.start]!a}")
    return _Parser(text).whole()


@contextmanager
def filter_or_sql(text: str) -> Iterator[str]:
    """Let a condition be SQL where it is no filter: inside the block, LanceDB works in a process with limits.

    Args:
        text: as the owner of a shell typed it.

    Yields:
        What `compile_filter` takes.
    """
    try:
        compile_filter(text)
    except BadInput as error:
        with nullcontext() if active() else supervised(INDEX):
            typed = TypedSql(text)
            typed.refusal = str(error)
            yield typed
    else:
        yield text


class _Parser:
    """Reads one filter from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)
        self._comparisons = self._depth = 0

    def whole(self) -> str:
        condition = self._either()
        if self._next.kind != "end":
            self._expect("`and`, `or` or the end")
        return condition

    def _either(self) -> str:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return " OR ".join(parts)

    def _all(self) -> str:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return " AND ".join(parts)

    def _one(self) -> str:
        """Read `not …`, `(…)` or a comparison; what comes out needs no brackets of its own."""
        start = self._next
        if self._next.text not in ("(", "not"):
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(start.at, f"brackets and `not` lie at most {MAX_DEPTH} deep within each other")
        if self._take("not"):
            condition = f"(NOT {self._one()})"
        else:
            self._take("(")
            condition = f"({self._either()})"
            self._need(")")
        self._depth -= 1
        return condition

    def _comparison(self) -> str:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            _refuse(self._next.at, f"a filter has at most {MAX_COMPARISONS} comparisons")
        name = self._column()
        kind = COLUMNS[name]
        if self._take("is"):
            negated = self._take("not")
            self._need("null")
            return f"({name} IS {'NOT ' if negated else ''}NULL)"
        negated = self._take("not")
        sign = self._next
        for word, read in (("in", self._in), ("like", self._like), ("between", self._between)):
            if self._take(word):
                if (word == "like" and kind != TEXT) or (word == "between" and kind == LIST):
                    _refuse(sign.at, f"`{word}` does not fit {name}, a {kind}")
                return f"(NOT {read(name, kind)})" if negated else read(name, kind)
        if negated or sign.text not in COMPARISONS:
            self._expect("`in`, `like` or `between`" if negated else "a comparison such as =, <, `in` or `like`")
        self._advance()
        if kind == LIST:
            if sign.text not in ("=", "!=", "<>"):
                _refuse(sign.at, f"{name} is compared with =, != or `in`; got '{sign.text}'")
            has = f"array_has({name}, {self._value(TEXT)})"
            return has if sign.text == "=" else f"(NOT {has})"
        if self._next.kind == "word":
            at, other = self._next.at, self._column()
            if COLUMNS[other] != kind:
                _refuse(at, f"{name} is a {kind} and {other} a {COLUMNS[other]}")
            return f"({_operand(name)} {sign.text} {_operand(other)})"
        return f"({_operand(name)} {sign.text} {self._value(kind)})"

    def _in(self, name: str, kind: str) -> str:
        self._need("(")
        values = [self._value(kind)]
        while self._take(","):
            values.append(self._value(kind))
        self._need(")")
        if kind == LIST:
            return f"array_has_any({name}, [{', '.join(values)}])"
        return f"({_operand(name)} IN ({', '.join(values)}))"

    def _like(self, name: str, kind: str) -> str:
        pattern = self._value(kind).replace("\\", "\\\\")
        return f"({name} LIKE {pattern})"

    def _between(self, name: str, kind: str) -> str:
        low = self._value(kind)
        self._need("and")
        return f"({_operand(name)} BETWEEN {low} AND {self._value(kind)})"

    def _column(self) -> str:
        token = self._next
        if token.kind != "word" or token.text in _WORDS:
            self._expect("a column")
        self._advance()
        if self._next.text == "(" and token.text not in COLUMNS:
            _refuse(token.at, f"filters have no functions; got {token}")
        if token.text not in COLUMNS:
            _refuse(token.at, f"columns are {', '.join(COLUMNS)}; got {token}")
        return token.text

    def _value(self, kind: str) -> str:
        """Read a value for a column of this kind; return it as an SQL literal."""
        token = self._next
        if kind == NUMBER:
            if token.kind != "number" or not _NUMBER.fullmatch(token.text):
                self._expect("a number of at most 15 digits")
            self._advance()
            return token.text if "." in token.text else f"{token.text}.0"
        if token.kind != "text":
            self._expect("a text in quotation marks")
        self._advance()
        mark = token.text[0]
        return quoted(token.text[1:-1].replace(mark * 2, mark))

    def _advance(self) -> None:
        self._next = next(self._tokens)

    def _take(self, text: str) -> bool:
        if self._next.text != text:
            return False
        self._advance()
        return True

    def _need(self, text: str) -> None:
        if not self._take(text):
            self._expect(f"`{text}`")

    def _expect(self, what: str) -> NoReturn:
        _refuse(self._next.at, f"expected {what}; got {self._next}")


def _operand(name: str) -> str:
    """Return a column as it is compared: Lance converts literals to a column's own type, or gives up."""
    return f"CAST({name} AS DOUBLE)" if COLUMNS[name] == NUMBER else name


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while (at := _SPACE.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        match = _TOKEN.match(text, at)
        if match is None:
            reason = "a text ends with its quotation mark" if text[at] in "'\"" else "filters hold no such character"
            _refuse(at + 1, f"{reason}; got {text[at : at + 40]!r}")
        kind = match.lastgroup or ""
        yield _Token(kind, match[0].lower() if kind == "word" else match[0], at + 1)
        at = match.end()
    while True:
        yield _Token("end", "", at + 1)


def _refuse(at: int, reason: str) -> NoReturn:
    raise BadInput(f"The filter cannot be read at character {at}: {reason}. A filter looks like {EXAMPLE}.")

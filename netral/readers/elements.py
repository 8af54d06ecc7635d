"""JSON text of any size cut into its records, without holding more than one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Any

from netral.readers.records import FIELD_TOO_LONG, LINE_TOO_LONG, MAX_FIELD, MAX_LINE, RAW_CHARS

BROKEN_JSON = "broken-json"
TOO_DEEP = "too-deep"
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(rf'{_STRING}|[{{}}\[\],:]|[^\s"{{}}\[\],:]+|"', re.DOTALL)
_BRACKET = re.compile(rf'{_STRING}|[{{}}\[\]]|"', re.DOTALL)
# A string without an end takes the rest, else it would be looked for again at each of its quotes.
_TRAILING_COMMA = re.compile(rf'({_STRING}|".*)|,(?=\s*[}}\]])', re.DOTALL)
_STRING_END = re.compile(r'(?:[^"\\]|\\.)*+"', re.DOTALL)
_BETWEEN = re.compile(r"(?<=\})\s*,\s*(?=\{)")
_MARKS = frozenset("{}[],:")
_MAX_DEPTH = 200

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """One value with the keys that lead to it and the plain values of the objects round it."""

    path: Path
    value: Any
    around: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    raw: str = ""


def parse(text: str) -> Any:
    """Return a JSON value, mending trailing commas; ValueError if it is none."""
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    except ValueError as error:
        mended = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
        if mended == text:
            raise ValueError(BROKEN_JSON) from error
        try:
            return json.loads(mended, strict=False)
        except (ValueError, RecursionError):
            raise ValueError(BROKEN_JSON) from error


def load(text: str, path: Path, around: dict[str, Any]) -> Element:
    """Return the element a piece of JSON text holds, or its fault."""
    if len(text) > MAX_FIELD and any(len(part[0]) > MAX_FIELD for part in re.finditer(_STRING, text)):
        return Element(path, None, around, FIELD_TOO_LONG, text[:RAW_CHARS])
    try:
        return Element(path, parse(text), around)
    except ValueError as error:
        return Element(path, None, around, str(error), text[:RAW_CHARS])


@dataclass(slots=True)
class _Level:
    """One open bracket outside of records."""

    is_list: bool
    key: str = ""
    has_key: bool = False
    values: dict[str, Any] = field(default_factory=dict)


class Cutter:
    """Walks over JSON text and yields the objects of its outermost lists.

    Lists at a path in `through` are containers themselves; an object at the root is yielded whole if
    `whole`, else the lists inside it are looked for.
    """

    def __init__(self, chunks: Iterator[str], *, through: frozenset[Path], whole: bool = False) -> None:
        self._chunks = chunks
        self._through = through
        self._whole = whole
        self._text = ""
        self._at = 0
        self._levels: list[_Level] = []
        self._overflow = ""
        self._keys: Set[str] = frozenset()

    def __iter__(self) -> Iterator[Element]:
        while (match := self._match(_TOKEN, self._at)) is not None:
            token = match[0]
            if self._opens_record(token):
                yield from self._record(match.start())
                continue
            if token == '"' and not self._drop_string():
                break
            if token != '"':
                self._at = match.end()
            if self._in_root_list() and token not in "{}[],:":
                yield load(token, (), {})
                continue
            fault = self._step('""' if token == '"' else token)
            if fault:
                yield Element((), None, {}, fault, token[:RAW_CHARS])
                return
        if self._levels:
            tail = self._text[-RAW_CHARS:]
            yield Element(self._path(), None, {}, f"{BROKEN_JSON}: the file ends early", tail)

    def _opens_record(self, token: str) -> bool:
        if token == "{" and not self._levels:
            return self._whole
        in_list = bool(self._levels) and self._levels[-1].is_list
        return in_list and token in "{[" and self._path() not in self._through

    def _in_root_list(self) -> bool:
        return len(self._levels) == 1 and self._levels[0].is_list

    def _step(self, token: str) -> str:
        """Take a token outside of records; return what is wrong with it."""
        if token in "{[":
            self._levels.append(_Level(token == "["))
            return TOO_DEEP if len(self._levels) > _MAX_DEPTH else ""
        if token in "}]":
            if self._levels:
                self._levels.pop()
        elif self._levels:
            self._scalar(token)
        elif token != ",":
            return BROKEN_JSON
        return ""

    def _match(self, pattern: re.Pattern[str], start: int) -> re.Match[str] | None:
        """Return the next token, reading on while it may be cut by the end of what is read."""
        while True:
            match = pattern.search(self._text, start)
            if match is not None:
                size = len(self._text) - match.start()
                whole = match[0] in _MARKS or (match[0] != '"' and match.end() < len(self._text))
                if whole or size > MAX_FIELD:
                    return match
            elif pattern is _TOKEN:
                start = self._at = len(self._text)  # nothing but blanks
            elif len(self._text) - self._at > MAX_LINE:
                self._overflow = self._overflow or self._text[self._at : self._at + RAW_CHARS]
                self._text, self._at, start = "", 0, 0
            if not self._more():
                return match
            start -= self._shift(start if match is None else match.start())

    def _shift(self, keep: int) -> int:
        """Forget the text before the current token or record; return by how much places move."""
        cut = min(keep, self._at)
        self._text, self._at = self._text[cut:], self._at - cut
        return cut

    def _more(self) -> bool:
        size = len(self._text)
        parts = [self._text]
        while True:  # a growing step keeps the rescans of one long string linear
            piece = next(self._chunks, None)
            if piece is None:
                break
            parts.append(piece)
            if sum(map(len, parts)) >= 2 * size:
                break
        self._text = "".join(parts)
        return len(self._text) > size

    def _drop_string(self) -> bool:
        """Pass over a string that is too long or never ends; return whether its end was found."""
        rest = self._text[self._text.find('"', self._at) + 1 :]
        while True:
            match = _STRING_END.match(rest)
            if match is not None:
                self._text, self._at = rest[match.end() :], 0
                return True
            odd = (len(rest) - len(rest.rstrip("\\"))) % 2
            piece = next(self._chunks, None)
            if piece is None:
                self._text, self._at = "", 0
                return False
            rest = "\\" * odd + piece

    def _path(self) -> Path:
        return tuple(level.key for level in self._levels if not level.is_list)

    def _around(self) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for level in self._levels:
            merged.update(level.values)
        return merged

    def _scalar(self, token: str) -> None:
        level = self._levels[-1]
        if level.is_list:
            return
        if token in ",:":
            level.has_key = token == ":"
        elif level.has_key:
            if len(level.values) < 200 and len(token) < 10_000:
                level.values[level.key] = load(token, (), {}).value
        elif token.startswith('"'):
            level.key = str(load(token, (), {}).value or "")

    def _record(self, start: int) -> Iterator[Element]:
        """Yield the record that opens at `start`, reading to the bracket that closes it."""
        path, around = self._path(), self._around()
        self._at, self._overflow = start, ""
        place, depth, fault = start, 0, ""
        while True:
            match = self._match(_BRACKET, place)
            if self._overflow:
                fault = fault or LINE_TOO_LONG
            if match is None or (match[0] == '"' and len(self._text) - match.start() <= MAX_FIELD):
                place, self._levels = len(self._text), []
                fault = fault or f"{BROKEN_JSON}: the file ends early"
                break
            if match[0] == '"':
                self._cut_here()
                fault, self._at = FIELD_TOO_LONG, match.start()
                self._drop_string()
                place = self._at
                continue
            place = match.end()
            depth += (match[0] in "{[") - (match[0] in "}]")
            if depth == 0:
                break
            if fault or place - self._at > MAX_LINE:
                fault = fault or LINE_TOO_LONG
                self._cut_here()
                self._at = place
        text, self._at = self._text[self._at : place], place
        yield from self._elements(Element(path, None, around, fault, self._overflow or text[:RAW_CHARS]), text)

    def _cut_here(self) -> None:
        """Keep the beginning of a record whose text is about to be dropped."""
        self._overflow = self._overflow or self._text[self._at : self._at + RAW_CHARS]

    def _elements(self, broken: Element, text: str) -> Iterator[Element]:
        """Yield what the text of a record holds; where a stray quote joined records, the sound ones among them."""
        element = broken
        if not broken.fault:
            element = load(text, broken.path, broken.around)
        if isinstance(element.value, dict) and not element.fault:
            self._keys = element.value.keys()
        if not element.fault.startswith(BROKEN_JSON) or self._overflow or not self._keys:
            yield element
            return
        sound = True
        for piece in _BETWEEN.split(text):
            part = load(piece.strip().rstrip(",]"), broken.path, broken.around)
            if isinstance(part.value, dict) and 2 * len(part.value.keys() & self._keys) > len(self._keys):
                sound = True
                yield part
            elif sound:  # one rejection for all pieces of one broken record
                sound = False
                yield Element(broken.path, None, broken.around, element.fault, piece[:RAW_CHARS])

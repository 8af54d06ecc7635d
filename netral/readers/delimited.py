"""Delimited text cut into rows, also where quotes are not doubled or rows swallow one another."""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from netral.readers.columns import known_names
from netral.readers.lines import LongLine
from netral.readers.records import FIELD_TOO_LONG, LINE_TOO_LONG, MAX_FIELD, MAX_LINE

DELIMITERS = (",", ";", "\t", "|")
TOO_MANY_CELLS = "too-many-cells"
_MAX_CELLS = 50_000
_LENIENT_LINES, _LENIENT_SIZE = 50, 1_000_000
_QUOTED = re.compile(r'"[^"\n]*"')
_SEP = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """The cells that begin on physical line `line`; `fault` says why there are none."""

    line: int
    cells: Sequence[Any]
    fault: str = ""
    raw: str = ""


def sniff_delimiter(lines: Sequence[str]) -> str | None:
    """Return the delimiter of a table's first lines, None for lines without one."""
    lines = [line for line in lines if line.strip()][:40]
    if lines and (declared := _SEP.fullmatch(lines[0].strip())):
        return declared[1]
    if lines and lines[0].strip().casefold() == "sep=":
        return "\t"
    bare = [_QUOTED.sub("", line) for line in lines]
    best: tuple[tuple[int, float, int], str] | None = None
    for delimiter in DELIMITERS:
        counts = Counter(count for line in bare if (count := line.count(delimiter)))
        if not counts:
            continue
        headers = (known_names(split_raw(line, delimiter)) for line in lines[:10] if delimiter in line)
        names = max(headers, default=0)
        common, often = counts.most_common(1)[0]
        steady = often / len(bare)
        if names < 1 and (steady < 0.8 or len(bare) < 2 or known_names(lines[:1])):  # a heading alone: one column
            continue
        score = (names, steady, common)
        if best is None or score > best[0]:
            best = (score, delimiter)
    return best[1] if best else None


def split_raw(line: str, delimiter: str) -> list[str]:
    """Split at every delimiter and take off the quotes round the parts."""
    return [part.strip().strip('"') for part in line.split(delimiter)]


class Splitter:
    """Cuts lines into rows; told the header's width, it mends what strict CSV cannot read.

    `plausible` looks at the cells of a row and says whether its times, numbers and addresses stand where
    they should.
    """

    def __init__(
        self,
        lines: Iterator[str],
        delimiter: str | None,
        width: int = 0,
        plausible: Callable[[Sequence[str]], bool] = lambda cells: False,
    ) -> None:
        self._lines = lines
        self._ahead: deque[str] = deque()
        self._number = 0
        self._delimiter = delimiter or "\x1f"
        self._close = re.compile(rf'"(?=\s*(?:{re.escape(self._delimiter)}|\Z))')
        self._unclosed = False
        self._single = 0
        self._width = width
        self._plausible = plausible
        # The limit is the whole process's, so it is only raised: to the two longest lines that `_strict` may join.
        csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_LINE))

    def __iter__(self) -> Iterator[Row]:
        while (line := self._next()) is not None:
            if isinstance(line, LongLine):
                yield Row(self._number, [], LINE_TOO_LONG, line)
            elif line.strip():
                yield from self._rows(line)

    def _next(self) -> str | None:
        self._number += 1
        if self._ahead:
            return self._ahead.popleft()
        return next(self._lines, None)

    def _peek(self, position: int) -> str | None:
        while len(self._ahead) <= position:
            line = next(self._lines, None)
            if line is None or isinstance(line, LongLine):
                if line is not None:
                    self._ahead.append(line)
                return line
            self._ahead.append(line)
        return self._ahead[position]

    def _rows(self, line: str) -> Iterator[Row]:
        number = self._number
        if len(line) > _MAX_CELLS and line.count(self._delimiter) > _MAX_CELLS:
            yield Row(number, [], TOO_MANY_CELLS, line)
            return
        if '"' not in line:
            for part in self._parts(line):
                yield self._row(number, part.split(self._delimiter), part)
            return
        cells, more = (None, 0) if self._single else self._strict(line)
        if self._single:
            self._single -= 1
            cells = self._alone(line)
        elif cells is None:
            cells, more = self._lenient(line)
        elif more and self._swallowed(line, more):
            self._single = more
            cells, more = self._alone(line), 0
        for _ in range(more):
            self._next()
        yield self._row(number, cells, line)

    def _parts(self, line: str) -> list[str]:
        """Cut a line at lone CRs where each part is a whole row."""
        if self._width < 2 or "\r" not in line:
            return [line]
        parts = line.split("\r")
        return parts if all(part.count(self._delimiter) == self._width - 1 for part in parts) else [line]

    def _row(self, number: int, cells: list[str], line: str) -> Row:
        if len(line) > MAX_FIELD and any(len(cell) > MAX_FIELD for cell in cells):
            return Row(number, [], FIELD_TOO_LONG, line)
        return Row(number, cells, "", line)

    def _strict(self, line: str) -> tuple[list[str] | None, int]:
        """Return the cells by the rules of CSV and how many more lines they took; None if it breaks them."""
        taken = 0

        def feed() -> Iterator[str]:
            nonlocal taken
            size = len(line)
            yield line + "\n"
            while not self._unclosed and size <= MAX_LINE:
                further = self._peek(taken)
                if further is None or isinstance(further, LongLine):
                    return
                taken += 1
                size += len(further) + 1
                yield further + "\n"

        reader = csv.reader(feed(), delimiter=self._delimiter, strict=True)
        try:
            return next(reader), taken
        except StopIteration:
            return None, 0
        except csv.Error as error:
            if "unexpected end" in str(error) and taken > _LENIENT_LINES:
                self._unclosed = True
            return None, 0

    def _swallowed(self, line: str, more: int) -> bool:
        """Tell whether a stray quote joined rows that are whole rows by themselves."""
        tabbed = self._delimiter == "\t"
        if self._width < (2 if tabbed else 3):
            return False
        single = [line, *islice(self._ahead, more)]
        rows = [self._alone(part) for part in (single if more < 4 else (single[0], single[-1]))]
        if any(len(cells) != self._width for cells in rows):
            return False
        return tabbed or all(map(self._plausible, rows))

    def _lenient(self, line: str) -> tuple[list[str], int]:
        """Return the cells where a quote closes only before a delimiter, joining lines while cells lack."""
        cells = self._alone(line)
        if not self._width or len(cells) >= self._width:
            return cells, 0
        joined = line
        for more in range(1, _LENIENT_LINES):
            further = self._peek(more - 1)
            if further is None or isinstance(further, LongLine) or len(joined) > _LENIENT_SIZE:
                break
            if len(self._alone(further)) >= self._width:
                break
            joined += "\n" + further
            wider = self._alone(joined)
            if len(wider) == self._width:
                return wider, more
        return cells, 0

    def _alone(self, line: str) -> list[str]:
        cells: list[str] = []
        position, closes = 0, True
        while True:
            close = None
            start = position
            if closes and line.startswith('"', position):
                close = self._close.search(line, position + 1)
                closes = close is not None
            if close is not None:
                cells.append(_unquote(line[start + 1 : close.start()]))
                position = line.find(self._delimiter, close.end())
            else:
                position = line.find(self._delimiter, position)
                cells.append(_stray(line[start : position if position >= 0 else None]))
            if position < 0:
                return cells
            position += 1


def _unquote(text: str) -> str:
    """Undouble quotes, unless some quote inside is single: then the file never doubled them."""
    return text if '"' in text.replace('""', "") else text.replace('""', '"')


def _stray(text: str) -> str:
    """Undo the doubling that a spreadsheet gave to the end of a row swallowed by another's quote."""
    return text[:-3] + '"' if text.endswith('"""') and text.count('"') == 3 else text

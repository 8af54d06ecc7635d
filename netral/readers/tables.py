"""Rows of any table into posts: header, guessed columns, repeated headers, ragged rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from netral.errors import ReadError
from netral.readers import columns as names
from netral.readers.columns import Layout, is_address, is_number, is_time
from netral.readers.delimited import Row, Splitter, sniff_delimiter
from netral.readers.headers import find_header
from netral.readers.lines import read_lines
from netral.readers.records import (
    ERROR_ROW,
    FIELD_TOO_LONG,
    MAX_FIELD,
    RAGGED_ROW,
    REPEATED_HEADER,
    Columns,
    Record,
    Rows,
    Source,
)
from netral.readers.repair import clean, strip_html, unescape, unescape_newlines
from netral.readers.times import parse_time
from netral.schema import Kind

BEFORE_HEADER = "before-header"
_PROBE, _PROBE_SIZE = 60, 4_000_000
_STATUS = re.compile(r"//(?:\w+\.)?(?:twitter|x)\.com/\w+/status/", re.ASCII)
_REPLIED = re.compile(r"'(?:screen_name|username)':\s*'(\w+)'")


class Table:
    """A header's layout and how a row under it becomes a record; without a delimiter its cells came whole."""

    def __init__(self, rows: Rows, header: Sequence[object], layout: Layout, delimiter: str = "") -> None:
        self.rows = rows
        self._delimiter = delimiter
        self._head(header, layout)

    def _head(self, header: Sequence[object], layout: Layout) -> None:
        self.header = [names.plain(cell) for cell in header]
        self.width = len(self.header)  # a heading written empty keeps its place; a row may leave it out
        while len(self.header) > layout.text + 1 and not self.header[-1]:
            self.header.pop()
        self._header = frozenset(map(str, header))
        self.layout = layout

    def record(self, cells: Sequence[object], line: int = 0) -> Record:
        """Return what one row holds; a repeated header is skipped, and its columns hold from there."""
        if self._is_header(cells):
            return self.rows.skip(REPEATED_HEADER)
        mark = f" (line {line})" if line else ""
        width, joined = self.width, 0
        cells = list(cells)
        while len(self.header) == width < len(cells) and not clean(cells[-1]):
            cells.pop()
        if len(cells) > width and self._delimiter:
            joined = len(cells) - width
            cells = self._rejoined(cells)
        del cells[width:]  # a spreadsheet's notes beside the table
        if any(isinstance(cell, str | bytes) and len(cell) > MAX_FIELD for cell in cells):
            return self.rows.reject(FIELD_TOO_LONG + mark, self._raw(cells))
        if self.layout.text >= len(cells):
            if any(map(clean, cells)):
                reason = f"{RAGGED_ROW}: {len(cells)} cells under {width} columns{mark}"
                return self.rows.reject(reason, self._raw(cells))
            return self.rows.post("")
        if len(cells) < len(self.header):
            return self._short(cells)
        return self.post(cells, {"joined_cells": joined} if joined else {})

    def plausible(self, cells: Sequence[object]) -> bool:
        """Tell whether the time, id and address of a row are such, and at least one is there."""
        layout, seen = self.layout, 0
        for place, fits in ((layout.time, is_time), (layout.url, is_address), (layout.id, is_number)):
            value = clean(cells[place]) if place is not None and place < len(cells) else ""
            if value and not fits(value):
                return False
            seen += bool(value)
        return seen > 0

    def _is_header(self, cells: Sequence[object]) -> bool:
        text = self.layout.text
        if text < len(cells) and names.plain(cells[text]) == self.header[text]:
            plain = [names.plain(cell) for cell in cells]
            if plain[: len(self.header)] == self.header and not any(plain[len(self.header) :]):
                return True
        alike = sum(isinstance(cell, str) and cell in self._header for cell in cells[:64] if cell) >= 3
        if len(cells) < 3 or not (alike or len(cells) != len(self.header)) or names.known_names(cells) < 3:
            return False
        plain = [names.plain(cell) for cell in cells]
        foreign = sum(name in self.header for name in plain) * 2 < len(plain)
        if foreign and (alike or not names.looks_like_header(cells)):
            return False
        layout = names.layout_of(cells, Columns(), self.rows.file)
        if layout is not None:
            self._head(cells, layout)
        return layout is not None

    def _rejoined(self, cells: list[object]) -> list[object]:
        """Give surplus cells back to the text, whose delimiters cut them off."""
        text, surplus = self.layout.text, len(cells) - self.width
        whole = self._delimiter.join(map(str, cells[text : text + surplus + 1]))
        return [*cells[:text], whole, *cells[text + surplus + 1 :]]

    def _short(self, cells: list[object]) -> Record:
        """Read a row that lacks cells: what stands right of the text is trusted only by its shape."""
        layout, text = self.layout, self.layout.text
        addresses = [
            place
            for place in range(text + 1, len(cells))
            if is_address(clean(cells[place])) and "/status/" in str(cells[place])
        ]
        at = {
            role: place
            for role in ("author", "time", "id", "url", "platform")
            if (place := getattr(layout, role)) is not None and place < len(cells)
        }
        at = {role: place for role, place in at.items() if place < text or role in ("time", "url")}
        if addresses:
            at["url"] = addresses[0]
        fits = {"time": is_time, "id": is_number, "url": is_address}
        kept = {role: place for role, place in at.items() if role not in fits or fits[role](clean(cells[place]))}
        bare = Layout(
            text,
            author=kept.get("author"),
            time=kept.get("time"),
            id=kept.get("id"),
            url=kept.get("url"),
            platform=kept.get("platform"),
            network=layout.network,
            comment=layout.comment,
            entities=layout.entities,
            newlines=layout.newlines,
            html=layout.html,
        )
        return self.post(cells, {"missing_cells": len(self.header) - len(cells)}, bare)

    def post(
        self,
        cells: Sequence[object],
        meta: dict[str, object] | None = None,
        layout: Layout | None = None,
        passed: str = "",
    ) -> Record:
        """Return what the cells of a whole row hold; `passed` is more text of others."""
        layout, meta = layout or self.layout, meta or {}

        def cell(place: int | None) -> object:
            return cells[place] if place is not None and place < len(cells) else None

        text = clean(cell(layout.text)) or next((value for place in layout.texts if (value := clean(cell(place)))), "")
        others = [passed, *(clean(cell(place)) for place in layout.quoted)]
        quoted = "\n".join(part for part in others if part)
        if not text and not quoted and names.has_error(self.header) and self._has_error(cells):
            return self.rows.skip(ERROR_ROW)
        time = cell(layout.time)
        if layout.clock is not None and layout.clock != layout.time:
            day = clean(time).removesuffix(" 00:00:00")  # a spreadsheet's date
            joined = f"{day} {clean(cell(layout.clock))} {clean(cell(layout.zone))}".strip()
            time = parse_time(joined, month_first=layout.month_first) or time
        reply_to = clean(cell(layout.reply_to))
        if reply_to.startswith("["):
            found = _REPLIED.search(reply_to)
            reply_to = found[1] if found else ""
        kind = Kind.COMMENT if layout.comment else Kind.POST
        if clean(cell(layout.shared)):
            kind, meta = Kind.SHARE, {**meta, "shared_id": clean(cell(layout.shared))}
        if not layout.entities and _STATUS.search(clean(cell(layout.url))):
            layout = replace(layout, entities=True)
        return self.rows.post(
            repaired(text, layout),
            quoted=quoted,
            author=cell(layout.author),
            time=time,
            month_first=layout.month_first,
            id=cell(layout.id),
            url=cell(layout.url),
            platform=clean(cell(layout.platform)) or layout.network,
            reply_to=reply_to,
            kind=kind,
            meta=meta,
        )

    def _has_error(self, cells: Sequence[object]) -> bool:
        return any(names.has_error([name]) and clean(cell) for name, cell in zip(self.header, cells, strict=False))

    def _raw(self, cells: Sequence[object]) -> str:
        return ",".join(str(cell)[:200] for cell in cells[:50] if cell is not None)


def repaired(text: str, layout: Layout) -> str:
    """Undo the escapes that a layout's format puts into its texts."""
    if layout.entities:
        text = unescape(text)
    if layout.newlines:
        text = unescape_newlines(text)
    return strip_html(text) if layout.html or (layout.network == "youtube" and "<br>" in text) else text


def read_table(source: Source) -> Iterator[Record]:
    """Read delimited text: its first lines tell the columns, then all is cut by what they tell."""
    with source.open() as stream:
        lines = read_lines(stream)
        head = _first(lines)
        delimiter = sniff_delimiter(head)
        if head and head[0].strip().strip('"').casefold().startswith("sep="):
            head = head[1:]
        probe = list(islice(Splitter(iter(head), delimiter), _PROBE))
        if probe:
            at, header, layout = find_header(probe, source)
            table = Table(Rows(source.name), header, layout, delimiter or "")
            splitter = Splitter(chain(head, lines), delimiter, table.width, table.plausible)
            yield from _read(iter(splitter), at, table)


def _first(lines: Iterator[str]) -> list[str]:
    """Take the lines to look at, few where they are long."""
    head: list[str] = []
    size = 0
    for line in lines:
        head.append(line)
        size += len(line)
        if len(head) >= _PROBE or size > _PROBE_SIZE:
            break
    return head


def read_rows(cells: Iterator[Sequence[object]], source: Source, rows: Rows | None = None) -> Iterator[Record]:
    """Read rows of cells that something else has cut, such as a spreadsheet's."""
    stream = (Row(0, row) for row in cells)
    probe: list[Row] = []
    damage: ReadError | None = None
    try:
        for row in islice(stream, _PROBE):
            probe.append(row)
    except ReadError as error:
        damage = error
    if damage is not None and len(probe) < 2:
        raise damage
    if probe:
        at, header, layout = find_header(probe, source)
        yield from _read(chain(probe, stream), at, Table(rows or Rows(source.name), header, layout))
    if damage is not None:
        raise damage


def _read(stream: Iterator[Row], at: int, table: Table) -> Iterator[Record]:
    for row in islice(stream, max(at, 0)):
        yield _fault(row, table) if row.fault else table.rows.skip(BEFORE_HEADER)
    if at >= 0:
        next(stream, None)
    for row in _mended(stream, table):
        yield _fault(row, table) if row.fault else table.record(row.cells, row.line)


def _fault(row: Row, table: Table) -> Record:
    return table.rows.reject(f"{row.fault} (line {row.line})", row.raw)


def _mended(stream: Iterator[Row], table: Table) -> Iterator[Row]:
    """Join rows that an unquoted line end inside the text has cut in two or more."""
    text, width = table.layout.text, table.width
    if text == width - 1:
        yield from stream
        return
    held: list[Row] = []
    for row in stream:
        if held:
            if not row.fault and len(row.cells) == width - text and table.plausible(_joined([*held, row])):
                yield Row(held[0].line, _joined([*held, row]))
                held = []
                continue
            if not row.fault and len(row.cells) == 1 and len(held) < 100:
                held.append(row)
                continue
            yield from held
            held = []
        if not row.fault and len(row.cells) == text + 1 < width and row.line:
            held = [row]
        else:
            yield row
    yield from held


def _joined(rows: list[Row]) -> list[str]:
    first, *middle, last = rows
    whole = "\n".join([first.cells[-1], *(row.cells[0] for row in middle), last.cells[0]])
    return [*first.cells[:-1], whole, *last.cells[1:]]

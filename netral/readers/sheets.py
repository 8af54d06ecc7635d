"""XLSX workbooks, streamed sheet by sheet."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice, zip_longest
from typing import IO, Any

from netral.errors import ReadError
from netral.readers.records import NO_TEXT_FIELD, UNREADABLE_FILE, NoPosts, Record, Rows, Source
from netral.readers.tables import read_rows
from netral.schema import Post

_MAX_ROWS = 1_048_576
_BATCH = 50
_CHUNK = 1_000_000
_REMEDY = "open it in a spreadsheet and save it as .xlsx or CSV"


def read_sheets(source: Source) -> Iterator[Record]:
    """Read every sheet that has a column of texts; one that has rows and no such column is a rejection."""
    with ExitStack() as stack:
        shown = _load(stack, source, data_only=True)
        written = _load(stack, source, data_only=False) if _has_formulas(source) else None
        yield from _read_book(shown, written, source)


def _load(stack: ExitStack, source: Source, *, data_only: bool) -> Any:
    from openpyxl import load_workbook

    stream: IO[bytes] = stack.enter_context(source.open())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(stream, read_only=True, data_only=data_only, keep_links=False)
    except Exception as error:  # openpyxl lets the errors of zipfile, XML and its own descriptors through
        raise ReadError(f"{source.name}: not a readable XLSX file ({type(error).__name__}); {_REMEDY}") from error
    stack.callback(book.close)
    return book


def _has_formulas(source: Source) -> bool:
    """Tell whether a sheet has formulas: a post that begins with = is often saved as one, without a value."""
    with source.open() as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return any(_mentions_formula(archive, name) for name in archive.namelist())
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
            return False  # what is damaged is named when its rows are read


def _mentions_formula(archive: zipfile.ZipFile, name: str) -> bool:
    if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
        return False
    tail = b""
    with archive.open(name) as sheet:
        while piece := sheet.read(_CHUNK):
            whole = tail + piece
            if b"<f>" in whole or b"<f " in whole:
                return True
            tail = piece[-3:]
    return False


def _read_book(shown: Any, written: Any, source: Source) -> Iterator[Record]:
    rows = Rows(source.name)
    several = len(shown.worksheets) > 1
    refused: list[NoPosts] = []
    damaged: list[ReadError] = []
    for sheet in shown.worksheets:
        twin = written[sheet.title] if written is not None else None
        before = rows.row
        named = replace(source, name=f"{source.name}: sheet {sheet.title!r}")
        try:
            records = read_rows(_cells(sheet, twin, source.name), named, rows)
            yield from _of_sheet(records, sheet.title) if several else records
        except NoPosts as error:
            if len(list(islice(_cells(sheet, None, source.name), 2))) > 1:  # a title alone is a cover
                refused.append(error)
        except ReadError as error:
            if rows.row > before:
                yield rows.reject(f"{UNREADABLE_FILE}: {error}")
            else:
                damaged.append(error)
    if not rows.row:
        raise (*damaged, *refused, NoPosts(f"{source.name}: no sheet of it has a row of posts"))[0]
    for damage in damaged:
        yield rows.reject(f"{UNREADABLE_FILE}: {damage}")
    for refusal in refused:
        yield rows.reject(f"{NO_TEXT_FIELD}: {refusal}")


def _of_sheet(records: Iterator[Record], title: str) -> Iterator[Record]:
    """Note in each post which of several sheets it comes from."""
    for record in records:
        yield replace(record, meta={**record.meta, "sheet": title}) if isinstance(record, Post) else record


def _cells(sheet: Any, twin: Any, name: str) -> Iterator[Sequence[object]]:
    """Yield rows of the values shown, or what was written where a formula has no value."""
    try:
        values = _values(sheet)
        if twin is not None:
            values = (_filled(*pair) for pair in zip_longest(values, _values(twin), fillvalue=()))
        for row in values:
            cells = list(row)
            while cells and cells[-1] is None:
                cells.pop()
            if cells:
                yield cells
    except Exception as error:
        message = f"{name}: sheet {sheet.title!r} is damaged ({type(error).__name__}); {_REMEDY}"
        raise ReadError(message) from error


def _values(sheet: Any) -> Iterator[Sequence[object]]:
    """Yield a sheet's rows, whatever size it claims; openpyxl fills the gaps between row numbers with blank rows."""
    sheet.reset_dimensions()
    rows = enumerate(sheet.iter_rows(values_only=True), 1)
    while batch := _batch(rows):
        for number, row in batch:
            if isinstance(row, Exception):
                raise row
            if number > _MAX_ROWS and not row:
                raise ValueError("a row is numbered beyond the last that a sheet can have")
            yield row


def _batch(rows: Iterator[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Take a few rows without openpyxl's warnings; an error stands after the rows before it."""
    batch: list[tuple[int, Any]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for row in islice(rows, _BATCH):
                batch.append(row)
        except Exception as error:
            batch.append((0, error))
    return batch


def _filled(shown: Sequence[object], written: Sequence[object]) -> list[object]:
    pairs = zip_longest(shown, written)
    return [formula if value is None and isinstance(formula, str) else value for value, formula in pairs]

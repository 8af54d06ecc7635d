"""Sinks for verdicts: JSON Lines that grow safely, and the CSV, Parquet and XLSX rendered from them."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from netral.errors import WriteError
from netral.schema import plain

_FORMULA = re.compile("[\\s\x00\u200b\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]| *[\t\r]")
_INNER_FORMULA = re.compile('(?<=[;\t\r\n])(?=(?:[^\\S\t\r\n]|[\x00\u200b\ufeff"])*[=+\\-@\uff1d\uff0b\uff0d\uff20])')
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

XLSX_ROWS = 1_048_576
"""Rows of one XLSX sheet, the header's among them (Excel's limit)."""

XLSX_CHARS = 32_767
"""UTF-16 units of one XLSX cell (Excel's limit)."""

CUT = " … [dipotong]"
"""Ends a cell that was cut to Excel's limit."""

_BATCH = 10_000

COLUMNS: Mapping[str, type] = {
    "file": str,
    "row": int,
    "sheet": str,
    "id": str,
    "author": str,
    "time": str,
    "platform": str,
    "kind": str,
    "url": str,
    "text": str,
    "quoted": str,
    "label": str,
    "score": float,
    "partisan": float,
    "hate": float,
    "hoax": float,
    "review": bool,
    "decided_by": str,
    "truncated": bool,
    "evidence": str,
    "rules": str,
    "regulations": str,
    "version": str,
}
"""Names and types of the columns of verdicts.csv, .parquet and .xlsx."""

_POST = ("id", "author", "time", "platform", "kind", "url", "text", "quoted")


def reason_of(error: OSError) -> str:
    """Return why a write failed and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"no room left to write ({error.strerror}); free some space and run again with --resume"
    return f"cannot be written ({error.strerror or error})"


def json_line(data: Mapping[str, Any]) -> bytes:
    """Return `data` as one line of UTF-8 JSON; lone surrogates become U+FFFD, odd values their text."""
    return json.dumps(plain(data), ensure_ascii=False).encode() + b"\n"


class LineFile:
    """A file of JSON lines that grows; `at` says how many of its bytes are good, the rest is cut off."""

    def __init__(self, path: Path, at: int = 0) -> None:
        """Open `path`, made when missing; raises `WriteError`, also when less than `at` is there."""
        self.path = path
        try:
            self._stream = path.open("r+b" if path.exists() else "w+b", buffering=1 << 18)
            self.size = self._stream.seek(0, os.SEEK_END)
            if self.size < at:
                self._stream.close()
                raise WriteError(f"{path}: shorter than its journal says; empty the folder and scan again")
            self._stream.truncate(at)
            self.size = self._stream.seek(at)
        except OSError as error:
            raise WriteError(f"{path}: {reason_of(error)}") from error

    def write(self, data: Mapping[str, Any]) -> None:
        """Append one line."""
        line = json_line(data)
        try:
            self._stream.write(line)
        except OSError as error:
            raise WriteError(f"{self.path}: {reason_of(error)}") from error
        self.size += len(line)

    def sync(self) -> None:
        """Bring everything written so far to the disk."""
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise WriteError(f"{self.path}: {reason_of(error)}") from error

    def close(self) -> None:
        """Close the file; what failed to be written has been reported by `write` or `sync`."""
        try:
            self._stream.close()
        except OSError:
            return


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines."""
    with path.open("rb") as stream:
        for line in stream:
            yield json.loads(line)


# ---------------------------------------------------------------------------- tables


def flat(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of verdicts.jsonl as the values of `COLUMNS`."""
    post, text = verdict["post"], verdict["post"]["text"]
    meta = post["meta"]
    return {
        "file": str(meta.get("file", "")),
        "row": meta["row"] if isinstance(meta.get("row"), int) else None,
        "sheet": str(meta.get("sheet", "")),
        **{key: post[key] or "" for key in _POST},
        "label": verdict["label"],
        "score": verdict["score"],
        **verdict["flags"],
        "review": verdict["review"],
        "decided_by": verdict["decided_by"],
        "truncated": verdict["truncated"],
        "evidence": " | ".join(dict.fromkeys(text[item["start"] : item["end"]] for item in verdict["evidence"])),
        "rules": " ".join(dict.fromkeys(item["rule"] for item in verdict["evidence"] if item["rule"])),
        "regulations": " | ".join(_regulation(item) for item in verdict["regulations"]),
        "version": verdict["version"],
    }


def _regulation(pointer: Mapping[str, Any]) -> str:
    """Return a pointer with whom it is for and what it hangs on, lest it be read as a finding of guilt."""
    place = ", ".join(part for part in (pointer["title"], pointer["article"]) if part)
    return ": ".join(filter(None, (f"{place} ({', '.join(pointer['applies_to'])})", pointer["condition"])))


def safe_cell(text: str) -> str:
    """Return `text` with an apostrophe before it where a spreadsheet could take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def write_csv(verdicts: Path, target: Path) -> None:
    """Write verdicts.csv from verdicts.jsonl: UTF-8 with a mark Excel knows, every cell quoted, no formulas.

    Quotes do not hold where a spreadsheet splits at semicolons or tabs, so that each piece of a cell is guarded.
    """
    with target.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        for line in read_lines(verdicts):
            row = flat(line).values()
            writer.writerow(
                [_INNER_FORMULA.sub("'", safe_cell(value)) if isinstance(value, str) else value for value in row]
            )


def write_parquet(verdicts: Path, target: Path) -> None:
    """Write verdicts.parquet from verdicts.jsonl, a batch at a time; texts as they are."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    lines = read_lines(verdicts)
    with ParquetWriter(target, schema) as writer:
        while batch := [flat(line) for line in islice(lines, _BATCH)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def write_xlsx(verdicts: Path, target: Path, *, max_rows: int = XLSX_ROWS) -> None:
    """Write verdicts.xlsx from verdicts.jsonl: texts as texts, a further sheet after every `max_rows` rows."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # a folder of its own, so that after an error nothing of it is left on a disk that may be full
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        book = xlsxwriter.Workbook(target, options | {"tmpdir": scratch})
        book.use_zip64()
        try:
            _fill(book, read_lines(verdicts), max_rows)
            book.close()
        finally:
            book.fileclosed = True  # else its destructor would try once more, and complain


def _fill(book: Any, lines: Iterator[dict[str, Any]], max_rows: int) -> None:
    first, sheets = next(lines, None), 0
    while first is not None or not sheets:
        sheets += 1
        sheet = book.add_worksheet("verdicts" if sheets == 1 else f"verdicts {sheets}")
        for column, name in enumerate(COLUMNS):
            sheet.write_string(0, column, name)
        rows = chain([first] if first is not None else [], islice(lines, max_rows - 2))
        for number, line in enumerate(rows, start=1):
            for column, value in enumerate(flat(line).values()):
                _write_cell(sheet, number, column, value)
        first = next(lines, None)


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, str):
        if value:
            sheet.write_string(row, column, fit_cell(safe_cell(_NOT_XML.sub("\ufffd", value))))
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)


def fit_cell(text: str) -> str:
    """Return `text` cut to Excel's cell limit, with the mark `CUT` where it was cut."""
    if len(text) <= XLSX_CHARS // 2 or len(text.encode("utf-16-le")) // 2 <= XLSX_CHARS:
        return text
    room = (XLSX_CHARS - len(CUT)) * 2
    return text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + CUT


RENDERERS: Mapping[str, Callable[[Path, Path], None]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "xlsx": write_xlsx,
}
"""How each further format is rendered from verdicts.jsonl."""

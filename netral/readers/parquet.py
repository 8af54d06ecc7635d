"""Parquet files, read in batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from netral.errors import ReadError
from netral.readers.records import Record, Source
from netral.readers.tables import read_rows

_BATCH = 2_000
_DEPTH = 3
_REMEDY = "copy or download it again"


def read_parquet(source: Source) -> Iterator[Record]:
    """Read a Parquet file; nested columns are named with dots."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    with source.open() as stream:
        try:
            file = ParquetFile(stream)
            schema = file.schema_arrow
        except (ArrowException, OSError, ValueError) as error:
            raise ReadError(f"{source.name}: not a readable Parquet file ({_brief(error)}); {_REMEDY}") from error
        with file:
            yield from read_rows(_rows(file, _flat(schema.empty_table()).column_names, source.name), source)


def _rows(file: Any, names: list[str], name: str) -> Iterator[Sequence[object]]:
    from pyarrow import ArrowException, Table

    yield names
    promised, count = file.metadata.num_rows, 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH):
            count += batch.num_rows
            yield from zip(*(_values(column) for column in _flat(Table.from_batches([batch])).columns), strict=True)
    except (ArrowException, OSError, ValueError) as error:
        raise ReadError(f"{name}: damaged Parquet data ({_brief(error)}); {_REMEDY}") from error
    if count < promised:
        raise ReadError(f"{name}: {count} rows where its footer promises {promised}; {_REMEDY}")


def _values(column: Any) -> list[object]:
    """Return a column's values; one that Python has no form for costs no other."""
    try:
        return list(column.to_pylist())
    except (ArithmeticError, ValueError):
        return [_value(cell) for cell in column]


def _value(cell: Any) -> object:
    try:
        return cell.as_py()
    except (ArithmeticError, ValueError):  # bytes that are no UTF-8, an unknown zone, a moment beyond year 9999
        if hasattr(cell, "as_buffer"):
            return cell.as_buffer().to_pybytes()
        return cell.value if hasattr(cell.type, "tz") else None


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _flat(table: Any) -> Any:
    for _ in range(_DEPTH):
        table = table.flatten()
    return table

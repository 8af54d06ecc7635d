"""`read_posts`: whatever the user has - a file, a folder, a zip, a stream - as records."""

from __future__ import annotations

import logging
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from netral.errors import ReadError
from netral.readers import archives
from netral.readers.archives import Budget, held, open_zip, walk_folder, walk_zip
from netral.readers.detect import ZIP, reader_of
from netral.readers.records import (
    NO_POSTS,
    NO_TEXT_FIELD,
    UNREADABLE_FILE,
    Columns,
    NoPosts,
    NoTexts,
    Record,
    Rejected,
    Skipped,
    Source,
)
from netral.readers.sheets import read_sheets

logger = logging.getLogger(__name__)

_DAMAGE = (*archives.ZIP_ERRORS, zlib.error)


def read_posts(path: str | Path | IO[bytes], *, columns: Columns | None = None) -> Iterator[Record]:
    """Yield every record of a file, folder, zip or binary stream as a Post, Rejected or Skipped.

    The format is told by content. ReadError names the file and the remedy where nothing can be read;
    inside a folder or zip such a file becomes one Rejected or Skipped with row 0.
    """
    columns = columns or Columns()
    if not isinstance(path, str | Path):
        return _stream(path, columns)
    place = Path(path)
    if not place.exists():
        raise ReadError(f"{place}: no such file or folder")
    if place.is_dir():
        return _several(walk_folder(place, columns), str(place))
    return _whole(Source(place.name, lambda: place.open("rb"), columns=columns, lone=True))


def _stream(stream: IO[bytes], columns: Columns) -> Iterator[Record]:
    """Keep a stream in a temporary file, since some formats are read twice at a time or from their end."""
    with tempfile.TemporaryDirectory(prefix="netral-") as folder:
        place = Path(folder, "stream")
        with place.open("wb") as kept:
            shutil.copyfileobj(stream, kept)
        yield from _whole(Source("-", lambda: place.open("rb"), columns=columns, lone=True))


def _whole(source: Source) -> Iterator[Record]:
    """Read the one thing the user named; nothing in it is an error."""
    count = 0
    for record in _file(source):
        count += 1
        yield record
    if not count:
        raise NoPosts(f"{source.name}: no record in it; is it a header alone?")


def _several(
    sources: Iterator[Source | Rejected], name: str, nesting: int = 0, budget: Budget | None = None
) -> Iterator[Record]:
    """Read files that stand together; one that cannot be read does not stop the others."""
    found = False
    for source in sources:
        if isinstance(source, Rejected):
            found = True
            yield source
            continue
        empty = True
        try:
            for record in _file(source, nesting, budget):
                empty, found = False, found or not isinstance(record, Skipped) or record.row > 0
                yield record
            if empty:
                yield Skipped(source.name, 0, NO_POSTS)
        except NoTexts as error:
            found = True
            yield Rejected(source.name, 0, f"{NO_TEXT_FIELD}: {error}", "")
        except NoPosts:
            yield Skipped(source.name, 0, NO_POSTS)
        except ReadError as error:
            found = True
            yield Rejected(source.name, 0, f"{UNREADABLE_FILE}: {error}", "")
        except Exception as error:  # a fault in a reader costs the rest of its file, not the others
            found = True
            logger.debug("%s: reader fault", source.name, exc_info=True)
            yield Rejected(source.name, 0, f"{UNREADABLE_FILE}: reader fault ({type(error).__name__})", "")
    if not found:
        raise NoPosts(f"{name}: no file in it is an export of posts")


def _file(source: Source, nesting: int = 0, budget: Budget | None = None) -> Iterator[Record]:
    """Read one file; damage after good records becomes a last rejection."""
    row, last = 0, source.name
    try:
        for record in _opened(source, nesting, budget):
            row = record.meta["row"] if not isinstance(record, Rejected | Skipped) else record.row
            last = record.meta["file"] if not isinstance(record, Rejected | Skipped) else record.file
            yield record
    except ReadError as error:
        if not row:
            raise
        yield Rejected(last, row + 1, f"{UNREADABLE_FILE}: {error}", "")
    except _DAMAGE as error:
        message = f"{source.name}: {_damage(error)}"
        if not row:
            raise ReadError(message) from error
        yield Rejected(last, row + 1, f"{UNREADABLE_FILE}: {message}", "")


def _damage(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror}); check the file and its permissions"
    return f"damaged ({type(error).__name__}); copy or download it again"


def _opened(source: Source, nesting: int, budget: Budget | None) -> Iterator[Record]:
    with source.open() as stream:
        head = stream.read(8)
    if not head.startswith(ZIP):
        reader = reader_of(source)
        packed = not source.lone and "PAR1" in head[:4].decode("latin-1")
        yield from reader(held(source) if packed and nesting else source)
        return
    if nesting > archives.MAX_NESTING:
        raise ReadError(f"{source.name}: a zip inside of zips inside of zips; unpack it")
    source = held(source) if nesting else source
    with source.open() as stream, open_zip(stream, source.name, budget := budget or Budget(stream)) as archive:
        kind = archives.kind_of(archive)
        if kind == "document":
            raise NoPosts(f"{source.name}: a document, not a table; save it as .xlsx or CSV")
        if kind == "archive":
            prefix = "" if source.lone else source.name + "/"
            yield from _several(walk_zip(archive, prefix, source.columns), source.name, nesting + 1, budget)
            return
        if any(map(archives.is_bomb, archive.infolist())) or archives.is_heavy(archive):
            raise ReadError(f"{source.name}: unpacks to more than a workbook is read for; save it as CSV")
    yield from read_sheets(source)

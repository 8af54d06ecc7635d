"""What is scanned: input files with their hashes, and one stream of records over all of them."""

from __future__ import annotations

import logging
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

from netral.errors import ReadError, ScanError
from netral.readers import Columns, Rejected, Skipped, read_posts
from netral.readers.archives import walk_folder
from netral.readers.records import (
    NO_POSTS,
    NO_TEXT_FIELD,
    TEXT_TOO_LONG,
    UNREADABLE_FILE,
    NoPosts,
    NoTexts,
    Source,
    excerpt,
)
from netral.schema import MAX_CHARS, Post

logger = logging.getLogger(__name__)

STDIN = "-"


class NothingReadable(ReadError):
    """No input held a single record; the message names the inputs and why."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file of the inputs as it was when the scan began."""

    path: str
    bytes: int
    sha256: str
    mtime_ns: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that a manifest holds: a copy with another time is the same input."""
        return {"path": self.path, "bytes": self.bytes, "sha256": self.sha256}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file; raises `ReadError`."""
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ReadError(f"{path}: cannot be read ({error.strerror or error})") from error


def hash_inputs(paths: Sequence[str], spool: Path) -> list[Input]:
    """Return every file that will be read of `paths` with its hash; standard input stands in `spool`.

    A file that cannot be opened has the hash "", and the readers will say why.
    """
    found = []
    for path in paths:
        place = spool if path == STDIN else Path(path)
        if not place.is_file() and not place.is_dir():
            remedy = "give '-' to read a pipe" if place.exists() else "check its name"
            raise ReadError(f"{path}: no such file or folder; {remedy}")
        for file in _files_of(place) if place.is_dir() else [place]:
            name = STDIN if path == STDIN else str(file)
            try:
                stat = file.stat()
                found.append(Input(name, stat.st_size, sha256_of(file), stat.st_mtime_ns))
            except (OSError, ReadError) as error:
                logger.warning("%s", error)
                found.append(Input(name, 0, ""))
    return found


def _files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that the readers read: a link or hidden file must not decide over a scan."""
    return (folder / source.name for source in walk_folder(folder, Columns()) if isinstance(source, Source))


def check_unchanged(inputs: Sequence[Input]) -> None:
    """Raise `ScanError` when a file was written to since the start: its size or time is another."""
    for item in inputs:
        if item.path == STDIN or not item.sha256:
            continue
        path = Path(item.path)
        stat = path.stat() if path.is_file() else None
        if stat is None or (stat.st_size, stat.st_mtime_ns) != (item.bytes, item.mtime_ns):
            raise ScanError(f"{item.path}: changed while it was scanned; scan a copy that nobody writes to")


def spool_stdin(target: Path) -> None:
    """Copy standard input to `target`, whole or not at all."""
    half = target.with_suffix(".part")
    try:
        with half.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        half.replace(target)
    except OSError as error:
        raise ScanError(f"standard input: could not be kept in {target} ({error.strerror or error})") from error


def read_records(paths: Sequence[str], spool: Path, columns: Columns) -> Iterator[Post | Rejected | Skipped]:
    """Yield the records of all inputs in order; one that cannot be read becomes a record with row 0.

    Of several inputs a record names its own: by base name, or as given where base names collide.
    """
    bases = Counter(Path(path).name for path in paths)
    for path in paths:
        base = Path(path).name
        name = base if base and bases[base] == 1 else str(Path(path))
        try:
            records = _read(path, spool, columns)
            yield from _told_apart(records, base, name) if len(paths) > 1 else records
        except NoTexts as error:
            logger.warning("%s", error)
            yield Rejected(path, 0, f"{NO_TEXT_FIELD}: {error}", "")
        except NoPosts as error:
            logger.warning("%s", error)
            yield Skipped(path, 0, NO_POSTS)
        except ReadError as error:
            logger.warning("%s", error)
            yield Rejected(path, 0, f"{UNREADABLE_FILE}: {error}", "")
        except Exception as error:  # a fault in a reader costs the rest of its file, not the scan
            logger.warning("%s: the reader failed (%s); the rest of this input is not read", path, type(error).__name__)
            logger.debug("reader fault", exc_info=True)
            yield Rejected(path, 0, f"{UNREADABLE_FILE}: reader fault ({type(error).__name__})", "")


def _read(path: str, spool: Path, columns: Columns) -> Iterator[Post | Rejected | Skipped]:
    if path == STDIN:
        with spool.open("rb") as stream:
            yield from map(_bounded, read_posts(stream, columns=columns))
    else:
        yield from map(_bounded, read_posts(path, columns=columns))


def _told_apart(
    records: Iterator[Post | Rejected | Skipped], base: str, name: str
) -> Iterator[Post | Rejected | Skipped]:
    """Name the input `base` by `name`, and the files in a folder or zip with it before their own."""
    for record in records:
        file = record.meta["file"] if isinstance(record, Post) else record.file
        told = name if file == base else f"{name}/{file}"
        if told == file:
            yield record
        elif isinstance(record, Post):
            yield replace(record, meta={**record.meta, "file": told})
        else:
            yield replace(record, file=told)


def _bounded(record: Post | Rejected | Skipped) -> Post | Rejected | Skipped:
    """Reject a post that the screener would refuse."""
    if not isinstance(record, Post) or (len(record.text) <= MAX_CHARS and len(record.quoted) <= MAX_CHARS):
        return record
    size = max(len(record.text), len(record.quoted))
    reason = f"{TEXT_TOO_LONG}: {size} characters, at most {MAX_CHARS}"
    return Rejected(str(record.meta.get("file", "")), int(record.meta.get("row", 1)), reason, excerpt(record.text))

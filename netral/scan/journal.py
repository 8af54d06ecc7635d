"""The journal of an unfinished scan: its fingerprint, and how far its files are good."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from netral.errors import ScanError, WriteError
from netral.scan.tally import Tally
from netral.writers import reason_of

WORK = ".netral"
"""Folder inside the output directory that holds everything unfinished; gone when the scan is done."""

JOURNAL = "journal.jsonl"


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Make the output folder and lock it, so that no two scans write there; raises `ScanError` where one does."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{out}: {reason_of(error)}") from error
    try:
        import fcntl
    except ImportError:  # Windows: two scans into one folder are the user's to avoid
        yield
        return
    folder = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ScanError(f"{out}: another scan is writing there; wait for it or choose another --out") from error
        yield
    finally:
        os.close(folder)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """After a whole part: the counts so far and the good bytes of the two growing files."""

    tally: Tally
    verdicts: int = 0
    rejected: int = 0
    judged: bool = False


class Journal:
    """Append-only; a line counts once its newline is on disk."""

    def __init__(self, work: Path, stream: IO[bytes], last: Checkpoint) -> None:
        """Store an opened journal; see `start` and `resume`."""
        self.work = work
        self.last = last
        self._stream = stream

    @classmethod
    def start(cls, work: Path, fingerprint: Mapping[str, Any]) -> Journal:
        """Begin a journal in the fresh folder `work`."""
        path = work / JOURNAL
        half = work / "journal.part"
        try:
            with half.open("wb") as fresh:
                fresh.write(_line({"fingerprint": fingerprint}))
                fresh.flush()
                os.fsync(fresh.fileno())
            half.replace(path)
            stream = path.open("r+b")
        except OSError as error:
            raise WriteError(f"{path}: {reason_of(error)}") from error
        stream.seek(0, os.SEEK_END)
        return cls(work, stream, Checkpoint(Tally()))

    @classmethod
    def resume(cls, work: Path, fingerprint: Mapping[str, Any]) -> Journal:
        """Open the journal in `work`; raises `ScanError` naming what differs from `fingerprint`."""
        path = work / JOURNAL
        try:
            stream = path.open("r+b")
        except OSError as error:
            raise ScanError(f"{path}: cannot be opened ({error.strerror or error})") from error
        try:
            lines = list(_whole_lines(stream))
            compare(lines[0][0]["fingerprint"], fingerprint)
            last = Checkpoint(Tally())
            for data, _ in lines[1:]:
                last = Checkpoint(Tally.from_dict(data["tally"]), data["verdicts"], data["rejected"], data["judged"])
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            stream.close()
            raise ScanError(f"{path}: damaged; empty the folder and scan again") from error
        except ScanError:
            stream.close()
            raise
        stream.seek(lines[-1][1])
        stream.truncate()
        return cls(work, stream, last)

    def commit(self, checkpoint: Checkpoint) -> None:
        """Make a checkpoint last; the files it counts must be on disk before."""
        data = {
            "tally": checkpoint.tally.to_dict(),
            "verdicts": checkpoint.verdicts,
            "rejected": checkpoint.rejected,
            "judged": checkpoint.judged,
        }
        try:
            self._stream.write(_line(data))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise WriteError(f"{self.work / 'journal.jsonl'}: {reason_of(error)}") from error
        self.last = checkpoint

    def close(self) -> None:
        """Close the file and give up the lock; a write that failed before has been reported."""
        try:
            self._stream.close()
        except OSError:
            return

    def discard(self) -> None:
        """Close, and remove the whole work folder."""
        self.close()
        shutil.rmtree(self.work, ignore_errors=True)


def compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise `ScanError` naming every key under which two fingerprints differ."""
    if differing := [f"{key}: {_short(old)} before, {_short(new)} now" for key, old, new in _differences(before, now)]:
        more = f"; and {len(differing) - 5} more" if len(differing) > 5 else ""
        raise ScanError(
            "this folder holds another scan and cannot be resumed: "
            f"{'; '.join(differing[:5])}{more}. Scan as before, or choose another --out"
        )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    for key in dict.fromkeys((*now, *before)):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{path}{key} ")
        elif old != new:
            yield f"{path}{key}", old, new


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:16]}..."


def _line(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=True, sort_keys=True).encode() + b"\n"


def _whole_lines(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the lines that were written whole, each with the position after it."""
    for line in stream:
        try:
            data = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            return
        if not isinstance(data, dict):
            return
        yield data, stream.tell()

"""Text files as bounded lines, whatever their encoding and line ends."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO

from netral.readers.records import MAX_LINE, RAW_CHARS

HEAD = 65_536
"""How much of a file is looked at to tell what it is."""

_CHUNK = 262_144
_FALLBACK = "netral-cp1252"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f]")


class LongLine(str):
    """The beginning of a line that was longer than `MAX_LINE`; the rest is dropped."""

    __slots__ = ()


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_cp1252(byte) for byte in wrong), error.end


def _cp1252(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def encoding_of(head: bytes) -> str:
    """Return the encoding that a file's first bytes tell; bytes that are no UTF-8 are taken as cp1252."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[:2048:2], head[1:2048:2]
    if len(odd) > 3 and not odd[0] and odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if len(even) > 3 and not even[0] and even.count(0) > 0.4 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return "utf-8"


def decode_head(head: bytes) -> str:
    """Return a file's first characters."""
    return "".join(_decoder(encoding_of(head)).decode(head).split("\0")).lstrip("\ufeff")


def is_binary(text: str) -> bool:
    """Tell whether decoded characters are no text at all."""
    sample = text[:8192]
    return len(_CONTROL.findall(sample)) > 0.02 * len(sample) + 2


def read_chunks(stream: IO[bytes], size: int = _CHUNK) -> Iterator[str]:
    """Yield a file's decoded text piece by piece, without NUL characters."""
    head = stream.read(HEAD)
    decoder = _decoder(encoding_of(head))
    first, piece = True, head
    while piece:
        text = decoder.decode(piece)
        if first:
            text, first = text.lstrip("\ufeff"), False
        yield text.replace("\0", "") if "\0" in text else text
        piece = stream.read(size)
    yield decoder.decode(b"", final=True)


def read_lines(stream: IO[bytes]) -> Iterator[str]:
    """Yield a file's lines without their ends; a lone CR ends a line only where the head has no LF."""
    chunks = read_chunks(stream)
    first = next(chunks, "")
    bare = "\n" not in first and "\r" in first
    rest, size = "", 0
    parts: list[str] = []
    for chunk in _with(first, chunks):
        text = chunk.replace("\r", "\n") if bare else chunk
        *lines, rest = text.split("\n")
        if lines:
            lines[0] = "".join(parts) + lines[0] if size <= MAX_LINE else LongLine("".join(parts))
            for line in lines:
                yield line[:-1] if line.endswith("\r") else line
            parts, size = [], 0
        size += len(rest)
        if size <= MAX_LINE:
            parts.append(rest)
        elif parts:
            parts = [("".join(parts)[:RAW_CHARS] + rest[:RAW_CHARS])[:RAW_CHARS]]
    if parts and (last := "".join(parts)):
        yield LongLine(last) if size > MAX_LINE else last.removesuffix("\r")


def _with(first: str, chunks: Iterator[str]) -> Iterator[str]:
    yield first
    yield from chunks


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    codecs.register_error(_FALLBACK, _as_cp1252)
    errors = _FALLBACK if encoding == "utf-8" else "replace"
    return codecs.getincrementaldecoder(encoding)(errors)

"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from netral.errors import ReadError
from netral.readers.jsonlike import read_json
from netral.readers.lines import HEAD, decode_head, is_binary
from netral.readers.parquet import read_parquet
from netral.readers.records import NoPosts, Record, Source
from netral.readers.tables import read_table
from netral.readers.whatsapp import is_chat, read_chat

Reader = Callable[[Source], Iterator[Record]]

ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_REFUSED = (
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it first"),
    (b"BZh", "a bzip2 file; unpack it first"),
    (b"\xfd7zXZ", "an xz file; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old or password-protected Office file; save it as .xlsx or CSV"),
    (b"SQLite format 3\0", "a SQLite database; export its table as CSV"),
)
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"%PDF", b"OggS", b"ID3", b"{\\rtf")
_ARCHIVE_SCRIPT = re.compile(r"\s*window\.YTD\.([\w-]+)\.part\d+\s*=")
_POST_SCRIPTS = frozenset({"tweets", "tweet", "note_tweet", "note-tweet", "community_tweet", "deleted_tweets"})
_MARKUP = re.compile(r"\s*<(?:!doctype|!--|html|meta|\?xml|svg|rss|table|div|head|body)(?:\b|(?<=-))", re.IGNORECASE)
_NEVER_JSON = re.compile(
    r"\s*\[\s*(?:\d{1,4}(?:[./-]|\s*(?!e[+\-\d])[^\W\d_])|(?!true|false|null|nan|infinity)[^\W\d_])", re.IGNORECASE
)


def reader_of(source: Source) -> Reader:
    """Return the reader of a file that is no zip; ReadError names the remedy where there is none."""
    with source.open() as stream:
        head = stream.read(HEAD)
    for mark, what in _REFUSED:
        if head.startswith(mark):
            raise ReadError(f"{source.name}: this is {what}")
    if head[257:262] == b"ustar":
        raise ReadError(f"{source.name}: this is a tar archive; unpack it first")
    if head.startswith(_PICTURES) or head[4:8] == b"ftyp":
        raise NoPosts(f"{source.name}: this is a picture, sound or document, not an export of posts")
    if head.startswith(b"PAR1"):
        return read_parquet
    text = decode_head(head)
    if not text.strip():
        raise NoPosts(f"{source.name}: the file is empty")
    if is_binary(text):
        raise NoPosts(f"{source.name}: this is binary data, not an export of posts")
    return _text_reader(text, source)


def _text_reader(text: str, source: Source) -> Reader:
    script = _ARCHIVE_SCRIPT.match(text)
    if script:
        if script[1] not in _POST_SCRIPTS:
            raise NoPosts(f"{source.name}: this part of an X archive ({script[1]}) holds no posts of the account")
        return read_json
    if is_chat(text):
        return read_chat
    if text.lstrip()[:1] in ("{", "[") and not _NEVER_JSON.match(text):
        return read_json
    if _MARKUP.match(text):
        raise NoPosts(
            f"{source.name}: this is HTML or XML; ask the service for a JSON export, or save the table as CSV or XLSX"
        )
    return read_table

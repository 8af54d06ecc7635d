"""Broken, hostile and oversized files: a ReadError with a remedy, or rejections beside every good row.

docs/broken-files.md lists every case here with what becomes of it; the tests hold the page to it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
import sqlite3
import struct
import tarfile
import time
import tracemalloc
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from netral.cli import main
from netral.errors import ReadError, ScanError
from netral.readers import Rejected, Skipped, archives, delimited, files, lines, read_posts
from netral.readers.elements import parse
from netral.report import REASONS
from netral.scan import Job, Tally, scan
from netral.schema import MAX_CHARS, Post
from netral.screener import Screener

PAGE = Path(__file__).parent.parent / "docs" / "broken-files.md"
Data = str | bytes | Callable[[], bytes]
TABLE = "text,author\nSatu,a\nDua,b\n"
SHEET = "xl/worksheets/sheet1.xml"


def as_bytes(data: Data) -> bytes:
    data = data() if callable(data) else data
    return data.encode() if isinstance(data, str) else data


def zipped(*members: tuple[str, Data]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # two members of one name
        for name, data in members:
            archive.writestr(name, as_bytes(data))
    return buffer.getvalue()


def directory(data: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite a field of every entry in a zip's directory, and the flags of the members themselves."""
    changed = bytearray(data)
    for entry in re.finditer(b"PK\x01\x02", data):
        changed[entry.start() + offset : entry.start() + offset + len(value)] = value
    if offset == 8:
        for member in re.finditer(b"PK\x03\x04", data):
            changed[member.start() + 6 : member.start() + 8] = value
    return bytes(changed)


def book(*sheets: list[list[object]], formats: dict[str, str] | None = None) -> bytes:
    from openpyxl import Workbook

    target = Workbook()
    target.remove(target.active)
    for rows in sheets:
        sheet = target.create_sheet()
        for row in rows:
            sheet.append(row)
        for place, form in (formats or {}).items():
            sheet[place].number_format = form
    buffer = io.BytesIO()
    target.save(buffer)
    return buffer.getvalue()


def shared(rows: list[list[object]]) -> bytes:
    """Make a workbook whose texts are shared, as Excel does."""
    from xlsxwriter import Workbook

    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as target:
        sheet = target.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def altered(data: bytes, name: str, old: bytes, new: bytes, *, without: str = "") -> bytes:
    """Replace bytes in one member of a workbook."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member: archive.read(member) for member in archive.namelist() if member != without}
    assert re.search(old, members[name])
    members[name] = re.sub(old, lambda match: new, members[name], count=1)
    return zipped(*members.items())


def parquet(**columns: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def typed(values: list[Any], kind: str, **options: Any) -> Any:
    import pyarrow as pa

    return pa.array(values, getattr(pa, kind)(**options) if options else getattr(pa, kind)())


def promising(rows: int) -> bytes:
    """Make a Parquet file of 77 rows whose footer promises more."""
    data = parquet(text=[f"Baris {number}" for number in range(77)])
    size = struct.unpack("<I", data[-8:-4])[0]
    footer = data[-8 - size : -8].replace(varint(2 * 77), varint(2 * rows), 1)
    return data[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def broken_utf8() -> bytes:
    """Make a Parquet file in which one text is no UTF-8."""
    import pyarrow as pa

    offsets = pa.py_buffer(struct.pack("<3i", 0, 5, 8))
    return parquet(text=pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"caf\xffeDua")]))


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(TABLE)
        archive.addfile(member, io.BytesIO(TABLE.encode()))
    return buffer.getvalue()


def database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE posts (text)")
        return connection.serialize()


ROWS: list[list[object]] = [["text", "author"], ["Satu", "a"], ["Dua", "b"]]
LAUGHS = b'<!ENTITY a "haha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 10) for level in range(9)
)


def entity(declared: bytes, used: bytes) -> bytes:
    """Make a workbook with an XML entity in its first text."""
    data = altered(shared(ROWS), "xl/sharedStrings.xml", b"<t>text", b"<t>" + used)
    return altered(data, "xl/sharedStrings.xml", b"<sst", b"<!DOCTYPE x [" + declared + b"]><sst")


REFUSED: dict[str, tuple[Data, str]] = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t\n", "empty"),
    "blank-lines-alone": (b"\r\n" * 500, "empty"),
    "bom-alone": (b"\xef\xbb\xbf", "empty"),
    "utf-16-bom-alone": (b"\xff\xfe", "empty"),
    "nul-bytes-alone": (bytes(5000), "empty"),
    "header-alone": (b"text,author\n", "header alone"),
    "delimiters-alone": (b",,,\n,,,\n", "--text-column"),
    "random-binary": (bytes(range(256)) * 40, "binary"),
    "cut-off-zip": (b"PK\x03\x04\x14\x00", "damaged or cut-off zip"),
    "zip-cut-in-half": (lambda: (data := zipped(("a.csv", TABLE)))[: len(data) // 2], "damaged or cut-off zip"),
    "zip-of-nothing": (zipped, "no file in it"),
    "zip-of-pictures": (lambda: zipped(("a.png", b"\x89PNG\r\n\x1a\n" + bytes(60))), "no file in it"),
    "zip-behind-other-bytes": (lambda: b"\x00\x01\x02\x03" * 99 + zipped(("a.csv", TABLE)), "binary"),
    "cut-off-parquet": (b"PAR1" + bytes(100), "Parquet"),
    "parquet-footer-that-lies": (b"PAR1" + bytes(64) + struct.pack("<I", 2**31 - 1) + b"PAR1", "Parquet"),
    "parquet-cut-in-half": (lambda: (data := parquet(text=["Satu"] * 50))[: len(data) // 2], "copy or download it"),
    "parquet-without-rows": (lambda: parquet(text=typed([], "string")), "no record"),
    "parquet-encrypted": (b"PARE" + bytes(range(256)) * 2 + b"PARE", "binary"),
    "old-office": (b"\xd0\xcf\x11\xe0" + bytes(600), "save it as .xlsx"),
    "xlsx-with-a-password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"EncryptedPackage" * 60, "password-protected"),
    "xlsx-cut-in-half": (lambda: (data := book(ROWS))[: len(data) // 2], "damaged or cut-off zip"),
    "xlsx-without-sheets": (lambda: altered(book(ROWS), "xl/workbook.xml", b"<sheet .*?/>", b""), "no sheet"),
    "xlsx-without-its-sheet": (lambda: altered(book(ROWS), "xl/workbook.xml", b"^", b"", without=SHEET), "no sheet"),
    "xlsx-header-alone": (lambda: book([["text", "author"]]), "no sheet"),
    "xlsx-absurd-dimension": (lambda: altered(book(ROWS), SHEET, b'ref="A1:B3"', b'ref="A1:ZZZZZ9"'), "save it as"),
    "xlsx-entity-bomb": (lambda: entity(LAUGHS, b"&j;"), "save it as"),
    "xlsx-foreign-entity": (lambda: entity(b'<!ENTITY e SYSTEM "file:///etc/hostname">', b"&e;"), "save it as"),
    "word-document": (lambda: zipped(("[Content_Types].xml", "<a/>"), ("word/document.xml", "<a/>")), "document"),
    "opendocument": (lambda: zipped(("mimetype", "application/vnd.oasis"), ("content.xml", "<a/>")), "document"),
    "gzip": (lambda: gzip.compress(TABLE.encode()), "unpack"),
    "bzip2": (lambda: bz2.compress(TABLE.encode()), "unpack"),
    "xz": (lambda: lzma.compress(TABLE.encode()), "unpack"),
    "tar": (tar, "unpack"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(60), "picture"),
    "video": (b"\0\0\0\x18ftypmp42" + bytes(60), "picture, sound"),
    "pdf": (b"%PDF-1.7\n" + b"x" * 60, "picture, sound or document"),
    "rtf": (b"{\\rtf1\\ansi Halo semua}", "document"),
    "html": (b"<!DOCTYPE html><html><body>Halo</body></html>", "HTML"),
    "web-page-saved-as-csv": (b"<!-- saved from url=(0022) -->\n<html><td>a, b</td></html>\n", "HTML"),
    "xml": (b"<?xml version='1.0'?><posts><post>Halo</post></posts>", "HTML or XML"),
    "sqlite": (database, "SQLite"),
    "json-without-texts": (b'[{"a": 1}, {"a": 2}]', "--text-column"),
    "json-number": (b'{"data": {"total": 5}}', "--text-column"),
    "json-empty-list": (b"[]", "no record"),
    "json-empty-object": (b"{}", "no key of texts"),
    "json-nulls": (b"[null, null]", "no key of texts"),
    "json-list-of-lists": (b'[["text", "author"], ["Satu", "a"]]', "no key of texts"),
    "json-by-columns": (b'{"text": {"0": "Satu", "1": "Dua"}}', "no key of texts among 'text.0'"),
    "numbers": (b"1,2,3\n4,5,6\n7,8,9\n", "--text-column"),
    "too-many-columns": ("text" + ",k" * 60_000 + "\nSatu" + ",1" * 60_000 + "\n", "line ends and delimiter"),
    "telegram-without-messages": (b'{"name": "G", "type": "private_group", "id": 1, "messages": []}', "no key"),
    "x-archive-likes": (b'window.YTD.like.part0 = [{"like": {"fullText": "x"}}]', "no posts of the account"),
    "x-archive-part-of-nothing": (b"window.YTD.tweets.part0 = [ ]", "no record"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_names_itself_and_the_remedy(name: str, tmp_path: Path) -> None:
    data, remedy = REFUSED[name]
    path = tmp_path / f"{name}.csv"
    path.write_bytes(as_bytes(data))
    with pytest.raises(ReadError, match=remedy) as caught:
        list(read_posts(path))
    assert path.name in str(caught.value)
    assert said(str(caught.value).removeprefix(f"{path.name}: ")) == page()[name][0]


def said(message: str) -> str:
    """Return a message as the page has it, without what libraries say."""
    return "error: " + re.sub(r" \(.*\)", "", message)


def read(data: bytes | str) -> list[Post | Rejected | Skipped]:
    return list(read_posts(io.BytesIO(data.encode() if isinstance(data, str) else data)))


def outcome(records: list[Post | Rejected | Skipped]) -> list[str]:
    return [record.text if isinstance(record, Post) else record.reason.partition(":")[0] for record in records]


def summary(records: list[Post | Rejected | Skipped]) -> str:
    """Return what became of a file as the page has it."""
    parts = [("post", sum(isinstance(record, Post) for record in records))]
    for kind, word in ((Rejected, "rejected"), (Skipped, "skipped")):
        reasons = Counter(re.split("[: (]", record.reason)[0] for record in records if isinstance(record, kind))
        parts += [(f"{word} `{reason}`", count) for reason, count in reasons.items()]
    return ", ".join(
        f"{count} {what}" + ("s" if what == "post" and count > 1 else "") for what, count in parts if count
    )


WIDE = "text," + ",".join(f"k{n}" for n in range(10_000)) + "\nSatu" + ",1" * 10_000 + "\n"
LONG = json.dumps([{"text": "a" * (MAX_CHARS + 1)}, {"text": "b" * MAX_CHARS}])
SERVICE = '{"id": 1, "type": "service", "action": "create_group", "text": ""}'
FAULTY: dict[str, tuple[Data, list[str]]] = {
    "stray-quote-alone": (
        'id,text,created_at\n1,"Belum ditutup,2024-01-01\n2,Utuh,2024-01-02\n3,Juga,2024-01-03\n',
        ['"Belum ditutup', "Utuh", "Juga"],
    ),
    "two-stray-quotes": (
        'id,text,created_at\n1,"Satu,2024-01-01\n2,Dua,2024-01-02\n3,Tiga",2024-01-03\n4,Empat,2024-01-04\n',
        ['"Satu', "Dua", 'Tiga"', "Empat"],
    ),
    "undoubled-over-lines": (
        'id,text,created_at\n1,"Kata "dia" lalu\nbaris dua",2024-01-01\n2,Utuh,2024-01-02\n',
        ['Kata "dia" lalu\nbaris dua', "Utuh"],
    ),
    "mixed-encodings": (b"author,text\na,caf\xe9\nb,caf\xc3\xa9\n", ["café", "café"]),
    "blank-lines": ("author,text\n\na,Satu\n\n\nb,Dua\n", ["Satu", "Dua"]),
    "only-delimiters": ("author,text,x\n,,\na,Satu,\n", ["empty-text", "Satu"]),
    "quotes-in-tabs": ('id\ttext\n1\t"halo\n2\tapa\n3\tbaik"\n4\t"ya"\n', ['"halo', "apa", 'baik"', "ya"]),
    "x-entities-by-address": ("text,url\nA &amp; B,https://x.com/a/status/5\n", ["A & B"]),
    "row-of-delimiters": (
        "text,author\nSatu,a\n" + "," * 60_000 + "\nDua,b\n",
        ["Satu", "too-many-cells (line 3)", "Dua"],
    ),
    "unnamed-text-column": (
        "no,\n1,Ini kalimat panjang tanpa judul kolom\n2,Dan ini juga kalimat panjang\n",
        ["Ini kalimat panjang tanpa judul kolom", "Dan ini juga kalimat panjang"],
    ),
    "duplicate-headers": ("text,text,author\nSatu,Dua,a\n", ["Satu"]),
    "one-column": ("text\nSatu, dua, tiga\n", ["Satu, dua, tiga"]),
    "right-to-left": ("text,author\n\u202eterbalik\u202c,a\n", ["\u202eterbalik\u202c"]),
    "lone-surrogate": ('[{"text": "rusak \\ud83d di sini"}]', ["rusak \ufffd di sini"]),
    "deep-json": ('{"text": "Satu"}\n' + '{"a":' * 100_000 + '\n{"text": "Dua"}\n', ["Satu", "too-deep", "Dua"]),
    "trailing-commas": ('[{"text": "Satu", "tags": ["a",],}, {"text": "Dua,]"},]', ["Satu", "Dua,]"]),
    "broken-member": ('[{"text": "Satu"}, {"text": Dua}, {"text": "Tiga"}]', ["Satu", "broken-json", "Tiga"]),
    "stray-quote-in-json": (
        '[{"text": "Satu", "id": 1},\n{"text": "rusak" sekali", "id": 2},\n{"text": "Tiga", "id": 3},\n'
        '{"text": "Empat", "id": 4}]',
        ["Satu", "broken-json", "Tiga", "Empat"],
    ),
    "not-a-number": ('[{"text": "Satu", "id": NaN}]', ["Satu"]),
    "single-quotes": ("{\"text\": \"Satu\"}\n{'text': 'Dua'}\n", ["Satu", "broken-json"]),
    "first-line-broken": ('{"text": "Sat\n{"text": "Dua"}\n', ["broken-json", "Dua"]),
    "huge-number": ('[{"text": "Satu", "id": ' + "9" * 5000 + "}]", ["broken-json"]),
    "pretty-objects-in-a-row": ('{\n "text": "Satu"\n}\n{\n "text": "Dua"\n}\n', ["Satu", "Dua"]),
    "utf-16-json": ('[{"text": "Satu"}]'.encode("utf-16"), ["Satu"]),
    "too-long": (LONG, ["text-too-long", "b" * MAX_CHARS]),
    "many-columns": (WIDE, ["Satu"]),
    "emoji-megabyte": ("text,author\n" + "🙏" * 300_000 + ",a\nSatu,b\n", ["text-too-long", "Satu"]),
    "formula-and-phone": ("text,author\n=1+1,a\n+62 812,b\n@sari halo,c\n", ["=1+1", "+62 812", "@sari halo"]),
    "html-cell": ("text,author\n<b>Halo</b>,a\n", ["<b>Halo</b>"]),
    "error-columns": ("text,error\n,not_found\nSatu,\n", ["error-row", "Satu"]),
    "header-with-fewer-columns": (
        "created_at,id_str,full_text,lang,username\n2024-01-01,1,Satu,in,a\n"
        "created_at,full_text,username\n2024-01-02,Dua,b\n",
        ["Satu", "repeated-header", "Dua"],
    ),
    "long-quote-of-csv": ('text,author\n"a ""b"", c\n\nd",x\ny,z\n', ['a "b", c\n\nd', "y"]),
    # ------------------------------------------------------------------ encodings and characters
    "utf-16-le": ("\ufefftext,author\nSatu,a\nDua,b\n".encode("utf-16-le"), ["Satu", "Dua"]),
    "utf-16-be": ("\ufefftext,author\nSatu,a\nDua,b\n".encode("utf-16-be"), ["Satu", "Dua"]),
    "utf-16-le-without-bom": (TABLE.encode("utf-16-le"), ["Satu", "Dua"]),
    "utf-16-be-without-bom": (TABLE.encode("utf-16-be"), ["Satu", "Dua"]),
    "utf-16-cut-in-a-character": ("\ufefftext,author\nSatu,a\n🙏".encode("utf-16-le")[:-2], ["Satu", "\ufffd"]),
    "utf-32": (TABLE.encode("utf-32"), ["Satu", "Dua"]),
    "utf-16-below-utf-8": (TABLE.encode() + "Tiga,c\n".encode("utf-16-le"), ["Satu", "Dua", "Tiga"]),
    "cp1252": (b"text,author\nCaf\xe9 \x93kutip\x94,a\nDua,b\n", ["Café “kutip”", "Dua"]),
    "cp1252-undefined-bytes": (b"text,author\nA\x81\x8dB,a\nDua,b\n", ["A\x81\x8dB", "Dua"]),
    "utf-8-of-surrogates": (b"text,author\nA \xed\xa0\xbd\xed\xb9\x8f,a\nDua,b\n", ["A 🙏", "Dua"]),
    "two-boms": ("\ufeff\ufefftext,author\nSatu,a\n", ["Satu"]),
    "bom-between-rows": ("text,author\nSatu,a\n\ufeffDua,b\n", ["Satu", "Dua"]),
    "nul-bytes-inside": (b"text,author\nSa\0tu,a\n\0\0\0\nDua,b\0\n", ["Satu", "Dua"]),
    "nul-bytes-behind": (TABLE.encode() + bytes(5000), ["Satu", "Dua"]),
    "control-characters": (
        "text,author\nSatu \x1b[31mmerah\x07 sekali dan terang,a\nDua,b\n",
        ["Satu \x1b[31mmerah\x07 sekali dan terang", "Dua"],
    ),
    "bidi-and-arabic": (
        "text,author\nשלום \u202eabc\u202c \u2066x\u2069,a\nمرحبا\u061c,b\n",
        ["שלום \u202eabc\u202c \u2066x\u2069", "مرحبا\u061c"],
    ),
    "zero-width-text": ("text,author\n\u200b\u200b,a\n\u00a0,b\nDua,c\n", ["\u200b\u200b", "empty-text", "Dua"]),
    "stacked-accents": ("text,author\ne" + "\u0301" * 90_000 + ",a\nDua,b\n", ["e" + "\u0301" * 90_000, "Dua"]),
    "line-separators-inside": ("text,author\nSatu\u2028lagi,a\nDua\x0blagi,b\n", ["Satu\u2028lagi", "Dua\x0blagi"]),
    # ------------------------------------------------------------------ line ends and delimiters
    "cr-line-ends": ("text,author\rSatu,a\rDua,b\r", ["Satu", "Dua"]),
    "cr-line-ends-among-lf": ("text,author\nSatu,a\rDua,b\nTiga,c\r", ["Satu", "Dua", "Tiga"]),
    "cr-inside-a-text": ("text,author\nSatu\rlagi,a\nDua,b\n", ["Satu\nlagi", "Dua"]),
    "cr-cr-lf-line-ends": ("text,author\r\r\nSatu,a\r\r\nDua,b\r\r\n", ["Satu", "Dua"]),
    "semicolons": ("text;author\nSatu, dua;a\nTiga;b\n", ["Satu, dua", "Tiga"]),
    "pipes": ("text|author\nSatu, dua|a\nTiga|b\n", ["Satu, dua", "Tiga"]),
    "tabs": ("text\tauthor\nSatu, dua\ta\nTiga\tb\n", ["Satu, dua", "Tiga"]),
    "mixed-delimiters": ("text,author\nSatu,a\nDua;b\nTiga,c\n", ["Satu", "Dua;b", "Tiga"]),
    "unquoted-commas": ("text,author\nSatu, dua, tiga,a\nEmpat,b\n", ["Satu, dua, tiga", "Empat"]),
    "quote-never-closed": ('author,text\na,"Satu\n' + "b,Dua\n" * 300, ['"Satu', *["Dua"] * 300]),
    "quote-open-at-the-end": ('text,author\nSatu,a\n"Dua,b\n', ["Satu", '"Dua']),
    "quotes-with-backslashes": ('text,author\n"Kata \\"dia\\" itu",a\nDua,b\n', ['Kata \\"dia\\" itu', "Dua"]),
    "words-behind-a-quote": ('text,author\n"Satu"x,a\nDua,b\n', ['"Satu"x', "Dua"]),
    # ---------------------------------------------------------------------- headers and columns
    "comments-before-the-header": (
        "# Diunduh 2024\n# oleh alat X, versi 2\n" + TABLE,
        ["before-header", "before-header", "Satu", "Dua"],
    ),
    "comment-between-rows": ("text,author\nSatu,a\n# jeda\nDua,b\n", ["Satu", "# jeda", "Dua"]),
    "title-before-the-header": ("Komentar\n\n" + TABLE, ["before-header", "Satu", "Dua"]),
    "repeated-headers": (
        "text,author,id\nSatu,a,1\ntext,author,id\nDua,b,2\ntext,author,id\n",
        ["Satu", "repeated-header", "Dua", "repeated-header"],
    ),
    "header-with-more-columns-below": (
        "full_text,id\nSatu,1\nDua,2\nfull_text,created_at,username,id\nTiga,2024-01-01,a,3\n",
        ["Satu", "Dua", "repeated-header", "Tiga"],
    ),
    "header-in-capitals": (" TEXT , Author \nSatu,a\n", ["Satu"]),
    "duplicate-headers-first-empty": ("text,text,author\n,Dua,a\nSatu,,b\n", ["Dua", "Satu"]),
    "no-header": (
        "1,2024-01-01,Ini kalimat yang cukup panjang\n2,2024-01-02,Ini kalimat panjang lain\n",
        ["Ini kalimat yang cukup panjang", "Ini kalimat panjang lain"],
    ),
    "header-below-ten-comments": ("# x\n" * 12 + TABLE, [*["# x"] * 12, "text,author", "Satu,a", "Dua,b"]),
    "line-that-is-a-column-name": ("Ini baris satu\nKomentar\nIni dua\n", ["Ini baris satu", "Komentar", "Ini dua"]),
    "text-that-is-a-column-name": (
        "1,2024-01-01,Ini kalimat yang panjang\n2,2024-01-02,status\n3,2024-01-03,Kalimat panjang lain\n",
        ["Ini kalimat yang panjang", "status", "Kalimat panjang lain"],
    ),
    "rows-too-short": (
        "id,author,text\n1\n2,b\n3,c,Tiga\n",
        ["ragged-row", "ragged-row", "Tiga"],
    ),
    "rows-too-long": ("text,author,id\nSatu,a,1,2,3\nDua,b,2\n", ["Satu,a,1", "Dua"]),
    "column-of-blanks": ("text" + "," * 20_000 + "\nSatu" + "," * 20_000 + "\n", ["Satu"]),
    # ------------------------------------------------------------------------- values of cells
    "impossible-dates": (
        "text,created_at\nSatu,-1\nDua,0000-00-00\nTiga,9999-12-31\nEmpat,2024-02-30\nLima,1e400\nEnam,"
        + "9" * 40
        + "\nTujuh,-2208988800\nDelapan,kemarin\n",
        ["Satu", "Dua", "Tiga", "Empat", "Lima", "Enam", "Tujuh", "Delapan"],
    ),
    "ids-as-floats": (
        'id,text,url\n1.23E+18,Satu,\n"1,73E+18",Dua,https://x.com/a/status/5\n1.7e400,Tiga,\n',
        ["Satu", "Dua", "Tiga"],
    ),
    "commands-as-formulas": (
        "text,author\n=HYPERLINK(\"x\"),a\n+cmd|' /C calc'!A0,b\n-Satu,c\n",
        ['=HYPERLINK("x")', "+cmd|' /C calc'!A0", "-Satu"],
    ),
    "totals-row": ("text,author,likes\nSatu,a,1\n,,1\n", ["Satu", "empty-text"]),
    # -------------------------------------------------------------------------------- JSON
    "lone-surrogates-everywhere": (
        '[{"text": "\\ude00\\ud83d", "author": "\\ud800"}, {"\\ud800": 1, "text": "Dua"}]',
        ["\ufffd\ufffd", "Dua"],
    ),
    "deep-lists": ("[" * 100_000 + "]" * 100_000, ["too-deep"]),
    "deep-objects": (
        '[{"text": "Satu"},' + '{"a":' * 5000 + "1" + "}" * 5000 + ',{"text": "Dua"}]',
        ["Satu", "too-deep", "Dua"],
    ),
    "deep-but-sound": ('{"text": "x", "a":' * 150 + "1" + "}" * 150, ["x"]),
    "jsonl-broken-line": ('{"text": "Satu"}\n{"text": "Dua"\n{"text": "Tiga"}\n', ["Satu", "broken-json", "Tiga"]),
    "jsonl-cut-off": ('{"text": "Satu"}\n{"text": "Du', ["Satu", "broken-json"]),
    "jsonl-junk-line": ('{"text": "Satu"}\nHalo\n\n{"text": "Dua"}\n', ["Satu", "broken-json", "Dua"]),
    "jsonl-of-all-kinds": (
        '{"text": "Satu"}\nnull\n5\n{"text": null}\n{"text": 7}\n{}\n',
        ["Satu", "not-an-object", "not-an-object", "empty-text", "7", "no-text-field"],
    ),
    "jsonl-with-boms": ('\ufeff{"text": "Satu"}\n\ufeff{"text": "Dua"}\n', ["Satu", "Dua"]),
    "jsonl-two-objects-on-a-line": ('{"text": "Satu"}{"text": "Dua"}\n{"text": "Tiga"}\n', ["Satu", "Dua", "Tiga"]),
    "jsonl-torn-behind-an-object": (
        '{"text": "Satu"}\n{"text": "Dua"},{"text": "Ti\n{"text": "Empat"}\n',
        ["Satu", "Dua", "broken-json", "Empat"],
    ),
    "jsonl-with-arrays": (
        '{"text": "Satu"}\n["x"]\n[{"text": "Dua"}, 5]\n{"text": "Tiga"}\n',
        ["Satu", "not-an-object", "Dua", "not-an-object", "Tiga"],
    ),
    "ndjson-of-arrays": ('["Satu", "Dua"]\n["Tiga"]\n', ["Satu", "Dua", "Tiga"]),
    "ndjson-of-arrays-of-objects": ('[{"text": "Satu"}]\n[{"text": "Dua"}]\n', ["Satu", "Dua"]),
    "python-dicts": ("[{'text': 'Satu'}, {'text': 'Dua'}]", ["broken-json", "broken-json"]),
    "python-dicts-by-line": ("{'text': 'Satu'}\n{'text': 'Dua'}\n", ["broken-json", "broken-json"]),
    "record-separators": ('\x1e{"text": "Satu"}\n\x1e{"text": "Dua"}\n', ["Satu", "Dua"]),
    "infinite-numbers": (
        '[{"text": "Satu", "id": 1e999}, {"text": NaN}, {"text": "Dua", "created_at": -Infinity}]',
        ["Satu", "empty-text", "Dua"],
    ),
    "huge-number-on-a-line": (
        '{"text": "Satu"}\n{"text": "x", "n": ' + "9" * 5000 + '}\n{"text": "Dua"}\n',
        ["Satu", "broken-json", "Dua"],
    ),
    "impossible-json-dates": (
        '[{"text": "Satu", "created_at": -1e18}, {"text": "Dua", "created_at": {"a": 1}}, '
        '{"text": "Tiga", "created_at": "2024-01-01T00:00:00+99:99"}]',
        ["Satu", "Dua", "Tiga"],
    ),
    "missing-comma": ('[{"text": "Satu"} {"text": "Dua"}]', ["Satu", "Dua"]),
    "doubled-comma": ('[{"text": "Satu"},, {"text": "Dua"}]', ["Satu", "Dua"]),
    "missing-bracket": ('[{"text": "Satu"}, {"text": "Dua"}', ["Satu", "Dua", "broken-json"]),
    "surplus-brackets": ('[{"text": "Satu"}]]}}', ["Satu"]),
    "words-behind-json": ('[{"text": "Satu"}] selesai', ["Satu", "broken-json"]),
    "words-inside-json": ('[{"text": "Satu"}, selesai, {"text": "Dua"}]', ["Satu", "broken-json", "Dua"]),
    "cut-off-string": ('[{"text": "Satu"}, {"text": "Du', ["Satu", "broken-json"]),
    "wrong-escape": ('[{"text": "Sa\\xtu"}, {"text": "Dua"}]', ["broken-json", "Dua"]),
    "raw-line-end-in-a-string": ('[{"text": "Satu\nlagi\x01"}, {"text": "Dua"}]', ["Satu\nlagi\x01", "Dua"]),
    "nul-escapes": ('[{"text": "Sa\\u0000tu"}, {"text": "\\u0000"}]', ["Satu", "empty-text"]),
    "keys-twice": ('[{"text": "Satu", "text": "Dua"}]', ["Dua"]),
    "cp1252-json": (b'[{"text": "Caf\xe9"}, {"text": "Dua"}]', ["Café", "Dua"]),
    "json-of-10000-keys": (json.dumps([{"text": "Satu", **{f"k{n}": n for n in range(10_000)}}]), ["Satu"]),
    "error-page": ('{"error": {"code": 403, "message": "Forbidden"}}', ["error-row"]),
    # --------------------------------------------------------------------- exports of platforms
    "whatsapp-unknown-dates": (
        "2024年8月20日 14:30 - A: Halo\n2024年8月20日 14:31 - B: Hai\n",
        ["2024年8月20日 14:30 - A: Halo", "2024年8月20日 14:31 - B: Hai"],
    ),
    "whatsapp-unknown-dates-in-brackets": (
        "[Sel 20 Agu 14h30] A: Halo\n[Sel 20 Agu 14h31] B: Hai\n",
        ["[Sel 20 Agu 14h30] A: Halo", "[Sel 20 Agu 14h31] B: Hai"],
    ),
    "whatsapp-impossible-dates": (
        "99/99/99 14.30 - A: Satu\n20/08/24 14.31 - B: Dua\n31/02/24 99.99 - C: Tiga\n",
        ["Satu", "Dua", "Tiga"],
    ),
    "whatsapp-buddhist-years": (
        "20/8/2567 14:30 - A: Satu\n20/8/2567 14:31 - B: Dua\n20/8/2567 14:32 - C keluar\n",
        ["Satu", "Dua", "system-line"],
    ),
    "whatsapp-two-formats": (
        "20/08/24 14.30 - A: Satu\n[21/08/24 14.31.00] B: Dua\n",
        ["Satu\n[21/08/24 14.31.00] B: Dua"],
    ),
    "whatsapp-cut-off": ("20/08/24 14.30 - A: Satu\n20/08/24 14.", ["Satu\n20/08/24 14."]),
    "whatsapp-system-lines-alone": (
        "20/08/24 14.30 - Pesan dan panggilan terenkripsi secara end-to-end.\n20/08/24 14.31 - A keluar\n",
        ["system-line", "system-line"],
    ),
    "telegram-service-messages-alone": (
        f'{{"name": "G", "type": "private_group", "id": 1, "messages": [{SERVICE}, {SERVICE}]}}',
        ["system-line", "system-line"],
    ),
    "telegram-cut-off": (
        f'{{"name": "G", "type": "private_group", "id": 1, "messages": [{SERVICE}, '
        '{"id": 2, "type": "message", "text": "Halo"}, {"id": 3, "ty',
        ["system-line", "Halo", "broken-json"],
    ),
    "telegram-odd-parts": (
        '{"name": "G", "type": "private_group", "id": 1, "messages": [{"type": "message", "text": ["Halo ", '
        '{"type": "bold", "text": "semua"}, 5, null]}, {"type": "message", "text": null}]}',
        ["Halo semua", "empty-text"],
    ),
    "facebook-mojibake": (
        '[{"timestamp": 1717210800, "data": [{"post": "Halo \\u00f0\\u009f\\u0099\\u008f caf\\u00c3\\u00a9"}]}]',
        ["Halo 🙏 café"],
    ),
    "facebook-odd-parts": (
        '[{"timestamp": -1, "data": [{"post": "Satu"}]}, {"timestamp": 1, "attachments": null, "data": null}]',
        ["Satu", "empty-text"],
    ),
    "youtube-nulls": (
        '{"items": [{"snippet": null}, {"snippet": {"topLevelComment": {"snippet": {"textOriginal": "Halo"}}}}]}',
        ["no-text-field", "Halo"],
    ),
    "x-archive-cut-off": (
        'window.YTD.tweets.part0 = [ {"tweet": {"id_str": "1", "full_text": "Satu", "entities": {}}}, {"tweet": {"id',
        ["Satu", "broken-json"],
    ),
    "x-archive-nulls": (
        'window.YTD.tweets.part0 = [{"tweet": {"id_str": null, "full_text": null, "entities": null}}, '
        '{"tweet": {"id_str": "1", "full_text": "Satu", "entities": {}, "retweeted_status": 5}}]',
        ["empty-text", "Satu"],
    ),
    # -------------------------------------------------------- names that lie; every case is named .csv
    "table-named-json": (TABLE, ["Satu", "Dua"]),
    "table-named-zip": (TABLE, ["Satu", "Dua"]),
    "json-named-xlsx": ('[{"text": "Satu"}]', ["Satu"]),
    "xlsx-named-csv": (lambda: book(ROWS), ["Satu", "Dua"]),
    "parquet-named-json": (lambda: parquet(text=["Satu", "Dua"]), ["Satu", "Dua"]),
    "zip-named-parquet": (lambda: zipped(("a.csv", TABLE)), ["Satu", "Dua"]),
    # ------------------------------------------------------------------------------------ XLSX
    "xlsx-huge-dimension": (
        lambda: altered(book(ROWS), SHEET, b'ref="A1:B3"', b'ref="A1:XFD1048576"'),
        ["Satu", "Dua"],
    ),
    "xlsx-dimension-too-small": (lambda: altered(book(ROWS), SHEET, b'ref="A1:B3"', b'ref="A1"'), ["Satu", "Dua"]),
    "xlsx-row-a-million": (lambda: altered(book(ROWS), SHEET, b'<row r="3"', b'<row r="1048576"'), ["Satu", "Dua"]),
    "xlsx-row-a-billion": (
        lambda: altered(book(ROWS), SHEET, b'<row r="3"', b'<row r="1000000000"'),
        ["Satu", "unreadable-file"],
    ),
    "xlsx-cell-far-away": (lambda: altered(book(ROWS), SHEET, b'r="B3"', b'r="XFD3"'), ["Satu", "Dua"]),
    "xlsx-cell-beyond": (lambda: altered(book(ROWS), SHEET, b'r="B3"', b'r="ZZZZZ3"'), ["Satu", "unreadable-file"]),
    "xlsx-shared-text-missing": (
        lambda: altered(shared(ROWS), SHEET, b"<v>4</v>", b"<v>4000</v>"),
        ["Satu", "unreadable-file"],
    ),
    "xlsx-broken-xml": (lambda: altered(book(ROWS), SHEET, b"</row></sheetData>", b"<c "), ["Satu", "unreadable-file"]),
    "xlsx-first-sheet-damaged": (
        lambda: altered(book(ROWS, ROWS), SHEET, b"<sheetData>", b"<sheetData><"),
        ["Satu", "Dua", "unreadable-file"],
    ),
    "xlsx-formulas": (
        lambda: book([["text", "author"], ["=1+1", "a"], ["=cmd|' /C calc'!A0", "b"], ["Dua", "c"]]),
        ["=1+1", "=cmd|' /C calc'!A0", "Dua"],
    ),
    "xlsx-error-cells": (lambda: book([["text", "author"], ["#N/A", "a"], ["Dua", "#REF!"]]), ["empty-text", "Dua"]),
    "xlsx-impossible-dates": (
        lambda: book(
            [["text", "created_at"], ["Satu", -5], ["Dua", 1e12], ["Tiga", 1e300]],
            formats={"B2": "yyyy-mm-dd", "B3": "yyyy-mm-dd"},
        ),
        ["Satu", "Dua", "Tiga"],
    ),
    # --------------------------------------------------------------------------------- Parquet
    "parquet-of-a-billion-rows": (
        lambda: promising(10**9),
        [*(f"Baris {number}" for number in range(77)), "unreadable-file"],
    ),
    "parquet-impossible-dates": (
        lambda: parquet(
            text=["Satu", "Dua"], created_at=typed([2**62, 0], "timestamp", unit="us"), d=typed([2**30, 0], "date32")
        ),
        ["Satu", "Dua"],
    ),
    "parquet-unknown-zone": (
        lambda: parquet(text=["Satu"], created_at=typed([1717210800000], "timestamp", unit="ms", tz="Mars/Olympus")),
        ["Satu"],
    ),
    "parquet-broken-utf-8": (broken_utf8, ["caf\ufffde", "Dua"]),
    "parquet-nulls": (lambda: parquet(text=[None, "Satu", ""]), ["empty-text", "Satu", "empty-text"]),
    # ------------------------------------------------------------------------------------- zips
    "zip-with-a-password": (
        lambda: directory(zipped(("a.csv", TABLE), ("b.csv", TABLE)), 8, b"\1\0"),
        ["unreadable-file", "unreadable-file"],
    ),
    "zip-of-unknown-packing": (lambda: directory(zipped(("a.csv", TABLE)), 10, b"\x63\0"), ["unreadable-file"]),
    "zip-with-a-wrong-checksum": (lambda: directory(zipped(("a.csv", TABLE)), 16, b"\0\0\0\0"), ["unreadable-file"]),
    "zip-bomb-that-lies": (
        lambda: directory(zipped(("a.csv", b"text\n" + bytes(9_000_000))), 24, b"\x10\0\0\0"),
        ["unreadable-file"],
    ),
    "zip-with-a-wrong-place": (
        lambda: directory(zipped(("a.csv", TABLE)), 42, b"\xff\xff\xff\x7f"),
        ["unreadable-file"],
    ),
    "zip-climbing-alone": (lambda: zipped(("../a.csv", TABLE)), ["unsafe-path"]),
    "zip-of-one-name-twice": (lambda: zipped(("a.csv", TABLE), ("a.csv", TABLE)), ["Satu", "Dua", "Satu", "Dua"]),
    "zip-of-odd-names": (
        lambda: zipped(("a\x1b[31m\n.csv", TABLE), ("x" * 300, TABLE), ("\u202evsc.exe", TABLE)),
        ["Satu", "Dua"] * 3,
    ),
    "zip-of-broken-files": (
        lambda: zipped(
            ("a.xlsx", book(ROWS)[:300]),
            ("b.parquet", parquet(text=["x"])[:60]),
            ("c.zip", b"PK\x03\x04"),
            ("d.csv", TABLE),
            ("e.png", b"\x89PNG\r\n\x1a\n"),
            ("f.json", "{"),
            ("g.csv", "text,author\n"),
            ("h.csv", ""),
            ("i.csv", TABLE),
        ),
        [*["unreadable-file"] * 3, "Satu", "Dua", "no-posts", "broken-json", "no-posts", "no-posts", "Satu", "Dua"],
    ),
    "zip-with-bytes-behind": (lambda: zipped(("a.csv", TABLE)) + b"x" * 999, ["Satu", "Dua"]),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault_costs_no_good_row(name: str) -> None:
    data, expected = FAULTY[name]
    records = read(as_bytes(data))
    assert outcome(records) == expected
    assert summary(records) == page()[name][0]


BIG = 52_000_000


def test_a_line_of_50_mb_is_rejected_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "besar.csv"
    path.write_bytes(b"text,author\nSatu,a\n" + b"x" * BIG + b",b\nDua,c\n")
    tracemalloc.start()
    records = list(read_posts(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome(records) == ["Satu", "line-too-long (line 3)", "Dua"]
    assert peak < 120_000_000
    assert all(len(record.raw) <= 200 for record in records if isinstance(record, Rejected))


@pytest.mark.parametrize("shape", ["jsonl", "list", "document"])
def test_a_json_string_of_50_mb_is_rejected(shape: str, tmp_path: Path) -> None:
    long = b'{"text": "' + b"x" * BIG + b'\\" x"}'
    path = tmp_path / "besar.json"
    if shape == "jsonl":
        path.write_bytes(b'{"text": "Satu"}\n' + long + b'\n{"text": "Dua"}\n')
    elif shape == "list":
        path.write_bytes(b'[{"text": "Satu"},' + long + b',{"text": "Dua"}]')
    else:
        path.write_bytes(b'{"note": "' + b"y" * BIG + b'", "data": [{"text": "Satu"},' + long + b',{"text": "Dua"}]}')
    expected = "line-too-long" if shape == "jsonl" else "field-too-long"
    assert outcome(list(read_posts(path))) == ["Satu", expected, "Dua"]


def test_a_cell_of_over_10_mb_is_rejected() -> None:
    records = read('author,text\na,Satu\nb,"' + "x" * 11_000_000 + '"\nc,Dua\n')
    assert outcome(records) == ["Satu", "field-too-long (line 3)", "Dua"]


def test_a_json_record_with_endless_members_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "besar.json"
    path.write_bytes(b'[{"text": "Satu"}, {"text": "x", "k": [' + b"1," * 10_000_000 + b'1]}, {"text": "Dua"}]')
    assert outcome(list(read_posts(path))) == ["Satu", "line-too-long", "Dua"]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bom.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bom.csv", b"text\n" + bytes(archives.FREE_SIZE + 1))
        archive.writestr("baik.csv", "text\nSatu\n")
    assert outcome(list(read_posts(path))) == ["unreadable-file", "Satu"]


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    path = tmp_path / "banyak.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.csv", "text\nSatu\n")
    with pytest.raises(ReadError, match="unpack it"):
        list(read_posts(path))


def test_zips_are_opened_to_a_fixed_depth(tmp_path: Path) -> None:
    data = b"text\nSatu\n"
    for depth in range(6):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(f"{depth}.dat", data)
        data = buffer.getvalue()
    path = tmp_path / "sarang.zip"
    path.write_bytes(data)
    (record,) = read_posts(path)
    assert isinstance(record, Rejected)
    assert "zip inside" in record.reason


@pytest.mark.parametrize("name", ["../luar.csv", "/etc/luar.csv", "a/../../luar.csv", "C:\\luar.csv", "..\\luar.csv"])
def test_a_climbing_path_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "panjat.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "text\nSatu\n")
        archive.writestr("baik.csv", "text\nDua\n")
    assert outcome(list(read_posts(path))) == ["unsafe-path", "Dua"]


def test_damage_inside_a_zip_keeps_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "rusak.zip"
    rows = "".join(f"Baris {number} {number * 7919 % 10007}\n" for number in range(200_000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "text\n" + rows)
        archive.writestr("b.csv", "text\nSetelahnya\n")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    records = list(read_posts(path))
    assert sum(isinstance(record, Post) for record in records) > 1000
    assert outcome(records)[-2:] == ["unreadable-file", "Setelahnya"]


def test_a_folder_without_exports_says_so(tmp_path: Path) -> None:
    (tmp_path / "catatan.txt").write_text("Ini catatan biasa saja\nbukan ekspor\n")
    with pytest.raises(ReadError, match="no file in it"):
        list(read_posts(tmp_path))


def test_an_excerpt_is_short_and_printable() -> None:
    (good, bad) = read(b'{"text": "Satu"}\n{"text": ' + b"\xff\x00" * 500 + b"\n")
    assert isinstance(good, Post)
    assert isinstance(bad, Rejected)
    assert len(bad.raw) <= 200
    bad.raw.encode()


# -------------------------------------------------------------------------------- folders and disks


def links(folder: Path) -> None:
    (folder / "putus.csv").symlink_to(folder / "tidak-ada.csv")
    (folder / "putaran").symlink_to(folder)


def nothing(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "kosong.csv").touch()


def archive_flat(folder: Path) -> None:
    post = '{"tweet": {"id_str": "1", "full_text": "Satu", "entities": {}}}'
    (folder / "tweets.js").write_text(f"window.YTD.tweets.part0 = [{post}]")
    (folder / "like.js").write_text("window.YTD.like.part0 = [ ]")


def hidden(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(bytes(99))
    (folder / "._a.csv").write_bytes(bytes(99))


def header_alone(folder: Path) -> None:
    (folder / "0.csv").write_text("text,author\n")


def sockets(folder: Path) -> None:
    os.mkfifo(folder / "0.csv")


FOLDERS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "folder-of-nothing": (nothing, []),
    "folder-of-links-alone": (links, []),
    "folder-with-links": (links, ["Satu", "Dua"]),
    "folder-with-hidden-files": (hidden, ["Satu", "Dua"]),
    "folder-with-a-pipe": (sockets, ["Satu", "Dua"]),
    "folder-with-a-header-alone": (header_alone, ["no-posts", "Satu", "Dua"]),
    "x-archive-without-data-folder": (archive_flat, ["Satu", "Dua", "no-posts", "Satu"]),
}


def folder(name: str, tmp_path: Path) -> Path:
    make, expected = FOLDERS[name]
    place = tmp_path / name
    place.mkdir()
    make(place)
    if expected:
        (place / "a.csv").write_text(TABLE)
    return place


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_keeps_every_good_file(name: str, tmp_path: Path) -> None:
    place, expected = folder(name, tmp_path), FOLDERS[name][1]
    if expected:
        records = list(read_posts(place))
        assert outcome(records) == expected
        assert summary(records) == page()[name][0]
    else:
        with pytest.raises(ReadError, match="no file in it") as caught:
            list(read_posts(place))
        assert said(str(caught.value).removeprefix(f"{place}: ")) == page()[name][0]


def test_a_broken_link_is_no_such_file(tmp_path: Path) -> None:
    links(tmp_path)
    with pytest.raises(ReadError, match="no such file"):
        read_posts(tmp_path / "putus.csv")
    assert scanned(tmp_path / "putus.csv", tmp_path).exit_code == 2


def test_a_file_that_may_not_be_read_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opener(path: Path) -> Callable[[], io.BufferedReader]:
        if path.name == "a.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return path.open("rb")  # type: ignore[return-value]

    monkeypatch.setattr(archives, "_opener", lambda path: lambda: opener(path))
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.csv").write_text(TABLE)
    rejected, *posts = read_posts(tmp_path)
    assert isinstance(rejected, Rejected)
    assert "a.csv: cannot be read (Permission denied); check the file" in rejected.reason
    assert outcome(posts) == ["Satu", "Dua"]


def test_a_folder_that_may_not_be_listed_is_rejected(tmp_path: Path) -> None:
    for name in ("0-tutup", "1-tutup", "2-buka"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text(TABLE)
    (tmp_path / "0-tutup").chmod(0)
    (tmp_path / "1-tutup").chmod(0o400)
    (tmp_path / "2-buka" / "b.csv").write_text(TABLE)
    (tmp_path / "2-buka" / "b.csv").chmod(0)
    try:
        if os.access(tmp_path / "0-tutup", os.R_OK):
            pytest.skip("nothing is closed to root")
        records = list(read_posts(tmp_path))
        assert outcome(records) == ["unreadable-file", "unreadable-file", "Satu", "Dua", "unreadable-file"]
        assert all("Permission denied" in record.reason for record in records if isinstance(record, Rejected))
        assert scanned(tmp_path / "2-buka" / "b.csv", tmp_path).exit_code == 2
    finally:
        (tmp_path / "0-tutup").chmod(0o700)
        (tmp_path / "1-tutup").chmod(0o700)


@pytest.mark.parametrize("change", ["shrinks", "vanishes"])
def test_a_file_that_shrinks_or_vanishes_stops_the_scan(change: str, tmp_path: Path, rules_screener: Screener) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,author\n" + "Baris,a\n" * 100_000)

    def spoil(stage: str, tally: Tally) -> None:
        if tally.records and change == "shrinks":
            os.truncate(path, 50_000)
        elif tally.records:
            path.unlink(missing_ok=True)

    job = Job((str(path),), tmp_path / "out", part=1000)
    with pytest.raises(ScanError, match=r"a\.csv: changed while it was scanned"):
        scan(job, rules_screener, progress=spoil)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_fault_of_a_reader_costs_its_own_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader_of = files.reader_of
    monkeypatch.setattr(files, "reader_of", lambda source: 1 / 0 if source.name == "a.csv" else reader_of(source))
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.csv").write_text(TABLE)
    rejected, *posts = read_posts(tmp_path)
    assert isinstance(rejected, Rejected)
    assert (rejected.file, rejected.reason) == ("a.csv", "unreadable-file: reader fault (ZeroDivisionError)")
    assert outcome(posts) == ["Satu", "Dua"]


def test_a_line_without_end_before_the_table_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lines, delimited):
        monkeypatch.setattr(module, "MAX_LINE", 300_000)
    long = "x" * 1_000_000
    assert outcome(read(f"{long}\n{TABLE}")) == ["line-too-long (line 1)", "Satu", "Dua"]
    assert outcome(read(f"{long}\nIni baris biasa\nIni lagi\n")) == [
        "line-too-long (line 1)",
        "Ini baris biasa",
        "Ini lagi",
    ]
    with pytest.raises(ReadError, match=r"line-too-long \(line 1\), and no line after it"):
        read(long)


# -------------------------------------------------------------------------------- scans and the page

CASES = {**REFUSED, **FAULTY}


def scanned(path: Path, tmp_path: Path) -> Any:
    return CliRunner().invoke(main, ["scan", str(path), "--out", str(tmp_path / "hasil"), "--strict"])


@pytest.mark.parametrize("name", [*CASES, *FOLDERS])
def test_a_scan_ends_with_the_exit_code_of_the_page(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules_screener: Screener
) -> None:
    monkeypatch.setattr("netral.cli._load", lambda *options: rules_screener)
    if name in FOLDERS:
        path = folder(name, tmp_path)
    else:
        path = tmp_path / f"{name}.{name.partition('-named-')[2] or 'csv'}"
        path.write_bytes(as_bytes(CASES[name][0]))
    result = scanned(path, tmp_path)
    code, _, strict = page()[name][1].partition(" ")
    assert result.exit_code == int(strict.strip("()") or code)
    told = result.stderr.splitlines()
    assert all(line.startswith("netral: ") for line in told)
    assert not any(word in result.output for word in ("Traceback", "unexpected", "reader fault"))
    if code == "4":
        assert "nothing readable" in told[-1]
        assert path.name in told[-1]
    else:
        rejected = [json.loads(line) for line in (tmp_path / "hasil" / "rejected.jsonl").read_bytes().splitlines()]
        assert bool(rejected) == bool(strict)
        assert all(line["file"] and line["reason"] for line in rejected)
        tally = json.loads((tmp_path / "hasil" / "manifest.json").read_bytes())["rows"]
        assert tally["records"] == tally["verdicts"] + tally["rejected"] + tally["skipped"]


@cache
def page() -> dict[str, tuple[str, str]]:
    """Return the rows of the page: what becomes of a file, and the exit codes."""
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \|[^|]+\| (.+) \| (\d(?: \(\d\))?) \|$", text, re.MULTILINE)
    return {name: (became, code) for name, became, code in rows}


ON_THE_PAGE = {
    name
    for name in dict(globals())
    if name.startswith("test_")
    and not name.startswith(("test_a_scan_ends", "test_a_fault_costs", "test_a_folder_keeps"))
} - {"test_a_file_that_cannot_be_read_names_itself_and_the_remedy"}


def test_the_page_names_every_case_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)
    reasons = [name for name in named if name in REASONS]
    cases = [name for name in named if name not in REASONS]
    assert sorted(cases) == sorted([*CASES, *FOLDERS, *ON_THE_PAGE])
    assert sorted(reasons) == sorted(REASONS)
    assert page().keys() >= set(cases)
    assert len(cases) >= 60


def test_a_stream_of_many_posts_loses_none_though_it_is_read_twice(tmp_path):
    page = {
        "data": [{"id": str(i), "author_id": "7", "text": f"Rapat warga ke-{i} " + "a" * 300} for i in range(3000)],
        "includes": {"users": [{"id": "7", "username": "warga"}]},
    }
    place = tmp_path / "page.json"
    place.write_text(json.dumps(page), encoding="utf-8")
    with place.open("rb") as stream:
        streamed = list(read_posts(stream))
    assert [(post.text, post.author) for post in streamed] == [(post.text, post.author) for post in read_posts(place)]
    assert len(streamed) == 3000


def test_a_string_without_an_end_takes_linear_time():
    begun = time.process_time()
    with pytest.raises(ValueError, match="broken-json"):
        parse('{"text": "' + '\\"' * 100_000)
    assert time.process_time() - begun < 2
    assert parse('{"a": [1, 2,], "b": "x,}",}') == {"a": [1, 2], "b": "x,}"}


def nested(count: int, size: int, levels: int) -> bytes:
    """Return a zip of `count` zips each, `levels` deep, of tables that pack as tightly as can be."""
    data: bytes = b"text\n" + b"a\n" * (size // 2)
    for _ in range(levels):
        data = zipped(*((f"{number}.dat", data) for number in range(count)))
    return data


def test_zips_inside_a_zip_share_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_SIZE", 100_000)
    path = tmp_path / "sarang.zip"
    path.write_bytes(zipped(("baik.csv", TABLE), ("bom.zip", nested(8, 90_000, 2)), ("juga.zip", nested(1, 4, 1))))
    allowed = max(100_000, archives.MAX_RATIO * path.stat().st_size)
    records = list(read_posts(path))
    refused = [record for record in records if isinstance(record, Rejected)]
    assert 2 * (len(records) - len(refused)) < allowed < 8 * 90_000
    assert {record.file.rpartition("/")[0] for record in refused} == {"bom.zip"}
    assert all("more than is read from a zip" in record.reason for record in refused)
    assert all("unpack it and read the folder" in record.reason for record in refused)
    assert outcome(records)[:2] == ["Satu", "Dua"]
    assert outcome(records)[-2:] == ["a", "a"]


def test_a_zip_over_the_budget_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_SIZE", 100_000)
    path = tmp_path / "bom.zip"
    path.write_bytes(nested(2, 90_000, 1))
    with pytest.raises(ReadError, match=r"bom\.zip: 2 files of 180010 bytes.* unpack it and read the folder"):
        list(read_posts(path))


def test_ordinary_zips_in_a_zip_are_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_SIZE", 10_000)
    rows = "".join(f"Warga {number * 7919 % 10007} hadir di balai desa\n" for number in range(2000))
    path = tmp_path / "bulan.zip"
    path.write_bytes(zipped(*((f"{month}.zip", zipped(("a.csv", "text\n" + rows))) for month in range(12))))
    assert sum(isinstance(record, Post) for record in read_posts(path)) == 12 * 2000

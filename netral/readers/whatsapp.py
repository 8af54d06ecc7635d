"""WhatsApp's exported chats: Android and iOS, Indonesian and English, any order of day and month."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from netral.readers.lines import LongLine, read_lines
from netral.readers.records import (
    FIELD_TOO_LONG,
    LINE_TOO_LONG,
    MAX_FIELD,
    MEDIA_PLACEHOLDER,
    SYSTEM_LINE,
    Record,
    Rows,
    Source,
)
from netral.readers.times import parse_time
from netral.schema import Kind

DELETED_MESSAGE = "deleted-message"
_DATE = r"(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{2,4})"
_TIME = r"(?P<time>\d{1,2}[.:]\d{2}(?:[.:]\d{2})?)(?:\s?(?P<half>[ap]\.?\s?m\.?))?"
_BRACKET = re.compile(rf"\[{_DATE}(?P<comma>,?)\s{_TIME}\]\s?(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_DASH = re.compile(rf"{_DATE}(?P<comma>,?)\s{_TIME}\s[-–]\s(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_MARKS = "\u200e\u200f\u202a\u202b\u202c\ufeff"
_NAME = re.compile(r"(?P<name>[^\n]{1,100}?):(?:\s(?P<text>.*)|(?P<none>))\Z", re.DOTALL)
_KINDS = (
    r"media|gambar|foto|stiker|video|audio|gif|dokumen|kartu kontak|catatan video|pesan video|"
    r"image|photo|sticker|document|contact card|video note"
)
_PLACEHOLDER = re.compile(
    rf"<?(?:(?:[^\n]*\u200e)?(?:{_KINDS}) (?:tidak disertakan|omitted))>?"
    r"|null|(?:pesan|foto|video|message|photo)?\s?(?:sekali lihat|view once)[^\n]{0,40}"
    r"|(?:lokasi|location|lokasi terkini|live location)[^\n]{0,20}: https://\S+",
    re.IGNORECASE,
)
_DELETED = re.compile(
    r"(?:pesan ini (?:telah )?dihapus|anda (?:telah )?menghapus pesan ini|this message was deleted|"
    r"you deleted this message)(?: oleh admin [^\n]*| by admin [^\n]*)?\.?",
    re.IGNORECASE,
)
_ATTACHED = re.compile(
    r"\A\u200e?(?:[^\n]{1,200}\.\w{2,5} \((?:file terlampir|berkas terlampir|file attached)\)"
    r"|<(?:terlampir|lampiran|attached): [^\n>]{1,200}>)\s*",
    re.IGNORECASE,
)
_EDITED = re.compile(r"<(?:pesan ini (?:telah )?diedit|this message was edited)>\s*\Z", re.IGNORECASE)
_SYSTEM = re.compile(
    r"terenkripsi secara end-to-end|end-to-end encrypted|dienkripsi secara|"
    r"\b(?:keluar|left|bergabung|joined)\.?\Z|telah bergabung|bergabung menggunakan|joined using|"
    r"menambahkan|\badded\b|mengeluarkan|\bremoved\b|membuat grup|created group|created this group|"
    r"(?:mengubah|changed|mengganti|menghapus) (?:nama|subjek|ikon|deskripsi|pengaturan|gambar)|"
    r"(?:mengubah|changed|mengganti) (?:the|this|nomor|to)\b|"
    r"(?:sekarang|kini) (?:menjadi )?admin|now an admin|kode keamanan|security code|menyematkan pesan|"
    r"pinned a message|pesan sementara|disappearing messages|panggilan (?:suara|video) tak terjawab|"
    r"missed (?:voice|video) call|nomor telepon(?:nya)? telah|akun bisnis|business account",
    re.IGNORECASE,
)
_CHAT_NAME = re.compile(r"\A(?:Chat WhatsApp dengan|WhatsApp Chat (?:with|-))\s+")
_NEAR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class _Order:
    """How the heads of one chat are written."""

    bracket: bool
    mark: str
    comma: bool
    month_first: bool


@dataclass(slots=True)
class _Message:
    time: datetime | str
    lines: list[str] = field(default_factory=list)
    size: int = 0
    overlong: bool = False


def is_chat(head: str) -> bool:
    """Tell whether a text's first lines are a chat's."""
    lines = [line for line in head.splitlines()[:40] if line.strip()]
    heads = [line for line in lines if _head(line)]
    if not heads or _head(lines[0]) is None:
        return False
    named = sum(": " in match["rest"] for line in heads if (match := _head(line)))
    return named >= 1 or any(_SYSTEM.search(line) for line in heads)


def read_chat(source: Source) -> Iterator[Record]:
    """Read a chat; lines without a head of the chat's own kind belong to the message above."""
    rows, order = Rows(source.name), _order(source)
    path = PurePosixPath(source.name)
    chat = _CHAT_NAME.sub("", path.parent.name if path.stem == "_chat" else path.stem)
    message: _Message | None = None
    last: datetime | None = None
    with source.open() as stream:
        for line in read_lines(stream):
            if isinstance(line, LongLine):
                if message is not None:
                    yield _record(message, rows, chat)
                message = None
                yield rows.reject(LINE_TOO_LONG, line)
                continue
            match = _head(line, order)
            time = _time(match, order) if match else None
            if match and (_names(match["rest"]) or _is_system(match["rest"], time, last)):
                if message is not None:
                    yield _record(message, rows, chat)
                date = f"{match['a']}{match['mark']}{match['b']}{match['mark']}{match['c']} {match['time']}"
                message, last = _Message(time or date, [match["rest"]], len(line)), time or last
            elif message is not None:
                message.size += len(line) + 1
                message.overlong = message.overlong or message.size > MAX_FIELD
                if not message.overlong:
                    message.lines.append(line)
            elif line.strip():
                yield rows.skip(SYSTEM_LINE)
    if message is not None:
        yield _record(message, rows, chat)


def _head(line: str, order: _Order | None = None) -> re.Match[str] | None:
    start = line.lstrip(_MARKS)[:80]
    if not start[:1].isdigit() and start[:1] != "[":
        return None
    whole = line.lstrip(_MARKS)
    match = (_BRACKET if start.startswith("[") else _DASH).match(whole)
    if match is None or order is None:
        return match
    kind = (start.startswith("["), match["mark"], bool(match["comma"]))
    return match if kind == (order.bracket, order.mark, order.comma) else None


def _order(source: Source) -> _Order:
    """Look through the whole chat for a day over 12; where none tells, the American way of writing AM and PM does.

    An American phone writes 6/9/24, 7:22 PM; a British or Indian one 06/09/2024, 7:22 pm.
    """
    first: re.Match[str] | None = None
    order = _Order(False, "/", False, False)
    day_first = month_first = 0
    american = padded = False
    with source.open() as stream:
        for line in read_lines(stream):
            match = _head(line, order if first else None)
            if match is None:
                continue
            if first is None:
                first = match
                order = _Order(match[0].startswith("["), match["mark"], bool(match["comma"]), False)
            american = american or (match["half"] or "").isupper()
            padded = padded or (len(match["c"]) == 4 and "0" in (match["a"][0], match["b"][0]))
            if len(match["a"]) < 4:
                day_first += int(match["a"]) > 12
                month_first += int(match["b"]) > 12
    american = american and not (padded or day_first or order.bracket) and order.mark == "/"
    return _Order(order.bracket, order.mark, order.comma, month_first > day_first or american)


def _time(match: re.Match[str], order: _Order) -> datetime | None:
    date = f"{match['a']}/{match['b']}/{match['c']}"
    half = re.sub(r"[\s.]", "", match["half"] or "")
    return parse_time(f"{date} {match['time']} {half}".strip(), month_first=order.month_first)


def _names(rest: str) -> re.Match[str] | None:
    """Return author and text of a head's rest; None for a system line, also one that quotes a colon."""
    match = _NAME.match(rest)
    if match is None or (re.search(r"[\"“”']", match["name"]) and _SYSTEM.search(match["name"])):
        return None
    return match


def _is_system(rest: str, time: datetime | None, last: datetime | None) -> bool:
    if _SYSTEM.search(rest):
        return True
    return time is not None and (last is None or last <= time <= last + _NEAR)


def _record(message: _Message, rows: Rows, chat: str) -> Record:
    first = message.lines[0]
    if message.overlong:
        return rows.reject(FIELD_TOO_LONG, first)
    match = _names(first)
    if match is None:
        return rows.skip(SYSTEM_LINE)
    text = "\n".join([match["text"] or "", *message.lines[1:]])
    if text.startswith("\u200e") and _SYSTEM.search(text):
        return rows.skip(SYSTEM_LINE)
    bare = _EDITED.sub("", text.rstrip()).strip().strip(_MARKS).strip()
    if _DELETED.fullmatch(bare):
        return rows.skip(DELETED_MESSAGE)
    if _PLACEHOLDER.fullmatch(bare):
        return rows.skip(MEDIA_PLACEHOLDER)
    caption = _ATTACHED.sub("", bare)
    if not caption.strip():
        return rows.skip(MEDIA_PLACEHOLDER)
    author = match["name"].strip(_MARKS + "~ \u202f\u00a0")
    return rows.post(
        caption,
        author=author,
        time=message.time,
        platform="whatsapp",
        kind=Kind.CHAT,
        meta={"chat": chat} if chat else {},
    )

"""Telegram Desktop's result.json: one chat or a whole account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netral.readers.context import Context, dicts, under
from netral.readers.elements import Element
from netral.readers.records import MEDIA_PLACEHOLDER, SYSTEM_LINE, Record
from netral.readers.repair import clean
from netral.schema import Kind

THROUGH = frozenset({("chats", "list"), ("left_chats", "list")})
"""The lists whose objects are chats, not messages."""


def read_message(element: Element, context: Context) -> Iterator[Record] | None:
    """Read one message; what was forwarded is another's text."""
    value = element.value
    if not element.path or element.path[-1] != "messages" or value.get("type") not in ("message", "service"):
        return None
    return iter((_message(value, element.around, context),))


def _message(value: dict[str, Any], around: dict[str, Any], context: Context) -> Record:
    if value["type"] == "service":
        return context.rows.skip(SYSTEM_LINE)
    text = _text(value.get("text")) or _text(value.get("text_entities")) or _poll(value.get("poll"))
    if not text and {"photo", "file", "media_type", "sticker_emoji", "location_information"} & value.keys():
        return context.rows.skip(MEDIA_PLACEHOLDER)
    meta = {"chat": clean(around.get("name"))} if around.get("name") else {}
    origin = clean(value.get("forwarded_from"))
    if origin:
        meta["shared_from"] = origin
    channel = "channel" in clean(around.get("type"))
    return context.rows.post(
        text,
        id=value.get("id"),
        author=clean(value.get("from")) or value.get("from_id"),
        time=value.get("date_unixtime") or value.get("date"),
        platform="telegram",
        kind=Kind.POST if channel else Kind.CHAT,
        reply_to=value.get("reply_to_message_id"),
        forwarded="forwarded_from" in value,
        meta=meta,
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(part if isinstance(part, str) else str(under(part, "text") or "") for part in value).strip()
    return clean(value)


def _poll(value: object) -> str:
    answers = [clean(answer.get("text")) for answer in dicts(under(value, "answers"))]
    return "\n".join(part for part in (clean(under(value, "question")), *answers) if part)


SHAPES = (read_message,)

"""TikTok: "Download your data" and the nested files of comment scrapers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from netral.readers import columns as names
from netral.readers.context import MAX_REPLY_DEPTH, Context
from netral.readers.elements import TOO_DEEP, Element
from netral.readers.lines import decode_head
from netral.readers.records import NO_TEXT_FIELD, NOT_AN_OBJECT, Record, Source
from netral.readers.repair import clean
from netral.schema import Kind

_HEAD = 1_000_000
_USER = re.compile(r'"userName"\s*:\s*"([^"]+)"', re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def read_download(element: Element, context: Context) -> Iterator[Record] | None:
    """Read comments, captions and messages of an account's own data; all else in it is no post."""
    path, value = element.path, {str(key).casefold(): item for key, item in element.value.items()}
    if not path or "date" not in value:
        return None
    if path[-1] == "CommentsList":
        record = _own(value.get("comment"), value, context, kind=Kind.COMMENT, url=value.get("url"))
    elif path[-1] == "VideoList" and not any("Activity" in key or "Browsing" in key for key in path):
        record = _own(value.get("title"), value, context, url=value.get("link"))
    elif any(key.replace(" ", "") == "ChatHistory" for key in path):
        record = _own(value.get("content"), value, context, kind=Kind.CHAT, author=clean(value.get("from")))
    elif path[0] in (
        "Activity",
        "Your Activity",
        "Ads and data",
        "App Settings",
        "Likes and Favorites",
        "Tiktok Live",
    ):
        return iter(())
    else:
        return None
    return iter((record,))


def _own(
    text: object,
    value: dict[str, Any],
    context: Context,
    *,
    kind: Kind = Kind.POST,
    url: object = "",
    author: str = "",
) -> Record:
    time = clean(value["date"])
    return context.rows.post(
        text,
        author=author or context.once("user", _user),
        time=f"{time} UTC" if _DAY.fullmatch(time) else time,
        url=url,
        platform="tiktok",
        kind=kind,
    )


def _user(source: Source) -> str:
    with source.open() as stream:
        match = _USER.search(decode_head(stream.read(_HEAD)))
    return match[1] if match else ""


def read_scraped(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a comment with its replies under one video; the caption is the video owner's."""
    value = element.value
    if "comment" not in value or "create_time" not in value or not ({"username", "nickname"} & value.keys()):
        return None
    return _comments(value, clean(element.around.get("video_url")), context)


def _comments(value: dict[str, Any], url: str, context: Context) -> Iterator[Record]:
    """Read a comment, then each reply with those to it; one beyond the depth or without a text is rejected."""
    rest: list[tuple[Any, str, int]] = [(value, "", 0)]
    while rest:
        value, reply_to, depth = rest.pop()
        if not isinstance(value, dict):
            yield context.rows.reject(NOT_AN_OBJECT, value)
            continue
        author = clean(value.get("username")) or clean(value.get("nickname"))
        if depth <= MAX_REPLY_DEPTH and {"comment", "text"} & value.keys():
            yield context.rows.post(
                value.get("comment") or value.get("text"),
                id=value.get("comment_id"),
                author=author,
                time=value.get("create_time"),
                url=url,
                platform="tiktok",
                kind=Kind.COMMENT,
                reply_to=reply_to,
            )
        else:
            reason = TOO_DEEP if depth > MAX_REPLY_DEPTH else f"{NO_TEXT_FIELD}: {names.listed(list(value))}"
            yield context.rows.reject(reason, {**value, "replies": None})
        replies = value.get("replies")
        if isinstance(replies, list):
            rest += [(reply, author, depth + 1) for reply in reversed(replies)]


SHAPES = (read_download, read_scraped)

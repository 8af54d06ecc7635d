"""YouTube: comments of the Data API and of youtube-comment-downloader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from netral.readers.context import Context, dicts, under
from netral.readers.elements import Element
from netral.readers.records import Record
from netral.readers.repair import clean, strip_html
from netral.schema import Kind

_VIDEO = re.compile(r"(?<![\w-])[\w-]{11}(?![\w-])", re.ASCII)


def read_downloaded(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a comment whose time is relative: the estimate is taken, the words are kept."""
    value = element.value
    if not {"cid", "text", "votes"} <= value.keys():
        return None
    number = clean(value["cid"])
    stem = PurePosixPath(context.source.name).stem
    video = _VIDEO.fullmatch(stem) or (None if " " in stem else _VIDEO.search(stem))
    parsed, said = value.get("time_parsed"), clean(value.get("time"))
    return iter(
        (
            context.rows.post(
                value["text"],
                id=number,
                author=clean(value.get("author")),
                time=parsed or said,
                url=f"https://www.youtube.com/watch?v={video[0]}&lc={number}" if video else "",
                platform="youtube",
                kind=Kind.COMMENT,
                reply_to=number.partition(".")[0] if "." in number else "",
                meta={"time": said} if said else {},
            ),
        )
    )


def read_api(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a thread or a page of threads, each with the replies it carries."""
    value = element.value
    if isinstance(value.get("items"), list):
        threads = dicts(value["items"])
        if not threads or not all(map(_is_comment, threads)):
            return None
        return (record for thread in threads for record in _thread(thread, context))
    return _thread(value, context) if _is_comment(value) else None


def _is_comment(value: dict[str, Any]) -> bool:
    snippet = under(value, "snippet", "topLevelComment", "snippet") or value.get("snippet")
    return isinstance(snippet, dict) and bool({"textOriginal", "textDisplay"} & snippet.keys())


def _thread(value: dict[str, Any], context: Context) -> Iterator[Record]:
    top = under(value, "snippet", "topLevelComment")
    yield _comment(top if isinstance(top, dict) else value, context)
    for reply in dicts(under(value, "replies", "comments")):
        yield _comment(reply, context, clean(value.get("id")))


def _comment(value: dict[str, Any], context: Context, thread: str = "") -> Record:
    snippet = value.get("snippet")
    snippet = snippet if isinstance(snippet, dict) else {}
    number, video = clean(value.get("id")), clean(snippet.get("videoId"))
    return context.rows.post(
        clean(snippet.get("textOriginal")) or strip_html(clean(snippet.get("textDisplay"))),
        id=number,
        author=clean(snippet.get("authorDisplayName")),
        time=snippet.get("publishedAt"),
        url=f"https://www.youtube.com/watch?v={video}&lc={number}" if video else "",
        platform="youtube",
        kind=Kind.COMMENT,
        reply_to=clean(snippet.get("parentId")) or thread,
    )


SHAPES = (read_downloaded, read_api)

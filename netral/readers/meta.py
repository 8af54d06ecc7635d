"""Facebook's and Instagram's "Download your information": posts, comments and messages of one account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from netral.readers.context import Context, dicts, under
from netral.readers.elements import Element
from netral.readers.records import MEDIA_PLACEHOLDER, SYSTEM_LINE, Record, Source
from netral.readers.repair import clean, mend
from netral.schema import Kind

_HEAD = 1_000_000
_FOREIGN = frozenset({"sender_name", "text", "url", "message", "postText"})
_COMMENT = re.compile(r"comment|komentar", re.IGNORECASE)
_NO_COMMENT = re.compile(r"like|reaction|allow|block", re.IGNORECASE)
_OWNER = re.compile(r"owner|pemilik", re.IGNORECASE)
_USERNAME = re.compile(r"user ?name|nama pengguna", re.IGNORECASE)


def read_facebook_comment(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a comment the account wrote; whose post it stands under is told by the title alone."""
    comments = [item["comment"] for item in dicts(element.value.get("data")) if isinstance(item.get("comment"), dict)]
    if not comments:
        return None
    title = mend(clean(element.value.get("title")))
    return (
        context.rows.post(
            comment.get("comment"),
            author=comment.get("author") or context.once("owner", _facebook_owner),
            time=comment.get("timestamp") or element.value.get("timestamp"),
            platform="facebook",
            kind=Kind.COMMENT,
            meta={"title": title} if title else {},
        )
        for comment in comments
    )


def read_facebook_post(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a post of the account; a shared link or note alone is passed-on text."""
    value = element.value
    keys = {"data", "attachments", "title", "tags"} & value.keys()
    if "timestamp" not in value or not keys & {"data", "attachments"} or _FOREIGN & value.keys():
        return None
    parts = [text for item in dicts(value.get("data")) if (text := clean(item.get("post")))]
    inside = [item for entry in dicts(value.get("attachments")) for item in dicts(entry.get("data"))]
    captions = [clean(under(item, "media", "description")) for item in inside]
    if not parts:
        parts = [caption for caption in dict.fromkeys(captions) if caption]
    passed = [clean(under(item, "external_context", "name")) for item in inside]
    passed += [clean(under(item, "note", "text")) for item in inside]
    link = next((url for item in inside if (url := clean(under(item, "external_context", "url")))), "")
    return iter(
        (
            context.rows.post(
                "\n".join(parts),
                author=context.once("owner", _facebook_owner),
                time=value["timestamp"],
                platform="facebook",
                quoted="\n".join(text for text in passed if text),
                meta={"link": link} if link else {},
            ),
        )
    )


def read_message(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a message of Messenger or of Instagram's chats."""
    value, chat = element.value, mend(clean(element.around.get("title")))
    if "sender_name" not in value or "timestamp_ms" not in value:
        return None
    content, shared = clean(value.get("content")), clean(under(value, "share", "share_text"))
    if not content and not shared:
        media = {"photos", "videos", "audio_files", "sticker", "gifs", "files", "share"} & value.keys()
        return iter((context.rows.skip(MEDIA_PLACEHOLDER if media else SYSTEM_LINE),))
    return iter(
        (
            context.rows.post(
                content,
                author=value["sender_name"],
                time=value["timestamp_ms"],
                platform="instagram" if "instagram" in context.source.name.casefold() else "facebook",
                kind=Kind.CHAT,
                quoted=shared,
                meta={"chat": chat} if chat else {},
            ),
        )
    )


def read_instagram_post(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a post, reel or story: the caption stands in the album or in its first picture."""
    value = element.value
    media = dicts(value.get("media"))
    if not any("creation_timestamp" in item for item in (value, *media)) or not (media or "uri" in value):
        return None
    first = media[0] if media else {}
    return iter(
        (
            context.rows.post(
                value.get("title") or first.get("title"),
                author=context.once("owner", _instagram_owner),
                time=value.get("creation_timestamp") or first.get("creation_timestamp"),
                platform="instagram",
            ),
        )
    )


def read_instagram_comment(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a comment, whose keys follow the account's language: its list, file or text are named for comments.

    What the account liked is another's, and whom it lets comment is a setting.
    """
    value = element.value
    parts = _parts(value)
    if not parts:
        return None
    place = " ".join((*element.path, PurePosixPath(context.source.name).name))
    if _NO_COMMENT.search(place) or not (_COMMENT.search(place) or any(map(_COMMENT.fullmatch, parts))):
        return None
    texts = {name: text for name, part in parts.items() if (text := clean(part.get("value")))}
    owner = next((name for name in texts if _OWNER.search(name)), None)
    reply_to = (texts.pop(owner) if owner else "") or clean(value.get("title"))
    named = next((text for name, text in texts.items() if _COMMENT.search(name)), None)
    time = next((part["timestamp"] for part in parts.values() if part.get("timestamp")), None)
    return iter(
        (
            context.rows.post(
                named or max(texts.values(), key=len, default=""),
                author=context.once("owner", _instagram_owner),
                time=time or value.get("timestamp"),
                url=next((part["href"] for part in parts.values() if part.get("href")), ""),
                platform="instagram",
                kind=Kind.COMMENT,
                reply_to=reply_to,
            ),
        )
    )


def _parts(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    named = value.get("string_map_data")
    if isinstance(named, dict):
        return {name: part for name, part in named.items() if isinstance(part, dict)}
    listed = dicts(value.get("string_list_data"))
    if listed:
        return {"": listed[0]}
    labels = dicts(value.get("label_values"))
    return {clean(part.get("label")) or clean(part.get("title")): part for part in labels}


def _facebook_owner(source: Source) -> str:
    profile = _load(source, "profile_information.json")
    return clean(under(profile, "profile_v2", "name", "full_name") or under(profile, "profile", "name", "full_name"))


def _instagram_owner(source: Source) -> str:
    profile = _load(source, "personal_information.json")
    for user in dicts(under(profile, "profile_user")):
        for name, part in (user.get("string_map_data") or {}).items():
            if _USERNAME.fullmatch(clean(name)):
                return clean(under(part, "value"))
    return ""


def _load(source: Source, name: str) -> object:
    found = source.find(name)
    if found is None:
        return None
    with found.open() as stream:
        try:
            return json.loads(stream.read(_HEAD))
        except (ValueError, RecursionError):
            return None


SHAPES = (
    read_facebook_comment,
    read_message,
    read_instagram_comment,
    read_instagram_post,
    read_facebook_post,
)

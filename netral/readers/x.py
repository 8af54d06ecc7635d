"""X (Twitter): snscrape, API v1.1 and v2 as Tweepy and twarc write them, and the account's archive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from netral.readers.context import Context, dicts, under
from netral.readers.elements import Cutter, Element
from netral.readers.lines import HEAD, decode_head, read_chunks
from netral.readers.records import Record, Source
from netral.readers.repair import clean, unescape
from netral.schema import Kind

_MAX_KNOWN = 200_000
_ACCOUNT = re.compile(r'"username"\s*:\s*"([^"]+)"')
_STARTS_REPOST = re.compile(r"RT @(\w+):\s*", re.ASCII)


def read_snscrape(element: Element, context: Context) -> Iterator[Record] | None:
    """Read one line of snscrape."""
    post = element.value
    url = clean(post.get("url"))
    marked = clean(post.get("_type")).startswith("snscrape.modules.twitter") or "retweetedTweet" in post
    known = "content" in post and ("twitter.com/" in url or "//x.com/" in url)
    if not marked and not known and not {"rawContent", "renderedContent"} & post.keys():
        return None
    return iter((_snscrape(post, context),))


def _snscrape(post: dict[str, Any], context: Context) -> Record:
    shared, quoted = post.get("retweetedTweet"), post.get("quotedTweet")
    text, meta = _snscrape_text(post), {}
    if isinstance(shared, dict):
        text, meta = _snscrape_text(shared), {"shared_from": _snscrape_author(shared)}
    return context.rows.post(
        unescape(text),
        id=post.get("id"),
        author=_snscrape_author(post),
        time=post.get("date"),
        url=post.get("url"),
        platform="x",
        kind=Kind.SHARE if meta else Kind.POST,
        quoted=unescape(_snscrape_text(quoted)) if isinstance(quoted, dict) else "",
        reply_to=under(post, "inReplyToUser", "username"),
        meta=meta,
    )


def _snscrape_text(post: dict[str, Any]) -> str:
    return next((text for key in ("rawContent", "renderedContent", "content") if (text := clean(post.get(key)))), "")


def _snscrape_author(post: dict[str, Any]) -> str:
    return clean(under(post, "user", "username")) or clean(post.get("username"))


def read_v1(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a tweet of API v1.1 or of an account's archive, which has no author inside."""
    post = element.value
    if set(post) == {"tweet"} and isinstance(post["tweet"], dict):
        post = post["tweet"]
    elif isinstance(post.get("noteTweet"), dict):
        return iter((_note(post["noteTweet"], context),))
    if "id_str" not in post or not ("full_text" in post or "text" in post or "extended_tweet" in post):
        return None
    if not ({"user", "entities", "retweeted_status", "truncated", "display_text_range"} & post.keys()):
        return None
    return iter((_v1(post, context),))


def _v1(post: dict[str, Any], context: Context) -> Record:
    author = clean(under(post, "user", "screen_name"))
    if not author and not isinstance(post.get("user"), dict):
        author = context.once("account", _account)
    shared, quoted = post.get("retweeted_status"), post.get("quoted_status")
    text, meta = _v1_text(post), {}
    if isinstance(shared, dict):
        text, meta = _v1_text(shared), {"shared_from": clean(under(shared, "user", "screen_name"))}
        quoted = quoted or shared.get("quoted_status")
    number = clean(post.get("id_str"))
    return context.rows.post(
        text,
        id=number,
        author=author,
        time=post.get("created_at"),
        url=f"https://twitter.com/{author or 'i'}/status/{number}" if number else "",
        platform="x",
        kind=Kind.SHARE if meta else Kind.POST,
        quoted=_v1_text(quoted) if isinstance(quoted, dict) else "",
        reply_to=post.get("in_reply_to_screen_name"),
        meta=meta,
    )


def _v1_text(post: dict[str, Any]) -> str:
    places = (under(post, "extended_tweet", "full_text"), post.get("full_text"), post.get("text"))
    return unescape(next((text for place in places if (text := clean(place))), ""))


def _note(note: dict[str, Any], context: Context) -> Record:
    return context.rows.post(
        under(note, "core", "text"),
        id=note.get("noteTweetId"),
        author=context.once("account", _account),
        time=note.get("createdAt"),
        platform="x",
    )


def _account(source: Source) -> str:
    """Return the user name of an archive's owner, kept in its account.js."""
    account = source.find("account.js")
    if account is None:
        return ""
    with account.open() as stream:
        match = _ACCOUNT.search(decode_head(stream.read(HEAD)))
    return match[1] if match else ""


def read_v2(element: Element, context: Context) -> Iterator[Record] | None:
    """Read a page of API v2, or one post of a page that is streamed."""
    value = element.value
    if element.path == () and isinstance(value.get("data"), list | dict):
        data = value["data"]
        posts = dicts(data) if isinstance(data, list) else [data]
        if not posts or not all(map(_is_v2, posts)) or not ({"includes", "meta"} & value.keys() or len(posts) == 1):
            return None
        users = {
            clean(user.get("id")): clean(user.get("username")) for user in dicts(under(value, "includes", "users"))
        }
        others = {clean(post.get("id")): post for post in dicts(under(value, "includes", "tweets"))}
        return (_v2(post, users, others, context) for post in posts)
    if not _is_v2(value) or not ({"author_id", "edit_history_tweet_ids", "referenced_tweets"} & value.keys()):
        return None
    users, others = {}, {}
    if element.path == ("data",):
        users, others = context.once("included", _included)
    return iter((_v2(value, users, others, context),))


def _is_v2(post: dict[str, Any]) -> bool:
    return isinstance(post.get("text"), str) and "id" in post and "user" not in post and "id_str" not in post


def _included(source: Source) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Collect the users and posts a page includes; they stand after the posts that name them."""
    users: dict[str, str] = {}
    others: dict[str, dict[str, Any]] = {}
    with source.open() as stream:
        for element in Cutter(read_chunks(stream), through=frozenset()):
            if not isinstance(element.value, dict) or len(users) + len(others) > _MAX_KNOWN:
                continue
            if element.path == ("includes", "users"):
                users[clean(element.value.get("id"))] = clean(element.value.get("username"))
            elif element.path == ("includes", "tweets"):
                others[clean(element.value.get("id"))] = element.value
    return users, others


def _v2(post: dict[str, Any], users: dict[str, str], others: dict[str, dict[str, Any]], context: Context) -> Record:
    author = users.get(clean(post.get("author_id"))) or clean(under(post, "author", "username"))
    number, text = clean(post.get("id")), _v2_text(post)
    quoted, meta, kind = "", {}, Kind.POST
    for reference in dicts(post.get("referenced_tweets")):
        other = others.get(clean(reference.get("id")), reference)
        if reference.get("type") == "retweeted":
            kind = Kind.SHARE
            prefix = _STARTS_REPOST.match(text)
            meta = {"shared_from": prefix[1]} if prefix else {}
            text = _v2_text(other) or text[prefix.end() if prefix else 0 :]
        elif reference.get("type") == "quoted":
            quoted = _v2_text(other)
    reply = clean(post.get("in_reply_to_user_id"))
    return context.rows.post(
        text,
        id=number,
        author=author or post.get("author_id"),
        time=post.get("created_at"),
        url=f"https://twitter.com/{author or 'i'}/status/{number}",
        platform="x",
        kind=kind,
        quoted=quoted,
        reply_to=users.get(reply, reply),
        meta=meta,
    )


def _v2_text(post: dict[str, Any]) -> str:
    return unescape(clean(under(post, "note_tweet", "text")) or clean(post.get("text")))


SHAPES = (read_snscrape, read_v1, read_v2)

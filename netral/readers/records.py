"""What a reader yields for every record of a file: a post, a rejection or a counted skip."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import IO, Any

from netral.errors import ReadError
from netral.readers.repair import clean, mend, passed_on
from netral.readers.times import parse_time
from netral.schema import MAX_CHARS, Kind, Post

MAX_LINE = 16_000_000
"""The longest record taken, in characters."""

MAX_FIELD = 10_000_000
"""The longest field taken, in characters."""

RAW_CHARS = 200
"""How much of a rejected record is kept."""

EMPTY_TEXT = "empty-text"
ERROR_ROW = "error-row"
FIELD_TOO_LONG = "field-too-long"
LINE_TOO_LONG = "line-too-long"
MEDIA_PLACEHOLDER = "media-placeholder"
NO_POSTS = "no-posts"
NO_TEXT_FIELD = "no-text-field"
NOT_AN_OBJECT = "not-an-object"
RAGGED_ROW = "ragged-row"
REPEATED_HEADER = "repeated-header"
SYSTEM_LINE = "system-line"
TEXT_TOO_LONG = "text-too-long"
UNREADABLE_FILE = "unreadable-file"


class NoPosts(ReadError):
    """A file is sound, yet nothing in it is a post; in a folder it is counted as skipped."""


class NoTexts(NoPosts):
    """A table has words, yet no column is known to hold its texts; in a folder it is rejected by name."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be read: `row` counts records from 1; row 0 stands for the whole file."""

    file: str
    row: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is no post (repeated header, system line, empty text ...), counted by reason."""

    file: str
    row: int
    reason: str


Record = Post | Rejected | Skipped


@dataclass(frozen=True, slots=True)
class Columns:
    """Column names the user fixes; what is None is guessed."""

    text: str | None = None
    author: str | None = None
    time: str | None = None
    id: str | None = None
    url: str | None = None
    platform: str | None = None

    def named(self) -> dict[str, str]:
        """Return the fixed names by role."""
        roles = ((role, getattr(self, role)) for role in self.__slots__)
        return {role: name for role, name in roles if name is not None}


def _nowhere(name: str) -> Source | None:
    return None


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read: opened anew by `open`, its neighbours in the same folder or zip by `find`.

    `lone` says that the user named this very file, so that plain lines in it are taken as posts.
    """

    name: str
    open: Callable[[], IO[bytes]]
    find: Callable[[str], Source | None] = _nowhere
    columns: Columns = field(default_factory=Columns)
    lone: bool = False


_SCIENTIFIC = re.compile(r"\d[.,]\d+E\+\d+")
_STATUS = re.compile(r"(?:twitter|x)\.com/([^/?#]+)/status(?:es)?/(\d+)")


class Rows:
    """Numbers the records of one file and turns their raw values into posts."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.row = 0

    def reject(self, reason: str, raw: object = "") -> Rejected:
        """Count one record as rejected."""
        self.row += 1
        return Rejected(self.file, self.row, reason, excerpt(raw))

    def skip(self, reason: str) -> Skipped:
        """Count one record as skipped."""
        self.row += 1
        return Skipped(self.file, self.row, reason)

    def post(
        self,
        text: object,
        *,
        id: object = "",
        author: object = "",
        time: object = None,
        month_first: bool = False,
        url: object = "",
        platform: object = "",
        kind: Kind = Kind.POST,
        quoted: object = "",
        reply_to: object = "",
        forwarded: bool = False,
        meta: dict[str, Any] | None = None,
    ) -> Record:
        """Count one record and return its post, or why there is none."""
        words, others = mend(clean(text)), mend(clean(quoted))
        if not words and not others:
            return self.skip(EMPTY_TEXT)
        if len(words) > MAX_CHARS or (not words and len(others) > MAX_CHARS):
            size = max(len(words), len(others))
            return self.reject(f"{TEXT_TOO_LONG}: {size} characters, at most {MAX_CHARS}", words or others)
        self.row += 1
        facts: dict[str, Any] = {"file": self.file, "row": self.row, **(meta or {})}
        if len(others) > MAX_CHARS:
            others, facts["quoted_cut"] = others[:MAX_CHARS], True
        moment = parse_time(time, month_first=month_first)
        if moment is None and clean(time):
            facts["time"] = clean(time)
        post = Post(
            text=words,
            id=clean(id),
            author=mend(clean(author)).removeprefix("@"),
            time=moment,
            url=clean(url),
            platform=clean(platform).casefold(),
            kind=kind,
            quoted=others,
            reply_to=mend(clean(reply_to)),
            forwarded=forwarded,
            meta=facts,
        )
        return _shared(_identified(post))


def _identified(post: Post) -> Post:
    """Fill platform, id and author from the address of an X post where the columns do not tell them."""
    match = _STATUS.search(post.url) if "/status" in post.url else None
    if match is None:
        return post
    meta = dict(post.meta)
    if _SCIENTIFIC.fullmatch(post.id):
        meta["id"] = post.id
    return replace(
        post,
        platform=post.platform or "x",
        author=post.author or ("" if match[1] == "i" else match[1]),
        id=match[2] if not post.id or "id" in meta else post.id,
        meta=meta,
    )


def _shared(post: Post) -> Post:
    """Put a plain repost's text into `text`; split own words from those passed on by hand."""
    if not post.text:
        return replace(post, text=post.quoted, quoted="", kind=Kind.SHARE)
    own, sayer, others = passed_on(post.text)
    if not sayer:
        return post
    meta = {**post.meta, "shared_from": sayer}
    if own:
        quoted = f"{others}\n{post.quoted}".strip()
        return replace(post, text=own, quoted=quoted, kind=Kind.SHARE, meta=meta)
    return replace(post, text=others, kind=Kind.SHARE, meta=meta)


def excerpt(raw: object) -> str:
    """Return the beginning of a record as one safe line."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)[: 4 * RAW_CHARS]
    return clean(text.encode("utf-8", "replace").decode("utf-8"))[:RAW_CHARS]

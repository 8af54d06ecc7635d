"""The values netral passes around: frozen, and free of any library."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from numbers import Integral
from operator import index
from typing import Any, Literal, Protocol

VERSION = "0.1.0"
"""The version of the package."""

FLAGS: tuple[str, str, str] = ("partisan", "hate", "hoax")
"""The three flags, in the order of every model's outputs."""

MAX_CHARS = 100_000
"""The longest text `predict` takes, in code points."""

Source = Literal["rules", "model"]

_DEEPEST = 32  # lists and mappings round a value; far more than exports have, far fewer than Python's stack
_WIDEST = 2_048  # bits of an integer, 617 digits: Python can be set to write no more than 640

_SURROGATE = re.compile("[\ud800-\udfff]")


class Label(StrEnum):
    """The one label of a post; it describes the text, never the person."""

    PARTISAN_SUPPORT = "partisan_support"
    HOAX_HATE = "hoax_hate"
    NEUTRAL = "neutral"


class Kind(StrEnum):
    """How a text came to stand under its author's name."""

    POST = "post"
    COMMENT = "comment"
    SHARE = "share"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Post:
    """One social post; `text` alone is labelled, and evidence offsets index it.

    `quoted` holds text of others that the post passes on with words of its own, and can ask for
    review; `time` keeps its zone where the export has one, else it is naive.
    """

    text: str
    id: str = ""
    author: str = ""
    time: datetime | None = None
    url: str = ""
    platform: str = ""
    kind: Kind = Kind.POST
    quoted: str = ""
    reply_to: str = ""
    forwarded: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what rules, report or JSON could not use; raises `TypeError`, `ValueError` for an unknown kind."""
        if self.time is not None and (not isinstance(self.time, datetime) or self.time != self.time):  # NaT of pandas
            raise TypeError(f"time is {type(self.time).__name__}, not datetime.datetime or None")
        if not isinstance(self.meta, Mapping):
            raise TypeError(f"meta is {type(self.meta).__name__}, not a mapping")
        object.__setattr__(self, "kind", Kind(self.kind))


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the post that speaks for `flag`: `text[start:end]`, in code points.

    `why` is Indonesian; `rule` is the rule's id, None for model evidence.
    """

    flag: str
    source: Source
    rule: str | None
    start: int
    end: int
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Pointer:
    """A regulation the post may touch ("dapat menyentuh"), in Indonesian."""

    id: str
    title: str
    article: str
    applies_to: tuple[str, ...]
    condition: str
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, `applies_to` as a list."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"applies_to": list(self.applies_to)}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one classifier says of one text: flag -> probability in [0, 1], and its evidence."""

    flags: Mapping[str, float]
    evidence: tuple[Evidence, ...] = ()
    truncated: bool = False


class Classifier(Protocol):
    """Anything that answers the three flags for texts, in order, and safe from several threads.

    `Screener.stream` predicts ahead in a thread of its own, with `explain` from two threads at once.
    """

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return one prediction a text, same length and order."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """netral's answer for one post: an indication for a human officer, never a finding of guilt.

    `flags` are probabilities in [0, 1] after rules and model are joined; `score` is the probability
    that `label` is right. Both are calibrated where a model with its policy judges, not with rules
    alone. `review` says that a flag lies near its threshold or that quoted text alone is flagged.
    """

    label: Label
    score: float
    flags: Mapping[str, float] = field(hash=False)
    evidence: tuple[Evidence, ...]
    regulations: tuple[Pointer, ...]
    decided_by: Source
    review: bool
    truncated: bool
    version: str
    post: Post

    def __post_init__(self) -> None:
        """Copy `flags` into a plain dict, which can be pickled and does not change with the caller's."""
        object.__setattr__(self, "flags", dict(self.flags))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; times as ISO 8601; see docs/verdict.md for an example."""
        post = self.post
        data = {
            "label": self.label.value,
            "score": self.score,
            "flags": dict(self.flags),
            "evidence": [item.to_dict() for item in self.evidence],
            "regulations": [pointer.to_dict() for pointer in self.regulations],
            "decided_by": self.decided_by,
            "review": self.review,
            "truncated": self.truncated,
            "version": self.version,
            "post": {
                "text": post.text,
                "id": post.id,
                "author": post.author,
                "time": post.time.isoformat() if post.time else None,
                "url": post.url,
                "platform": post.platform,
                "kind": post.kind.value,
                "quoted": post.quoted,
                "reply_to": post.reply_to,
                "forwarded": post.forwarded,
                "meta": post.meta,
            },
        }
        fields: dict[str, Any] = plain(data)
        return fields


def scrub(text: str) -> str:
    """Return the text with U+FFFD for lone surrogates, which UTF-8 does not have."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def plain(value: Any, within: tuple[int, ...] = ()) -> Any:
    """Return `value` as JSON has it, whatever it is; `within` holds the ids of the containers round it.

    Lone surrogates become U+FFFD, NaN and infinities None, numbers of other libraries Python's, integers of
    more than 2,048 bits hexadecimal text, other odd values their text. "…" stands for a list or mapping that
    contains itself or lies in 32 others.
    """
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping | list | tuple):
        if id(value) in within or len(within) == _DEEPEST:
            return "…"
        inner = (*within, id(value))
        if isinstance(value, Mapping):
            return {_text(key): plain(item, inner) for key, item in value.items()}
        return [plain(item, inner) for item in value]
    if not isinstance(value, int | float | None):
        value = _scalar(value)
    if isinstance(value, int) and value.bit_length() > _WIDEST:
        return hex(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _scalar(value: Any) -> bool | int | float | str:
    """Return a number of another library as Python's, anything else as text."""
    try:
        found = index(value) if isinstance(value, Integral) else value.item()
    except Exception:  # most values are no numbers, and a caller's may raise what they like
        return _text(value)
    # numpy's datetime64 gives an int too: its text says more
    return found if isinstance(value, Integral) or isinstance(found, bool | float) else _text(value)


def _text(value: Any) -> str:
    try:
        return scrub(str(value))
    except Exception:  # a caller's `__str__`, or an integer of more digits than Python writes
        return f"<{type(value).__name__}>"

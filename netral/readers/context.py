"""What the readers of nested exports share while they walk over one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netral.readers.elements import Element
from netral.readers.records import Record, Rows, Source

MAX_REPLY_DEPTH = 4
"""How far below a post or comment a reply to a reply is read."""


@dataclass(frozen=True, slots=True)
class Context:
    """One file, the numbering of its records, and what was looked up once."""

    source: Source
    rows: Rows
    memo: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, look_up: Callable[[Source], Any]) -> Any:
        """Return what `look_up` found, looking only the first time."""
        if name not in self.memo:
            self.memo[name] = look_up(self.source)
        return self.memo[name]


Shape = Callable[[Element, Context], Iterator[Record] | None]
"""A reader of one shape: the records of an element, or None if the element is of another shape."""


def under(value: object, *keys: str) -> Any:
    """Return what stands under nested keys, None where a key is missing."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def dicts(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; exports write null for an empty list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

"""Nested records of Apify's and other scrapers' actors: a post, its replies and the words in its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netral.errors import ReadError
from netral.readers import columns as names
from netral.readers.columns import Layout
from netral.readers.context import MAX_REPLY_DEPTH, Context, dicts, under
from netral.readers.elements import TOO_DEEP
from netral.readers.records import ERROR_ROW, NO_TEXT_FIELD, Columns, Record
from netral.readers.repair import clean
from netral.readers.tables import Table
from netral.schema import Kind, Post

CHILDREN = ("comments", "replies", "latestComments", "topComments", "komentar", "balasan")
"""Keys of the comments and replies in a post."""

_MAX_DEPTH, _MAX_KEYS, _MAX_LAYOUTS = 4, 400, 500


def read_object(value: dict[str, Any], context: Context, columns: Columns) -> Iterator[Record] | None:
    """Read any object that has a key of texts, then the comments of others nested in it."""
    table = _table(value, context, columns)
    if table is None:
        return iter((context.rows.skip(ERROR_ROW),)) if names.has_error(list(value)) else None
    return _tree(value, table, context, columns)


def _tree(value: dict[str, Any], table: Table | None, context: Context, columns: Columns) -> Iterator[Record]:
    """Read a record, then each in it with those below; one beyond the depth or without a text is rejected."""
    rest = [(value, table, 0)]
    while rest:
        value, table, depth = rest.pop()
        if depth <= MAX_REPLY_DEPTH and table is not None:
            yield _post(value, table, is_comment=depth > 0)
        else:
            reason = TOO_DEEP if depth > MAX_REPLY_DEPTH else f"{NO_TEXT_FIELD}: {names.listed(list(value))}"
            yield context.rows.reject(reason, {key: item for key, item in value.items() if key not in CHILDREN})
        rest += [(child, _table(child, context, columns), depth + 1) for child in reversed(_children(value))]


def _post(value: dict[str, Any], table: Table, *, is_comment: bool) -> Record:
    words = [text for item in dicts(value.get("attachments")) if (text := clean(under(item, "ocrText")))]
    record = table.post(list(flatten(value).values()), passed="\n".join(words))
    if is_comment and isinstance(record, Post):
        return Post(**{**_fields(record), "kind": Kind.COMMENT, "platform": record.platform or table.layout.network})
    return record


def _fields(post: Post) -> dict[str, Any]:
    return {name: getattr(post, name) for name in post.__slots__}


def _children(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [child for key in CHILDREN for child in dicts(value.get(key))]


def _table(value: dict[str, Any], context: Context, columns: Columns) -> Table | None:
    flat = flatten(value)
    # Under a text's name, objects are posts, a number ("komentar": 14) is a counter, an empty list holds no comments;
    # all else may be words, whatever this record holds.
    header = tuple("" if dicts(item) else key for key, item in flat.items())
    words = tuple("" if isinstance(item, int | float | list) else "kata kata" for item in flat.values())
    keys = (*header, *words)
    tables: dict[tuple[str, ...], Table | None] = context.memo.setdefault("tables", {})
    if keys not in tables:
        if len(tables) > _MAX_LAYOUTS:
            tables.clear()
        layout: Layout | None
        try:
            layout = names.layout_of(header, columns, context.source.name, [words])
        except ReadError:
            layout = None
        tables[keys] = Table(context.rows, header, layout) if layout is not None else None
    return tables[keys]


def flatten(value: dict[str, Any]) -> dict[str, Any]:
    """Return nested objects as one, keys joined by dots; lists stay closed."""
    flat: dict[str, Any] = {}

    def walk(part: dict[str, Any], prefix: str, depth: int) -> None:
        for key, item in part.items():
            if isinstance(item, dict) and depth < _MAX_DEPTH:
                walk(item, f"{prefix}{key}.", depth + 1)
            elif len(flat) < _MAX_KEYS:
                flat.setdefault(f"{prefix}{key}", item)

    walk(value, "", 0)
    return flat

"""JSON and JSONL: elements cut from the file, each given to the shape that knows it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from netral.readers import columns as names
from netral.readers import meta, telegram, tiktok, x, youtube
from netral.readers.apify import CHILDREN, flatten, read_object
from netral.readers.context import Context, Shape, dicts
from netral.readers.elements import BROKEN_JSON, Cutter, Element, load, parse
from netral.readers.lines import LongLine, decode_head, read_chunks, read_lines
from netral.readers.records import (
    LINE_TOO_LONG,
    NO_TEXT_FIELD,
    NOT_AN_OBJECT,
    Columns,
    NoPosts,
    Record,
    Rejected,
    Rows,
    Source,
)

_PROBE = 1_000_000
_PATIENCE = 100
_DECODER = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,]*")
_SHAPES: tuple[Shape, ...] = (
    *telegram.SHAPES,
    *youtube.SHAPES,
    *tiktok.SHAPES,
    *meta.SHAPES,
    *x.SHAPES,
)
_LISTS = frozenset(
    {
        "data",
        "items",
        "comments",
        "messages",
        "posts",
        "tweets",
        "results",
        "records",
        "rows",
        "statuses",
        "hasil",
        "unggahan",
        "postingan",
        "komentar",
        "content",
    }
)
_ROUND = ("data", "result", "results", "response", "hasil")  # objects round such lists
# Texts that a container may have of its own.
_SAYINGS = frozenset({"message", "pesan", "status", "caption", "description", "deskripsi"})
_ASIDE = frozenset({"includes", "participants", "errors", "meta", "metadata", "users"})


def read_json(source: Source) -> Iterator[Record]:
    """Read a JSON or JSONL file of any of the known shapes, or of any other with a key of texts, guessed or named."""
    with source.open() as stream:
        head = decode_head(stream.read(_PROBE))
    context = Context(source, Rows(source.name))
    with source.open() as stream:
        elements = _lines(read_lines(stream)) if _is_lines(head) else _document(read_chunks(stream), head)
        yield from _records(elements, context)


def _is_lines(head: str) -> bool:
    lines = [line for line in head.split("\n", 12)[:12] if line.strip()][:5]
    if not lines or not lines[0].startswith("{") or len(lines[0]) < 3:
        return False
    for line in lines:
        if line.startswith("{"):
            try:
                return isinstance(parse(line.strip().rstrip(",")), dict) or len(lines) > 1
            except ValueError:
                continue
    return len(lines) > 1 and all(line.startswith("{") and line.rstrip(", \t\r").endswith("}") for line in lines)


def _lines(lines: Iterator[str]) -> Iterator[Element]:
    for line in lines:
        if isinstance(line, LongLine):
            yield Element((), None, {}, LINE_TOO_LONG, line)
            continue
        line = line.strip().lstrip("\ufeff")
        if line and line not in "[],":
            yield from _values(line.removesuffix(","))


def _values(line: str) -> Iterator[Element]:
    """Yield the value of a line, or its objects where they stand in a list or one behind another."""
    whole = load(line, (), {})
    if isinstance(whole.value, list) and dicts(whole.value):
        yield from (Element((), value) for value in whole.value)
        return
    at = 0
    while whole.fault == BROKEN_JSON and line.startswith("{", at):
        try:
            value, end = _DECODER.raw_decode(line, at)
        except (ValueError, RecursionError):
            break
        yield Element((), value)
        at = _BETWEEN.match(line, end).end()  # type: ignore[union-attr]
    if not at:
        yield whole
    elif at < len(line):
        yield load(line[at:], (), {})


def _document(chunks: Iterator[str], head: str) -> Iterator[Element]:
    start = head.lstrip()
    if start.startswith("window."):
        chunks = _after_assignment(chunks)
    return iter(Cutter(chunks, through=telegram.THROUGH, whole=start.startswith("{") and _ends_early(start)))


def _ends_early(head: str) -> bool:
    """Tell whether the first object is small enough to be looked at whole."""
    try:
        json.JSONDecoder(strict=False).raw_decode(head)
    except (ValueError, RecursionError):
        return False
    return True


def _after_assignment(chunks: Iterator[str]) -> Iterator[str]:
    started = False
    for chunk in chunks:
        if started:
            yield chunk
        elif (at := chunk.find("=")) >= 0:
            started = True
            yield chunk[at + 1 :]


def _records(elements: Iterator[Element], context: Context) -> Iterator[Record]:
    """Give each element to its shape; what no shape knows is held until one element is known."""
    held: list[Rejected] = []
    known = seen = False
    faults = 0
    keys: list[str] = []
    for element in elements:
        records = _read(element, context)
        if records is not None:
            yield from held
            known, held = True, []
            yield from records
            continue
        keys = keys or _keys(element.value)
        seen = True
        if element.fault or not element.path or element.path[-1] in _LISTS:
            refused = _refused(element, context)
            if known or len(held) >= _PATIENCE:
                yield from (*held, refused)
                held = []
                continue
            held.append(refused)
            faults += bool(element.fault)
            if len(held) >= _PATIENCE and not faults:
                break
    if seen and not known and not faults:
        names.layout_of(keys, context.source.columns, context.source.name)  # refuses a named column that is missing
        raise NoPosts(f"{context.source.name}: no key of texts among {names.listed(keys)}; name it with --text-column")
    yield from held


def _read(element: Element, context: Context) -> Iterator[Record] | None:
    value, columns = element.value, context.source.columns
    if element.fault:
        return None
    if isinstance(value, str) and element.path == () and value.strip():
        return iter((context.rows.post(value),))
    if not isinstance(value, dict) or (element.path and element.path[0] in _ASIDE):
        return None
    for shape in _SHAPES:
        records = shape(element, context)
        if records is not None:
            return records
    if element.path == () and _holds_lists(value) and not _is_post(value):
        return _inside(value, context)
    records = read_object(value, context, columns)
    if records is None and element.path == () and any(isinstance(item, dict | list) for item in value.values()):
        return _inside(value, context)
    return records


def _holds_lists(value: dict[str, Any]) -> bool:
    parts = (value, *(part for key in _ROUND if isinstance(part := value.get(key), dict)))
    return any(dicts(item) for part in parts for key, item in part.items() if key in _LISTS)


def _is_post(value: dict[str, Any]) -> bool:
    """Tell whether an object with a list of objects is a post with comments rather than their container."""
    keys = tuple(key for key, item in value.items() if not isinstance(item, list))
    layout = names.layout_of(keys, Columns(), "")
    if layout is None:
        return False
    says = names.plain(keys[layout.text]) in _SAYINGS
    known = {"url", "id", "postId", "shortCode", "user", "author", "ownerUsername", "profileName"} & value.keys()
    if any(dicts(value.get(key)) for key in CHILDREN):
        return bool(known) or not says
    return bool(known - {"url"} if says else known)


def _inside(value: dict[str, Any], context: Context) -> Iterator[Record] | None:
    """Read the lists of a container that stands on one line or is small."""
    text = io.StringIO(json.dumps(value))
    found, start = False, context.rows.row
    elements = Cutter(iter(lambda: text.read(_PROBE), ""), through=telegram.THROUGH)
    records: list[Record] = []
    for element in elements:
        inner = _read(element, context) if element.path else None
        if inner is not None:
            found = True
            records.extend(inner)
        elif element.path and element.path[-1] in _LISTS:
            records.append(_refused(element, context))
    if not found:
        context.rows.row = start
    return iter(records) if found else None


def _refused(element: Element, context: Context) -> Rejected:
    if element.fault:
        return context.rows.reject(element.fault, element.raw)
    if isinstance(element.value, dict):
        return context.rows.reject(f"{NO_TEXT_FIELD}: {names.listed(_keys(element.value))}", element.value)
    return context.rows.reject(NOT_AN_OBJECT, element.value)


def _keys(value: object) -> list[str]:
    return list(flatten(value)) if isinstance(value, dict) else []

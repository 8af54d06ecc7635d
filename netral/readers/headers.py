"""Where a table's header stands and which columns it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from netral.errors import ReadError
from netral.readers import columns as names
from netral.readers.columns import Layout
from netral.readers.delimited import Row
from netral.readers.records import NoPosts, NoTexts, Source
from netral.readers.repair import clean

HEADER_LINES = 10
"""How many first rows a header is looked for in."""


def find_header(probe: list[Row], source: Source) -> tuple[int, Sequence[object], Layout]:
    """Return the header's place (-1: there is none), its cells and its layout."""
    wanted = source.columns.text
    place = _named(probe[:HEADER_LINES], source)
    if place is not None:
        header = probe[place].cells
        rows = [row.cells for row in probe[place + 1 :]]
        layout = names.layout_of(header, source.columns, source.name, rows)
        if layout is not None and wanted is None and names.is_wordless(rows, layout):
            place, header, layout = _elsewhere(place, header, layout, rows, source)
        if layout is not None:
            return place, header, layout
    whole = [row for row in probe if not row.fault]
    if not whole:
        fault = f"{probe[0].fault} (line {probe[0].line})"
        raise ReadError(f"{source.name}: {fault}, and no line after it can be read; check its line ends and delimiter")
    first = whole[0].cells
    headed = len(first) > 1 and names.looks_like_header(first)
    header = first if headed else [f"column {number}" for number in range(1, len(first) + 1)]
    if wanted is not None:
        names.layout_of(header, source.columns, source.name)
    values = [row.cells for row in whole[1 if headed else 0 :]]
    text = names.wordiest(values)
    if len(first) == 1 and max(len(row.cells) for row in probe) == 1:
        text = 0 if source.lone and wanted is None else None
    if text is None or text >= len(header):
        kind = NoTexts if len(first) > 1 and names.has_words(values) else NoPosts
        raise kind(
            f"{source.name}: no column of texts among {names.listed([clean(cell) for cell in header])}; "
            "name it with --text-column"
        )
    return (probe.index(whole[0]) if headed else -1), *_with_text(text, header, values, source)


def _with_text(
    text: int, header: Sequence[object], rows: list[Sequence[object]], source: Source
) -> tuple[Sequence[object], Layout]:
    """Return the header and layout of a table whose texts stand at `text`, whatever that column is called."""
    header = [*header[:text], clean(header[text]) or f"column {text + 1}", *header[text + 1 :]]
    named = replace(source.columns, text=str(header[text]))
    layout = names.layout_of(header, named, source.name, rows) or Layout(text)
    return header, replace(layout, text=text)


def _elsewhere(
    place: int, header: Sequence[object], layout: Layout, rows: list[Sequence[object]], source: Source
) -> tuple[int, Sequence[object], Layout]:
    """Look for the texts under a second row of headings, or in the one column of words; else leave it as it is."""
    if rows and names.known_names(rows[0]) and names.looks_like_header(rows[0]):
        both = [below if clean(below) else above for above, below in zip_longest(header, rows[0])]
        found = names.layout_of(both, source.columns, source.name, rows[1:])
        if found is not None and not names.is_wordless(rows[1:], found):
            return place + 1, both, found
    text = names.wordiest(rows)
    if text is None or text >= len(header):
        return place, header, layout
    return place, *_with_text(text, header, rows, source)


def _named(probe: list[Row], source: Source) -> int | None:
    """Return the place of the row that names parts of a post.

    The first that names two is it: one below with more names is another table's.
    """
    wanted = source.columns.text
    enough = 2 if wanted is None else 102
    best, most = (0, 0), 0
    for place, row in enumerate(probe):
        known, filled = names.known_names(row.cells), sum(map(bool, map(clean, row.cells)))
        if known == 1 and filled <= most and (filled > 1 or source.lone):
            known = 0  # a text that happens to be a name, under rows as full as it
        most = max(most, filled)
        if wanted is not None:
            known += 100 * (wanted in map(clean, row.cells))
        best = max(best, (known, -place))
        if known >= enough:
            break
    return -best[1] if best[0] else None

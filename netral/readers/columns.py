"""Which column plays which part: guessed from a data file of names, or from the cells themselves."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from netral.errors import ReadError
from netral.readers.records import Columns
from netral.readers.repair import clean
from netral.readers.times import is_clock, month_leads, parse_time

ROLES = ("text", "author", "time", "id", "url", "platform", "reply_to")
_NAME_LENGTH = 60
_SHOWN = 30
_BLANKS = re.compile(r"[\s\-]+")
_ADDRESS = re.compile(r"https?://\S+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+(?:E\+?\d+)?)?", re.IGNORECASE)
_COUNT = re.compile(r"[\d.,]+\s*(?:k|m|rb|ribu|jt|juta)?", re.IGNORECASE)
_WORD, _SHARE = 10, 8  # weight of a word in a phrase (a lone one has 1); a doubtful column needs an eighth of the most


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of the parts in a row, and what the format says of the text."""

    text: int
    author: int | None = None
    time: int | None = None
    id: int | None = None
    url: int | None = None
    platform: int | None = None
    reply_to: int | None = None
    clock: int | None = None
    zone: int | None = None
    month_first: bool = False
    shared: int | None = None
    quoted: tuple[int, ...] = ()
    texts: tuple[int, ...] = ()
    network: str = ""
    comment: bool = False
    entities: bool = False
    newlines: bool = False
    html: bool = False


@cache
def lexicon() -> dict[str, Any]:
    """Return the data file of column names."""
    path = files("netral.resources") / "lexicons" / "columns.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _known() -> dict[str, frozenset[str]]:
    guess = {role: frozenset(names) for role, names in lexicon()["guess"].items()}
    for entry in lexicon()["format"]:
        for role in ROLES:
            guess[role] = guess[role] | frozenset(entry.get(role, ())) if role != "platform" else guess[role]
    return guess


def plain(name: object) -> str:
    """Return a column name as the data file writes it."""
    text = clean(name).strip("\"' ").casefold().replace("/", ".")
    return _BLANKS.sub("_", text)


def known_names(cells: Sequence[object]) -> int:
    """Return how many cells are names of parts; 0 where no cell names a text."""
    names = {plain(cell) for cell in cells if cell is not None and len(str(cell)) <= _NAME_LENGTH}
    guess = _known()
    if not names & guess["text"]:
        return 0
    return sum(bool(names & guess[role]) for role in ROLES)


def has_error(names: Sequence[str]) -> bool:
    """Tell whether a record without text is a scraper's report of an error."""
    return any(plain(name) in lexicon()["guess"]["error"] for name in names)


def layout_of(
    header: Sequence[object], columns: Columns, file: str, rows: Sequence[Sequence[object]] = ()
) -> Layout | None:
    """Return the layout a header tells; None if no name in it is a text's. `rows` settle which of several is."""
    names: dict[str, int] = {}
    for position, cell in enumerate(header):
        names.setdefault(plain(cell), position)
    names.pop("", None)
    form: dict[str, Any] = next((entry for entry in lexicon()["format"] if names.keys() >= set(entry["requires"])), {})
    fixed = {role: _fixed(name, header, file) for role, name in columns.named().items()}
    found: dict[str, int | None] = {}
    texts: list[int] = []
    for role in ROLES:
        if role in fixed:
            found[role] = fixed[role]
            continue
        guesses = [*(form.get(role, ()) if role != "platform" else ()), *lexicon()["guess"][role]]
        places = [names[name] for name in guesses if name in names]
        places = [place for place in places if role == "text" or place not in fixed.values()]
        if role == "text":
            texts = places = places if "text" in form else _by_values(places, header, rows)
        found[role] = places[0] if places else None
    text = found.pop("text")
    if text is None:
        return None
    time, clocks = found["time"], form.get("clock", lexicon()["guess"]["clock"])
    clock = next((names[key] for key in clocks if key in names and names[key] != time), None)
    if clock is not None and "clock" not in form and not _holds_clocks(_column(rows, clock)):
        clock = None
    name = plain(header[text])
    same = (place for place, cell in enumerate(header) if place != text and plain(cell) == name)
    kind = form.get("kind", "comment" if name in lexicon()["guess"]["comment"] else "post")
    return Layout(
        text=text,
        texts=(*(texts[1:] if name in _TWINS else ()), *same),
        clock=clock,
        month_first=time is not None and month_leads(_column(rows, time)),
        zone=names.get(form["zone"][0]) if "zone" in form else None,
        shared=names.get(form["shared"][0]) if "shared" in form else None,
        quoted=tuple(names[key] for key in form.get("quoted", ()) if key in names and names[key] != text),
        network=form.get("platform", ""),
        comment=kind == "comment",
        entities=form.get("entities", False),
        newlines=form.get("newlines", False),
        html=name in lexicon()["guess"]["html"],
        **found,
    )


def _column(rows: Sequence[Sequence[object]], place: int) -> list[str]:
    return [value for row in rows if place < len(row) and (value := clean(row[place]))]


def _holds_clocks(values: Sequence[str]) -> bool:
    return 2 * sum(map(is_clock, values)) > len(values)


def _by_values(places: list[int], header: Sequence[object], rows: Sequence[Sequence[object]]) -> list[int]:
    """Put first the column whose values are texts.

    Any must hold words if another does; a name that is a counter's or a state's as well must hold its share
    of them. The rest is left to the order of names: a caption is often longer than the comments on it.
    """
    words = {place: _words(_column(rows, place)) for place in places}
    most = max(words.values(), default=0)
    doubtful = lexicon()["guess"]["doubtful"]
    least = {place: most / _SHARE if plain(header[place]) in doubtful else min(most, 1) for place in places}
    return sorted(places, key=lambda place: words[place] < least[place])


def _words(cells: Iterable[str]) -> int:
    """Weigh the words of different values: numbers, dates and links hold none, one alone is no sentence."""
    weight = 0
    for value in {cell[:2000] for cell in cells}:
        count = len(value.split())
        if count and not (_COUNT.fullmatch(value) or is_address(value) or is_time(value)):
            weight += count * _WORD if count > 1 else 1
    return weight


def has_words(rows: Sequence[Sequence[object]]) -> bool:
    """Tell whether any cell is more than a number, date or link."""
    return any(_words(map(clean, row)) for row in rows)


def is_wordless(rows: Sequence[Sequence[object]], layout: Layout) -> bool:
    """Tell whether no column a layout takes texts from has a word, but for a lone one above the others."""
    places = (layout.text, *layout.texts, *layout.quoted)
    first, rest = rows[:1], rows[1:]
    words = [(_words(_column(first, place)), _words(_column(rest, place))) for place in places]
    return all(below == 0 and above <= (1 if rest else 0) for above, below in words)


_TWINS = frozenset({"rawcontent", "renderedcontent", "textoriginal"})


def _fixed(name: str, header: Sequence[object], file: str) -> int:
    exact = [clean(cell) for cell in header]
    if name in exact:
        return exact.index(name)
    loose = [plain(cell) for cell in header]
    if plain(name) in loose:
        return loose.index(plain(name))
    raise ReadError(f"{file}: no column {name!r}; it has: {listed(exact)}")


def listed(names: Sequence[str]) -> str:
    """Return names for an error message, a bounded number of them."""
    shown = ", ".join(repr(name[:_NAME_LENGTH]) for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "none"


def looks_like_header(cells: Sequence[object]) -> bool:
    """Tell whether a row reads as names rather than as values."""
    texts = [clean(cell) for cell in cells]
    filled = [text for text in texts if text]
    return bool(filled) and len(set(filled)) == len(filled) and all(map(_is_name, filled))


def _is_name(text: str) -> bool:
    short = len(text) <= 40 and text.count(" ") <= 4 and any(map(str.isalpha, text))
    return short and not text.startswith(("http", "@", "#")) and parse_time(text) is None


def wordiest(rows: Sequence[Sequence[object]]) -> int | None:
    """Return the one column of these rows that holds running text, None if none or several do."""
    scores: list[tuple[float, int]] = []
    for position in range(max(map(len, rows), default=0)):
        cells = [clean(row[position])[:2000] for row in rows if position < len(row)]
        wordy = [cell for cell in cells if " " in cell and parse_time(cell) is None and "://" not in cell[:8]]
        if cells and 2 * len(wordy) >= len(cells):
            mean = sum(map(len, wordy)) / len(wordy)
            if mean >= 15:
                scores.append((mean, position))
    scores.sort(reverse=True)
    if not scores or (len(scores) > 1 and scores[0][0] < 2 * scores[1][0]):
        return None
    return scores[0][1]


def is_time(value: str) -> bool:
    """Tell whether a value is a moment."""
    return parse_time(value) is not None


def is_address(value: str) -> bool:
    """Tell whether a value is a link and nothing else."""
    return _ADDRESS.fullmatch(value) is not None


def is_number(value: str) -> bool:
    """Tell whether a value is a number, as ids are written."""
    return _NUMBER.fullmatch(value) is not None

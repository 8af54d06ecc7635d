"""One normaliser, two outputs: a light text for the model and tokens for the rules.

Both keep the way back to the text as given. For the rules, slang and leet are alternatives to
match, never a rewrite: AMIN, amin and aamiin stay three things. Everything is linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

VERSION = "2"
"""Raised whenever `light` changes its output: a model says which one it was trained with."""

CAPS = "\ue000"
"""Stands before an all-capitals word in the light text; one added token of the tokenizer."""

CANDIDATE, PARTY = "\ue001", "\ue002"
"""Stand for every name that a roster holds, so that names carry no weight; one added token each."""

USER, URL = "@USER", "HTTPURL"

# ------------------------------------------------------------------------------- characters

# Marks laid over Latin letters ("p̶i̶l̶i̶h̶"), enclosing marks (keycaps), variation selectors, skin
# tones and private-use characters (CAPS among them) say nothing about what stands under them.
_DROPPED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\ufe00-\ufe0f\U000e0000-\U000e01ef\U0001f3fb-\U0001f3ff\ue000-\uf8ff]"
)


def _pairs(name: str) -> list[tuple[str, str]]:
    text = files("netral").joinpath("resources", "lexicons", name).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(row[0], row[1]) for row in rows]


@cache
def _confusables() -> Mapping[str, str]:
    return dict(_pairs("confusables.tsv"))


@cache
def _slang() -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for informal, formal in _pairs("slang.tsv"):
        table[informal] = (*table.get(informal, ()), formal)
    return table


def _fold_char(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    category = unicodedata.category(char)
    if char in "\n\r\x0b\x0c\x85" or category in ("Zl", "Zp"):
        return "\n"
    if char == "\t" or category == "Zs":
        return " "
    if category in ("Cf", "Cc"):  # zero-width characters, joiners, bidi marks, controls
        return ""
    out = []
    for part in unicodedata.normalize("NFKC", _confusables().get(char, char)):
        bare = unicodedata.normalize("NFKD", part)
        out.append(_confusables().get(part) or (bare if bare[0].isascii() else part))
    return _DROPPED.sub("", "".join(out))


class _Fold(dict[int, str]):
    """Code point -> folded string, filled as characters are met, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_char(chr(code))
        return folded


_FOLD = _Fold()
_PLAIN = re.compile(r"[\n -~]*")


def fold(text: str) -> str:
    """Fold look-alikes, compatibility forms and accents; drop what cannot be seen."""
    return text if _PLAIN.fullmatch(text) else text.translate(_FOLD)


def _origins(text: str, folded: str) -> list[int] | range:
    """Return, for every character of `folded`, the offset in `text` it came from."""
    if text is folded:
        return range(len(text))
    return [offset for offset, char in enumerate(text) for _ in _FOLD[ord(char)]]


# ------------------------------------------------------------------------------------ words

_LETTER = r"[^\W\d_]"
_URL = r"(?:https?://|www\.|pic\.twitter\.com/|t\.co/|bit\.ly/)[^\s<>\"]+"
_MENTION = r"@\w+|[\w.+-]{1,64}@\w{1,64}\.\w[\w.]{0,64}"
# Four or more single letters with the same gap between them: "p i l i h", "p.i.l.i.h".
_SPACED = rf"(?<![\w.@#]){_LETTER}(?P<gap>[ .\-_*]){_LETTER}(?:(?P=gap){_LETTER}){{2,}}(?![\w@])"
_LINK = re.compile(_URL)
_LEET = str.maketrans("0134578@$", "oieastbas")
_LEET_L = str.maketrans("0134578@$", "oleastbas")
# One digit or sign between two letters: c0bl0s, d4jj4l, k@drun; not anak2, pilkada2024, 4G.
_LEET_WORD = re.compile(rf"{_LETTER}[0134578@$]{_LETTER}")
_RUN = re.compile(rf"({_LETTER})\1{{2,}}")


def _unstretch(word: str) -> str:
    """Return "menaaaang" as "menang"; "III" and "aaaa" stay, and "aaamiiin" is a prayer, not a name."""
    short = _RUN.sub(r"\1", word) if len(set(word.lower())) > 1 else word
    return "aamiin" if short.lower() == "amin" and short != word else short


def _unleet(word: str, table: dict[int, int] = _LEET) -> str:
    if not _LEET_WORD.search(word) or re.search("[269]", word):
        return word
    plain = word.translate(table)
    return plain.upper() if word.isupper() else plain


# ------------------------------------------------------------------------------- light text

_SPECIAL = re.compile(
    rf"(?P<url>{_URL})|(?P<mention>(?:{_MENTION})(?:\s{{1,3}}@\w+)*)|(?P<spaced>{_SPACED})|(?P<word>\w[\w@$]*)"
    r"|(?P<space>\s+)|(?P<sign>[🫰🫶🫵])|(?P<run>(?P<mark>[^\w\s])(?P=mark){3,})"
)
# Hand signs newer than the vocabularies of IndoBERT and IndoBERTweet.
_SIGNS = {"🫰": "saranghaeyo", "🫶": "tangan hati", "🫵": "menunjuk"}
# What may be a ballot number: a digit after its word ("nomor 3") or alone; not "02/11", "3 juta", "+62 02".
_BALLOT = re.compile(
    r"(?:\b(?:nomor|nomer|no|nmr|urut|paslon|pasangan|coblos|tusuk|pilih|capres|kandidat|calon)(?:\s{1,3}urut)?[\s.:#]{0,3}"
    r"|(?<![\w/.:,+\-]))0?(?P<digit>[1-9])(?![\w/:%]|[.,\-]\d"
    r"|\s{0,2}(?:juta|ribu|orang|persen|tahun|bulan|hari|jam|kali|kg|periode|putaran))",
    re.I,
)
_ONE_SIGN = str.maketrans(dict.fromkeys("☝🤟👌", "✌"))  # the hand signs of ballot numbers


class Names:
    """Names that the light text replaces by `CANDIDATE` or `PARTY`, as (name, symbol) pairs.

    A name all in capitals ("AMIN") is replaced only where it stands in capitals in a text that is not.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Compile the names once."""
        table: dict[str, list[tuple[re.Pattern[str], str, bool]]] = {}
        inside: dict[str, str] = {}
        glue = set(_GLUE)
        for name, symbol in pairs:
            words = re.findall(r"\w+", fold(name))
            if not words:
                continue
            if len(words) > 1:
                glue.update(map(re.escape, map(str.lower, words)))
            rest = re.compile("".join(rf"[\s.'’\-]{{1,3}}{re.escape(word)}" for word in words[1:]) + r"(?!\w)", re.I)
            capitals = name.isupper()
            table.setdefault(words[0].lower(), []).append((rest, symbol, capitals))
            if len(words) == 1 and len(name) > 4 and not capitals:
                inside[words[0].lower()] = symbol
        self.table = {
            word: tuple(sorted(found, key=lambda item: -len(item[0].pattern))) for word, found in table.items()
        }
        self.inside = inside
        names = "|".join(sorted(map(re.escape, inside), key=len, reverse=True)) or r"(?!)"
        self._name = re.compile(names, re.I)
        beside = "|".join(sorted(glue, key=len, reverse=True))
        self._glued = re.compile(rf"(?>{names}|[\d_]++|{beside})++", re.I)  # no way back: linear

    def at(self, folded: str, match: re.Match[str], shouted: bool) -> tuple[str, int] | None:
        """Return the symbol for the name that begins at `match`, and its end in `folded`."""
        word = match[0]
        for key in (word.lower(), _ENCLITIC.sub("", word.lower())):
            for rest, symbol, capitals in self.table.get(key, ()):
                if (not capitals or (word.isupper() and not shouted)) and (found := rest.match(folded, match.end())):
                    return symbol, found.end()
        return None

    def unglue(self, word: str) -> str:
        """Return a long word with the names in it replaced, if names and campaign words are all it is made of."""
        return (
            self._name.sub(lambda found: self.inside[found[0].lower()], word) if self._glued.fullmatch(word) else word
        )


# What stands beside names, and the parts of longer names, in hashtags, handles and words run together:
# "AniesPresiden2024", "ganjarmahfud".
_GLUE = tuple(
    "presiden wapres capres cawapres gubernur bupati walikota menang menangkan pilih coblos dukung untuk bersama "
    "relawan sahabat lovers center official tetap lagi periode pasti bisa kita saya rakyat indonesia satu putaran "
    "all in for dan bukan asal ganti jangan tolak lanjut lanjutkan jatim jakarta jabar jateng banten dki ri rel".split()
)

_ENCLITIC = re.compile(r"(?<=\w{3})(?:nya|lah|pun|kah|ku|mu|ers)$")


@dataclass(frozen=True, slots=True)
class LightText:
    """What a model reads, and the way back: `pieces` are (start in text, start and end in the fold)."""

    text: str
    original: str
    pieces: tuple[tuple[int, int, int], ...]

    def spans(self, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the spans of `original`, in code points, that ranges of `text` came from."""
        origins = _origins(self.original, fold(self.original))
        starts = [piece[0] for piece in self.pieces]

        def place(offset: int) -> tuple[int, int]:
            index = bisect_right(starts, offset) - 1
            begin, low, high = self.pieces[index]
            end = starts[index + 1] if index + 1 < len(starts) else len(self.text)
            exact = end - begin == high - low
            return (low + offset - begin, low + offset - begin + 1) if exact else (low, high)

        return [(origins[place(a)[0]], origins[place(b - 1)[1] - 1] + 1) for a, b in ranges]


def light(text: str, *, caps: bool = True, names: Names | None = None) -> LightText:
    """Return the text as models read it.

    With `caps`, all-capitals words are preceded by `CAPS`; with `names`, names are replaced by their
    symbols, ballot numbers by 2 and their hand signs by ✌, so that likes swapped for likes give the same text.
    """
    folded = fold(text)
    shouted = _shouted(folded)
    if names is not None:
        folded = _BALLOT.sub(_same_number, folded).translate(_ONE_SIGN)
    out: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    length = cursor = 0
    for match in _SPECIAL.finditer(folded):
        low, high = match.span()
        if low < cursor:  # a later word of a name already replaced
            continue
        name = names.at(folded, match, shouted) if names is not None and match.lastgroup == "word" else None
        if name is not None:
            new, high = name
            if out and out[-1] == new and folded[pieces[-1][2] : low].isspace():
                pieces[-1] = (pieces[-1][0], pieces[-1][1], high)  # "Prabowo Subianto": one name
                cursor = high
                continue
        else:
            new = _lighten(match, caps and not shouted, names)
            if new == match[0]:
                continue
        for piece, start, end in ((folded[cursor:low], cursor, low), (new, low, high)):
            if piece:
                out.append(piece)
                pieces.append((length, start, end))
                length += len(piece)
        cursor = high
    if cursor < len(folded):
        out.append(folded[cursor:])
        pieces.append((length, cursor, len(folded)))
    return LightText("".join(out), text, tuple(pieces))


def _same_number(match: re.Match[str]) -> str:
    return f"{match[0][:-1]}2"


_CASED = re.compile(rf"(?<![@\w]){_LETTER}{{2,}}")


def _shouted(folded: str) -> bool:
    """Say whether the text is in capitals: three words or more, nine in ten of them; "AMIN" alone is not."""
    if not any(map(str.isupper, folded[:40])):
        return False
    words = [word for word in _CASED.findall(_LINK.sub("", folded)) if len(word) > 1]
    return len(words) > 2 and sum(map(str.isupper, words)) >= 0.9 * len(words)


def _loud(word: str) -> bool:
    return word.isupper() and word != URL and sum(map(str.isalpha, word)) > 1


def _lighten(match: re.Match[str], mark: bool, names: Names | None) -> str:
    kind, old = match.lastgroup, match[0]
    if kind == "word":
        if names is not None and 7 < len(old) <= 60:  # "prabowogibran", "#AniesPresiden"
            old = names.unglue(old)
        word = _unstretch(_unleet(old)) if old != URL else old
        return CAPS + word if mark and _loud(word) else word
    if kind == "spaced":
        word = _unstretch(old.replace(match["gap"], ""))
        return CAPS + word if mark and _loud(word) else word
    if kind == "space":
        return "\n" if "\n" in old else " "
    if kind == "run":
        return old[:3]
    if kind == "sign":
        before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
        return " " * bool(before.strip()) + _SIGNS[old] + " " * bool(after.strip() and after not in _SIGNS)
    if kind == "url":
        return URL
    handles = {names.unglue(handle[:60]) for handle in old.replace("@", " ").split()} if names is not None else set()
    symbols = sorted({char for handle in handles for char in handle} & {CANDIDATE, PARTY})
    return f"@{''.join(symbols)}" if symbols else USER  # "@GanjarPranowo" names a candidate


# ----------------------------------------------------------------------------------- tokens


class Token(NamedTuple):
    """One word, number or sign of a post.

    `start` and `end` are its span in the text as given. `normal` is lower-case; `alternatives` are
    other spellings it may stand for. A hashtag or a mixed word ("2periode") is split: its first
    token carries the whole (`whole`, e.g. "#2periode") and of how many tokens it is made (`parts`).
    """

    form: str
    normal: str
    alternatives: tuple[str, ...]
    all_caps: bool
    stretched: bool
    leet: bool
    start: int
    end: int
    sentence: int
    whole: str = ""
    parts: int = 1


_TOKEN = re.compile(
    rf"(?P<url>{_URL})|(?P<mention>{_MENTION})|(?P<spaced>{_SPACED})|(?P<hashtag>#\w+)"
    rf"|(?P<word>[^\W_]+(?:['’@$][^\W_]+)*)|(?P<stop>[.!?\n]+)|(?P<sign>[^\w\s\x00-\x7f])"
)
_HASHTAG_PART = re.compile(rf"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|{_LETTER}+")
_MIXED = re.compile(rf"({_LETTER}{{2,}})(\d{{1,2}})|(\d{{1,2}})({_LETTER}{{3,}})")
_ABBREVIATIONS = frozenset(
    "no nmr nomor dr drs dra ir prof hj kh st kec kab kel jl rt rw tgl dll dsb dst yg a.n pak bu sdr bpk".split()
)
_PARTICLE = re.compile(r"(.{3,})(?:lah|kah|nya|pun)$")


@lru_cache(maxsize=1 << 16)
def spellings(word: str) -> tuple[str, ...]:
    """Return what a lower-case word may stand for besides itself: unstretched, unleeted, formal."""
    if len(word) > 40:
        return ()
    found: dict[str, None] = {}
    for plain in (word, _unstretch(word), _unleet(word), _unleet(word, _LEET_L), _unstretch(_unleet(word))):
        for form in (plain, *_slang().get(plain, ())):
            found[form] = None
            if base := _PARTICLE.match(form):
                found[base[1]] = None
    found.pop(word, None)
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def _describe(form: str) -> tuple[str, tuple[str, ...], bool, bool, bool]:
    normal = form.lower().replace("'", "").replace("’", "")
    letters = len(form) > 1 and form.isupper()
    return normal, spellings(normal), letters, bool(_RUN.search(form)), _unleet(normal) != normal


def tokens(text: str) -> list[Token]:
    """Split a text into tokens for the rules; URLs and mentions are left out."""
    folded = fold(text)
    origins = _origins(text, folded)
    out: list[Token] = []
    sentence = 0
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup
        low, high = match.span()
        if kind == "stop":
            sentence += _ends_sentence(match[0], folded, high, out)
        elif kind == "hashtag" or (kind == "word" and _MIXED.fullmatch(match[0])):
            parts = [part.span() for part in (_HASHTAG_PART if kind == "hashtag" else _DIGITS).finditer(match[0])]
            whole = match[0].lower()
            for index, (a, b) in enumerate(parts):
                start, end = low + a - (index == 0 and kind == "hashtag"), low + b
                first = (whole, len(parts)) if index == 0 else ("", 1)
                form = match[0][a:b]
                out.append(Token(form, *_describe(form), origins[start], origins[end - 1] + 1, sentence, *first))
        elif kind in ("word", "spaced", "sign"):
            form = match[0].replace(match["gap"], "") if kind == "spaced" else match[0]
            out.append(Token(form, *_describe(form), origins[low], origins[high - 1] + 1, sentence))
    return out


_DIGITS = re.compile(r"\d+|\D+")


def _ends_sentence(stop: str, folded: str, after: int, before: list[Token]) -> bool:
    if stop != ".":
        return True
    if after < len(folded) and not folded[after].isspace():
        return False  # "no.2", "11.30"
    last = before[-1].normal if before else ""
    return not (last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()))

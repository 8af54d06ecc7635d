"""Tokens for the rules: words, numbers and signs with their spans, and the spellings they may stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from netral.normalize.folding import (
    LEET_L,
    LETTER,
    LINK,
    LONGEST,
    MENTION,
    RUN,
    SPACED,
    fold,
    lexicon,
    origins,
    unleet,
    unstretch,
)


@cache
def _slang() -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for informal, formal in lexicon("slang.tsv"):
        table[informal] = (*table.get(informal, ()), formal)
    return table


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
    rf"(?P<url>{LINK})|(?P<mention>{MENTION})|(?P<spaced>{SPACED})|(?P<hashtag>#\w+)"
    rf"|(?P<word>[^\W_]+(?:['’@$][^\W_]+)*)|(?P<stop>[.!?\n]+)|(?P<sign>[^\w\s\x00-\x7f])"
)
_HASHTAG_PART = re.compile(rf"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|{LETTER}+")
_MIXED = re.compile(rf"({LETTER}{{2,}})(\d{{1,2}})|(\d{{1,2}})({LETTER}{{3,}})")
_ABBREVIATIONS = frozenset(
    "no nmr nomor dr drs dra ir prof hj kh st kec kab kel jl rt rw tgl dll dsb dst yg a.n pak bu sdr bpk".split()
)
_PARTICLE = re.compile(r"(.{3,})(?:lah|kah|nya|pun)$")


def spellings(word: str) -> tuple[str, ...]:
    """Return what a lower-case word may stand for besides itself: unstretched, unleeted, formal."""
    return _spellings(word) if len(word) <= LONGEST else ()


@lru_cache(maxsize=1 << 16)
def _spellings(word: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for plain in (word, unstretch(word), unleet(word), unleet(word, LEET_L), unstretch(unleet(word))):
        for form in (plain, *_slang().get(plain, ())):
            found[form] = None
            if base := _PARTICLE.match(form):
                found[base[1]] = None
    found.pop(word, None)
    return tuple(found)


def _describe(form: str) -> tuple[str, tuple[str, ...], bool, bool, bool]:
    return _known(form) if len(form) <= LONGEST else _known.__wrapped__(form)


@lru_cache(maxsize=1 << 16)
def _known(form: str) -> tuple[str, tuple[str, ...], bool, bool, bool]:
    normal = form.lower().replace("'", "").replace("’", "")
    letters = len(form) > 1 and form.isupper()
    return normal, spellings(normal), letters, bool(RUN.search(form)), unleet(normal) != normal


def tokens(text: str) -> list[Token]:
    """Split a text into tokens for the rules; URLs and mentions are left out."""
    folded = fold(text)
    sources = origins(text, folded)
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
                out.append(Token(form, *_describe(form), sources[start], sources[end - 1] + 1, sentence, *first))
        elif kind in ("word", "spaced", "sign"):
            form = match[0].replace(match["gap"], "") if kind == "spaced" else match[0]
            end = _MODIFIERS.match(text, sources[high - 1] + 1).end()  # type: ignore[union-attr]  # matches nothing too
            out.append(Token(form, *_describe(form), sources[low], end, sentence))
    return out


_DIGITS = re.compile(r"\d+|\D+")
_MODIFIERS = re.compile("[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]*")  # an emoji's form, key cap, skin tone


def _ends_sentence(stop: str, folded: str, after: int, before: list[Token]) -> bool:
    if stop != ".":
        return True
    if after < len(folded) and not folded[after].isspace():
        return False  # "no.2", "11.30"
    last = before[-1].normal if before else ""
    return not (last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()))

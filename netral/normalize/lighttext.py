"""The light text that models read, and the way back to the text as given."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from netral.normalize.folding import LETTER, LINK, MENTION, SPACED, fold, origins, undone
from netral.normalize.names import CANDIDATE, PARTY, Names, stand_in

VERSION = "3"
"""Raised whenever `light` changes its output: a model says which one it was trained with."""

CAPS = "\ue000"
"""Stands before an all-capitals word in the light text; one added token of the tokenizer."""

USER, URL = "@USER", "HTTPURL"

_SPECIAL = re.compile(
    rf"(?P<url>{LINK})|(?P<mention>(?:{MENTION})(?:\s{{1,3}}@\w+)*)|(?P<spaced>{SPACED})|(?P<word>\w[\w@$]*)"
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


@dataclass(frozen=True, slots=True)
class LightText:
    """What a model reads, and the way back: `pieces` are (start in text, start and end in the fold)."""

    text: str
    original: str
    pieces: tuple[tuple[int, int, int], ...]

    def spans(self, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the spans of `original`, in code points, that ranges of `text` came from."""
        sources = origins(self.original, fold(self.original))
        starts = [piece[0] for piece in self.pieces]

        def place(offset: int) -> tuple[int, int]:
            index = bisect_right(starts, offset) - 1
            begin, low, high = self.pieces[index]
            end = starts[index + 1] if index + 1 < len(starts) else len(self.text)
            exact = end - begin == high - low
            return (low + offset - begin, low + offset - begin + 1) if exact else (low, high)

        return [(sources[place(a)[0]], sources[place(b - 1)[1] - 1] + 1) for a, b in ranges]


def light(text: str, *, caps: bool = True, names: Names | None = None) -> LightText:
    """Return the text as models read it.

    With `caps`, all-capitals words are preceded by `CAPS`; with `names`, names are replaced by their
    symbols, ballot numbers by 2, their hand signs by ✌ and peoples and religions by one of each, so that
    likes swapped for likes give the same text.
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
        name = names.at(folded, match, shouted) if names and match.lastgroup in ("word", "spaced") else None
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


_LINK = re.compile(LINK)
_CASED = re.compile(rf"(?<![@\w]){LETTER}{{2,}}")


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
    if kind in ("word", "spaced"):
        old = old.replace(match["gap"], "") if kind == "spaced" else old
        word = undone(old) if old != URL else old
        if names is not None and 7 < len(old) <= 60:  # "prabowogibran", "#AniesPresiden"
            whole = names.unglue(old)
            word = names.unglue(word) if whole == old else undone(whole)
        if names is not None:
            word = stand_in(word, match.string, match.start())
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

"""Characters and words as both outputs of the normaliser know them: look-alikes folded, stretching and leet undone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

# Marks laid over Latin letters ("p̶i̶l̶i̶h̶"), enclosing marks (keycaps), variation selectors, skin
# tones and private-use characters (CAPS among them) say nothing about what stands under them.
_DROPPED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\ufe00-\ufe0f\U000e0000-\U000e01ef\U0001f3fb-\U0001f3ff\ue000-\uf8ff]"
)


def lexicon(name: str) -> list[tuple[str, str]]:
    """Return the first two columns of a table of `resources/lexicons`."""
    text = files("netral").joinpath("resources", "lexicons", name).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(row[0], row[1]) for row in rows]


_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # fillers of Hangul and Braille that show as nothing and are no spaces


@cache
def _confusables() -> Mapping[str, str]:
    return dict(lexicon("confusables.tsv"))


def _fold_char(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    if char in _BLANKS:
        return " "
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


def origins(text: str, folded: str) -> list[int] | range:
    """Return, for every character of `folded`, the offset in `text` it came from."""
    if text is folded:
        return range(len(text))
    return [offset for offset, char in enumerate(text) for _ in _FOLD[ord(char)]]


LETTER = r"[^\W\d_]"
LINK = r"(?:https?://|www\.|pic\.twitter\.com/|t\.co/|bit\.ly/)[^\s<>\"]+"
MENTION = r"@\w+|\w[\w.+-]{0,63}@\w{1,64}\.\w[\w.]{0,64}"
# Four or more single letters with the same gap between them: "p i l i h", "p.i.l.i.h".
SPACED = rf"(?<![\w.@#]){LETTER}(?P<gap>[ .\-_*]){LETTER}(?:(?P=gap){LETTER}){{2,}}(?![\w@])"
_LEET = str.maketrans("0134578@$", "oieastbas")
LEET_L = str.maketrans("0134578@$", "oleastbas")
# One digit or sign between two letters: c0bl0s, d4jj4l, k@drun; not anak2, pilkada2024, 4G.
_LEET_WORD = re.compile(rf"{LETTER}[0134578@$]{LETTER}")
RUN = re.compile(rf"({LETTER})\1{{2,}}")


def unstretch(word: str) -> str:
    """Return "menaaaang" as "menang"; "III" and "aaaa" stay, and "aaamiiin" is a prayer, not a name."""
    short = RUN.sub(r"\1", word) if len(set(word.lower())) > 1 else word
    return "aamiin" if short.lower() == "amin" and short != word else short


LONGEST = 40
"""Letters of a word that may have other spellings; longer ones are not kept in caches."""


def undone(word: str) -> str:
    """Return a word without leet and stretching."""
    return _undone(word) if len(word) <= LONGEST else unstretch(unleet(word))


@lru_cache(maxsize=1 << 16)
def _undone(word: str) -> str:
    return unstretch(unleet(word))


def unleet(word: str, table: dict[int, int] = _LEET) -> str:
    """Return "c0bl0s" as "coblos"; "anak2", "4G" and years stay."""
    if not _LEET_WORD.search(word) or re.search("[269]", word):
        return word
    plain = word.translate(table)
    return plain.upper() if word.isupper() else plain

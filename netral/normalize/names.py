"""Names that carry no weight: of candidates and parties, and of peoples and religions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from netral.normalize.folding import LONGEST, fold, lexicon, undone

CANDIDATE, PARTY = "\ue001", "\ue002"
"""Stand for every name that a roster holds, so that names carry no weight; one added token each."""


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
        """Return the symbol for the name that begins at `match`, and its end in `folded`.

        Stretched, leet and spaced spellings are names too.
        """
        word, end = match[0].replace(match["gap"] or "\0", ""), match.end()
        for key in (_keys if len(word) <= LONGEST else _keys.__wrapped__)(word):
            for rest, symbol, capitals in self.table.get(key, ()):
                if (not capitals or (word.isupper() and not shouted)) and (found := rest.match(folded, end)):
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


@lru_cache(maxsize=1 << 16)
def _keys(word: str) -> tuple[str, ...]:
    """Return what a word may be in a table of names: as it stands, undone, and both without an enclitic."""
    found = (word.lower(), undone(word).lower())
    return tuple(dict.fromkeys((*found, *(_ENCLITIC.sub("", one) for one in found))))


_ENCLITIC = re.compile(r"(?<=\w{3})(?:nya|lah|pun|kah|ku|mu|ers)$")

_STAND_INS = {"suku": "bugis", "agama": "hindu", "umat": "muslim"}
"""One of each kind for all: of those tried, what kept the model's dev figures and its flags alike best."""

# Words before the name of a people that is also a place's: "orang Papua" is a people, "di Papua" a place.
_OF_PEOPLE = frozenset(
    "orang org wong suku etnis keturunan kaum bangsa ras adat gadis pemuda putra putri anak warga masyarakat si budaya "
    "bahasa dasar".split()
)
_LAST_WORD = re.compile(r"(\w+)\s{1,3}$")


@cache
def _groups() -> Mapping[str, tuple[str, bool]]:
    """Return, for each name of `groups.tsv`, its kind and whether it is also a place's."""
    return {name.removeprefix("orang "): (kind, " " in name) for name, kind in lexicon("groups.tsv")}


def kind_of(word: str, before: str) -> str | None:
    """Return "suku", "agama" or "umat" for a name of people, a religion or its followers after `before`."""
    found = _groups().get(word.lower())
    if found is None:
        return None
    kind, place = found
    return None if place and before.lower() not in _OF_PEOPLE else kind


def stand_in(word: str, text: str, start: int) -> str:
    """Return, for the name of a people or religion at `start` of `text`, the one that stands for all, in its case.

    Any other word comes back as it is.
    """
    if word.lower() not in _groups():
        return word
    before = _LAST_WORD.search(text, max(0, start - 16), start)
    kind = kind_of(word, before[1] if before else "")
    if kind is None:
        return word
    new = _STAND_INS[kind]
    return new.upper() if word.isupper() else new if word.islower() else new.capitalize()


_OFFICE = re.compile(
    r"(?<![Cc]alon )\b(?i:(?:wakil )?"
    r"(?:presiden|wapres|menteri|mentri|menhan|menko|mensos|gubernur|wagub|wali ?kota|bupati))"
    # its region or field, and titles: "Gubernur Jawa Timur", "Menteri Pertahanan", "presiden terpilih pak"
    rf"(?: (?:[A-Z]\w*|(?i:ri|terpilih|bapak|pak|ibu|bu|h|ir))\.?){{0,3}} {CANDIDATE}"
)


def untitled(light: str) -> str:
    """Return a light text in which a masked name behind its office ("Presiden ...") stands as any person's."""
    return _OFFICE.sub(f"Pak {CANDIDATE}", light)

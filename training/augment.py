"""Changes of a training text that keep its labels: swaps like for like, and spellings as people type them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path
from tomllib import loads

from netral.contest import Contest

_GROUPS = Path(__file__).with_name("configs") / "swaps.toml"
_LEET = {"a": "4@", "i": "1", "e": "3", "o": "0", "s": "5$", "t": "7", "b": "8"}
_LOOKALIKE = dict(zip("aeopcxyi", "аеорсхуі", strict=True))
_WORD = re.compile(r"[^\W\d_]{4,}")


def names_pattern(contests: Iterable[Contest]) -> re.Pattern[str]:
    """Return a pattern that finds the candidates of rosters (not their parties) by any of their names."""
    names = {
        name
        for contest in contests
        for office in contest.offices
        for candidate in office.candidates
        for name in candidate.names
        if not office.parties and not name.isupper()
    }
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")(?!\w)", re.I)


class Augmenter:
    """Applies one consistent swap a text and, now and then, a spelling attack; seeded."""

    def __init__(self, seed: int, swap: float = 0.5, attack: float = 0.15) -> None:
        self._dice = random.Random(seed)
        self._swap, self._attack = swap, attack
        groups = loads(_GROUPS.read_text(encoding="utf-8"))
        self._groups: list[list[str]] = [list(group["words"]) for group in groups["group"]]
        self._patterns = [
            re.compile(
                r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(group, key=len, reverse=True))) + r")(?!\w)", re.I
            )
            for group in self._groups
        ]
        self._names = list(groups["invented_names"])

    def __call__(self, text: str) -> str:
        """Return the text changed, or as it was."""
        dice = self._dice
        if dice.random() < self._swap:
            for group, pattern in zip(self._groups, self._patterns, strict=True):
                text = self._swapped(text, group, pattern)
        roll = dice.random()
        if roll < self._attack:
            text = self.attack(text)
        elif roll < self._attack + 0.08:
            text = text.lower()
        elif roll < self._attack + 0.10:
            text = text.upper()
        elif roll < self._attack + 0.14:
            text = re.sub(r"[^\w\s@#]", "", text)
        return text

    def _swapped(self, text: str, group: list[str], pattern: re.Pattern[str]) -> str:
        found = {match[0].lower() for match in pattern.finditer(text)}
        if not found:
            return text
        others = self._dice.sample(group, min(len(found), len(group)))
        table = dict(zip(sorted(found), others, strict=False))

        def put(match: re.Match[str]) -> str:
            new = table.get(match[0].lower(), match[0])
            if match[0].isupper() and len(match[0]) > 1:
                return new.upper()
            return new.lower() if match[0].islower() else new

        return pattern.sub(put, text)

    def replace_names(self, text: str, pattern: re.Pattern[str]) -> str:
        """Return the text with every name that `pattern` finds replaced by an invented one, consistently."""
        table: dict[str, str] = {}

        def put(match: re.Match[str]) -> str:
            new = table.setdefault(match[0].lower(), self._dice.choice(self._names))
            return new.lower() if match[0].islower() else new

        return pattern.sub(put, text)

    def attack(self, text: str, kind: str | None = None) -> str:
        """Return the text with about a third of its longer words misspelt in one of the ways of `kind`."""
        kind = kind or self._dice.choice(
            ["leet", "leet", "spaces", "stretched", "stretched", "lookalike", "vowels", "typo"]
        )
        change = getattr(self, f"_{kind}")
        share = 0.15 if kind == "spaces" else 0.35
        return _WORD.sub(lambda match: change(match[0]) if self._dice.random() < share else match[0], text)

    def _leet(self, word: str) -> str:
        return "".join(
            self._dice.choice(_LEET[c.lower()]) if c.lower() in _LEET and self._dice.random() < 0.6 else c for c in word
        )

    def _spaces(self, word: str) -> str:
        return self._dice.choice(" .-").join(word) if len(word) < 10 else word

    def _stretched(self, word: str) -> str:
        spots = [i for i, c in enumerate(word) if c.lower() in "aiueo"] or [len(word) - 1]
        spot = spots[-1] if self._dice.random() < 0.6 else self._dice.choice(spots)
        return word[:spot] + word[spot] * self._dice.randint(3, 6) + word[spot + 1 :]

    def _lookalike(self, word: str) -> str:
        return "".join(_LOOKALIKE.get(c, c) for c in word)

    def _vowels(self, word: str) -> str:
        return word[0] + re.sub("[aiueo]", "", word[1:-1]) + word[-1]

    def _typo(self, word: str) -> str:
        spot = self._dice.randrange(1, len(word) - 1)
        roll = self._dice.random()
        if roll < 0.4:
            return word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :]
        return word[:spot] + word[spot + 1 :] if roll < 0.7 else word[:spot] + word[spot] + word[spot:]

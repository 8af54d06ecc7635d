"""Explanations of a model: words whose absence lowers a flag (occlusion)."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from netral.normalize import tokens
from netral.schema import Classifier, Evidence

_TOP_WORDS = 5
_LEAST = 0.02  # a smaller fall of a flag explains nothing
_EXPLAINED = 120  # words looked at; they fill about one window of the shipped model
_CHARS = 1_500  # characters looked at, about twice those of 120 plain words: what stands between words is judged too
_JUDGED = 50_000  # characters of all spans' copies, those that 120 plain words need
_ALL = ("kedua", "ketiga", "keempat", "kelima")

_Span = tuple[int, int]


def occlude(classifier: Classifier, text: str, flags: Sequence[str]) -> tuple[Evidence, ...]:
    """Return, for each flag, up to five words of `text` whose removal lowers it most (by 0.02 or more).

    Where no single word does, since others say the same, the two, three, four and five that lower it most are
    removed together; the fewest that suffice are returned, with a `why` that says so.

    At most 64 spans are tried, 33 of 1,500 characters: neighbouring words go together. The text is read from
    its first word to its last; of more than 120 words or 1,500 characters, only those in a row that raise the
    flag most, as a text of their own.
    """
    parts = list(_parts(text))
    if not parts:
        return ()
    found = classifier.predict([text[part[0][0] : part[-1][1]] for part in parts])
    highest = {flag: max(range(len(parts)), key=lambda number: found[number].flags[flag]) for flag in flags}
    evidence: list[Evidence] = []
    for best in dict.fromkeys(highest.values()):
        raised = [flag for flag in flags if highest[flag] == best]
        evidence += _drops(classifier, text, parts[best], found[best].flags, raised)
    return tuple(evidence)


def _parts(text: str) -> Iterator[list[_Span]]:
    """Yield the words in a row that fill a part, at least one."""
    part: list[_Span] = []
    length = 0
    for start, end in dict.fromkeys((token.start, token.end) for token in tokens(text)):
        length += _length(text[part[-1][1] if part else start : end])
        if part and (len(part) == _EXPLAINED or length > _CHARS):
            yield part
            part, length = [], _length(text[start:end])
        part.append((start, end))
    if part:
        yield part


def _length(text: str) -> int:
    """Return how many characters a model reads, which spells out signs such as U+FDFA: up to 18 for one."""
    return len(unicodedata.normalize("NFKC", text))


def _drops(
    classifier: Classifier, text: str, words: list[_Span], whole: Mapping[str, float], flags: Sequence[str]
) -> Iterator[Evidence]:
    within = (words[0][0], words[-1][1])
    size = math.ceil(len(words) / max(1, min(64, _JUDGED // _length(text[slice(*within)]))))
    spans = [(words[i][0], words[min(i + size, len(words)) - 1][1]) for i in range(0, len(words), size)]
    alone = classifier.predict([_without(text, within, [span]) for span in spans])
    for flag in flags:
        lowest = sorted((left.flags[flag], span) for left, span in zip(alone, spans, strict=True))[:_TOP_WORDS]
        told = [([span], left) for left, span in lowest if whole[flag] - left >= _LEAST]
        if not told and len(lowest) > 1:
            sets = [[span for _, span in lowest[:count]] for count in range(2, len(lowest) + 1)]
            lefts = classifier.predict([_without(text, within, gone) for gone in sets])
            pairs = ((gone, left.flags[flag]) for gone, left in zip(sets, lefts, strict=True))
            told = [(gone, left) for gone, left in pairs if whole[flag] - left >= _LEAST][:1]
        for gone, left in told:
            why = _why(len(gone), whole[flag], left)
            yield from (Evidence(flag, "model", None, start, end, why) for start, end in gone)


def _without(text: str, within: _Span, gone: list[_Span]) -> str:
    kept, at = [], within[0]
    for start, end in sorted(gone):
        kept.append(text[at:start])
        at = end
    return " ".join([*kept, text[at : within[1]]])


def _why(count: int, whole: float, left: float) -> str:
    gone = "bagian ini" if count == 1 else f"{_ALL[count - 2]} bagian ini sekaligus"
    before, after = (f"{value:.2f}".replace(".", ",") for value in (whole, left))
    return f"Tanpa {gone} nilai model turun dari {before} ke {after}"

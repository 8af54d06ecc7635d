"""Explanations of a model: words whose absence lowers a flag (occlusion)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from netral.normalize import tokens
from netral.schema import Classifier, Evidence

_TOP_WORDS = 5
_EXPLAINED = 120  # words looked at; they fill about one window of the shipped model


def occlude(classifier: Classifier, text: str, flags: Sequence[str]) -> tuple[Evidence, ...]:
    """Return, for each flag, up to five words of `text` whose removal lowers it most (by 0.02 or more).

    At most 64 spans are tried: neighbouring words go together. Of more than 120 words only the 120 in a
    row that raise the flag most are looked at, as a text of their own.
    """
    words = [(token.start, token.end) for token in tokens(text)]
    if len(words) <= _EXPLAINED:
        return tuple(_drops(classifier, text, (0, len(text)), words, flags))
    parts = [words[i : i + _EXPLAINED] for i in range(0, len(words), _EXPLAINED)]
    ranges = [(part[0][0], part[-1][1]) for part in parts]
    found = classifier.predict([text[low:high] for low, high in ranges])
    evidence: list[Evidence] = []
    for flag in flags:
        best = max(range(len(parts)), key=lambda number: found[number].flags[flag])
        evidence += _drops(classifier, text, ranges[best], parts[best], [flag])
    return tuple(evidence)


def _drops(
    classifier: Classifier, text: str, within: tuple[int, int], words: list[tuple[int, int]], flags: Sequence[str]
) -> Iterator[Evidence]:
    low, high = within
    size = max(1, math.ceil(len(words) / 64))
    spans = [(words[i][0], words[min(i + size, len(words)) - 1][1]) for i in range(0, len(words), size)]
    without = (f"{text[low:start]} {text[end:high]}" for start, end in spans)
    whole, *parts = classifier.predict([text[low:high], *without])
    for flag in flags:
        drops = sorted(
            ((whole.flags[flag] - part.flags[flag], span) for part, span in zip(parts, spans, strict=True)),
            reverse=True,
        )
        for drop, (start, end) in drops[:_TOP_WORDS]:
            if drop >= 0.02:
                yield Evidence(flag, "model", None, start, end, _why(whole.flags[flag], drop))


def _why(whole: float, drop: float) -> str:
    before, after = (f"{value:.2f}".replace(".", ",") for value in (whole, max(0.0, whole - drop)))
    return f"Tanpa bagian ini nilai model turun dari {before} ke {after}"

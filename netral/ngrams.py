"""A linear model over hashed character n-grams, added to the encoder's logits.

It knows spellings and turns of phrase where the encoder knows sense; both err in different places.
Its file, `ngrams.npz`, holds `weights` [buckets, 3] in the order of `FLAGS`, `idf` [buckets] and
`bias` [3]; buckets are a power of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

FILE = "ngrams.npz"
LONGEST = 5
"""Characters of the longest n-grams, the shortest have 2; what they cross, spaces too, is part of them."""

_BASE, _SPREAD = np.uint32(0x01000193), np.uint32(0x9E3779B1)  # FNV's prime; 2^32 over the golden ratio (Knuth)

Array = np.ndarray[Any, Any]


def counts(text: str, bits: int) -> tuple[Array, Array]:
    """Return the buckets (of 2^`bits`) that the n-grams of a light text fall into, and 1 + ln(how many) of each."""
    letters = f" {' '.join(text.lower().split())} "
    codes = np.frombuffer(letters.encode("utf-32-le", "replace"), np.uint32)
    found, hashed = [], codes
    for length in range(2, min(LONGEST, len(codes)) + 1):
        hashed = (hashed[:-1] * _BASE) ^ codes[length - 1 :]
        found.append((hashed + np.uint32(length)) * _SPREAD >> np.uint32(32 - bits))
    buckets, times = np.unique(np.concatenate(found), return_counts=True)
    return buckets, (1 + np.log(times)).astype(np.float32)


class Ngrams:
    """The linear model of a model directory."""

    def __init__(self, path: Path) -> None:
        """Load it, whole as it was exported."""
        with np.load(path, allow_pickle=False) as file:
            self._weights, self._idf, self._bias = (
                file[name].astype(np.float32) for name in ("weights", "idf", "bias")
            )
        self._bits = len(self._idf).bit_length() - 1

    def logits(self, text: str) -> Sequence[float]:
        """Return the logits of a light text in the order of `FLAGS`."""
        buckets, times = counts(text, self._bits)
        values = times * self._idf[buckets]
        values /= np.sqrt(values @ values)
        row: list[float] = (values @ self._weights[buckets] + self._bias).tolist()
        return row

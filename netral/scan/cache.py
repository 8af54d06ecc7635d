"""Exact duplicates judged once: a bounded memory of model predictions in front of a classifier."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from copy import copy
from hashlib import blake2b

from netral.schema import Classifier, Prediction
from netral.screener import Screener

MAX_TEXTS = 20_000
"""How many texts are remembered; their digests alone are kept, so long texts cost no more than short ones."""


class CachedClassifier:
    """Asks `classifier` once for each distinct text; the texts asked longest ago are forgotten first."""

    def __init__(self, classifier: Classifier, max_texts: int = MAX_TEXTS) -> None:
        """Store the classifier; nothing is remembered yet."""
        self._classifier = classifier
        self._max = max_texts
        self._known: OrderedDict[bytes, Prediction] = OrderedDict()

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return one prediction a text, in order."""
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        here = {key: self._known[key] for key in keys if key in self._known}
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in here}
        if fresh:
            here.update(zip(fresh, self._classifier.predict(list(fresh.values())), strict=True))
        for key in keys:
            self._known[key] = here[key]
            self._known.move_to_end(key)
        while len(self._known) > self._max:
            self._known.popitem(last=False)
        return [here[key] for key in keys]


def cached(screener: Screener) -> Screener:
    """Return the screener with an empty cache before its model; rules and contest still see each post."""
    if screener.classifier is None:
        return screener
    twin = copy(screener)
    twin.classifier = CachedClassifier(screener.classifier)
    return twin

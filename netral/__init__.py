"""netral screens Indonesian social-media posts for the election neutrality of civil servants (ASN).

A verdict is an indication for a human officer, on a text, never a finding on a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from netral.contest import Contest
from netral.errors import NetralError
from netral.schema import MAX_CHARS, VERSION, Evidence, Label, Post, Verdict
from netral.screener import Screener, load

__all__ = [  # noqa: RUF022  (in the order of sorted(), which a test pins)
    "Contest",
    "Evidence",
    "Label",
    "MAX_CHARS",
    "NetralError",
    "Post",
    "Screener",
    "Verdict",
    "__version__",
    "load",
    "predict",
    "predict_batch",
]

__version__ = VERSION

_lock = Lock()
_shared: Screener | None = None


def _screener() -> Screener:
    global _shared
    with _lock:
        if _shared is None:
            _shared = load()
        return _shared


def predict(text: str, *, explain: bool = False) -> Verdict:
    """Judge one text with the shipped model, loaded at the first call; safe from several threads.

    With `explain`, a flagged verdict also carries the words without which the model's flags fall. A blank text is
    neutral. Raises `TypeError` when `text` is not a str, `TextTooLong` over `MAX_CHARS` characters.

    >>> import netral
    >>> netral.predict("Jadwal posyandu bulan ini hari Rabu").label.value
    'neutral'
    """
    return _screener().predict(text, explain=explain)


def predict_batch(texts: Iterable[str], *, explain: bool = False) -> list[Verdict]:
    """Judge texts as `predict` does; one verdict a text, in order, [] for [].

    >>> import netral
    >>> [verdict.label.value for verdict in netral.predict_batch(["Selamat pagi", ""])]
    ['neutral', 'neutral']
    """
    return _screener().predict_batch(texts, explain=explain)

"""The report of a scan: read from its files, rendered as one self-contained HTML page in Indonesian."""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import time as clock
from importlib.resources import files
from pathlib import Path
from typing import Any

from netral.contest import WIB
from netral.errors import ReadError, ScanError
from netral.regulations import long_date
from netral.schema import FLAGS, Label

MOST_FINDINGS = 2000
"""Findings listed in the page, and neutral posts to review; the rest stand in verdicts.jsonl and are counted."""

LABELS = {
    Label.PARTISAN_SUPPORT.value: "Dukungan partisan",
    Label.HOAX_HATE.value: "Hoaks atau ujaran kebencian",
    Label.NEUTRAL.value: "Netral",
}
FLAG_NAMES = {"partisan": "Keberpihakan", "hate": "Ujaran kebencian", "hoax": "Hoaks"}
REASONS: Mapping[str, str] = {
    "before-header": "sebelum judul kolom",
    "broken-json": "JSON rusak",
    "deleted-message": "pesan dihapus",
    "empty-text": "teks kosong",
    "error-row": "baris galat dari alat pengumpul data",
    "field-too-long": "kolom terlalu panjang",
    "line-too-long": "baris terlalu panjang",
    "media-placeholder": "penanda media tanpa teks",
    "no-posts": "berkas tanpa unggahan",
    "no-text-field": "tanpa kolom teks",
    "not-an-object": "bukan objek JSON",
    "ragged-row": "jumlah kolom tidak cocok",
    "repeated-header": "judul kolom berulang",
    "system-line": "baris sistem",
    "text-too-long": "teks terlalu panjang",
    "too-deep": "JSON terlalu dalam",
    "too-many-cells": "terlalu banyak kolom",
    "unreadable-file": "berkas tak terbaca",
    "unsafe-path": "jalur berkas tidak aman",
}
"""What an officer reads for the reasons of the readers."""

_QUOTED = 80  # characters of the model's evidence that stand beside a post
_OBEYED = re.compile(  # what a browser obeys or hides; not the joiners and tags that emoji are made of
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
_Heap = list[tuple[float, int, dict[str, Any]]]  # rank, line negated, verdict


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _among(known: Mapping[str, str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in known


def _chance(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _counts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(count, int) for count in value.values())


# The shapes of the lines that are read: what a hand has altered is named by its line, not met by a fault further on.
_TEXT, _WHOLE = _is(str), _is(int)
_FLAGS = dict.fromkeys(FLAGS, _chance)
_EVIDENCE = {"flag": _among(FLAG_NAMES), "source": _TEXT, "start": _WHOLE, "end": _WHOLE, "why": _TEXT}
_POINTER = {"title": _TEXT, "article": _TEXT, "applies_to": [_TEXT], "condition": _TEXT, "source": _TEXT}
_POST = dict.fromkeys(("text", "author", "platform", "url", "quoted"), _TEXT) | {
    "time": _is(str, type(None)),
    "meta": _is(dict),
}
_VERDICT = {
    "label": _among(LABELS),
    "score": _chance,
    "flags": _FLAGS,
    "evidence": [_EVIDENCE],
    "regulations": [_POINTER],
    "review": _is(bool),
    "post": _POST,
}
_MANIFEST = {
    "finished": _TEXT,
    "versions": dict.fromkeys(("netral", "verdict", "contest"), _TEXT),
    "thresholds": _FLAGS,
    "inputs": [{"path": _TEXT}],
    "rows": {"records": _WHOLE, "rejected_by_reason": _counts, "skipped_by_reason": _counts},
}


def _fits(value: Any, shape: Any) -> bool:
    """Tell whether a value has all keys of a dict, a list's kind of items, or passes a check."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(key in value and _fits(value[key], part) for key, part in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(item, shape[0]) for item in value)
    return bool(shape(value))


@dataclass(frozen=True, slots=True)
class Finding:
    """A post as the page shows it; `segments` are (text, flag or "", why) in order.

    `regulations` are numbers, from 1, in the `regulations` of its `Summary`.
    """

    line: int
    label: str
    score: float
    flags: Mapping[str, float]
    segments: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    regulations: tuple[int, ...]
    review: bool
    post: Mapping[str, Any]
    copies: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a scan, its most certain findings, and the least certain of its neutral posts to review.

    `regulations` are (title, article, applies to, condition, source), each once.
    """

    labels: Mapping[str, int]
    flags: Mapping[str, int]
    review: int
    neutral_review: int
    rejected: int
    findings: tuple[Finding, ...]
    neutral: tuple[Finding, ...]
    regulations: tuple[tuple[str, ...], ...]
    manifest: Mapping[str, Any]

    @property
    def posts(self) -> int:
        """Posts judged."""
        return sum(self.labels.values())

    @property
    def found(self) -> int:
        """Posts with a label other than neutral."""
        return self.posts - self.labels.get(Label.NEUTRAL.value, 0)


def summarise(directory: Path) -> Summary:
    """Return the counts and at most `MOST_FINDINGS` posts of either list.

    Besides these it holds the explanations and the line numbers of near-identical findings, no other verdict.
    Raises `ReadError` when the directory holds no finished scan, `ScanError` when its files are not as written.
    """
    place = directory / "manifest.json"
    try:
        manifest = _parsed(place.read_bytes(), _MANIFEST, str(place))
    except OSError as error:
        raise ReadError(f"{directory}: no finished scan there ({error}); name the --out folder of a scan") from error
    explanations = _rows(directory / "explanations.jsonl", {"line": _WHOLE, "evidence": [_EVIDENCE]})
    explained = {row["line"]: row["evidence"] for row in explanations}
    copies: dict[int, int] = {}
    hidden: set[int] = set()
    for row in _rows(directory / "groups.jsonl", {"line": _WHOLE, "copies": [_WHOLE]}):
        copies[row["line"]] = len(row["copies"])
        hidden.update(line for line in row["copies"] if line != row["line"])
    labels: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    review: Counter[str] = Counter()
    best: _Heap = []
    unsure: _Heap = []
    for line, verdict in enumerate(_rows(directory / "verdicts.jsonl", _VERDICT, required=True), start=1):
        label, score = verdict["label"], verdict["score"]
        labels[label] += 1
        review[label] += verdict["review"]
        if label == Label.NEUTRAL.value:
            if verdict["review"]:
                _keep(unsure, (-score, -line, verdict))
            continue
        flags.update(flag for flag in FLAGS if verdict["flags"][flag] >= manifest["thresholds"][flag])
        if line not in hidden:
            _keep(best, (score, -line, verdict))
    known: dict[tuple[str, ...], int] = {}
    findings, neutral = (
        tuple(
            _finding(-line, verdict, explained.get(-line, ()), copies.get(-line, 1), known)
            for _, line, verdict in sorted(heap, key=lambda item: item[:2], reverse=True)
        )
        for heap in (best, unsure)
    )
    rejected = sum(1 for _ in _rows(directory / "rejected.jsonl", {}))
    doubts = review[Label.NEUTRAL.value]
    return Summary(labels, flags, review.total(), doubts, rejected, findings, neutral, tuple(known), manifest)


def _keep(heap: _Heap, item: tuple[float, int, dict[str, Any]]) -> None:
    heapq.heappush(heap, item)
    if len(heap) > MOST_FINDINGS:
        heapq.heappop(heap)


def _rows(path: Path, shape: Mapping[str, Any], *, required: bool = False) -> Iterator[dict[str, Any]]:
    if not path.exists() and not required:
        return
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield _parsed(line, shape, f"{path}, line {number}")
    except OSError as error:
        raise ReadError(f"{path}: cannot be read ({error}); scan again, or check it with netral verify") from error


def _parsed(data: bytes, shape: Mapping[str, Any], place: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ScanError(f"{place}: no JSON ({error}); check it with netral verify, or scan again") from error
    if not _fits(value, shape):
        raise ScanError(f"{place}: not as a scan writes it; check it with netral verify, or scan again")
    return value


def _finding(
    line: int,
    verdict: Mapping[str, Any],
    extra: Sequence[Mapping[str, Any]],
    copies: int,
    known: dict[tuple[str, ...], int],
) -> Finding:
    text, evidence = verdict["post"]["text"], [*verdict["evidence"], *extra]
    pointers = (
        (item["title"], item["article"], ", ".join(item["applies_to"]), item["condition"], item["source"])
        for item in verdict["regulations"]
    )
    return Finding(
        line=line,
        label=verdict["label"],
        score=verdict["score"],
        flags=verdict["flags"],
        segments=segments(text, evidence),
        notes=tuple(dict.fromkeys(_note(text, item) for item in evidence)),
        regulations=tuple(known.setdefault(pointer, len(known) + 1) for pointer in pointers),
        review=verdict["review"],
        post=verdict["post"],
        copies=copies,
    )


def _note(text: str, item: Mapping[str, Any]) -> str:
    """Return a piece of evidence as a sentence; the model's names the words it is about."""
    name = FLAG_NAMES[item["flag"]]
    if item["source"] == "rules":
        return f"{name}: {item['why']}"
    words = text[item["start"] : item["end"]]
    return f"{name}, “{words[:_QUOTED]}{'…' * (len(words) > _QUOTED)}”: {item['why']}"


def segments(text: str, evidence: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    """Cut a text into (part, flag or "", why) by its evidence; where spans overlap, the earlier one is shown."""
    out: list[tuple[str, str, str]] = []
    cursor = 0
    for item in sorted(evidence, key=lambda item: (item["start"], -item["end"])):
        start, end = item["start"], item["end"]
        if start < cursor:
            continue
        if start > cursor:
            out.append((text[cursor:start], "", ""))
        out.append((text[start:end], item["flag"], item["why"]))
        cursor = end
    if cursor < len(text):
        out.append((text[cursor:], "", ""))
    return tuple(out)


def written_time(value: str) -> str:
    """Return an ISO 8601 time as an officer writes it, in WIB: "27 November 2024 10.05 WIB".

    A time without a zone stays as it is and names none; without one, midnight is a day alone, as most exports of days
    are read. What is no ISO time is returned as given.
    """
    try:
        time = datetime.fromisoformat(value)
        local = time.astimezone(WIB) if time.tzinfo else time
    except (ValueError, OverflowError):  # the first and last day of the calendar have no neighbour
        return value
    if not time.tzinfo and time.time() == clock.min:
        return long_date(local)
    return f"{long_date(local)} {local:%H.%M}{' WIB' if time.tzinfo else ''}"


def _shown(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), value)


def render_report(directory: Path) -> Path:
    """Write `laporan.html` into the directory of a finished scan and return its path."""
    from jinja2 import Environment

    source = files("netral").joinpath("resources", "templates", "laporan.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_shown)
    environment.filters["percent"] = lambda value: f"{min(99, round(value * 100))}%"  # nothing is certain
    environment.filters["thousands"] = lambda value: f"{value:,}".replace(",", ".")
    environment.filters["time"] = written_time
    environment.filters["base"] = lambda path: "masukan standar" if path == "-" else re.split(r"[\\/]", path)[-1]
    environment.filters["web"] = lambda url: url if url.startswith(("https://", "http://")) else ""
    names = {"labels": LABELS, "flag_names": FLAG_NAMES, "reasons": REASONS}
    page = environment.from_string(source).render(summary=summarise(directory), **names)
    target = directory / "laporan.html"
    target.write_text(page, encoding="utf-8", errors="replace")
    return target

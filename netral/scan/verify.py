"""Checks a finished scan against its manifest, and judges a sample of its posts again."""

from __future__ import annotations

import logging
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netral.contest import bundled_contests
from netral.errors import ScanError
from netral.scan.findings import post_of, sample_lines
from netral.scan.inputs import STDIN, sha256_of
from netral.scan.manifest import LIBRARIES, MANIFEST, REJECTED, VERDICTS, read_manifest, versions_of
from netral.schema import FLAGS, Label
from netral.screener import Screener, load

logger = logging.getLogger(__name__)

_LABEL = re.compile(rb'\{"label": "(\w+)"')  # how a line of verdicts.jsonl begins

TOLERANCE = 1e-4
"""How far a flag may lie from the one written, on another machine."""


def verify(directory: Path, *, rejudge: int = 0) -> list[str]:
    """Return everything that does not fit manifest.json of `directory`; [] when all does.

    Files and the inputs that are still there are hashed, rows and labels counted; a warning says how many inputs
    are not there. `rejudge` posts, chosen at random, are judged again as the manifest says. Raises `ScanError`
    when there is no manifest.
    """
    try:
        manifest = read_manifest(directory)
    except ScanError as error:
        if not (directory / MANIFEST).exists():
            raise
        return [str(error)]
    try:
        found = [
            *_check_files(directory, manifest),
            *_check_inputs(manifest),
            *_check_rows(directory, manifest["rows"]),
        ]
        if rejudge and not any(line.startswith(VERDICTS) for line in found):
            found += _rejudge(directory / VERDICTS, manifest, rejudge)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return [f"{MANIFEST} or {VERDICTS}: not as a scan writes it ({error!r})"]
    return found


def _check_files(directory: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    for name, fact in manifest["files"].items():
        path = directory / Path(name).name
        if not path.is_file():
            yield f"{name}: missing"
        elif sha256_of(path) != fact["sha256"]:
            yield f"{name}: not the file that was written (SHA-256 differs)"


def _check_inputs(manifest: Mapping[str, Any]) -> Iterator[str]:
    missing = 0
    for item in manifest["inputs"]:
        path = Path(manifest.get("folder", ""), item["path"])
        if item["path"] == STDIN or not item["sha256"] or not path.is_file():
            missing += 1
        elif sha256_of(path) != item["sha256"]:
            yield f"{item['path']}: not the input that was scanned (SHA-256 differs)"
    if missing:
        logger.warning("%d dari %d masukan tidak ditemukan dan tidak diperiksa", missing, len(manifest["inputs"]))


def _check_rows(directory: Path, rows: Mapping[str, Any]) -> Iterator[str]:
    if rows["records"] != rows["verdicts"] + rows["rejected"] + rows["skipped"]:
        yield "manifest.json: records are not verdicts + rejected + skipped"
    for name, count in ((VERDICTS, rows["verdicts"]), (REJECTED, rows["rejected"])):
        path = directory / name
        if path.is_file() and (lines := _count_lines(path)) != count:
            yield f"{name}: {lines} lines, the manifest says {count}"
    if (path := directory / VERDICTS).is_file():
        labels = _count_labels(path)
        for label in Label:
            if labels[label.encode()] != rows["labels"][label]:
                yield f"{VERDICTS}: {labels[label.encode()]} {label}, the manifest says {rows['labels'][label]}"


def _count_lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))


def _count_labels(verdicts: Path) -> Counter[bytes]:
    with verdicts.open("rb") as stream:
        return Counter(match[1] for line in stream if (match := _LABEL.match(line)))


def _rejudge(verdicts: Path, manifest: Mapping[str, Any], count: int) -> Iterator[str]:
    model, rules, contest = _as_scanned(manifest)
    screener = load(model, rules=Path(rules) if rules else None, contest=contest)
    now, then = versions_of(screener, model), manifest["versions"]
    for key in sorted(now.keys() & then.keys() - {"unicode", "machine", *LIBRARIES}):
        if now[key] != then[key]:
            yield f"version of {key}: {then[key]} when scanned, {now[key]} now"
    total = manifest["rows"]["verdicts"]
    numbers = sorted(random.sample(range(1, total + 1), min(count, total)))
    for number, data in sample_lines(verdicts, iter(numbers)):
        if differing := _differences(screener, data):
            yield f"{VERDICTS}: line {number}: judged again, {', '.join(differing)} differ"


def _as_scanned(manifest: Mapping[str, Any]) -> list[str | None]:
    """Return model, rules and contest; those that are paths in the folder the scan was called from, as paths there."""
    names = {"model": ("rules",), "rules": (), "contest": [roster.id for roster in bundled_contests()]}
    found = []
    for key, no_paths in names.items():
        name = manifest["options"][key]
        place = Path(manifest.get("folder", ""), name or "")
        found.append(str(place) if name and name not in no_paths and place.exists() else name)
    return found


def _differences(screener: Screener, data: Mapping[str, Any]) -> list[str]:
    (verdict,) = screener.stream([post_of(data["post"])])
    again = verdict.to_dict()
    thresholds = screener.policy.thresholds
    edge = any(abs(data["flags"][flag] - thresholds[flag]) <= TOLERANCE for flag in FLAGS)
    found = [flag for flag in FLAGS if abs(again["flags"][flag] - data["flags"][flag]) > TOLERANCE]
    keys = ("evidence",) if edge else ("label", "evidence", "regulations", "truncated")
    return found + [key for key in keys if again[key] != data[key]]

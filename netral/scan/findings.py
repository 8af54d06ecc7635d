"""What is done with findings (verdicts that are not neutral) once all verdicts are written."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from netral.schema import FLAGS, Kind, Label, Post, Verdict
from netral.screener import Screener
from netral.writers import LineFile

_NEUTRAL = b'{"label": "neutral"'  # how a neutral line of verdicts.jsonl begins: no need to parse it


def read_findings(verdicts: Path) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield (line number from 1, byte offset, verdict) of every finding in verdicts.jsonl."""
    offset = 0
    with verdicts.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.startswith(_NEUTRAL):
                yield number, offset, json.loads(line)
            offset += len(line)


def post_of(data: Mapping[str, Any]) -> Post:
    """Return the post that a line of verdicts.jsonl holds under `post`."""
    time = datetime.fromisoformat(data["time"]) if data["time"] else None
    return Post(**{**data, "time": time, "kind": Kind(data["kind"])})


def explain_findings(verdicts: Path, groups: Path, target: Path, screener: Screener, count: int) -> None:
    """Write the model's own evidence for the `count` most certain findings, those without rule evidence first.

    Of near-identical ones (`groups` is groups.jsonl) only the first is explained, as the report shows no other. Rules
    alone have nothing to add: the file stays empty.
    """
    out = LineFile(target)
    try:
        if screener.classifier is not None:
            for number, offset in _most_certain(verdicts, _copies(groups), count):
                data = _line_at(verdicts, offset)
                found = screener.explain(_bare(data)).evidence
                out.write(
                    {
                        "line": number,
                        "id": data["post"]["id"],
                        "file": data["post"]["meta"].get("file", ""),
                        "row": data["post"]["meta"].get("row"),
                        "evidence": [item.to_dict() for item in found],
                    }
                )
        out.sync()
    finally:
        out.close()


def _copies(groups: Path) -> set[int]:
    """Return the lines of all members of the groups but their first ones."""
    with groups.open("rb") as stream:
        return {line for group in map(json.loads, stream) for line in group["copies"][1:]}


def _most_certain(verdicts: Path, copies: Set[int], count: int) -> list[tuple[int, int]]:
    """Return (line number, byte offset) of the findings to explain, in order of the file."""
    ranked = (
        (bool(data["evidence"]), -data["score"], number, offset)
        for number, offset, data in read_findings(verdicts)
        if number not in copies
    )
    return sorted((number, offset) for _, _, number, offset in heapq.nsmallest(count, ranked))


def _line_at(path: Path, offset: int) -> dict[str, Any]:
    with path.open("rb") as stream:
        stream.seek(offset)
        data: dict[str, Any] = json.loads(stream.readline())
        return data


def _bare(data: Mapping[str, Any]) -> Verdict:
    """Return a finding without its rule evidence, so that what `explain` adds is all it holds."""
    return Verdict(
        label=Label(data["label"]),
        score=data["score"],
        flags={flag: data["flags"][flag] for flag in FLAGS},
        evidence=(),
        regulations=(),
        decided_by=data["decided_by"],
        review=data["review"],
        truncated=data["truncated"],
        version=data["version"],
        post=post_of(data["post"]),
    )


def sample_lines(verdicts: Path, numbers: Iterator[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the lines of verdicts.jsonl with these rising numbers (from 1)."""
    with verdicts.open("rb") as stream:
        at = 0
        for number in numbers:
            line = next(islice(stream, number - at - 1, None))
            at = number
            yield number, json.loads(line)

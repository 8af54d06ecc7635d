"""Near-identical findings: MinHash by datasketch, its bands kept in SQLite so that memory stays bounded."""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netral.scan.findings import read_findings
from netral.writers import LineFile

if TYPE_CHECKING:
    import numpy as np
    from datasketch import MinHash

_HASHES = 64
_BANDS = 16  # of 4 hashes: texts as alike as 0.8 share a band with probability 0.9998, as 0.3 with 0.12
_ALIKE = 0.7  # share of equal hashes from which two findings are one group
_SHINGLE = 5
_CHARS = 2_000  # a broadcast is told by its beginning; keeps the cost of a long post bounded
_WORD = re.compile(r"\w+")

_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;
CREATE TABLE texts (digest BLOB PRIMARY KEY, text INTEGER) WITHOUT ROWID;
CREATE TABLE signatures (text INTEGER PRIMARY KEY, hashes BLOB);
CREATE TABLE bands (key BLOB PRIMARY KEY, text INTEGER) WITHOUT ROWID;
CREATE TABLE members (text INTEGER, line INTEGER, label TEXT);
CREATE TABLE roots (text INTEGER PRIMARY KEY, root INTEGER);
"""
_GROUPS = """
SELECT roots.root, COUNT(*) AS size, MIN(members.line) AS first FROM members JOIN roots USING (text)
GROUP BY roots.root HAVING size > 1 ORDER BY size DESC, first
"""
_MEMBERS = """
SELECT members.line, members.label FROM roots JOIN members USING (text) WHERE roots.root = ? ORDER BY members.line
"""


def group_findings(verdicts: Path, target: Path, scratch: Path) -> int:
    """Write groups of two or more near-identical findings, largest first; return how many.

    A line: `{"line": 4, "size": 3, "label": "hoax_hate", "copies": [4, 9, 12]}`, numbers of lines of verdicts.jsonl
    from 1; `line` and `label` are the first one's. `scratch` is a file this may write to and leave.
    """
    scratch.unlink(missing_ok=True)
    out, count = LineFile(target), 0
    try:
        with closing(sqlite3.connect(scratch)) as store:
            store.executescript(_TABLES)
            _store_roots(store, verdicts)
            for root, size, _ in store.execute(_GROUPS):
                count += 1
                members = store.execute(_MEMBERS, (root,)).fetchall()
                lines = [line for line, _ in members]
                out.write({"line": lines[0], "size": size, "label": members[0][1], "copies": lines})
        out.sync()
    finally:
        out.close()
    return count


def _store_roots(store: sqlite3.Connection, verdicts: Path) -> None:
    """Number the distinct texts, join near-identical ones, and store each text's root and lines."""
    from datasketch import MinHash

    blank, parents = MinHash(num_perm=_HASHES), array("q")
    for line, _, data in read_findings(verdicts):
        words = " ".join(_WORD.findall(data["post"]["text"].lower())) or data["post"]["text"]
        digest = blake2b(words.encode("utf-8", "replace"), digest_size=16).digest()
        known = store.execute("SELECT text FROM texts WHERE digest = ?", (digest,)).fetchone()
        text = known[0] if known else len(parents)
        if not known:
            parents.append(text)
            store.execute("INSERT INTO texts VALUES (?, ?)", (digest, text))
            for twin in _twins(store, blank, text, words[:_CHARS]):
                _join(parents, text, twin)
        store.execute("INSERT INTO members VALUES (?, ?, ?)", (text, line, data["label"]))
    store.executemany("INSERT INTO roots VALUES (?, ?)", ((text, _root(parents, text)) for text in range(len(parents))))
    store.executescript("CREATE INDEX by_text ON members (text); CREATE INDEX by_root ON roots (root);")


def _twins(store: sqlite3.Connection, blank: MinHash, text: int, words: str) -> Iterator[int]:
    """Yield earlier texts like this one, and store this one's bands where they are new."""
    import numpy as np

    hashes = _signature(blank, words)
    store.execute("INSERT INTO signatures VALUES (?, ?)", (text, hashes.tobytes()))
    seen: set[int] = set()
    for band, part in enumerate(hashes.reshape(_BANDS, -1)):
        key = bytes([band]) + blake2b(part.tobytes(), digest_size=11).digest()
        found = store.execute("SELECT text FROM bands WHERE key = ?", (key,)).fetchone()
        if found is None:
            store.execute("INSERT INTO bands VALUES (?, ?)", (key, text))
        elif found[0] not in seen:
            seen.add(found[0])
            other = store.execute("SELECT hashes FROM signatures WHERE text = ?", found).fetchone()[0]
            if float(np.mean(np.frombuffer(other, dtype=hashes.dtype) == hashes)) >= _ALIKE:
                yield found[0]


def _signature(blank: MinHash, words: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    import numpy as np

    sketch = blank.copy()
    pieces = {words[start : start + _SHINGLE] for start in range(max(1, len(words) - _SHINGLE + 1))}
    sketch.update_batch([piece.encode("utf-8", "replace") for piece in pieces])
    return np.asarray(sketch.hashvalues, dtype=np.uint32)


def _root(parents: array[int], text: int) -> int:
    while parents[text] != text:
        parents[text] = parents[parents[text]]
        text = parents[text]
    return text


def _join(parents: array[int], one: int, other: int) -> None:
    one, other = _root(parents, one), _root(parents, other)
    parents[max(one, other)] = min(one, other)

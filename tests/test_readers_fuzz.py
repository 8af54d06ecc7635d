"""Whatever the bytes, a reader gives records or a ReadError, and numbers every record once."""

from __future__ import annotations

import io
import random
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netral.errors import ReadError
from netral.readers import Rejected, Skipped, read_posts
from netral.schema import MAX_CHARS, Post

EXPORTS = Path(__file__).parent / "data" / "exports"
SEEDS = sorted(path for path in EXPORTS.rglob("*") if path.is_file() and path.name != "EXPECTED.json")
STARTS = ["text,author\n", "[", '{"text":', "PAR1", "PK\x03\x04", "20/08/24 14.30 - A: x\n"]
QUIET = settings(
    max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def check(data: bytes) -> None:
    try:
        records = list(read_posts(io.BytesIO(data)))
    except ReadError:
        return
    seen = set()
    for record in records:
        assert isinstance(record, Post | Rejected | Skipped)
        if isinstance(record, Post):
            assert record.text.strip()
            assert len(record.text) <= MAX_CHARS
            record.text.encode()
            key = (record.meta["file"], record.meta["row"])
        else:
            key = (record.file, record.row)
        assert key not in seen
        seen.add(key)
    assert records


def mutated(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    piece = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(piece) + 1)
        match chance.randrange(5):
            case 0:
                piece[at : at + chance.randint(1, 40)] = b""
            case 1:
                piece[at:at] = chance.choice(
                    [b'"', b"\n", b"\0", b"{", b"}", b"]", b"[", b"\\", b"\xff\xfe", b";", b"\r"]
                )
            case 2:
                piece[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                piece[at:at] = piece[at : at + chance.randint(1, 200)]
            case _:
                del piece[at:]
        if not piece:
            break
    return bytes(piece)


@cache
def workbook() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["text", "author", "created_at"])
    for number in range(30):
        book.active.append([f"Baris {number}", "sari", "2024-01-01"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@cache
def parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": [f"Baris {number}" for number in range(50)], "id": list(range(50))}), buffer)
    return buffer.getvalue()


@cache
def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for path in SEEDS[:12]:
            target.writestr(path.name, path.read_bytes())
    return buffer.getvalue()


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.relative_to(EXPORTS).as_posix())
@QUIET
@given(seed=st.integers(0, 2**32))
def test_a_mutated_export_never_breaks_a_reader(path: Path, seed: int) -> None:
    check(mutated(path.read_bytes(), seed))


@pytest.mark.parametrize("make", [workbook, parquet, archive], ids=lambda make: make.__name__)
@settings(QUIET, max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_container_never_breaks_a_reader(make: object, seed: int) -> None:
    check(mutated(make(), seed))  # type: ignore[operator]


@settings(QUIET, max_examples=150)
@given(data=st.binary(max_size=400))
def test_random_bytes_never_break_a_reader(data: bytes) -> None:
    check(data)


@settings(QUIET, max_examples=150)
@given(start=st.sampled_from(STARTS), rest=st.text())
def test_random_text_after_a_known_start_never_breaks_a_reader(start: str, rest: str) -> None:
    check((start + rest).encode("utf-8", "surrogatepass"))


@settings(QUIET, max_examples=150)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    "text full_text data items messages comments tweet user from timestamp media string_map_data "
                    "snippet id id_str cid votes type sender_name timestamp_ms attachments content url replies "
                    "includes".split()
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=25,
    )
)
def test_any_json_of_known_keys_never_breaks_a_reader(value: object) -> None:
    import json

    check(json.dumps(value).encode())
    check(json.dumps([value, {"text": "Satu"}], indent=1).encode())

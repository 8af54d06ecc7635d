"""Every fixture in tests/data/exports reads as its lines in EXPECTED.json say."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from netral.errors import ReadError
from netral.readers import Columns, Rejected, Skipped, read_posts
from netral.schema import Kind, Post

EXPORTS = Path(__file__).parent / "data" / "exports"
EXPECTED: dict[str, list[dict[str, Any]]] = json.loads((EXPORTS / "EXPECTED.json").read_text(encoding="utf-8"))
FILES = sorted(path for path in EXPORTS.iterdir() if path.name != "EXPECTED.json")


def described(record: Post | Rejected | Skipped) -> dict[str, Any]:
    if isinstance(record, Rejected):
        return {"rejected": record.reason}
    if isinstance(record, Skipped):
        return {"skipped": record.reason}
    fields = {name: getattr(record, name) for name in ("text", "author", "id", "url", "platform", "quoted", "reply_to")}
    fields |= {"time": record.time.isoformat() if record.time else "", "forwarded": record.forwarded}
    fields |= {"kind": "" if record.kind is Kind.POST else record.kind.value}
    return {name: value for name, value in fields.items() if value or name == "text"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_fixture_reads_as_expected(path: Path) -> None:
    assert [described(record) for record in read_posts(path)] == EXPECTED[path.name]


def test_every_expectation_has_its_fixture() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_rows_are_numbered_without_gaps(path: Path) -> None:
    rows: dict[str, list[int]] = {}
    for record in read_posts(path):
        file, row = (record.meta["file"], record.meta["row"]) if isinstance(record, Post) else (record.file, record.row)
        rows.setdefault(file, []).append(row)
    for numbers in rows.values():
        assert sorted(numbers) == (list(range(1, len(numbers) + 1)) if numbers != [0] else [0])


@pytest.mark.parametrize("name", ["x-archive", "facebook", "instagram"])
def test_a_zip_reads_like_its_folder(name: str, tmp_path: Path) -> None:
    packed = tmp_path / "unduhan.dat"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((EXPORTS / name).rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(EXPORTS / name).as_posix())
    assert [described(record) for record in read_posts(packed)] == EXPECTED[name]


@pytest.mark.parametrize("path", [path for path in FILES if path.is_file()], ids=lambda path: path.name)
def test_a_stream_reads_like_its_file(path: Path) -> None:
    from_file = [described(record)["text"] for record in read_posts(path) if isinstance(record, Post)]
    from_stream = [record.text for record in read_posts(io.BytesIO(path.read_bytes())) if isinstance(record, Post)]
    assert from_stream == from_file


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    for path in FILES:
        if path.is_file():
            other = tmp_path / "ekspor.bin"
            other.write_bytes(path.read_bytes())
            texts = [record.text for record in read_posts(other) if isinstance(record, Post)]
            assert texts == [line["text"] for line in EXPECTED[path.name] if "text" in line]


def test_a_folder_mixes_formats(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nSatu\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "Dua"}\n', encoding="utf-8")
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (tmp_path / "d.zip").write_bytes(b"PK\x03\x04 cut off")
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("dalam/f.csv", "text\nTiga\n")
    records = list(read_posts(tmp_path))
    assert [record.text for record in records if isinstance(record, Post)] == ["Satu", "Dua", "Tiga"]
    assert [(record.file, record.reason) for record in records if isinstance(record, Skipped)] == [
        ("c.png", "no-posts")
    ]
    assert [record.file for record in records if isinstance(record, Rejected)] == ["d.zip"]
    assert records[-1].meta["file"] == "e.zip/dalam/f.csv"  # type: ignore[union-attr]


def workbook(path: Path, rows: list[list[Any]], more: dict[str, list[list[Any]]] | None = None) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    for title, lines in {"Tweets": rows, **(more or {})}.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    book.remove(book.worksheets[0])
    book.save(path)
    return path


def test_a_workbook_is_read_sheet_by_sheet(tmp_path: Path) -> None:
    head = ["created_at", "full_text", "id_str", "username", "conversation_id_str"]
    path = workbook(
        tmp_path / "tweets.csv",
        [
            ["Laporan bulan ini"],
            head,
            ["2025-12-20T16:19:49.000Z", "=Bukan rumus_x000D_\nbaris", 1.73e18, "sari", "1"],
            [datetime(2025, 12, 21, 8), "Kedua", "2002000000000000002", "budi", "2"],
            [45534.5, "Ketiga", "3", "tono", "3"],
        ],
        {"Kosong": [], "Lain": [["Nama", "Komentar"], ["Wati", "Dari lembar lain"]]},
    )
    records = list(read_posts(path))
    posts = [record for record in records if isinstance(record, Post)]
    assert [post.text for post in posts] == ["=Bukan rumus\nbaris", "Kedua", "Ketiga", "Dari lembar lain"]
    assert [post.meta["row"] for post in posts] == [2, 3, 4, 5]
    assert posts[0].id == "1.73e+18"
    assert posts[0].time == datetime(2025, 12, 20, 16, 19, 49, tzinfo=UTC)
    assert posts[2].time == datetime(2024, 8, 30, 12)
    assert posts[3].kind is Kind.COMMENT


def test_parquet_is_read_with_its_types(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "id": pa.array([1850000000000000001, 2], pa.int64()),
            "text": pa.array([b"Halo dari biner", None], pa.binary()),
            "platform": pa.array(["x", "x"]).dictionary_encode(),
            "user": pa.array([{"username": "sari"}, {"username": "budi"}]),
            "created_at": pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")),
        }
    )
    pq.write_table(table, tmp_path / "posts")
    post, empty = read_posts(tmp_path / "posts")
    assert isinstance(post, Post)
    assert (post.text, post.id, post.author, post.platform) == (
        "Halo dari biner",
        "1850000000000000001",
        "sari",
        "x",
    )
    assert post.time is not None
    assert post.time.utcoffset() is not None
    assert isinstance(empty, Skipped)


def test_named_columns_win_over_guesses(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("full_text,Catatan Petugas,siapa\nIsi asli,Isi petugas,sari\n", encoding="utf-8")
    (post,) = read_posts(path, columns=Columns(text="Catatan Petugas", author="siapa"))
    assert isinstance(post, Post)
    assert (post.text, post.author) == ("Isi petugas", "sari")


def test_named_keys_win_over_known_shapes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"cid": "1", "text": "Isi", "votes": "1", "ringkas": {"isi": "Ringkasan"}}\n')
    (post,) = read_posts(path, columns=Columns(text="ringkas.isi"))
    assert isinstance(post, Post)
    assert post.text == "Ringkasan"


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_a_missing_column_is_named_with_those_there(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("text,author\nIsi,sari\n" if name == "a.csv" else '[{"text": "Isi", "author": "sari"}]')
    with pytest.raises(ReadError, match=rf"{name}.*'isi'.*'text', 'author'"):
        list(read_posts(path, columns=Columns(text="isi")))


def test_a_second_column_that_is_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,author\nIsi,sari\n")
    with pytest.raises(ReadError, match="'kapan'"):
        list(read_posts(tmp_path / "a.csv", columns=Columns(time="kapan")))


def test_columns_that_tell_nothing_ask_for_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x1,x2\n1,2\n3,4\n")
    with pytest.raises(ReadError, match="--text-column"):
        list(read_posts(tmp_path / "a.csv"))


def test_a_missing_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file"):
        read_posts(tmp_path / "tidak-ada.csv")


def test_reading_is_lazy(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text\n" + "Baris\n" * 50_000)
    records = read_posts(path)
    assert isinstance(next(records), Post)
    records.close()  # type: ignore[attr-defined]


def test_importing_the_readers_loads_nothing_heavy() -> None:
    code = (
        "import sys, netral.readers.files\n"
        "heavy = {'polars', 'pyarrow', 'openpyxl', 'ijson', 'ftfy', 'charset_normalizer', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

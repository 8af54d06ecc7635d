"""Tables: which column holds the texts, cells beyond the headings, lists in cells, sheets without texts."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytest

from netral.readers import Columns, Rejected, read_posts
from netral.schema import Kind, Post

CALL = "Ayo coblos nomor 2 besok pagi"


def read(folder: Path, content: str) -> list[Post]:
    path = folder / "ekspor.csv"
    path.write_text(content, encoding="utf-8")
    records = list(read_posts(path))
    posts = [record for record in records if isinstance(record, Post)]
    assert len(posts) == len(records)
    return posts


def texts(folder: Path, content: str) -> list[str]:
    return [post.text for post in read(folder, content)]


def workbook(folder: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / "buku.xlsx")
    return folder / "buku.xlsx"


def test_lists_in_a_parquet_table_cost_no_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"text": CALL, "username": "budi", "hashtags": ["pilkada", "coblos"]}] * 3
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert [post.text for post in read_posts(tmp_path / "a.parquet") if isinstance(post, Post)] == [CALL] * 3


def test_a_list_where_the_text_should_be_is_no_text(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"a": ["x"], "text": ["Ayo", "coblos"], "created_at": ["2024"], "url": ["https://contoh.id"]}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert [getattr(record, "reason", "") for record in read_posts(tmp_path / "a.parquet")] == ["empty-text"]


def test_a_heading_left_empty_keeps_its_place(tmp_path: Path) -> None:
    (post,) = read(tmp_path, "akun;isi;tanggal;\nbudi;Ayo coblos nomor 2 Prabowo;27/11/2024;sudah dicek\n")
    assert post.text == "Ayo coblos nomor 2 Prabowo"
    assert post.time is not None
    assert "joined_cells" not in post.meta


def test_a_row_may_leave_out_the_cells_under_empty_headings(tmp_path: Path) -> None:
    (post,) = read(tmp_path, f"akun;isi;tanggal;;\nbudi;{CALL};27/11/2024\n")
    assert (post.text, post.author) == (CALL, "budi")
    assert "missing_cells" not in post.meta


def test_a_text_cut_by_delimiters_is_whole_before_an_empty_heading(tmp_path: Path) -> None:
    (post,) = read(tmp_path, "akun;isi;tanggal;\nbudi;Ayo; coblos nomor 2;27/11/2024;\n")
    assert post.text == "Ayo; coblos nomor 2"
    assert post.time is not None


def test_cells_beside_a_spreadsheets_headings_are_not_the_text(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        {"Data": [["Akun", "Isi", "Tanggal"], [None, None, None, "Petugas"], ["budi", CALL, "27/11/2024", "Wati"]]},
    )
    (post,) = (record for record in read_posts(path) if isinstance(record, Post))
    assert post.text == CALL
    assert post.time is not None


@pytest.mark.parametrize(
    "lines",
    [
        ["Pak lurah bilang, coblos nomor 2", "Rapat besok, jam 9", "Sampai jumpa, kawan", "Jangan lupa, ya"],
        ["Pak lurah bilang, coblos nomor 2", "Rapat besok jam 9", "Datang, lihat, pilih", "Pulang, nan"],
        ["Pak lurah; coblos nomor 2", "Rapat besok; jam 9"],
    ],
)
@pytest.mark.parametrize("header", ["isi", "Komentar"])
def test_a_file_of_one_column_keeps_whole_lines(lines: list[str], header: str, tmp_path: Path) -> None:
    assert texts(tmp_path, "\n".join([header, *lines])) == lines


def test_a_named_column_alone_keeps_whole_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ucapan_warga\nPak lurah, coblos nomor 2\nRapat besok, jam 9\n")
    records = read_posts(tmp_path / "a.csv", columns=Columns(text="ucapan_warga"))
    assert [record.text for record in records if isinstance(record, Post)] == [
        "Pak lurah, coblos nomor 2",
        "Rapat besok, jam 9",
    ]


def test_surplus_cells_are_joined_as_they_were_cut(tmp_path: Path) -> None:
    (post,) = read(tmp_path, "akun;isi;tanggal\nbudi;Ayo coblos 2 ;) menang;27/11/2024\n")
    assert post.text == "Ayo coblos 2 ;) menang"
    assert post.meta["joined_cells"] == 1


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("akun;caption;suka;komentar;bagikan", f'budi;"{CALL}";120;14;3'),
        ("no,caption,likes,comment,share", f"1,{CALL},20,2,1"),
        ("no,caption,likes,comment,share", f"1,{CALL},20,1.2K,1"),
        ("id,username,status,konten", f'1,budi,published,"{CALL}"'),
        ("tanggal,link post,post,status,isi konten", f"27/11/2024,https://contoh.id/p/1,1,tayang,{CALL}"),
        ("tanggal,post,caption", f"27/11/2024,https://contoh.id/p/1,{CALL}"),
        ("akun,komentar,caption", f"budi,Aktif,{CALL}"),
        ("akun,text,caption", f"budi,,{CALL}"),
    ],
)
def test_counters_states_and_links_are_not_the_text(header: str, row: str, tmp_path: Path) -> None:
    assert texts(tmp_path, f"{header}\n{row}\n{row}\n") == [CALL, CALL]


def test_states_of_two_words_are_not_the_text(tmp_path: Path) -> None:
    rows = [f"{'sudah terbit' if number % 2 else 'belum terbit'},{CALL} di TPS {number}" for number in range(20)]
    read_texts = texts(tmp_path, "\n".join(["post,caption", *rows]))
    assert read_texts == [f"{CALL} di TPS {number}" for number in range(20)]


def test_comments_are_the_text_beside_the_caption_they_answer(tmp_path: Path) -> None:
    comments = ["Setuju pak", "mantap", "02", "Gas terus kawan", "jangan mau dibohongi"]
    posts = read(tmp_path, "\n".join(["komentar,caption", *(f"{comment},{CALL} bersama kami" for comment in comments)]))
    assert [post.text for post in posts] == comments
    assert all(post.kind is Kind.COMMENT for post in posts)


def test_the_order_of_names_decides_where_no_value_does(tmp_path: Path) -> None:
    assert texts(tmp_path, "komentar,caption\nmantap,terbaru\ngas,terbaru\n") == ["mantap", "gas"]


def test_the_rows_looked_at_are_read_once(tmp_path: Path) -> None:
    lines = [f"{CALL} di TPS {number}" for number in range(200)]
    assert texts(tmp_path, "\n".join(["komentar,caption", *(f"7,{line}" for line in lines)])) == lines


def test_a_sheet_with_counters_before_the_text(tmp_path: Path) -> None:
    header = ["Tanggal", "Akun", "Platform", "Jumlah Komentar", "Komentar", "Caption"]
    (post,) = read_posts(workbook(tmp_path, {"Data": [header, ["27/11/2024", "budi", "TikTok", 5, 5, CALL]]}))
    assert isinstance(post, Post)
    assert (post.text, post.platform, post.kind) == (CALL, "tiktok", Kind.POST)


def test_a_state_in_json_is_not_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"akun": "budi", "konten": "{CALL}", "status": "terbit"}}\n')
    (post,) = read_posts(tmp_path / "a.jsonl")
    assert isinstance(post, Post)
    assert post.text == CALL


def test_a_sheet_without_a_column_of_texts_is_rejected_by_name(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        {
            "Sampul": [["Laporan Pemantauan", "Oktober"]],
            "Instagram": [["Pemilik", "Narasi A", "Narasi B"], ["budi", CALL, CALL], ["sari", CALL, CALL]],
            "Kosong": [],
            "X": [["akun", "isi"], ["budi", CALL]],
        },
    )
    post, refused = read_posts(path)
    assert isinstance(post, Post)
    assert post.meta["sheet"] == "X"
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("no-text-field: ")
    assert all(part in refused.reason for part in ("sheet 'Instagram'", "'Narasi A'", "--text-column"))
    assert (post.meta["row"], refused.row) == (1, 2)


def test_the_only_sheet_goes_unnamed(tmp_path: Path) -> None:
    (post,) = read_posts(workbook(tmp_path, {"X": [["akun", "isi"], ["budi", CALL]]}))
    assert isinstance(post, Post)
    assert "sheet" not in post.meta


@pytest.mark.parametrize(
    ("content", "times"),
    [
        (f"tanggal,isi\n11/05/2024,{CALL}\n11/27/2024,{CALL} ya\n", ["2024-11-05 00:00:00", "2024-11-27 00:00:00"]),
        (f"tanggal,isi\n11/05/2024,{CALL}\n27/11/2024,{CALL} ya\n", ["2024-05-11 00:00:00", "2024-11-27 00:00:00"]),
        (f"Date,Time,User,Text\n2024-11-27,10:05:33,budi,{CALL}\n", ["2024-11-27 10:05:33"]),
        (f"tanggal,jam,akun,isi\n27/11/2024,10.05,budi,{CALL}\n", ["2024-11-27 10:05:00"]),
        (f"tanggal,waktu,isi\n27/11/2024,pagi,{CALL}\n", ["2024-11-27 00:00:00"]),
        (
            f"Tanggal;Jam;Isi\n27/11/2024;10.05;{CALL}\n27/11/2024;malam;{CALL}\n27/11/2024;Pkl. 10.07 WIB;{CALL}\n",
            ["2024-11-27 10:05:00", "2024-11-27 00:00:00", "2024-11-27 10:07:00+07:00"],
        ),
        (
            f"Tanggal;Uraian\n10/02/2024 10:05;{CALL}\n10/27/2024 10:05;{CALL} ya\n",
            ["2024-10-02 10:05:00", "2024-10-27 10:05:00"],
        ),
        (f"Tanggal;Jam;Uraian\n27/11/2024;10.05;{CALL}\n", ["2024-11-27 10:05:00"]),
    ],
)
def test_times_are_read_by_what_the_column_shows(tmp_path: Path, content: str, times: list[str]) -> None:
    assert [str(post.time) for post in read(tmp_path, content)] == times


@pytest.mark.parametrize(
    "content",
    [
        f"Tanggal;Akun;Postingan;Narasi\n27/11/2024;budi;https://contoh.id/1;{CALL}\n",
        f"Tanggal;Akun;Postingan;Uraian\n27/11/2024;budi;https://contoh.id/1;{CALL}\n",
        f"No;Isi;Narasi\n1;;{CALL}\n",
        f"No;Isi;Uraian\n1;;{CALL}\n",
        f"No;Isi;Uraian\n1;27/11/2024;{CALL}\n",
        f"No;Isi;Isi;Foto\n1;;{CALL};foto di depan kantor lurah yang baru\n",
    ],
)
def test_a_column_named_like_a_text_without_a_word_is_not_the_text(content: str, tmp_path: Path) -> None:
    assert texts(tmp_path, content) == [CALL]


def test_a_named_column_is_read_though_it_has_no_words(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"No;Isi;Uraian\n1;12;{CALL}\n", encoding="utf-8")
    (post,) = read_posts(tmp_path / "a.csv", columns=Columns(text="Isi"))
    assert isinstance(post, Post)
    assert post.text == "12"


def test_headings_in_two_rows_are_read_as_one(tmp_path: Path) -> None:
    rows = [
        ["No", "Akun", "Unggahan"],
        [None, None, "Tanggal", "Isi"],
        *([1, "budi", "27/11/2024", CALL] for _ in "ab"),
    ]
    posts = [post for post in read_posts(workbook(tmp_path, {"X": rows})) if isinstance(post, Post)]
    parts = [(post.text, post.author, str(post.time)) for post in posts]
    assert parts == [(CALL, "budi", "2024-11-27 00:00:00")] * 2


def test_a_second_row_of_unknown_headings_costs_no_text(tmp_path: Path) -> None:
    content = f"No;Akun;Unggahan;\n;;Tanggal;Uraian\n1;budi;27/11/2024;{CALL}\n2;siti;27/11/2024;{CALL}\n"
    assert texts(tmp_path, content)[-2:] == [CALL, CALL]


def test_the_names_of_parts_in_sheets_of_a_watch(tmp_path: Path) -> None:
    (post,) = read(tmp_path, f"Tgl. Posting;Akun Medsos;Link Bukti;Isi\n27/11/2024;budi;https://contoh.id/1;{CALL}\n")
    assert (str(post.time), post.author, post.url) == ("2024-11-27 00:00:00", "budi", "https://contoh.id/1")
    (post,) = read(tmp_path, f"Nama Pegawai;Tgl Posting;Isi\nBudi;27/11/2024;{CALL}\n")
    assert (str(post.time), post.author) == ("2024-11-27 00:00:00", "Budi")


def test_a_number_under_the_name_of_a_text_is_a_counter(tmp_path: Path) -> None:
    lines = [
        f'{{"akun": "budi", "komentar": 14, "caption": "{CALL}"}}',
        '{"akun": "siti", "komentar": "02", "caption": "x y"}',
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [post.text for post in read_posts(tmp_path / "a.jsonl") if isinstance(post, Post)] == [CALL, "02"]


LINES = "Baris satu, dua\n" * 10_000


@pytest.mark.parametrize("before", [0, 100])
def test_a_long_text_of_many_lines_is_one_rejection(before: int, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"{number},Utuh saja\n" for number in range(before))
    path.write_text(f'author,text\n{rows}sari,"{LINES}"\nbudi,Sesudahnya\n', encoding="utf-8")
    *others, rejected, last = read_posts(path)
    assert [record.text for record in others if isinstance(record, Post)] == ["Utuh saja"] * before
    assert isinstance(rejected, Rejected)
    assert (rejected.row, rejected.reason.partition(":")[0]) == (before + 1, "text-too-long")
    assert isinstance(last, Post)
    assert (last.text, last.author, last.meta["row"]) == ("Sesudahnya", "budi", before + 2)


def test_a_long_cell_beside_the_text_costs_no_row(tmp_path: Path) -> None:
    content = f'author,text,note\nsari,Sebelumnya,""\nani,Teksnya utuh,"{LINES}"\nbudi,Sesudahnya,x\n'
    assert [(post.author, post.text) for post in read(tmp_path, content)] == [
        ("sari", "Sebelumnya"),
        ("ani", "Teksnya utuh"),
        ("budi", "Sesudahnya"),
    ]


def test_a_long_cell_of_short_lines_takes_linear_time(tmp_path: Path) -> None:
    begun = time.process_time()
    content = 'id,text,note\n1,Satu,"' + "x\n" * 1_000_000 + '"\n2,Dua,x\n'
    assert texts(tmp_path, content) == ["Satu", "Dua"]
    assert time.process_time() - begun < 4


def test_cells_over_the_longest_field_are_one_rejection(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    half = "kata " * 1_100_000
    path.write_text(f'author,text\nani,Satu\nsari,"{half}\n{half}"\nbudi,Dua\n', encoding="utf-8")
    first, rejected, last = read_posts(path)
    assert isinstance(first, Post)
    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith("field-too-long")
    assert isinstance(last, Post)


def test_the_limit_of_a_host_program_is_never_lowered(tmp_path: Path) -> None:
    before = csv.field_size_limit(200_000_000)
    try:
        texts(tmp_path, "author,text\nsari,Satu\n")
        assert csv.field_size_limit() == 200_000_000
    finally:
        csv.field_size_limit(before)

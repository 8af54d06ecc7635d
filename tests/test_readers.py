"""Every fixture in tests/data/exports reads as its lines in EXPECTED.json say."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
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


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_download(folder: Path, owner: str, *, profile: bool = True) -> None:
    """Write a post of each network as their downloads lay them out, with the profile files or without."""
    tweet = {"tweet": {"id_str": "1", "full_text": "Panen raya", "entities": {}}}
    write(folder / "instagram/media/posts_1.json", [{"uri": "a.jpg", "creation_timestamp": 1, "title": "Panen raya"}])
    write(folder / "facebook/posts/your_posts_1.json", [{"timestamp": 1, "data": [{"post": "Panen raya"}]}])
    (folder / "x/data").mkdir(parents=True)
    (folder / "x/data/tweets.js").write_text("window.YTD.tweets.part0 = " + json.dumps([tweet]))
    if profile:
        account = json.dumps([{"account": {"username": owner}}])
        (folder / "x/data/account.js").write_text(f"window.YTD.account.part0 = {account}")
        user = {"profile_user": [{"string_map_data": {"Username": {"value": owner}}}]}
        write(folder / "instagram/personal_information/personal_information/personal_information.json", user)
        profile_v2 = {"profile_v2": {"name": {"full_name": owner}}}
        write(folder / "facebook/personal_information/profile_information/profile_information.json", profile_v2)


def packed(folder: Path) -> Path:
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return target


def authors(path: Path) -> list[tuple[str, str]]:
    posts = (record for record in read_posts(path) if isinstance(record, Post))
    return [("/".join(Path(post.meta["file"]).parts[:2]), post.author) for post in posts]


@pytest.mark.parametrize("prepare", [Path, packed], ids=["folder", "zip"])
def test_several_downloads_keep_their_own_authors(prepare: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = tmp_path / "unduhan"
    write_download(folder / "budi", "andi_pns")
    write_download(folder / "siti", "siti_pns")
    write_download(folder / "tono", "", profile=False)
    networks = ("facebook", "instagram", "x")
    assert authors(prepare(folder)) == [
        (f"{name}/{network}", author)
        for name, author in (("budi", "andi_pns"), ("siti", "siti_pns"), ("tono", ""))
        for network in networks
    ]


def test_two_profiles_of_one_download_name_no_author(tmp_path: Path) -> None:
    for name, folder in (("budi", "account_information"), ("siti", "personal_information")):
        user = {"profile_user": [{"string_map_data": {"Username": {"value": name}}}]}
        write(tmp_path / folder / "personal_information.json", user)
    write(tmp_path / "posts_1.json", [{"uri": "a.jpg", "creation_timestamp": 1, "title": "Panen raya"}])
    assert authors(tmp_path) == [("posts_1.json", "")]


def test_a_nameless_member_of_a_zip_stops_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(".", "text\nSatu\n")
        archive.writestr("b.csv", "text\nDua\n")
    texts = [record.text for record in read_posts(tmp_path / "a.zip") if isinstance(record, Post)]
    assert texts[-1] == "Dua"


LIKED = {"title": "tetangga", "string_list_data": [{"href": "", "value": "\u00f0\u009f\u0091\u008d", "timestamp": 9}]}
REACTION = {
    "timestamp": 9,
    "label_values": [{"label": "Reaction", "value": "Like"}, {"label": "Name", "value": "Tim 2"}],
}
LIMIT = {"string_map_data": {"Comments Allowed From": {"value": "Everyone"}}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("likes/liked_comments.json", {"likes_comment_likes": [LIKED]}),
        ("comments/liked_comments.json", [LIKED]),
        ("comments_and_reactions/likes_and_reactions.json", [REACTION]),
        ("comments_and_reactions/1.json", [REACTION]),
        ("settings/comments_allowed_from.json", {"settings_allow_comments_from": [LIMIT]}),
    ],
)
def test_what_an_account_liked_or_set_is_no_comment_of_its_own(name: str, value: object, tmp_path: Path) -> None:
    write(tmp_path / name, value)
    write(tmp_path / "z.json", [{"text": "Isi"}])
    first, second = read_posts(tmp_path)
    assert described(first) == {"skipped": "no-posts"}
    assert isinstance(second, Post)


def thread(key: str, depth: int, **facts: str) -> dict[str, Any]:
    """Return a comment with a reply in it, `depth` times."""
    below: list[dict[str, Any]] = []
    for level in range(depth, -1, -1):
        value = {**facts, "username": f"warga{level}", key if level else "comment": f"Tingkat {level}"}
        below = [{**value, "replies": below}]
    return below[0]


@pytest.mark.parametrize("key", ["comment", "text"])
def test_replies_to_replies_on_tiktok_are_read_or_rejected(key: str, tmp_path: Path) -> None:
    write(tmp_path / "a.json", {"video_url": "https://t/1", "comments": [thread(key, 6, create_time="2024-06-01")]})
    records = list(read_posts(tmp_path / "a.json"))
    posts = [record for record in records if isinstance(record, Post)]
    assert [(post.text, post.author, post.reply_to) for post in posts] == [
        ("Tingkat 0", "warga0", ""),
        *((f"Tingkat {level}", f"warga{level}", f"warga{level - 1}") for level in range(1, 5)),
    ]
    assert {(post.platform, post.kind, post.url) for post in posts} == {("tiktok", Kind.COMMENT, "https://t/1")}
    assert [record.reason for record in records if isinstance(record, Rejected)] == ["too-deep"] * 2
    assert "Tingkat 5" in records[5].raw  # type: ignore[union-attr]


def test_replies_on_tiktok_without_a_text_are_rejected(tmp_path: Path) -> None:
    inner = {"username": "ani", "comment": "Di bawahnya"}
    replies = [{"username": "budi", "sticker": 7, "replies": [inner]}, "lepas", {"username": "eko", "comment": "Akhir"}]
    comment = {"username": "sari", "comment": "Awal", "create_time": "2024-06-01", "replies": replies}
    write(tmp_path / "a.json", {"comments": [comment]})
    assert [
        record.reason if isinstance(record, Rejected | Skipped) else (record.text, record.reply_to)
        for record in read_posts(tmp_path / "a.json")
    ] == [
        ("Awal", ""),
        "no-text-field: 'username', 'sticker', 'replies'",
        ("Di bawahnya", "budi"),
        "not-an-object",
        ("Akhir", "sari"),
    ]


def test_comments_nested_too_deep_say_so(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [thread("comment", 6, id="1")])
    records = list(read_posts(tmp_path / "a.json"))
    assert [post.text for post in records if isinstance(post, Post)] == [f"Tingkat {level}" for level in range(5)]
    rejected = [record for record in records if isinstance(record, Rejected)]
    assert [record.reason for record in rejected] == ["too-deep", "too-deep"]
    assert ["Tingkat 5" in rejected[0].raw, "Tingkat 6" in rejected[0].raw] == [True, False]


def test_a_comment_without_a_text_costs_none_below_it(tmp_path: Path) -> None:
    write(
        tmp_path / "a.json", [{"id": "1", "text": "Awal", "comments": [{"likes": 1, "replies": [{"text": "Di sini"}]}]}]
    )
    first, rejected, last = read_posts(tmp_path / "a.json")
    assert isinstance(first, Post)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "no-text-field: 'likes', 'replies'"
    assert isinstance(last, Post)
    assert (last.text, last.kind) == ("Di sini", Kind.COMMENT)


@pytest.mark.parametrize("key", ["unggahan", "postingan", "komentar", "content", "post", "comment"])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_under_the_name_of_a_text_holds_posts(key: str, indent: int | None, tmp_path: Path) -> None:
    value = {key: [{"text": "Satu dua", "username": "b"}, {"text": "Tiga empat", "username": "c"}]}
    (tmp_path / "a.json").write_text(json.dumps(value, indent=indent), encoding="utf-8")
    posts = [post for post in read_posts(tmp_path / "a.json") if isinstance(post, Post)]
    assert [(post.text, post.author) for post in posts] == [("Satu dua", "b"), ("Tiga empat", "c")]


@pytest.mark.parametrize(("comments", "replies"), [("komentar", "balasan"), ("comments", "replies")])
def test_a_post_and_the_comments_on_it_are_read(comments: str, replies: str, tmp_path: Path) -> None:
    answered = {"isi": "Pengumuman", comments: [{"isi": "Siap pak", replies: [{"isi": "Mari"}]}]}
    write(tmp_path / "a.json", [answered, {"isi": "Tanpa jawaban", comments: []}])
    posts = [post for post in read_posts(tmp_path / "a.json") if isinstance(post, Post)]
    assert [(post.text, post.kind) for post in posts] == [
        ("Pengumuman", Kind.POST),
        ("Siap pak", Kind.COMMENT),
        ("Mari", Kind.COMMENT),
        ("Tanpa jawaban", Kind.POST),
    ]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda posts: {"success": True, "message": "Data berhasil diambil", "data": {"posts": posts}},
        lambda posts: {"status": "ok", "message": "Data berhasil diambil", "hasil": {"komentar": posts}},
        lambda posts: {"description": "Daftar unggahan", "url": "https://contoh.id/a", "results": posts},
        lambda posts: {"pesan": "Berhasil", "unggahan": posts},
    ],
)
def test_what_an_answer_says_of_itself_is_no_post(wrap: Callable[[object], object], tmp_path: Path) -> None:
    write(tmp_path / "a.json", wrap([{"text": "Satu dua"}, {"text": "Tiga empat"}]))
    assert [getattr(post, "text", "") for post in read_posts(tmp_path / "a.json")] == ["Satu dua", "Tiga empat"]


def test_a_video_with_an_address_is_a_post_beside_its_comments(tmp_path: Path) -> None:
    write(tmp_path / "a.json", {"description": "Video", "url": "https://contoh.id/a", "comments": [{"text": "Satu"}]})
    assert [getattr(post, "text", "") for post in read_posts(tmp_path / "a.json")] == ["Video", "Satu"]


def test_a_table_without_known_texts_is_rejected_by_name_among_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nSatu\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("foo;bar\nBudi;Sari\nAni;Tono\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("suara,tps\n12,3\n14,5\n", encoding="utf-8")
    (tmp_path / "d.txt").write_text("Catatan singkat.\nUntuk tim.\n", encoding="utf-8")
    for path in (tmp_path, packed(tmp_path)):
        _, table, numbers, note = read_posts(path)
        assert isinstance(table, Rejected)
        assert (table.file, table.row) == ("b.csv", 0)
        assert table.reason.startswith("no-text-field: b.csv: no column of texts among 'foo', 'bar'")
        assert [getattr(record, "reason", "") for record in (numbers, note)] == ["no-posts", "no-posts"]
    with pytest.raises(ReadError, match="name it with --text-column"):
        list(read_posts(tmp_path / "b.csv"))


def test_titles_of_facebook_are_mended(tmp_path: Path) -> None:
    title = "Pak Café".encode().decode("latin-1")
    entry = {"timestamp": 1, "data": [{"comment": {"comment": "Betul", "author": "Sari"}}], "title": title}
    message = {"sender_name": "Sari", "timestamp_ms": 1, "content": "Besok rapat"}
    write(tmp_path / "a.json", {"comments_v2": [entry]})
    write(tmp_path / "b.json", {"title": title, "messages": [message]})
    comment, chat = (record.meta for record in read_posts(tmp_path) if isinstance(record, Post))
    assert (comment["title"], chat["chat"]) == ("Pak Café", "Pak Café")


@pytest.mark.parametrize(
    ("head", "month"),
    [
        ("04/11/2024, 8:16 pm", 11),
        ("04/11/24, 8:16 pm", 11),
        ("04/11/2024, 8:16 PM", 11),
        ("4/11/24, 8:16 PM", 4),
        ("11/27/2024, 8:16 pm - Budi: Kemarin\n04/11/2024, 8:16 pm", 4),
    ],
)
def test_a_chat_tells_whether_its_months_come_first(head: str, month: int, tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(f"{head} - Budi: Halo\n", encoding="utf-8")
    *_, post = read_posts(path)
    assert isinstance(post, Post)
    assert post.time == datetime(2024, month, 15 - month, 20, 16)


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


def test_named_keys_are_those_of_nested_objects_too(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "Isi", "ringkas": {"isi": "Ringkasan"}}\n')
    (post,) = read_posts(path, columns=Columns(text="ringkas.isi"))
    assert isinstance(post, Post)
    assert post.text == "Ringkasan"


def test_known_shapes_win_over_named_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("cuitan,siapa\nDari tabel,budi\n")
    message = {"id": 1, "type": "message", "date": "2024-11-27T10:05:00", "from": "Sari", "text": ["Dari ", "obrolan"]}
    write(tmp_path / "b.json", {"name": "Warga", "type": "private_group", "messages": [message]})
    posts = list(read_posts(tmp_path, columns=Columns(text="cuitan", author="siapa")))
    assert [(post.text, post.author) for post in posts if isinstance(post, Post)] == [
        ("Dari tabel", "budi"),
        ("Dari obrolan", "Sari"),
    ]


def test_json_without_the_named_column_is_rejected_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("cuitan,siapa\nDari tabel,budi\n")
    write(tmp_path / "b.json", [{"text": "Isi", "siapa": "sari"}])
    write(tmp_path / "c.json", [{"cuitan": "Isi"}])
    _, *others = read_posts(tmp_path, columns=Columns(text="cuitan", author="siapa"))
    assert [(record.file, record.reason) for record in others if isinstance(record, Rejected)] == [
        ("b.json", "unreadable-file: b.json: no column 'cuitan'; it has: 'text', 'siapa'"),
        ("c.json", "unreadable-file: c.json: no column 'siapa'; it has: 'cuitan'"),
    ]


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

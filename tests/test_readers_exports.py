"""Real export files, read only where NETRAL_EXPORTS names their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netral.readers import read_posts
from netral.schema import Kind, Post

RECORDS = {
    "tweet-harvest-semicolon.csv": 1367,
    "tweet-harvest-resaved-by-excel.csv": 1289,
    "tweet-harvest-comma-index.csv": 580,
    "tweet-harvest-quoted.csv": 273,
    "youtube-data-api-comments.csv": 4583,
}


@pytest.fixture(scope="module")
def exports() -> Path:
    folder = os.environ.get("NETRAL_EXPORTS")
    if not folder:
        pytest.skip("NETRAL_EXPORTS does not name a folder of real exports")
    return Path(folder)


def posts(path: Path) -> list[Post]:
    records = list(read_posts(path))
    assert all(isinstance(record, Post) for record in records)
    return [record for record in records if isinstance(record, Post)]


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_becomes_a_post(name: str, exports: Path) -> None:
    assert len(posts(exports / name)) == RECORDS[name]


@pytest.mark.parametrize("name", [name for name in RECORDS if name.startswith("tweet")])
def test_every_tweet_has_its_parts(name: str, exports: Path) -> None:
    read = posts(exports / name)
    assert all(post.time and post.author and post.platform == "x" for post in read)
    assert all(post.id == post.url.rpartition("/")[2] and post.id.isdigit() for post in read)
    assert len({post.id for post in read}) > 0.9 * len(read)


def test_the_semicolon_file_has_one_record_a_line(exports: Path) -> None:
    """The tool replaced line ends and semicolons in texts, so lines and eleven semicolons are the truth."""
    path = exports / "tweet-harvest-semicolon.csv"
    lines = path.read_bytes().decode().split("\n")[1:-1]
    assert all(line.count(";") == 11 for line in lines)
    texts = [line.split(";")[2][1:-1] for line in lines]
    assert [post.text for post in posts(path)] == [text.replace("\r", "\n").strip() for text in texts]
    assert sum('"' in text for text in texts) > 40


def test_the_resaved_file_gives_back_the_swallowed_record(exports: Path) -> None:
    path = exports / "tweet-harvest-resaved-by-excel.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    starts = [line for line in lines if line[3:4] == " " and " +0000 20" in line[:32]]
    assert len(posts(path)) == len(starts)
    assert not any("/status/" in post.text for post in posts(path))


def test_comments_keep_their_lines_and_kind(exports: Path) -> None:
    read = posts(exports / "youtube-data-api-comments.csv")
    assert all(post.kind is Kind.COMMENT and post.time for post in read)
    assert sum("\n" in post.text for post in read) == 499

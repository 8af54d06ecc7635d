"""Repairs and times, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from time import process_time

import pytest

from netral.readers.repair import clean, mend, passed_on, strip_html
from netral.readers.times import parse_time

WIB = timezone(timedelta(hours=7))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""), ("nan", ""), ("None", ""), (float("nan"), ""), (" a ", "a"), (5.0, "5"), (1.73e18, "1.73e+18"),
        ("1,73E+18", "1,73E+18"), (True, ""), ([1], ""), (b"\xff\xc3\xa9", "\ufffdé"), ("a\ud800b", "a\ufffdb"),
        (2**63, str(2**63)), ("x\0y", "xy"), ("null dan void", "null dan void"),
    ],
)  # fmt: skip
def test_clean_says_nothing_as_empty(value: object, expected: str) -> None:
    assert clean(value) == expected


@pytest.mark.parametrize("text", ["Dua jari ✌️ 🤟", "é dan ü", "“kutip” — naïf", "日本語", "Caffè"])
def test_mend_undoes_both_kinds_of_mojibake_and_leaves_what_is_right(text: str) -> None:
    assert mend(text) == text
    assert mend(text.encode().decode("latin-1")) == text


def test_mend_leaves_true_latin_1_and_text_that_only_looks_suspicious() -> None:
    assert mend("Ã la carte") == "Ã la carte"
    assert mend("SÃO PAULO») ") == "SÃO PAULO») "


def test_mend_undoes_cp1252_mojibake() -> None:
    assert mend("âœŒ damai ðŸ¤Ÿ") == "✌ damai 🤟"


def test_mend_leaves_what_is_too_long_to_be_judged_to_its_rejection() -> None:
    begun = process_time()
    text = "â€œx" * 300_000 + "中"
    assert mend(text) == text
    assert process_time() - begun < 2
    assert mend("Ã©" * 100_000) == "é" * 100_000


def test_mend_undoes_what_spreadsheets_and_python_print() -> None:
    assert mend("a_x000D_\nb") == "a\nb"
    assert mend(r"b'Salam \xf0\x9f\x99\x8f'") == "Salam 🙏"
    assert mend("b'rusak\\") == "b'rusak\\"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RT @a: Halo", ("", "a", "Halo")),
        ("Setuju! RT @a: Halo", ("Setuju!", "a", "Halo")),
        ("RT @a:", ("RT @a:", "", "")),
        ("START @a: x", ("START @a: x", "", "")),
        ("Ketua RT @ rumah", ("Ketua RT @ rumah", "", "")),
    ],
)
def test_passed_on_splits_own_words_from_others(text: str, expected: tuple[str, str, str]) -> None:
    assert passed_on(text) == expected


def test_strip_html_keeps_the_words() -> None:
    assert strip_html('a<br>b &#39;c&#39; <a href="https://x">1:2</a> 3 < 4 &amp; 5') == "a\nb 'c' 1:2 3 < 4 & 5"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Wed Nov 27 01:02:03 +0000 2024", datetime(2024, 11, 27, 1, 2, 3, tzinfo=UTC)),
        ("2025-12-20T16:19:49.123Z", datetime(2025, 12, 20, 16, 19, 49, 123000, tzinfo=UTC)),
        ("2024-06-01T03:00:00+0700", datetime(2024, 6, 1, 3, tzinfo=WIB)),
        ("2022-12-06 05:00:00+00:00", datetime(2022, 12, 6, 5, tzinfo=UTC)),
        ("2020-04-16 09:48:29 EDT", datetime(2020, 4, 16, 9, 48, 29, tzinfo=timezone(timedelta(hours=-4)))),
        ("2020-08-31 20:00:00 WIB", datetime(2020, 8, 31, 20, tzinfo=WIB)),
        ("20/08/24 14.30", datetime(2024, 8, 20, 14, 30)),
        ("20/08/2024", datetime(2024, 8, 20)),
        ("8/20/2024", datetime(2024, 8, 20)),
        ("17 Agustus 2024 pukul 10.00 WIB", datetime(2024, 8, 17, 10, tzinfo=WIB)),
        ("Sabtu, 17 Agustus 2024", datetime(2024, 8, 17)),
        ("Aug 17, 2024, 7:05 PM", datetime(2024, 8, 17, 19, 5)),
        (1718000000, datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)),
        ("1718000000", datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)),
        (1718000000123, datetime(2024, 6, 10, 6, 13, 20, 123000, tzinfo=UTC)),
        (45534.5, datetime(2024, 8, 30, 12)),
        ("Wed Nov 27 10:05:00 SGT 2024", datetime(2024, 11, 27, 2, 5, tzinfo=UTC)),
        ("27/11/2024 10:05 MYT", datetime(2024, 11, 27, 2, 5, tzinfo=UTC)),
        ("2024-11-27 10:05:00+07", datetime(2024, 11, 27, 10, 5, tzinfo=WIB)),
        ("27-Nov-24", datetime(2024, 11, 27)),
        ("Rabu, 27/11/2024 10:05", datetime(2024, 11, 27, 10, 5)),
        ("Jum'at, 29 November 2024 10.05", datetime(2024, 11, 29, 10, 5)),
        ("Jum’at, 29/11/2024", datetime(2024, 11, 29)),
        ("27 November 2024 | 10:05 WIB", datetime(2024, 11, 27, 10, 5, tzinfo=WIB)),
        ("27 November 2024 - 10.05 WIB", datetime(2024, 11, 27, 10, 5, tzinfo=WIB)),
        ("27 November 2024 Pkl. 10.05 WIB", datetime(2024, 11, 27, 10, 5, tzinfo=WIB)),
        ("Rabu 27 November 2024", datetime(2024, 11, 27)),
        ("Rabu/27 November 2024", datetime(2024, 11, 27)),
        ("10:05 · 27 Nov 2024", datetime(2024, 11, 27, 10, 5)),
        ("10:05 PM · Nov 27, 2024", datetime(2024, 11, 27, 22, 5)),
        ("10:05 - 10:06 - 10:07", None),
        ("27.11.24, 10:05", datetime(2024, 11, 27, 10, 5)),
        ("Coblos 27 November 2024", None),
        ("20241127", datetime(2024, 11, 27)),
        (20241127, datetime(2024, 11, 27)),
        ("20241327", None),
        ("45623,5", datetime(2024, 11, 27, 12)),
        ("45623.5", datetime(2024, 11, 27, 12)),
        ("45623", None),
        ("99623.5", None),
        ("2 minggu yang lalu", None),
        ("2024-13-45", None),
        ("0", None),
        ("", None),
        (True, None),
        (float("inf"), None),
        (float("nan"), None),
        (10**400, None),
    ],
)
def test_times_are_read_with_the_zone_they_name(value: object, expected: datetime | None) -> None:
    assert parse_time(value) == expected


def test_months_come_first_where_the_file_says_so() -> None:
    assert parse_time("6/12/24, 7:22 PM", month_first=True) == datetime(2024, 6, 12, 19, 22)
    assert parse_time("6/12/24, 7:22 PM") == datetime(2024, 12, 6, 19, 22)

"""The report of a scan folder built by hand: what is counted, what is listed, and that hostile posts stay text."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from netral.errors import ReadError, ScanError
from netral.report import MOST_FINDINGS, render_report, segments, summarise, written_time
from netral.schema import Evidence, Label, Pointer, Post, Verdict

SCRIPT = "<script>alert('xss')</script>"
FLAGGED = {Label.PARTISAN_SUPPORT: {"partisan": 0.9}, Label.HOAX_HATE: {"hate": 0.9}, Label.NEUTRAL: {}}
MANIFEST: dict[str, Any] = {
    "versions": {"netral": "0.1.0", "verdict": "0.1.0/-/abc", "contest": "bundled"},
    "finished": "2024-11-28T09:00:00+00:00",
    "thresholds": {"partisan": 0.5, "hate": 0.5, "hoax": 0.5},
    "inputs": [{"path": "data/ekspor.csv"}],
    "rows": {"records": 9, "rejected_by_reason": {}, "skipped_by_reason": {}},
}


def span(start: int, end: int, flag: str = "partisan", why: str = "mengapa", source: str = "rules") -> dict[str, Any]:
    rule = "r" if source == "rules" else None
    return {"flag": flag, "source": source, "rule": rule, "start": start, "end": end, "why": why}


def verdict(
    text: str,
    label: Label = Label.NEUTRAL,
    score: float = 0.9,
    evidence: Sequence[Mapping[str, Any]] = (),
    regulations: tuple[Pointer, ...] = (),
    review: bool = False,
    flags: Mapping[str, float] | None = None,
    **post: Any,
) -> dict[str, Any]:
    """Return a line of verdicts.jsonl."""
    return Verdict(
        label=label,
        score=score,
        flags=flags or {"partisan": 0.0, "hate": 0.0, "hoax": 0.0} | FLAGGED[label],
        evidence=tuple(Evidence(**item) for item in evidence),
        regulations=regulations,
        decided_by="rules",
        review=review,
        truncated=False,
        version="0/-/0",
        post=Post(text, **post),
    ).to_dict()


def folder(
    path: Path,
    verdicts: Sequence[Mapping[str, Any]],
    manifest: Mapping[str, Any] = MANIFEST,
    **files: Sequence[Mapping[str, Any]],
) -> Path:
    """Write a finished scan's folder; `files` are further .jsonl files by name."""
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, lines in {"verdicts": verdicts, "rejected": (), **files}.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return path


def page_of(directory: Path) -> str:
    return render_report(directory).read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Collects the elements of a page and every attribute in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs


# ------------------------------------------------------------------------------ segments


@pytest.mark.parametrize(
    ("spans", "parts"),
    [
        ([], ["ayo coblos 2!"]),
        ([(0, 13)], ["[ayo coblos 2!]"]),
        ([(4, 10)], ["ayo ", "[coblos]", " 2!"]),
        ([(11, 12), (0, 3)], ["[ayo]", " coblos ", "[2]", "!"]),
        ([(0, 3), (3, 4)], ["[ayo]", "[ ]", "coblos 2!"]),
        ([(4, 10), (4, 12)], ["ayo ", "[coblos 2]", "!"]),
        ([(4, 10), (6, 12)], ["ayo ", "[coblos]", " 2!"]),
        ([(4, 10), (4, 10)], ["ayo ", "[coblos]", " 2!"]),
    ],
)
def test_segments_cut_a_text_by_its_spans(spans, parts):
    cut = segments("ayo coblos 2!", [span(*pair) for pair in spans])
    assert [f"[{part}]" if flag else part for part, flag, _ in cut] == parts


def test_segments_carry_flag_and_reason_and_lose_nothing():
    text = "✌🏽 kita \ud800 <b>menang</b>"
    cut = segments(text, [span(0, 2, "partisan", "Tanda jari"), span(9, 24, "hate", "Lain")])
    assert "".join(part for part, _, _ in cut) == text
    assert cut[0] == ("✌🏽", "partisan", "Tanda jari")
    assert [flag for _, flag, _ in cut] == ["partisan", "", "hate"]
    assert segments("", []) == ()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2024-11-26T18:05:09+00:00", "27 November 2024 01.05 WIB"),
        ("2024-02-01T09:00:00Z", "1 Februari 2024 16.00 WIB"),
        ("2024-11-27T08:30:00+09:00", "27 November 2024 06.30 WIB"),
        ("2024-11-27T08:30:00", "27 November 2024 08.30"),
        ("2024-11-27T00:00:00", "27 November 2024"),
        ("2024-11-27T00:00:00+07:00", "27 November 2024 00.00 WIB"),
        ("kemarin sore", "kemarin sore"),
        ("9999-12-31T23:00:00+00:00", "9999-12-31T23:00:00+00:00"),
    ],
)
def test_times_are_written_as_officers_write_them(value, written):
    assert written_time(value) == written


# -------------------------------------------------------------------------------- counts


def test_every_post_is_counted_once(tmp_path):
    lines = [
        verdict("jadwal", review=True),
        verdict("coblos 2", Label.PARTISAN_SUPPORT),
        verdict("dasar", Label.HOAX_HATE, review=True, flags={"partisan": 0.7, "hate": 0.9, "hoax": 0.4}),
        verdict("sebarkan", Label.HOAX_HATE, flags={"partisan": 0.1, "hate": 0.5, "hoax": 0.8}),
    ]
    rejected = [{"file": "a.csv", "row": row, "reason": "ragged-row", "raw": ""} for row in (3, 9)]
    summary = summarise(folder(tmp_path, lines, rejected=rejected))
    assert (summary.posts, summary.found, summary.review, summary.rejected) == (4, 3, 2, 2)
    assert dict(summary.labels) == {"neutral": 1, "partisan_support": 1, "hoax_hate": 2}
    assert dict(summary.flags) == {"partisan": 2, "hate": 2, "hoax": 1}


def test_the_page_shows_the_counts_as_indonesians_write_them(tmp_path):
    lines = [verdict("jadwal")] * 1_203 + [verdict("coblos 2", Label.PARTISAN_SUPPORT, review=True)]
    page = page_of(folder(tmp_path, lines))
    cards = dict(re.findall(r'<span class="soft">([^<]+)</span><b>([\d.]+)</b>', page))
    assert cards == {
        "Dukungan partisan": "1",
        "Hoaks atau ujaran kebencian": "0",
        "Netral": "1.203",
        "Perlu ditinjau": "1",
        "Baris ditolak": "0",
        "Tanda: Keberpihakan": "1",
        "Tanda: Ujaran kebencian": "0",
        "Tanda: Hoaks": "0",
    }
    assert "1.204 unggahan dinilai oleh netral 0.1.0" in page


def test_findings_come_most_certain_first_then_in_order_of_the_file(tmp_path):
    lines = [verdict(str(number), Label.HOAX_HATE, score) for number, score in enumerate((0.6, 0.9, 0.6, 0.7))]
    summary = summarise(folder(tmp_path, [verdict("x"), *lines]))
    assert [(finding.line, finding.post["text"]) for finding in summary.findings] == [
        (3, "1"),
        (5, "3"),
        (2, "0"),
        (4, "2"),
    ]


def test_at_most_2000_findings_are_listed_and_the_rest_is_said(tmp_path):
    lines = [verdict(f"coblos {number}", Label.PARTISAN_SUPPORT, 0.5 + number / 10_000) for number in range(2_030)]
    summary = summarise(folder(tmp_path, lines))
    assert (MOST_FINDINGS, len(summary.findings), summary.found) == (2_000, 2_000, 2_030)
    assert [summary.findings[0].line, summary.findings[-1].line] == [2_030, 31]
    page = page_of(tmp_path)
    assert page.count("<tr data-line=") == 2_000
    assert "2.000 temuan ditampilkan" in page
    assert "30 lainnya" in page


def test_copies_are_listed_once_with_their_number(tmp_path):
    lines = [verdict("coblos 2", Label.PARTISAN_SUPPORT, score) for score in (0.7, 0.9, 0.8)]
    groups = [{"line": 1, "size": 3, "label": "partisan_support", "copies": [1, 2, 3]}]
    summary = summarise(folder(tmp_path, lines, groups=groups))
    assert [(finding.line, finding.copies) for finding in summary.findings] == [(1, 3)]
    assert summary.found == 3
    page = page_of(tmp_path)
    assert "3 salinan mirip" in page
    assert "2 lainnya" in page


def test_no_finding_is_said(tmp_path):
    page = page_of(folder(tmp_path, [verdict("jadwal")]))
    assert "Tidak ada temuan: semua unggahan dinilai netral." in page
    assert "<table" not in page


def test_no_post_is_not_called_no_finding(tmp_path):
    page = page_of(folder(tmp_path, []))
    assert "Tidak ada unggahan yang dinilai." in page
    assert "Tidak ada temuan" not in page


def test_neutral_posts_to_review_are_listed_least_certain_first(tmp_path):
    lines = [verdict(text, review=True, score=score) for text, score in (("satu", 0.8), ("dua", 0.6), ("tiga", 0.6))]
    finding = verdict("coblos 2", Label.PARTISAN_SUPPORT, review=True)
    summary = summarise(folder(tmp_path, [verdict("jadwal"), *lines, finding]))
    assert [post.post["text"] for post in summary.neutral] == ["dua", "tiga", "satu"]
    assert [post.post["text"] for post in summary.findings] == ["coblos 2"]
    assert (summary.review, summary.neutral_review) == (4, 3)
    page = page_of(tmp_path)
    assert "<h2>Netral, perlu ditinjau</h2>" in page
    assert "<small>3 di antaranya dinilai netral</small>" in page
    assert page.count("<tr data-line=") == 4


def test_neutral_posts_to_review_are_bounded_and_the_rest_is_said(tmp_path):
    lines = [verdict(f"jadwal {number}", review=True, score=number / 10_000) for number in range(2_030)]
    summary = summarise(folder(tmp_path, lines))
    assert [summary.neutral[0].line, summary.neutral[-1].line, len(summary.neutral)] == [1, 2_000, 2_000]
    page = page_of(tmp_path)
    assert "Tidak ada temuan" in page
    assert "2.000 ditampilkan, yang paling tidak pasti lebih dulu; 30 lainnya (di luar batas halaman)" in page


def test_a_finding_shows_its_words_reasons_and_regulations(tmp_path):
    pointer = Pointer("uu", "UU Contoh", "Pasal 9", ("PNS", "PPPK"), "bila memihak", "https://contoh.example")
    line = verdict("ayo coblos 2", Label.PARTISAN_SUPPORT, 0.87, [span(4, 10, why="Ajakan")], regulations=(pointer,))
    explanations = [{"line": 1, "evidence": [span(11, 12, why="Tanpa bagian ini turun", source="model")]}]
    (finding,) = summarise(folder(tmp_path, [line], explanations=explanations)).findings
    assert [part for part, flag, _ in finding.segments if flag] == ["coblos", "2"]
    assert finding.notes == ("Keberpihakan: Ajakan", "Keberpihakan, “2”: Tanpa bagian ini turun")
    page = page_of(tmp_path)
    assert '<mark class="partisan" title="Keberpihakan: Ajakan">coblos</mark>' in page
    assert "<li>Keberpihakan: Ajakan</li>" in page
    assert "<li>Keberpihakan, “2”: Tanpa bagian ini turun</li>" in page
    assert 'Dapat menyentuh peraturan nomor <a href="#peraturan-1">1</a></div>' in page
    assert '<li id="peraturan-1">UU Contoh, Pasal 9 (PNS, PPPK): bila memihak <span' in page
    assert "(sumber: https://contoh.example)" in page
    assert "87%" in page


def test_a_regulation_is_printed_once_and_rows_name_its_number(tmp_path):
    one, two = (Pointer("uu", f"UU {name}", "Pasal 9", ("PNS",), "bila memihak", "") for name in ("Satu", "Dua"))
    changed = Pointer("uu", "UU Satu", "Pasal 9", ("PNS",), "bila memihak sejak penetapan", "")
    lines = [
        verdict("coblos 2", Label.PARTISAN_SUPPORT, score, regulations=pointers)
        for score, pointers in ((0.9, (one, two)), (0.8, (two, one)), (0.7, (changed,)))
    ]
    summary = summarise(folder(tmp_path, lines))
    assert [finding.regulations for finding in summary.findings] == [(1, 2), (2, 1), (3,)]
    assert [(title, condition) for title, _, _, condition, _ in summary.regulations] == [
        ("UU Satu", "bila memihak"),
        ("UU Dua", "bila memihak"),
        ("UU Satu", "bila memihak sejak penetapan"),
    ]
    assert page_of(tmp_path).count("UU Dua") == 1


def test_long_evidence_of_the_model_is_cut_in_the_reasons(tmp_path):
    line = verdict("a" * 90, Label.HOAX_HATE, evidence=[span(0, 90, "hate", "Turun", "model")])
    (finding,) = summarise(folder(tmp_path, [line])).findings
    assert finding.notes == (f"Ujaran kebencian, “{'a' * 80}…”: Turun",)


def test_search_reads_account_and_texts_alone(tmp_path):
    line = verdict(
        "ayo coblos 2", Label.PARTISAN_SUPPORT, evidence=[span(4, 10)], author="akun", quoted="kata orang",
        platform="x", meta={"file": "a.csv", "row": 1},
    )  # fmt: skip
    page = page_of(folder(tmp_path, [line]))
    found = re.findall(r'<span class="find">(.*?)</span>', page)
    assert [re.sub("<.*?>", "", part) for part in found] == ["ayo coblos 2", "kata orang", "akun"]
    assert 'row.querySelectorAll(".find")' in page


@pytest.mark.parametrize(
    ("meta", "shown"),
    [
        ({"file": "unggahan.csv", "row": 132}, "unggahan.csv, catatan ke-132<"),
        ({"file": "buku.xlsx", "row": 132, "sheet": "<Juni>"}, "buku.xlsx, catatan ke-132 (lembar “&lt;Juni&gt;”)<"),
    ],
)
def test_a_record_is_named_by_its_number_and_sheet(tmp_path, meta, shown):
    page = page_of(folder(tmp_path, [verdict("coblos 2", Label.PARTISAN_SUPPORT, meta=meta)]))
    assert shown in page
    assert f"baris {meta['row']}" not in page


def test_a_time_that_could_not_be_read_is_shown_as_given(tmp_path):
    meta = {"file": "a.csv", "row": 1, "time": "31/02/2024 <sore>"}
    unread = verdict("coblos 2", Label.PARTISAN_SUPPORT, meta=meta)
    assert "31/02/2024 &lt;sore&gt; (seperti tertulis)" in page_of(folder(tmp_path, [unread]))
    read = verdict("coblos 2", Label.PARTISAN_SUPPORT, meta=meta, time=datetime(2024, 2, 1, 9, 30))
    page = page_of(folder(tmp_path, [read]))
    assert "1 Februari 2024 09.30" in page
    assert "seperti tertulis" not in page


def test_the_page_says_how_it_was_made(tmp_path):
    manifest = MANIFEST | {
        "versions": {"netral": "0.1.0", "verdict": "0.1.0/mini/abc", "contest": "pilkada-x", "model_sha256": "0"},
        "inputs": [{"path": "/rumah/rahasia/ekspor.csv"}, {"path": "C:\\data\\buku.xlsx"}, {"path": "-"}],
        "rows": {
            "records": 1_309,
            "rejected_by_reason": {"ragged-row": 3, "<new>": 1},
            "skipped_by_reason": {"empty-text": 1_200},
        },
    }
    page = page_of(folder(tmp_path, [verdict("jadwal")], manifest))
    said = dict(re.findall(r"<dt>(.*?)</dt>\n<dd>(.*?)</dd>", page))
    assert said["Versi (netral / model / aturan deteksi)"] == "0.1.0/mini/abc"
    assert said["Ambang"] == "Keberpihakan 50%; Ujaran kebencian 50%; Hoaks 50%"
    assert said["Pemilihan"] == "pilkada-x"
    assert said["Berkas masukan"] == "ekspor.csv; buku.xlsx; masukan standar"
    assert said["Catatan"].startswith("1.309 dibaca, 1 dinilai.")
    assert said["Ditolak"] == "jumlah kolom tidak cocok: 3; &lt;new&gt;: 1"
    assert said["Dilewati"] == "teks kosong: 1.200"
    assert "rahasia" not in page


def test_the_page_says_that_rules_alone_judged_and_that_no_contest_was_named(tmp_path):
    page = page_of(
        folder(tmp_path, [verdict("jadwal")], MANIFEST | {"inputs": [{"path": f"{n}.csv"} for n in range(120)]})
    )
    assert "0.1.0/-/abc; tanpa model" in page
    assert "Tidak ada yang disebutkan" in page
    assert "99.csv; dan 20 lainnya (lihat manifest.json)" in page
    assert page.count("<dd>tidak ada</dd>") == 2


# -------------------------------------------------------------------------------- layout


def styles(page: str) -> tuple[str, str]:
    """Return the rules of the page for screens, and those for print."""
    screen, _, paper = page[page.index("<style>") : page.index("</style>")].partition("@media print")
    return screen, paper


def test_the_page_prints_whole_and_long_cells_stay_in_their_columns(tmp_path):
    line = verdict("coblos 2 " * 3_000, Label.PARTISAN_SUPPORT, author="A" * 500)
    page = page_of(folder(tmp_path, [line]))
    screen, paper = styles(page)
    assert "@page { size: A4 landscape;" in screen
    assert "min-width" not in re.sub(r"@media screen and \(max-width.*", "", screen)
    assert "table-layout: fixed" in screen
    assert "overflow-wrap: anywhere" in screen
    assert ".fold { max-height: none; overflow: visible; }" in paper
    assert "<details" not in page
    assert '<div class="text fold"><span class="find">coblos' in page
    assert '<div class="fold"><span class="find">AAA' in page


def test_the_header_sticks_to_the_window(tmp_path):
    screen, paper = styles(page_of(folder(tmp_path, [verdict("coblos 2", Label.PARTISAN_SUPPORT)])))
    wide = re.sub(r"@media screen and \(max-width.*", "", screen)
    assert "position: sticky" in wide
    assert re.search(r"\.scroll {[^}]*overflow", wide) is None
    assert "position: static" in paper


def test_marks_can_be_read_and_told_apart_without_colour(tmp_path):
    screen, _ = styles(page_of(folder(tmp_path, [verdict("jadwal")])))
    colours = dict(re.findall(r"--(\w+): #(\w+);", screen))

    def light(name: str) -> float:
        code = colours[name] if len(colours[name]) == 6 else "".join(2 * digit for digit in colours[name])
        parts = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert re.search(r"mark {[^}]*color: var\(--ink\); text-decoration: underline;", screen)
    for ink, ground in (("ink", "partisan"), ("ink", "hate"), ("ink", "hoax"), ("soft", "paper"), ("soft", "wash")):
        assert (light(ground) + 0.05) / (light(ink) + 0.05) >= 4.5
    assert re.findall(r"mark\.(\w+) {[^}]*text-decoration-style: (\w+)", screen) == [
        ("hate", "double"),
        ("hoax", "dashed"),
    ]


def test_the_order_of_rows_is_told_to_eye_and_ear(tmp_path):
    page = page_of(folder(tmp_path, [verdict("coblos 2", Label.PARTISAN_SUPPORT)]))
    assert page.count('<th scope="col">') == page.count("<th ") == 6
    for sign in ('button::after { content: " ↕"', '"ascending"] button::after { content: " ▲"', '" ▼"'):
        assert sign in page
    assert 'sorted === "ascending" : key === "score"' in page  # the first click puts the most certain first
    assert 'setAttribute("aria-sort"' in page


# ------------------------------------------------------------------------------- hostile


def test_a_hostile_post_stays_text(tmp_path):
    line = verdict(
        f"{SCRIPT} coblos 2",
        Label.PARTISAN_SUPPORT,
        evidence=[span(0, len(SCRIPT), why='" onmouseover="alert(1)')],
        author='"><img src=x onerror=alert(1)>',
        platform="<svg onload=alert(1)>",
        quoted="</td></tr></table>{{ summary.manifest }}",
        meta={"file": "<iframe src=//evil.example>.csv", "row": "<b>"},
    )
    plain = Tags(page_of(folder(tmp_path, [verdict("ayo coblos 2", Label.PARTISAN_SUPPORT, evidence=[span(4, 10)])])))
    page = page_of(folder(tmp_path, [line]))
    tags = Tags(page)
    assert html.escape(SCRIPT, quote=False).replace("'", "&#39;") in page
    assert "{{ summary.manifest }}" in page
    assert set(tags.names) <= {*plain.names, "span", "br"}
    assert tags.names.count("script") == plain.names.count("script") == 1
    assert [name for name, _ in tags.attributes if name.startswith("on") or name == "src"] == []


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://x.com",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//evil.example",
        "file:///etc/passwd",
        "",
    ],
)
def test_only_web_addresses_become_links(tmp_path, url):
    tags = Tags(page_of(folder(tmp_path, [verdict("coblos 2", Label.PARTISAN_SUPPORT, url=url)])))
    assert [value for name, value in tags.attributes if name == "href"] == []


def test_a_web_address_cannot_leave_its_attribute(tmp_path):
    url = "https://x.com/\"onclick='alert(1)'><script>"
    page = page_of(folder(tmp_path, [verdict("coblos 2", Label.PARTISAN_SUPPORT, url=url)]))
    attributes = Tags(page).attributes
    assert [value for name, value in attributes if name == "href"] == [url]
    assert "onclick" not in dict(attributes)
    assert 'rel="noopener noreferrer nofollow"' in page


def test_lone_surrogates_and_line_separators_are_written(tmp_path):
    line = verdict("ayo\u2028coblos \ud800 2\x00\x85", Label.PARTISAN_SUPPORT, evidence=[span(4, 10)], author="a\udfff")
    page = page_of(folder(tmp_path, [line]))
    assert ">coblos</mark>" in page


def test_what_turns_text_round_is_written_out_and_emoji_stay_whole(tmp_path):
    emoji = "👨\u200d👩\u200d👧 ❤\ufe0f"
    line = verdict(
        f"coblos \u202e2\u2066 {emoji}\nya", Label.PARTISAN_SUPPORT, evidence=[span(0, 8)],
        author="a\u200f\x1b[2J", quoted="q\u2069", meta={"file": "a\u202evsc.csv", "row": 1},
    )  # fmt: skip
    page = page_of(folder(tmp_path, [line]))
    for shown in (
        r"coblos \u202e</mark>2\u2066 ",
        emoji + "\nya",
        r"a\u200f\x1b[2J",
        r"q\u2069",
        r"a\u202evsc.csv, catatan ke-1",
    ):
        assert shown in page
    assert re.search("[\u200f\u202a-\u202e\u2066-\u2069\x1b]", page) is None


def test_the_page_loads_nothing(tmp_path):
    page = page_of(folder(tmp_path, [verdict("coblos 2", Label.PARTISAN_SUPPORT)]))
    assert "default-src 'none'" in page
    assert {"link", "img", "iframe", "object"} & set(Tags(page).names) == set()


# -------------------------------------------------------------------------------- faults


def test_a_folder_without_a_finished_scan_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"no finished scan there .*; name the --out folder of a scan"):
        render_report(tmp_path)
    assert not (tmp_path / "laporan.html").exists()


@pytest.mark.parametrize("manifest", ["", "{half", "[" * 100_000, "[]", '{"finished": 5}', "null"])
def test_an_altered_manifest_is_named(tmp_path, manifest):
    (folder(tmp_path, []) / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(ScanError, match=r"manifest\.json: .*check it with netral verify"):
        render_report(tmp_path)
    assert not (tmp_path / "laporan.html").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"label": "unknown"},
        {"label": ["neutral"]},
        {"score": float("nan")},
        {"flags": {}},
        {"flags": {"partisan": "x", "hate": 0, "hoax": 0}},
        {"evidence": 5},
        {"evidence": [{"flag": "other", "source": "rules", "start": 0, "end": 1, "why": ""}]},
        {"regulations": [5]},
        {"review": "yes"},
        {"post": {"time": 5}},
    ],
)
def test_an_altered_verdict_is_named_by_its_line(tmp_path, change):
    line = verdict("ayo coblos", Label.PARTISAN_SUPPORT)
    changed = line | change | {"post": line["post"] | change.get("post", {})}
    with pytest.raises(ScanError, match=r"verdicts\.jsonl, line 2: .*check it with netral verify"):
        render_report(folder(tmp_path, [line, changed]))


@pytest.mark.parametrize("name", ["verdicts", "explanations", "groups", "rejected"])
@pytest.mark.parametrize("line", ["null", "5", "{half", "[" * 100_000, "\udcff"])
def test_a_line_that_is_no_object_is_named_in_every_file(tmp_path, name, line):
    (folder(tmp_path, []) / f"{name}.jsonl").write_text(line + "\n", encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ScanError, match=rf"{name}\.jsonl, line 1: "):
        render_report(tmp_path)


def test_a_group_without_its_copies_is_named(tmp_path):
    with pytest.raises(ScanError, match=r"groups\.jsonl, line 1: "):
        render_report(folder(tmp_path, [], groups=[{}]))

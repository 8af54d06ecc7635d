"""The report of a scan folder built by hand: what is counted, what is listed, and that hostile posts stay text."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from netral.errors import ReadError, ScanError
from netral.report import MOST_FINDINGS, render_report, segments, summarise, written_time
from netral.schema import Evidence, Label, Pointer, Post, Verdict

SCRIPT = "<script>alert('xss')</script>"
FLAGGED = {Label.PARTISAN_SUPPORT: {"partisan": 0.9}, Label.HOAX_HATE: {"hate": 0.9}, Label.NEUTRAL: {}}
THRESHOLDS = {"partisan": 0.5, "hate": 0.5, "hoax": 0.5}


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


def folder(path: Path, verdicts: Sequence[Mapping[str, Any]], **files: Sequence[Mapping[str, Any]]) -> Path:
    """Write a finished scan's folder; `files` are further .jsonl files by name."""
    manifest = {"versions": {"netral": "0.1.0"}, "finished": "2024-11-28T09:00:00+00:00", "thresholds": THRESHOLDS}
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
    assert "Tidak ada temuan" in page
    assert "<table" not in page


def test_a_finding_shows_its_words_reasons_and_regulations(tmp_path):
    pointer = Pointer("uu", "UU Contoh", "Pasal 9", ("PNS", "PPPK"), "bila memihak", "https://contoh.example")
    line = verdict("ayo coblos 2", Label.PARTISAN_SUPPORT, 0.87, [span(4, 10, why="Ajakan")], regulations=(pointer,))
    explanations = [{"line": 1, "evidence": [span(11, 12, why="Tanpa bagian ini turun", source="model")]}]
    (finding,) = summarise(folder(tmp_path, [line], explanations=explanations)).findings
    assert [part for part, flag, _ in finding.segments if flag] == ["coblos", "2"]
    assert finding.notes == ("Keberpihakan: Ajakan",)
    page = page_of(tmp_path)
    assert '<mark class="partisan" title="Keberpihakan: Ajakan">coblos</mark>' in page
    assert "<li>Keberpihakan: Ajakan</li>" in page
    assert "<li>UU Contoh, Pasal 9 (PNS, PPPK): bila memihak <span" in page
    assert "(sumber: https://contoh.example)" in page
    assert "87%" in page


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
        r"a\u202evsc.csv, baris 1",
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

"""Sinks: what is written is read back equal, and no cell is ever taken for a formula."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import openpyxl
import polars as pl
import pytest

from netral.errors import WriteError
from netral.schema import Evidence, Label, Pointer, Post, Verdict
from netral.writers import (
    COLUMNS,
    CUT,
    XLSX_CHARS,
    LineFile,
    fit_cell,
    json_line,
    read_lines,
    safe_cell,
    write_csv,
    write_parquet,
    write_xlsx,
)


def verdict(text: str, meta: Mapping[str, object] = {}, **fields: object) -> Verdict:
    post = Post(
        text, id="7", time=datetime(2024, 2, 1, 8, tzinfo=UTC), meta={"file": "a.csv", "row": 3, **meta}, **fields
    )
    return Verdict(
        label=Label.PARTISAN_SUPPORT,
        score=0.9,
        flags={"partisan": 0.9, "hate": 0.0, "hoax": 0.0},
        evidence=(Evidence("partisan", "rules", "some-rule", 0, 4, "Ajakan"),),
        regulations=(Pointer("uu", "UU 20/2023", "Pasal 9", ("PNS", "PPPK"), "Bila memihak.", "https://example.org"),),
        decided_by="rules",
        review=True,
        truncated=False,
        version="0.1.0/-/x",
        post=post,
    )


def written(folder: Path, *verdicts: Verdict) -> Path:
    path = folder / "verdicts.jsonl"
    path.write_bytes(b"".join(json_line(item.to_dict()) for item in verdicts))
    return path


HOSTILE = [
    '=HYPERLINK("http://x")',
    "+62 812",
    "-1+1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "   =1+1",
    " \t=1",
    "\n=1",
    "\u00a0=1",
    "\ufeff=1",
    "\uff1d1+1",
    "  @x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_that_could_be_a_formula_gets_an_apostrophe(text):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "pilih nomor 2", "2 = dua", "a@b.c", "'=1", "#Pilkada", "..."])
def test_other_cells_stay_as_they_are(text):
    assert safe_cell(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_csv_or_xlsx_cell_begins_a_formula(tmp_path, text):
    path = written(tmp_path, verdict(text, author=text, url=text, quoted=text))
    write_csv(path, tmp_path / "verdicts.csv")
    write_xlsx(path, tmp_path / "verdicts.xlsx")
    with (tmp_path / "verdicts.csv").open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert all(row[name].startswith("'") for name in ("text", "author", "url", "quoted"))
    sheet = openpyxl.load_workbook(tmp_path / "verdicts.xlsx").active
    cells = dict(zip(COLUMNS, next(sheet.iter_rows(min_row=2)), strict=True))
    for name in ("text", "author", "url", "quoted"):
        assert cells[name].data_type == "s"
        assert cells[name].hyperlink is None
        assert cells[name].value.startswith("'")


@pytest.mark.parametrize("separator", [";", "\t", ",", "\n"])
@pytest.mark.parametrize(
    "formula", ['=HYPERLINK("http://x";"y")', "+1", "-1", "@A1", ' "=1+1"', '"" \u00a0＝1', "\u200b=1"]
)
def test_no_piece_of_a_csv_cell_begins_a_formula_where_semicolons_or_tabs_separate(tmp_path, separator, formula):
    text = separator.join(["pilih", formula, formula, ""])
    write_csv(written(tmp_path, verdict(text, author=text, quoted=text)), tmp_path / "v.csv")
    for delimiter in ";\t,":
        with (tmp_path / "v.csv").open(encoding="utf-8-sig", newline="") as stream:
            cells = [cell for row in csv.reader(stream, delimiter=delimiter) for cell in row]
        assert [cell for cell in cells if safe_cell(cell) != cell] == []


def test_pieces_of_a_csv_cell_that_are_no_formula_stay_as_they_are(tmp_path):
    text = 'satu; dua,\n"tiga"\t4 = empat; 😡-'
    write_csv(written(tmp_path, verdict(text)), tmp_path / "v.csv")
    with (tmp_path / "v.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert next(csv.DictReader(stream))["text"] == text


def test_a_cell_of_line_breaks_alone_is_guarded_in_linear_time(tmp_path):
    begun = process_time()
    write_csv(written(tmp_path, verdict("a" + "\n" * 100_000 + "b" + ";  " * 100_000)), tmp_path / "v.csv")
    assert process_time() - begun < 5


def test_an_address_is_written_to_xlsx_as_text_not_as_a_link(tmp_path):
    write_xlsx(written(tmp_path, verdict("https://x.com/a", url="https://x.com/a")), tmp_path / "v.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "v.xlsx").active
    assert all(cell.hyperlink is None for row in sheet.iter_rows() for cell in row)


def test_every_format_holds_the_same_values(tmp_path):
    text = 'Ayo "pilih"; nomor 2,\nya 🫰'
    path = written(tmp_path, verdict(text), verdict("Kedua", meta={"sheet": "Juni"}))
    write_csv(path, tmp_path / "v.csv")
    write_parquet(path, tmp_path / "v.parquet")
    write_xlsx(path, tmp_path / "v.xlsx")
    with (tmp_path / "v.csv").open(encoding="utf-8-sig", newline="") as stream:
        from_csv = list(csv.DictReader(stream))
    frame = pl.read_parquet(tmp_path / "v.parquet")
    sheet = openpyxl.load_workbook(tmp_path / "v.xlsx").active
    from_xlsx = [dict(zip(COLUMNS, row, strict=True)) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert [row["text"] for row in from_csv] == frame["text"].to_list() == [row["text"] for row in from_xlsx]
    assert from_csv[0]["text"] == text
    assert frame.row(0, named=True)["partisan"] == from_xlsx[0]["partisan"] == float(from_csv[0]["partisan"]) == 0.9
    assert from_csv[0]["evidence"] == text[0:4]
    for rows in (from_csv, frame.to_dicts(), from_xlsx):  # a pointer never stands without what it hangs on
        assert rows[0]["regulations"] == "UU 20/2023, Pasal 9 (PNS, PPPK): Bila memihak."
        assert [row["sheet"] or "" for row in rows] == ["", "Juni"]
    assert frame["row"].to_list() == [3, 3]
    assert list(frame.columns) == list(COLUMNS)


@pytest.mark.parametrize("write", [write_csv, write_parquet, write_xlsx])
def test_no_verdicts_make_a_table_with_a_header_alone(tmp_path, write):
    write(written(tmp_path), tmp_path / "v")
    assert (tmp_path / "v").stat().st_size > 0


def test_xlsx_goes_on_in_a_further_sheet_at_its_row_limit(tmp_path):
    path = written(tmp_path, *(verdict(f"teks {number}") for number in range(7)))
    write_xlsx(path, tmp_path / "v.xlsx", max_rows=4)
    book = openpyxl.load_workbook(tmp_path / "v.xlsx")
    assert [(sheet.title, sheet.max_row) for sheet in book] == [("verdicts", 4), ("verdicts 2", 4), ("verdicts 3", 2)]
    texts = [row[9] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert texts == [f"teks {number}" for number in range(7)]


@pytest.mark.parametrize("char", ["a", "🫰"])
def test_a_cell_longer_than_excel_takes_is_cut_with_a_mark(tmp_path, char):
    write_xlsx(written(tmp_path, verdict(char * 40_000)), tmp_path / "v.xlsx")
    value = openpyxl.load_workbook(tmp_path / "v.xlsx").active["J2"].value
    assert value.endswith(CUT)
    assert XLSX_CHARS - 2 <= len(value.encode("utf-16-le")) // 2 <= XLSX_CHARS


def test_a_cell_at_the_limit_is_left_whole():
    assert fit_cell("a" * XLSX_CHARS) == "a" * XLSX_CHARS


def test_control_characters_do_not_break_a_workbook(tmp_path):
    write_xlsx(written(tmp_path, verdict("a\x00b\x1bc\ufffed")), tmp_path / "v.xlsx")
    assert openpyxl.load_workbook(tmp_path / "v.xlsx").active["J2"].value == "a\ufffdb\ufffdc\ufffdd"


def test_lone_surrogates_become_replacement_characters():
    line = json_line({"text": "a\ud83d!", "\udc00": 1})
    assert json.loads(line.decode("utf-8")) == {"text": "a\ufffd!", "\ufffd": 1}


def test_odd_values_of_an_export_are_written_as_valid_json():
    line = json_line({"meta": {1: float("nan"), "when": datetime(2024, 1, 1), "list": [float("inf"), {"a": b"x"}]}})
    data = json.loads(line, parse_constant=lambda name: pytest.fail(name))
    assert data == {"meta": {"1": None, "when": "2024-01-01 00:00:00", "list": [None, {"a": "b'x'"}]}}


def test_a_line_file_cuts_what_its_journal_does_not_count(tmp_path):
    path = tmp_path / "lines"
    file = LineFile(path)
    file.write({"a": 1})
    good = file.size
    file.write({"half": "written"})
    file.close()
    file = LineFile(path, good)
    file.write({"b": 2})
    file.sync()
    file.close()
    assert list(read_lines(path)) == [{"a": 1}, {"b": 2}]


def test_a_line_file_shorter_than_its_journal_is_refused(tmp_path):
    with pytest.raises(WriteError, match="shorter"):
        LineFile(tmp_path / "lines", 10)

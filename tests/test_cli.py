"""The command line: exit codes, what is said, and that nothing of a post reaches the terminal raw."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import netral
from netral.cli import main

ESCAPES = "pilih \x1b[31mPrabowo\x07 \u202enomor 2\x9b2J \u200bcoblos\r\nnomor 2\x00"
ROOT = Path(__file__).parent.parent


def run(*args: object, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], input=stdin)


def export(path: Path, texts: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "created_at", "full_text", "username"])
        writer.writerows([number, "2024-01-20", text, "budi"] for number, text in enumerate(texts))
    return path


@pytest.fixture
def source(tmp_path) -> Path:
    return export(tmp_path / "a.csv", ["Ayo coblos nomor 2, pilih Prabowo Gibran!", "Selamat pagi semua", ""])


# ------------------------------------------------------------------------------- predict


def test_predict_shows_label_score_flags_evidence_and_regulations_in_indonesian():
    result = run("predict", "Ayo coblos nomor 2, pilih Prabowo Gibran!", "--model", "rules")
    assert result.exit_code == 0
    for part in ("Dukungan partisan (partisan_support)", "Skor", "keberpihakan", '"Ayo', "Dapat menyentuh:", "Pasal"):
        assert part in result.stdout
    assert "melanggar" not in result.stdout.lower()


def test_predict_reads_standard_input_as_one_text():
    result = run("predict", "-", "--json", "--model", "rules", stdin="satu\ndua\n")
    assert json.loads(result.stdout)["post"]["text"] == "satu\ndua"


def test_predict_takes_a_text_that_begins_with_a_dash():
    result = run("predict", "- coblos Prabowo", "--model", "rules", "--json")
    assert (result.exit_code, json.loads(result.stdout)["label"]) == (0, "partisan_support")


def test_predict_takes_a_blank_text():
    result = run("predict", "", "--json", "--model", "rules")
    assert (json.loads(result.stdout)["label"], result.exit_code) == ("neutral", 0)


def test_predict_refuses_an_overlong_text_in_one_line():
    result = run("predict", "-", "--model", "rules", stdin="a" * 900_000)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "at most 100,000" in result.stderr


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_control_or_bidi_character_of_a_post_reaches_the_terminal(options):
    result = run("predict", "-", "--model", "rules", *options, stdin=ESCAPES.encode())
    assert result.exit_code == 0
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", result.stdout) == []
    if options:
        assert json.loads(result.stdout)["post"]["text"] == ESCAPES


def test_an_emoji_of_several_parts_is_shown_whole():
    result = run("predict", "coblos nomor 2 Prabowo 👨‍👩‍👧", "--model", "rules", "--json")
    assert "👨‍👩‍👧" in result.stdout


def test_a_console_without_unicode_is_no_error():
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-m", "netral", "predict", "coblos nomor 2 Prabowo 🫰", "--model", "rules"]
    child = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (child.returncode, child.stderr) == (0, b"")


def test_bytes_that_are_no_utf8_are_judged_all_the_same():
    result = run("predict", "-", "--model", "rules", "--json", stdin=b"pilih \xff nomor 2")
    assert json.loads(result.stdout)["post"]["text"] == "pilih \ufffd nomor 2"


# ---------------------------------------------------------------------------------- scan


def test_scan_says_what_it_found_and_where_the_report_lies(tmp_path, source):
    result = run("scan", source, "--out", tmp_path / "out", "--model", "rules")
    assert result.exit_code == 0
    assert result.stderr == ""
    said = dict(re.findall(r"^ *(\S.*?)\s{2,}([\d.]+)$", result.stdout, re.MULTILINE))
    assert said == {
        "Baris dibaca": "3",
        "Unggahan dinilai": "2",
        "Dukungan partisan": "1",
        "Hoaks atau ujaran kebencian": "0",
        "Netral": "1",
        "Perlu ditinjau": said["Perlu ditinjau"],
        "Ditolak": "0",
        "Dilewati": "1",
        "teks kosong": "1",
    }
    assert f"Laporan: {tmp_path / 'out' / 'laporan.html'}" in result.stdout
    assert (tmp_path / "out" / "laporan.html").exists()


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_scan_renders_the_other_formats(tmp_path, source, kind):
    assert run("scan", source, "--out", tmp_path / "out", "--model", "rules", "--format", kind).exit_code == 0
    assert (tmp_path / "out" / f"verdicts.{kind}").exists()
    assert (tmp_path / "out" / "verdicts.jsonl").exists()
    assert f"verdicts.{kind}" in json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]


def test_scan_reads_standard_input(tmp_path, source):
    result = run("scan", "-", "--out", tmp_path / "out", "--model", "rules", stdin=source.read_bytes())
    assert result.exit_code == 0
    assert "Unggahan dinilai" in result.stdout


def test_a_column_can_be_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\nselamat pagi semua,coblos nomor 2 Prabowo\n")
    run("scan", path, "--out", tmp_path / "out", "--model", "rules", "--text-column", "b", "--author-column", "a")
    (row,) = (tmp_path / "out" / "verdicts.jsonl").read_text().splitlines()
    assert json.loads(row)["post"]["text"] == "coblos nomor 2 Prabowo"
    assert json.loads(row)["post"]["author"] == "selamat pagi semua"


def test_a_folder_that_is_not_empty_is_refused_without_resume(tmp_path, source):
    args = ("scan", source, "--out", tmp_path / "out", "--model", "rules")
    assert run(*args).exit_code == 0
    again = run(*args)
    assert again.exit_code == 1
    assert "--resume" in again.stderr
    assert run(*args, "--resume").exit_code == 0


def test_strict_exits_3_when_a_row_was_rejected_and_all_files_are_there(tmp_path):
    source = export(tmp_path / "a.csv", ["selamat pagi semua", "x" * 100_001])
    args = ("scan", source, "--model", "rules", "--out")
    assert run(*args, tmp_path / "plain").exit_code == 0
    assert run(*args, tmp_path / "strict", "--strict").exit_code == 3
    assert (tmp_path / "strict" / "laporan.html").exists()


def test_strict_exits_0_when_nothing_was_rejected(tmp_path, source):
    assert run("scan", source, "--out", tmp_path / "out", "--model", "rules", "--strict").exit_code == 0


def test_nothing_readable_exits_4_with_the_reason(tmp_path):
    path = tmp_path / "a\x1b[31m.zip"
    path.write_bytes(b"PK\x03\x04 cut")
    result = run("scan", path, "--out", tmp_path / "out", "--model", "rules")
    assert result.exit_code == 4
    assert "nothing readable" in result.stderr
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    "args",
    [
        ("scan",),
        ("scan", "missing.csv", "--out", "x"),
        ("scan", ".", "--out", "x", "--format", "pdf"),
        ("scan", ".", "--out", "x", "--explain", "-1"),
        ("predict",),
        ("verify", "missing"),
        ("unknown",),
    ],
)
def test_bad_use_exits_2(args):
    assert run(*args).exit_code == 2


@pytest.mark.parametrize(
    "args",
    [
        ("predict", "x", "--model", "missing-folder"),
        ("predict", "x", "--contest", "no-such-contest"),
        ("contest", "check", "no-such-contest"),
        ("report", "."),
        ("verify", "."),
        ("rules", "check", "."),
    ],
)
def test_errors_are_one_clean_line_and_exit_1(args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 1
    assert result.stderr.startswith("netral: ")
    assert result.stderr.count("\n") == 1


def test_a_fault_of_the_program_is_no_traceback_either(monkeypatch, tmp_path):
    monkeypatch.setattr("webbrowser.open", lambda url: 1 / 0)
    source = export(tmp_path / "a.csv", ["selamat pagi semua"])
    result = run("scan", source, "--out", tmp_path / "out", "--model", "rules", "--open")
    assert result.exit_code == 1
    assert result.stderr.startswith("netral: unexpected ZeroDivisionError")
    assert result.stderr.count("\n") == 1


def test_open_opens_the_report(monkeypatch, tmp_path, source):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run("scan", source, "--out", tmp_path / "out", "--model", "rules", "--open")
    run("report", tmp_path / "out", "--open")
    assert opened == [(tmp_path / "out" / "laporan.html").as_uri()] * 2


def started(*args: object, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-m", "netral", *map(str, args)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr)


def test_ctrl_c_exits_130_and_the_scan_can_be_resumed(tmp_path):
    source = export(tmp_path / "a.csv", [f"selamat pagi semua {number}" for number in range(40_000)])
    out = tmp_path / "out"
    args = ("scan", source, "--out", out, "--model", "rules")
    child = started(*args)
    journal = out / ".netral" / "journal.jsonl"
    for _ in range(2000):
        if child.poll() is not None or (journal.exists() and journal.read_bytes().count(b"\n") > 1):
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, message = child.communicate(timeout=120)
    assert child.returncode == 130
    assert message == b"netral: interrupted; run the same command with --resume to go on\n"
    result = run(*args, "--resume")
    assert result.exit_code == 0
    assert "40.000" in result.stdout


def test_the_progress_bar_is_drawn_on_a_terminal_alone(tmp_path, source):
    leader, follower = pty.openpty()
    child = started("scan", source, "--out", tmp_path / "out", "--model", "rules", stderr=follower)
    os.close(follower)
    drawn = b""
    with suppress(OSError):  # Linux says so when the other end is closed
        while part := os.read(leader, 4096):
            drawn += part
    os.close(leader)
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    assert b"baris" in drawn
    assert b"\x1b" not in said


# ------------------------------------------------------------------------ other commands


def test_verify_exits_0_on_a_good_folder_and_5_on_an_altered_one(tmp_path, source):
    out = tmp_path / "out"
    run("scan", source, "--out", out, "--model", "rules")
    good = run("verify", out, "--rejudge", 10)
    assert (good.exit_code, good.stderr) == (0, "")
    (out / "groups.jsonl").write_text("{}\n")
    bad = run("verify", out)
    assert bad.exit_code == 5
    assert "groups.jsonl" in bad.stdout


def test_report_renders_the_page_again(tmp_path, source):
    out = tmp_path / "out"
    run("scan", source, "--out", out, "--model", "rules")
    (out / "laporan.html").unlink()
    assert run("report", out).exit_code == 0
    assert (out / "laporan.html").exists()
    assert run("verify", out).exit_code == 0


def test_rules_check_runs_the_lines_of_a_folder(tmp_path):
    rule = """[[rule]]
id = "own-{name}"
flag = "partisan"
weight = 0.9
terms = ["kuning menyala"]
why = "Semboyan"
match = ["{match}"]
skip = ["selamat pagi"]
"""
    (tmp_path / "own.toml").write_text(rule.format(name="good", match="kuning menyala"))
    good = run("rules", "check", tmp_path)
    assert (good.exit_code, good.stdout) == (0, "1 rules, 2 lines: all as expected\n")
    (tmp_path / "own.toml").write_text(rule.format(name="bad", match="hijau"))
    bad = run("rules", "check", tmp_path)
    assert bad.exit_code == 1
    assert "own-bad" in bad.stdout


def test_contest_list_names_the_bundled_rosters():
    result = run("contest", "list")
    assert result.exit_code == 0
    assert "pemilu-2024" in result.stdout


def test_contest_check_lists_what_nobody_has_checked(tmp_path):
    path = tmp_path / "lokal.toml"
    path.write_text(
        'id = "lokal"\ntitle = "Pilkada"\nscope = "Kabupaten X"\nvote = 2024-11-27\n'
        '[[offices]]\nid = "bupati"\ntitle = "Bupati"\n'
        '[[offices.candidates]]\nname = "Ani"\nnumber = 1\nnames = ["ani"]\nchecked = true\n'
        '[[offices.candidates]]\nname = "Budi"\nnumber = 2\nnames = ["budi"]\n'
    )
    result = run("contest", "check", path)
    assert result.exit_code == 0
    assert "unchecked: bupati 2 Budi" in result.stdout
    assert "Ani" not in result.stdout


def test_model_info_says_what_is_shipped():
    result = run("model", "info")
    assert result.exit_code == 0
    said = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    policy = netral.load().policy
    assert netral.load().version.split("/")[1] == said["version"]
    assert json.loads(said["policy"])["thresholds"] == policy.thresholds


@pytest.mark.parametrize("command", ["", "predict", "scan", "report", "verify", "rules", "contest", "model"])
def test_every_command_has_help(command):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_importing_the_command_line_loads_no_heavy_library():
    heavy = "torch transformers onnxruntime tokenizers numpy polars openpyxl xlsxwriter jinja2 rich datasketch sqlite3"
    code = f"import sys, netral.cli; print([name for name in {heavy.split()!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"

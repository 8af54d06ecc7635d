"""The scan: no row is lost, any interruption is repaired byte for byte, and a finished folder verifies."""

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from scan_child import Hashed

import netral
from netral.errors import ReadError, ScanError
from netral.readers.records import Columns
from netral.scan import Job, NothingReadable, Tally, scan, verify
from netral.scan.cache import CachedClassifier
from netral.scan.journal import held
from netral.schema import Post, Prediction
from netral.screener import Screener

CHILD = Path(__file__).with_name("scan_child.py")
TEXTS = [
    "Ayo coblos nomor 2, pilih Prabowo Gibran!",
    "Jadwal posyandu bulan ini hari Rabu",
    "Dilarang kampanye di kantor, ASN harus netral",
    "Cina kafir harus diusir dari negeri ini",
    "Menangkan Ganjar Mahfud, pilih nomor 3",
]


def export(path: Path, count: int, *, odd: bool = True) -> Path:
    """Write an export of `count` rows; every tenth is empty or ragged when `odd`."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "username", "created_at", "full_text"])
        for number in range(count):
            text = f"{TEXTS[number % 5]} {number // 7}"
            if odd and number % 20 == 9:
                text = ""
            row = [number, f"u{number % 3}", "2024-01-20T10:00:00+07:00", text]
            writer.writerow(row if not odd or number % 20 != 19 else [number])
    return path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def hashed(rules_screener) -> Screener:
    return Screener(rules_screener.rules, Hashed(), model="hashed")


def test_a_scan_writes_every_file_and_accounts_for_every_row(tmp_path, rules_screener):
    source = export(tmp_path / "a.csv", 100)
    out = tmp_path / "out"
    done = scan(Job((str(source),), out, model="rules", part=30), rules_screener)
    assert {path.name for path in out.iterdir()} == {
        "verdicts.jsonl", "rejected.jsonl", "explanations.jsonl", "groups.jsonl", "laporan.html", "manifest.json",
    }  # fmt: skip
    rows = json.loads((out / "manifest.json").read_text())["rows"]
    assert rows["records"] == 100 == rows["verdicts"] + rows["rejected"] + rows["skipped"]
    assert rows["verdicts"] == len(lines(out / "verdicts.jsonl")) == sum(rows["labels"].values())
    assert rows["rejected"] == len(lines(out / "rejected.jsonl")) == sum(rows["rejected_by_reason"].values())
    assert rows["skipped"] == sum(rows["skipped_by_reason"].values()) == 5
    assert Tally.from_dict(rows) == done.tally


def test_verdicts_are_those_of_the_screener_in_order(tmp_path, rules_screener):
    source = export(tmp_path / "a.csv", 60, odd=False)
    scan(Job((str(source),), tmp_path / "out", model="rules", part=7), rules_screener)
    written = lines(tmp_path / "out" / "verdicts.jsonl")
    posts = [row["post"] for row in written]
    assert [post["id"] for post in posts] == [str(number) for number in range(60)]
    again = rules_screener.stream(Post(post["text"]) for post in posts)
    assert [row["flags"] for row in written] == [dict(verdict.flags) for verdict in again]


def test_a_long_post_is_rejected_and_the_scan_goes_on(tmp_path, rules_screener):
    source = tmp_path / "a.jsonl"
    texts = ["pilih nomor 2", "x" * 100_001, "selamat pagi semua"]
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    done = scan(Job((str(source),), tmp_path / "out"), rules_screener)
    assert (done.tally.verdicts, dict(done.tally.rejected)) == (2, {"text-too-long": 1})


def test_a_folder_that_is_not_empty_is_refused(tmp_path, rules_screener):
    source = export(tmp_path / "a.csv", 5)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(ScanError, match="not empty"):
            scan(Job((str(source),), tmp_path / "out"), rules_screener, resume=resume)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def test_an_output_folder_inside_the_input_is_refused(tmp_path, rules_screener):
    export(tmp_path / "a.csv", 5)
    with pytest.raises(ScanError, match="inside the input"):
        scan(Job((str(tmp_path),), tmp_path / "out"), rules_screener)


@pytest.mark.parametrize("fields", [{"format": "pdf"}, {"part": 0}, {"explain": -1}, {"paths": ()}])
def test_a_job_that_no_scan_can_do_is_refused(tmp_path, fields):
    with pytest.raises(ScanError):
        Job(**{"paths": ("a.csv",), "out": tmp_path, **fields})


@pytest.mark.parametrize(
    "fields", [{"paths": "a.csv"}, {"paths": Path("a.csv")}, {"paths": (Path("a.csv"),)}, {"out": "o"}]
)
def test_a_job_of_other_types_is_refused(tmp_path, fields):
    with pytest.raises(TypeError, match=r"not (a tuple of str|pathlib\.Path)"):
        Job(**{"paths": ("a.csv",), "out": tmp_path, **fields})


def test_resume_starts_afresh_where_nothing_is_there_yet(tmp_path, rules_screener):
    source = export(tmp_path / "a.csv", 10)
    for out in (tmp_path / "missing", tmp_path / "empty"):
        if out.name == "empty":
            out.mkdir()
        assert scan(Job((str(source),), out), rules_screener, resume=True).tally.records == 10


class Stop(Exception):
    """Stands for a crash at one report of progress."""


@pytest.mark.parametrize("at", [1, 2, 4, 7, 11])
def test_a_scan_stopped_anywhere_resumes_to_the_same_bytes(tmp_path, hashed, at):
    source = export(tmp_path / "a.csv", 200)
    whole = tmp_path / "whole"
    scan(Job((str(source),), whole, part=30, explain=5), hashed)
    job = Job((str(source),), tmp_path / "out", part=30, explain=5)
    calls = 0

    def stop(stage: str, tally: Tally) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Stop

    with suppress(Stop):
        scan(job, hashed, progress=stop)
    scan(job, hashed, resume=True)
    for name in ("verdicts.jsonl", "rejected.jsonl", "explanations.jsonl", "groups.jsonl"):
        assert (job.out / name).read_bytes() == (whole / name).read_bytes()
    assert not (job.out / ".netral").exists()


def run_child(*args: object, **options: object) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHILD.parent.parent), *sys.path])}
    return subprocess.Popen(
        [sys.executable, str(CHILD), *map(str, args)], env=environment, stderr=subprocess.PIPE, **options
    )


def finish(*args: object) -> int:
    child = run_child(*args)
    child.communicate(timeout=120)
    return child.returncode


def test_killed_at_random_moments_the_files_come_out_the_same(tmp_path, hashed):
    source = export(tmp_path / "a.csv", 1_500)
    whole, out = tmp_path / "whole", tmp_path / "out"
    scan(Job((str(source),), whole, format="csv", explain=5, part=40), hashed)
    chance = random.Random(20240214)
    kills = 0
    for attempt in range(30):
        child = run_child(source, out)
        try:
            child.wait(timeout=chance.uniform(0.2, 1.0) * 1.1**attempt)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            kills += 1
        child.communicate()
        if child.returncode == 0:
            break
    assert child.returncode == 0 or finish(source, out) == 0
    assert kills >= 1
    for name in ("verdicts.jsonl", "rejected.jsonl", "groups.jsonl", "verdicts.csv", "explanations.jsonl"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_full_disk_ends_with_a_clear_error_and_can_be_resumed(tmp_path, hashed):
    source = export(tmp_path / "a.csv", 400)
    whole, out = tmp_path / "whole", tmp_path / "out"
    scan(Job((str(source),), whole, format="csv", explain=5, part=40), hashed)
    size = (whole / "verdicts.jsonl").stat().st_size
    child = run_child(source, out, size // 2)
    _, message = child.communicate(timeout=120)
    assert child.returncode == 1
    assert b"no room left" in message
    assert b"--resume" in message
    assert b"Traceback" not in message
    assert finish(source, out) == 0
    assert (out / "verdicts.jsonl").read_bytes() == (whole / "verdicts.jsonl").read_bytes()


def interrupted(job: Job, screener: Screener) -> None:
    def stop(stage: str, tally: Tally) -> None:
        if tally.records > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(job, screener, progress=stop)


def test_resuming_under_other_options_names_what_differs(tmp_path, hashed, rules_screener):
    source = export(tmp_path / "a.csv", 200)
    job = Job((str(source),), tmp_path / "out", part=30)
    interrupted(job, hashed)
    with pytest.raises(ScanError, match="options format: jsonl before, csv now"):
        scan(Job(job.paths, job.out, part=30, format="csv"), hashed, resume=True)
    with pytest.raises(ScanError, match="versions verdict"):
        scan(job, rules_screener, resume=True)
    source.write_text(source.read_text() + "1,u,2024-01-20,pilih nomor 2\n")
    with pytest.raises(ScanError, match=r"inputs .*a\.csv"):
        scan(job, hashed, resume=True)


def test_a_scan_resumes_under_another_patch_of_python_and_with_other_cores(tmp_path, hashed, monkeypatch):
    job = Job((str(export(tmp_path / "a.csv", 200)),), tmp_path / "out", part=30)
    interrupted(job, hashed)
    for python, cores in (("3.99.1", 98), ("3.99.2", 99)):
        monkeypatch.setattr("platform.python_version", lambda python=python: python)
        monkeypatch.setattr("netral.model.usable_cores", lambda cores=cores: cores)
        assert scan(job, hashed, resume=True).tally.records == 200
    manifest = json.loads((job.out / "manifest.json").read_text())
    assert (manifest["python"], manifest["threads"]) == ("3.99.1", 98)  # of the process that finished it


def test_resuming_a_finished_scan_changes_nothing(tmp_path, rules_screener):
    job = Job((str(export(tmp_path / "a.csv", 50)),), tmp_path / "out")
    first = scan(job, rules_screener)
    before = {path.name: path.read_bytes() for path in job.out.iterdir()}
    assert scan(job, rules_screener, resume=True) == first
    assert {path.name: path.read_bytes() for path in job.out.iterdir()} == before
    with pytest.raises(ScanError, match="options explain"):
        scan(Job(job.paths, job.out, explain=1), rules_screener, resume=True)


def test_a_scan_killed_before_its_report_renders_it_when_resumed(tmp_path, rules_screener):
    job = Job((str(export(tmp_path / "a.csv", 50)),), tmp_path / "out")
    done = scan(job, rules_screener)
    done.report.unlink()
    (job.out / ".netral").mkdir()
    assert scan(job, rules_screener, resume=True) == done
    assert done.report.exists()
    assert not (job.out / ".netral").exists()


def test_an_input_that_grows_while_it_is_scanned_is_an_error(tmp_path, rules_screener):
    source = export(tmp_path / "a.csv", 100)

    def grow(stage: str, tally: Tally) -> None:
        with source.open("a") as stream:
            stream.write("7,u,2024-01-20,selamat pagi\n")

    with pytest.raises(ScanError, match="changed while it was scanned"):
        scan(Job((str(source),), tmp_path / "out"), rules_screener, progress=grow)


def test_an_input_that_changes_in_place_while_it_is_scanned_is_an_error(tmp_path, rules_screener):
    source = export(tmp_path / "a.csv", 100)
    os.utime(source, (0, 0))
    job = Job((str(source),), tmp_path / "out")

    def change(stage: str, tally: Tally) -> None:
        source.write_bytes(source.read_bytes().replace(b"Prabowo", b"Ganjar "))

    with pytest.raises(ScanError, match="changed while it was scanned"):
        scan(job, rules_screener, progress=change)
    with pytest.raises(ScanError, match=r"inputs .*a\.csv"):
        scan(job, rules_screener, resume=True)


def test_an_input_with_another_time_is_the_same_input(tmp_path, hashed):
    source = export(tmp_path / "a.csv", 200)
    job = Job((str(source),), tmp_path / "out", part=30)
    interrupted(job, hashed)
    for _ in ("unfinished", "finished"):
        os.utime(source, (0, 0))
        assert scan(job, hashed, resume=True).tally.records == 200
    assert verify(job.out) == []


def test_links_and_hidden_files_of_a_folder_decide_over_nothing(tmp_path, rules_screener):
    (tmp_path / "in" / "__MACOSX").mkdir(parents=True)
    export(tmp_path / "in" / "a.csv", 50)
    log, hidden = tmp_path / "log", tmp_path / "in" / "__MACOSX" / "x"
    log.write_text("begun\n")
    hidden.write_text("one")
    (tmp_path / "in" / "log.csv").symlink_to(log)
    job = Job((str(tmp_path / "in"),), tmp_path / "out", model="rules")

    def grow(stage: str, tally: Tally) -> None:
        for path in (log, hidden):
            path.write_text(path.read_text() + "more\n")

    done = scan(job, rules_screener, progress=grow)
    assert verify(job.out) == []
    assert scan(job, rules_screener, resume=True) == done
    (item,) = json.loads((job.out / "manifest.json").read_text())["inputs"]
    assert item["path"].endswith("a.csv")


def test_inputs_of_one_name_are_told_apart(tmp_path, rules_screener, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("k1", "k2"):
        Path(name).mkdir()
        export(Path(name, "export.csv"), 20)
        with zipfile.ZipFile(f"{name}.zip", "w") as archive:
            archive.write(f"{name}/export.csv", "export.csv")
    export(Path("lain.csv"), 20)

    def files(number: int, *paths: str) -> list[object]:
        job = Job(paths, Path(f"out{number}"))
        scan(job, rules_screener)
        rejected = {row["file"] for row in lines(job.out / "rejected.jsonl")}
        found = dict.fromkeys(row["post"]["meta"]["file"] for row in lines(job.out / "verdicts.jsonl"))
        assert rejected == set(found)
        return list(found)

    assert files(1, "k1/export.csv", "k2/export.csv", "lain.csv") == ["k1/export.csv", "k2/export.csv", "lain.csv"]
    assert files(2, "k1.zip", "k2.zip", "k2/export.csv") == ["k1.zip/export.csv", "k2.zip/export.csv", "export.csv"]
    assert files(3, "k1", "k2") == ["k1/export.csv", "k2/export.csv"]
    assert files(4, "k1/export.csv", "lain.csv") == ["export.csv", "lain.csv"]
    assert files(5, "k1.zip") == files(6, "k1") == ["export.csv"]


def test_a_pipe_is_not_taken_for_a_file(tmp_path, rules_screener):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReadError, match="give '-'"):
        scan(Job((str(tmp_path / "pipe"),), tmp_path / "out"), rules_screener)
    assert list((tmp_path / "out").iterdir()) == []


def test_two_scans_cannot_write_into_one_folder(tmp_path, hashed):
    job = Job((str(export(tmp_path / "a.csv", 100)),), tmp_path / "out", part=30)

    def second(stage: str, tally: Tally) -> None:
        with pytest.raises(ScanError, match="another scan"):
            scan(job, hashed, resume=True)

    scan(job, hashed, progress=second)


def test_the_folder_is_held_before_anything_in_it_is_looked_at(tmp_path, hashed):
    job = Job((str(export(tmp_path / "a.csv", 10)),), tmp_path / "out")
    with held(job.out), pytest.raises(ScanError, match="another scan"):
        scan(job, hashed, resume=True)
    scan(job, hashed)


def test_of_copies_only_the_first_is_explained(tmp_path, stub, rules_screener):
    place = tmp_path / "a.csv"
    broadcast = "Kabar penting untuk semua warga desa, mohon diteruskan ke grup masing masing ya"
    rows = [broadcast] * 5 + [f"kalimat lain nomor {index} tentang {'abcdefgh'[index] * 9}" for index in range(3)]
    place.write_text("isi\n" + "".join(f'"{row}"\n' for row in rows), encoding="utf-8")
    sure = stub(lambda text: {"partisan": 0.99 if text == broadcast else 0.9, "hate": 0.0, "hoax": 0.0})
    scan(Job((str(place),), tmp_path / "out", explain=3), netral.Screener(rules_screener.rules, sure))
    explained = [row["line"] for row in lines(tmp_path / "out" / "explanations.jsonl")]
    assert len(explained) == 3
    assert [line for line in explained if line <= 5] == [1]


def test_a_torn_last_line_of_the_journal_is_ignored(tmp_path, hashed):
    job = Job((str(export(tmp_path / "a.csv", 200)),), tmp_path / "out", part=30)
    interrupted(job, hashed)
    journal = job.out / ".netral" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"judged": fal')
    assert scan(job, hashed, resume=True).tally.records == 200


def test_nothing_readable_leaves_an_empty_folder(tmp_path, rules_screener):
    source = tmp_path / "broken.zip"
    source.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(NothingReadable, match=r"broken\.zip"):
        scan(Job((str(source),), tmp_path / "out"), rules_screener)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unreadable_input_beside_a_good_one_is_a_rejection(tmp_path, rules_screener):
    bad = tmp_path / "broken.zip"
    bad.write_bytes(b"PK\x03\x04 cut off")
    done = scan(Job((str(bad), str(export(tmp_path / "a.csv", 5))), tmp_path / "out"), rules_screener)
    assert (done.tally.records, done.tally.files, dict(done.tally.rejected)) == (6, 1, {"unreadable-file": 1})


def test_a_named_column_that_is_missing_is_nothing_readable(tmp_path, rules_screener):
    job = Job((str(export(tmp_path / "a.csv", 5)),), tmp_path / "out", columns=Columns(text="isi"))
    with pytest.raises(NothingReadable, match="no column 'isi'"):
        scan(job, rules_screener)


def test_near_identical_findings_are_grouped(tmp_path, rules_screener):
    call = "Saudara sekalian, mari kita coblos nomor 2 Prabowo Gibran demi Indonesia maju, sebarkan ke grup lain"
    texts = [call, "selamat pagi semua", call + "!!", "@budi " + call, "Menangkan Ganjar Mahfud, pilih nomor 3", call]
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps({"text": text, "time": "2024-01-20"}) + "\n" for text in texts))
    scan(Job((str(source),), tmp_path / "out"), rules_screener)
    groups = lines(tmp_path / "out" / "groups.jsonl")
    assert groups == [{"line": 1, "size": 4, "label": "partisan_support", "copies": [1, 3, 4, 6]}]


def test_explanations_hold_model_evidence_of_the_most_certain_findings(tmp_path, rules_screener, stub):
    class Word(stub):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__(lambda text: {"hate": 0.95 if "bodoh" in text else 0.7 if "jelek" in text else 0.1})

    source = tmp_path / "a.jsonl"
    source.write_text("".join(f'{{"text": "{text}"}}\n' for text in ("kamu jelek", "apa kabar", "kamu bodoh")))
    scan(Job((str(source),), tmp_path / "out", explain=1), Screener(rules_screener.rules, Word()))
    (row,) = lines(tmp_path / "out" / "explanations.jsonl")
    assert row["line"] == 3
    assert [("kamu bodoh"[item["start"] : item["end"]], item["source"]) for item in row["evidence"]] == [
        ("bodoh", "model")
    ]


def test_the_cache_asks_once_for_each_text_and_stays_bounded(stub):
    model = stub(lambda text: {"hate": len(text) / 100})
    cache = CachedClassifier(model, max_texts=2)
    assert cache.predict(["a", "bb", "a"]) == [*model.predict(["a", "bb", "a"])]
    model.asked.clear()
    assert [item.flags["hate"] for item in cache.predict(["bb", "ccc", "a"])] == [0.02, 0.03, 0.01]
    assert model.asked == ["ccc"]
    assert len(cache._known) == 2


def test_duplicates_are_judged_once_within_a_part_and_anew_in_the_next(tmp_path, rules_screener, stub):
    model = stub(lambda text: {})
    source = tmp_path / "a.jsonl"
    source.write_text('{"text": "selamat pagi semua"}\n' * 10)
    scan(Job((str(source),), tmp_path / "out", part=5), Screener(rules_screener.rules, model))
    assert model.asked == ["selamat pagi semua"] * 2


def test_rules_and_contest_see_each_duplicate_with_its_own_time(tmp_path, rules_screener, stub):
    rows = [{"text": "coblos nomor 2", "created_at": day} for day in ("2024-01-20T00:00:00Z", "2021-06-01T00:00:00Z")]
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    screener = Screener(rules_screener.rules, stub(lambda text: {"partisan": 0.9}))
    scan(Job((str(source),), tmp_path / "out"), screener)
    first, second = lines(tmp_path / "out" / "verdicts.jsonl")
    assert first["flags"] == second["flags"]
    assert first["regulations"] != second["regulations"]


def test_standard_input_is_kept_for_resuming(tmp_path, hashed, monkeypatch):
    data = export(tmp_path / "a.csv", 200).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    job = Job(("-",), tmp_path / "out", part=30)
    interrupted(job, hashed)
    assert scan(job, hashed, resume=True).tally.records == 200
    assert scan(job, hashed, resume=True).tally.records == 200
    assert json.loads((job.out / "manifest.json").read_text())["inputs"][0]["path"] == "-"


def test_lone_surrogates_become_replacement_characters(tmp_path, rules_screener):
    source = tmp_path / "a.jsonl"
    source.write_text('{"text": "pilih \\ud83d nomor 2"}\n')
    scan(Job((str(source),), tmp_path / "out"), rules_screener)
    (row,) = lines(tmp_path / "out" / "verdicts.jsonl")
    assert row["post"]["text"] == "pilih \ufffd nomor 2"


def test_a_finished_scan_verifies_and_judges_the_same_again(tmp_path):
    source = export(tmp_path / "a.csv", 60)
    scan(Job((str(source),), tmp_path / "out", model="rules"), netral.load("rules"))
    assert verify(tmp_path / "out", rejudge=20) == []


@pytest.mark.parametrize(
    ("model", "rules", "contest"), [("mine", "own", "lokal.toml"), ("rules", "rules", "pemilu-2024")]
)
def test_a_scan_is_judged_again_from_any_folder(tmp_path, monkeypatch, model, rules, contest):
    home = tmp_path / "home"
    for folder in (home, home / rules, home / "pemilu-2024", tmp_path / "else"):
        folder.mkdir()
    (home / "mine").symlink_to(Path(netral.__file__).parent / "resources" / "model")
    (home / rules / "own.toml").write_text(
        '[[rule]]\nid = "own"\nflag = "partisan"\nweight = 0.9\nterms = ["posyandu"]\nwhy = "Contoh"\n'
        'match = ["posyandu"]\nskip = ["selamat pagi"]\n'
    )
    (home / "lokal.toml").write_text(
        'id = "lokal"\ntitle = "Pilkada"\nscope = "Kabupaten X"\nvote = 2024-11-27\n'
        '[[offices]]\nid = "bupati"\ntitle = "Bupati"\n'
        '[[offices.candidates]]\nname = "Budi"\nnumber = 2\nnames = ["budi"]\n'
    )
    monkeypatch.chdir(home)
    source = export(Path("a.csv"), 10, odd=False)
    job = Job((str(source),), Path("out"), model=model, rules=rules, contest=contest, explain=0)
    scan(job, netral.load(model, rules=Path(rules), contest=contest))
    monkeypatch.chdir(tmp_path / "else")
    assert verify(home / "out", rejudge=10) == []


def test_verify_finds_what_was_altered(tmp_path):
    source = export(tmp_path / "a.csv", 60)
    out = tmp_path / "out"
    scan(Job((str(source),), out, model="rules"), netral.load("rules"))
    (out / "laporan.html").write_text("rendered again")
    assert verify(out) == []
    verdicts = (out / "verdicts.jsonl").read_bytes()
    (out / "verdicts.jsonl").write_bytes(verdicts.replace(b"Prabowo", b"Ganjar "))
    assert verify(out, rejudge=5) == ["verdicts.jsonl: not the file that was written (SHA-256 differs)"]
    (out / "verdicts.jsonl").write_bytes(verdicts)
    (out / "rejected.jsonl").unlink()
    source.write_text("text\nlain\n")
    found = verify(out)
    assert found[0] == "rejected.jsonl: missing"
    assert found[1].endswith("a.csv: not the input that was scanned (SHA-256 differs)")


def test_a_table_without_a_column_of_texts_is_rejected_by_name_beside_others(tmp_path, rules_screener):
    good, odd = tmp_path / "a.csv", tmp_path / "b.csv"
    good.write_text("Isi\nsatu dua\n", encoding="utf-8")
    odd.write_text("Kolom A,Kolom B\nsatu dua tiga,satu dua tiga\n", encoding="utf-8")
    done = scan(Job((str(good), str(odd)), tmp_path / "out", model="rules"), rules_screener)
    assert (done.tally.verdicts, done.tally.rejected) == (1, {"no-text-field": 1})


def test_a_scan_that_judged_nothing_says_so(tmp_path, rules_screener, caplog):
    source = tmp_path / "a.csv"
    source.write_text("No;Isi\n1;\n2;\n", encoding="utf-8")
    assert scan(Job((str(source),), tmp_path / "out", model="rules"), rules_screener).tally.records == 2
    assert caplog.messages == ["no post was judged, every record was rejected or skipped; name the right --text-column"]


def test_inputs_are_found_from_any_folder_and_missing_ones_are_said(tmp_path, rules_screener, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv"):
        export(Path(name), 20)
    scan(Job(("a.csv", "b.csv"), Path("out")), rules_screener)
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert verify(Path("../out")) == []
    assert caplog.messages == []
    (tmp_path / "a.csv").unlink()
    export(tmp_path / "b.csv", 21)
    assert verify(Path("../out")) == ["b.csv: not the input that was scanned (SHA-256 differs)"]
    assert caplog.messages == ["1 dari 2 masukan tidak ditemukan dan tidak diperiksa"]


def test_verify_counts_the_labels(tmp_path, rules_screener):
    out = tmp_path / "out"
    scan(Job((str(export(tmp_path / "a.csv", 20)),), out), rules_screener)
    manifest = json.loads((out / "manifest.json").read_text())
    neutral = manifest["rows"]["labels"]["neutral"]
    manifest["rows"]["labels"]["neutral"] = 1
    (out / "manifest.json").write_text(json.dumps(manifest))
    assert verify(out) == [f"verdicts.jsonl: {neutral} neutral, the manifest says 1"]


@pytest.mark.parametrize("manifest", ["", "null", "[" * 100_000, "{}", {"rows": 5}, {"inputs": [{}]}, {"rows": {}}])
def test_an_altered_manifest_is_a_mismatch_and_cannot_be_resumed(tmp_path, rules_screener, manifest):
    job = Job((str(export(tmp_path / "a.csv", 20)),), tmp_path / "out")
    scan(job, rules_screener)
    path = job.out / "manifest.json"
    whole = json.loads(path.read_text())
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(whole | manifest))
    (found,) = verify(job.out)
    assert "manifest.json" in found
    with pytest.raises(ScanError, match=r"manifest\.json"):
        scan(job, rules_screener, resume=True)


def test_rejudging_finds_a_forged_verdict(tmp_path):
    source = export(tmp_path / "a.csv", 20)
    out = tmp_path / "out"
    scan(Job((str(source),), out, model="rules"), netral.load("rules"))
    forged = (out / "verdicts.jsonl").read_bytes().replace(b'"partisan_support"', b'"hoax_hate"', 1)
    (out / "verdicts.jsonl").write_bytes(forged)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["files"]["verdicts.jsonl"]["sha256"] = sha256(forged).hexdigest()
    manifest["rows"]["labels"]["partisan_support"] -= 1
    manifest["rows"]["labels"]["hoax_hate"] += 1
    (out / "manifest.json").write_text(json.dumps(manifest))
    assert verify(out) == []
    (found,) = verify(out, rejudge=20)
    assert "label differ" in found


def test_verify_without_a_manifest_says_what_to_do(tmp_path):
    with pytest.raises(ScanError, match="--resume"):
        verify(tmp_path)


def test_a_prediction_is_shared_only_by_equal_texts():
    class Length:
        def predict(self, texts):
            return [Prediction({"partisan": 0.0, "hate": 0.0, "hoax": 1 / len(text)}) for text in texts]

    texts = ["a", "\ud800", "aa", "a"]
    assert [item.flags["hoax"] for item in CachedClassifier(Length()).predict(texts)] == [1.0, 1.0, 0.5, 1.0]

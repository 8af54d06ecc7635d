"""On Ray: the same verdicts as in one process, files in any format, and a killed worker costs nothing."""

import csv
import gzip
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

ray = pytest.importorskip("ray")
polars = pytest.importorskip("polars")

from click.testing import CliRunner  # noqa: E402

import netral  # noqa: E402
from netral.cli import main  # noqa: E402
from netral.distributed import judge_files, judging  # noqa: E402
from netral.distributed.storage import files_of  # noqa: E402
from netral.distributed.workers import Setup  # noqa: E402
from netral.errors import ContestError, ReadError, ScanError  # noqa: E402
from netral.scan import Job, NothingReadable, scan, verify  # noqa: E402
from netral.schema import FLAGS  # noqa: E402

# Ray warns of its own doings
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray", "ignore::FutureWarning:ray")
CORPUS = Path(__file__).parent.parent / "data" / "corpus"


def corpus(count: int) -> list[dict[str, str]]:
    lines = [line for path in sorted(CORPUS.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    rows = [json.loads(line) for line in lines]
    every = rows[:: len(rows) // count][:count]
    return [{"id": row["id"], "created_at": "2024-02-01T08:00:00+07:00", "full_text": row["text"]} for row in every]


def export(folder: Path, kind: str, rows: list[dict[str, str]]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"export.{kind}"
    if kind == "parquet":
        polars.DataFrame(rows).write_parquet(path)
    elif kind == "csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def broken(folder: Path) -> None:
    """Add a packed file of one broken line, and one that is no data."""
    (folder / "more.jsonl.gz").write_bytes(gzip.compress(b'{"full_text": "selamat pagi"\n'))
    (folder / "_SUCCESS").touch()


def written(folder: Path, kind: str, stem: str = "*") -> dict[str, dict[str, object]]:
    """Return the rows of all files of verdicts by the id of their post."""
    rows: list[dict[str, object]] = []
    for path in folder.glob(f"{stem}.{kind}"):
        if kind == "jsonl":
            lines = [json.loads(line) for line in path.read_bytes().splitlines()]
            rows += [{"id": line["post"]["id"], "label": line["label"], **line["flags"]} for line in lines]
        else:
            rows += (polars.read_parquet(path) if kind == "parquet" else polars.read_csv(path)).to_dicts()
    assert len({row["id"] for row in rows}) == len(rows)
    return {str(row["id"]): row for row in rows}


def assert_equal(found: dict[str, dict[str, object]], expected: dict[str, dict[str, object]]) -> None:
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        assert found[key]["label"] == row["label"]
        assert [found[key][flag] for flag in FLAGS] == pytest.approx([row[flag] for flag in FLAGS], abs=1e-4)


def workers() -> list[int]:
    """Return the processes of this test's own Ray that judge: children of its raylet."""
    facts = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            facts[int(entry.name)] = (int(parent), (entry / "cmdline").read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    mine = {pid for pid, (parent, _) in facts.items() if parent == os.getpid()}
    return [pid for pid, (parent, line) in facts.items() if parent in mine and "Worker" in line.partition("ray::")[2]]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # as urgent as the tests themselves
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="warning")
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def local(rules_screener, tmp_path_factory) -> Path:
    """A scan of 300 posts by the engine of one process."""
    folder = tmp_path_factory.mktemp("local")
    source = export(folder / "in", "csv", [*corpus(300), {"id": "blank", "created_at": "", "full_text": ""}])
    scan(Job((str(source),), folder / "out", model="rules"), rules_screener)
    return folder


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_files_are_judged_as_by_the_local_engine(tmp_path, local, kind):
    export(tmp_path / "in", kind, corpus(300))
    broken(tmp_path / "in")
    out = f"local://{tmp_path}/out" if kind == "csv" else tmp_path / "out"  # fsspec's own scheme
    tally = judge_files(tmp_path / "in", out, model="rules", format=kind, workers=1, batch=50, rows_per_file=100)
    assert (tally.records, tally.verdicts, tally.rejected.total()) == (301, 300, 1)
    assert len(list((tmp_path / "out" / "verdicts").iterdir())) == 3
    (rejected,) = (tmp_path / "out" / "rejected").iterdir()
    assert json.loads(rejected.read_bytes())["file"] == str(tmp_path / "in" / "more.jsonl.gz")
    assert_equal(written(tmp_path / "out" / "verdicts", kind), written(local / "out", "jsonl", "verdicts"))
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["rows"] == tally.to_dict()


def test_a_killed_worker_is_replaced_and_every_file_comes_out(tmp_path, rules_screener):
    rows = [row | {"full_text": row["full_text"] * 40} for row in corpus(800)]
    source = export(tmp_path / "in", "jsonl", rows)
    out, killed, before = tmp_path / "out", [], []

    def kill() -> None:
        while not killed and not (out / "manifest.json").exists():
            time.sleep(0.02)
            if any(out.glob("verdicts/*")):
                killed.extend(workers())
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        before.extend(out.glob("verdicts/*"))

    killer = Thread(target=kill, daemon=True)
    killer.start()
    tally = judge_files(source, out, model="rules", format="jsonl", workers=1, batch=25, rows_per_file=25)
    killer.join()
    assert killed
    assert len(before) < len(list(out.glob("verdicts/*"))) == 32
    assert tally.verdicts == 800
    scan(Job((str(source),), tmp_path / "local", model="rules"), rules_screener)
    assert_equal(written(out / "verdicts", "jsonl"), written(tmp_path / "local", "jsonl", "verdicts"))


def test_a_scan_whose_worker_is_killed_writes_the_same_folder(tmp_path, local, rules_screener):
    job = Job((str(local / "in"),), tmp_path / "out", model="rules", part=200)
    killed: list[int] = []

    with judging(job, rules_screener, workers=1) as judge:

        def deadly(posts: Iterator[netral.Post]) -> Iterator[netral.Verdict]:
            for verdict in judge(posts):
                if not killed:
                    killed.extend(workers())
                    for pid in killed:
                        os.kill(pid, signal.SIGKILL)
                yield verdict

        done = scan(job, rules_screener, judge=deadly)
    assert killed
    assert (done.tally.verdicts, done.tally.skipped.total()) == (300, 1)
    assert verify(job.out, rejudge=20) == []
    for name in ("verdicts.jsonl", "rejected.jsonl", "explanations.jsonl", "groups.jsonl"):
        assert (job.out / name).read_bytes() == (local / "out" / name).read_bytes(), name


def test_the_command_scans_with_ray(tmp_path, local):
    arguments = ["scan", str(local / "in" / "export.csv"), "--out", str(tmp_path / "out"), "--model", "rules"]
    found = CliRunner().invoke(main, [*arguments, "--engine", "ray"])
    assert found.exit_code == 0, found.output
    assert (tmp_path / "out" / "verdicts.jsonl").read_bytes() == (local / "out" / "verdicts.jsonl").read_bytes()


def test_without_ray_the_command_says_what_to_install(tmp_path, local, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in [name for name in sys.modules if name.startswith("netral.distributed")]:
        monkeypatch.delitem(sys.modules, name)
    arguments = ["scan", str(local / "in"), "--out", str(tmp_path / "out"), "--model", "rules", "--engine", "ray"]
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 1
    assert "pip install 'netral[ray]'" in found.output


def test_a_worker_of_another_version_is_refused(tmp_path, rules_screener):
    other = netral.Screener(rules_screener.rules, model="other")
    job = Job(("-",), tmp_path, model="rules")
    with pytest.raises(ScanError, match="the machines differ: verdict"), judging(job, other, workers=1) as judge:
        list(judge(iter([netral.Post("pilih nomor 2")])))


def test_a_worker_in_another_folder_finds_model_and_rules(tmp_path, rules_screener, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    Path("rules", "own.toml").write_text(
        '[[rule]]\nid = "own"\nflag = "partisan"\nweight = 0.9\nterms = ["posyandu"]\nwhy = "Contoh"\n'
        'match = ["posyandu"]\nskip = ["selamat pagi"]\n'
    )
    screener = netral.load("rules", rules=Path("rules"))
    setup = Setup.of(screener, "rules", "rules")
    assert setup.model == "rules"
    assert Setup.of(rules_screener, None, None).model is None
    assert Setup.of(rules_screener, "mine", None).model == str(tmp_path / "mine")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert setup.load().version == screener.version


def test_files_of_hidden_folders_are_left_out(tmp_path):
    for name in ("a.csv", "_temporary/0/b.csv", "_delta_log/c.json", "sub/d.csv", "sub/.e.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [place.removeprefix(f"{tmp_path}/") for _, place in files_of(str(tmp_path), None)]
    assert found == ["a.csv", "sub/d.csv"]
    assert len(files_of(str(tmp_path / "_delta_log" / "c.json"), None)) == 1


def test_what_cannot_be_judged_is_an_error(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(ContestError):
        judge_files(__file__, tmp_path / "fresh", model="rules", contest="tidak-ada")
    assert not (tmp_path / "fresh").exists()  # so that the call can be mended and made again
    with pytest.raises(ReadError, match="no file is there"):
        judge_files(tmp_path / "missing", tmp_path / "out")
    with pytest.raises(ReadError, match="nowhere://"):
        judge_files("nowhere://bucket/a.csv", tmp_path / "out")
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(ScanError, match="format"):
        judge_files(tmp_path / "a.csv", tmp_path / "out", format="pdf")
    with pytest.raises(ScanError, match="1 or more"):
        judge_files(tmp_path / "a.csv", tmp_path / "out", workers=0)
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(ScanError, match="not empty"):
        judge_files(tmp_path / "a.csv", tmp_path / "out")


@pytest.mark.parametrize("scheme", ["", "local://"])
def test_nothing_readable_leaves_an_empty_folder(tmp_path, scheme):
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 cut off")
    for _ in range(2):
        with pytest.raises(NothingReadable):
            judge_files([tmp_path / "a.csv", tmp_path / "b.zip"], f"{scheme}{tmp_path}/out", model="rules", workers=1)
        assert list((tmp_path / "out").iterdir()) == []

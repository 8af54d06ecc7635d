"""Judging with Ray (`netral[ray]`): `judge_files` where the files lie on a cluster's storage, `judging` for a scan.

A worker is one process on one core that loads the screener once; every batch passes through `Screener.stream`.
See docs/distributed.md.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from netral.contest import Contest
from netral.errors import NetralError, ReadError, ScanError, WriteError
from netral.readers import Columns, Rejected, Skipped
from netral.readers.records import UNREADABLE_FILE
from netral.scan.cache import cached
from netral.scan.inputs import NothingReadable, read_records
from netral.scan.manifest import MANIFEST, REJECTED, VERDICTS, Job, json_text, versions_of
from netral.scan.run import Judge, write_outcome
from netral.scan.tally import Outcome, Tally
from netral.schema import VERSION, Classifier, Post, Prediction, Verdict
from netral.screener import Screener, load
from netral.writers import RENDERERS, LineFile

try:
    import ray
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]
    from pyarrow import ArrowInvalid, Table, array, table
    from pyarrow import fs as arrow
    from ray import cloudpickle, data
except ImportError as error:
    raise ScanError(f"Ray is not installed ({error}): pip install 'netral[ray]'") from error

BATCH = 1_000
"""Posts that a worker is handed at once by `judge_files`; a killed worker costs as many."""

ROWS_PER_FILE = 50_000
"""Posts of one file that `judge_files` writes, unless it is the last."""

_SCAN_BATCH = 128  # posts: about a second of one core, so that a part's end finds few workers idle
_AHEAD = 3  # batches in flight for each worker of a scan
_WORKERS_PER_READER = 16  # one core reads and writes faster than so many judge
_RETRIES = 5  # a batch that kills its worker as often ends a scan; Ray Data goes on for ever

Record = Post | Rejected | Skipped
_Item = TypeVar("_Item")


# ----------------------------------------------------------------------------------- workers


class _OneByOne:
    """Asks a classifier for one text at a time, which leaves its own pool of threads unused: a worker is one core."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [prediction for text in texts for prediction in self._classifier.predict([text])]


@dataclass(frozen=True, slots=True)
class _Setup:
    """What a worker loads, and the versions it must then have."""

    model: str | None
    rules: str | None
    contest: Contest | None
    versions: Mapping[str, str]

    @classmethod
    def of(cls, screener: Screener, model: str | None, rules: str | None) -> _Setup:
        return cls(model, rules, screener.rules.contest, versions_of(screener, model))

    def load(self) -> Screener:
        """Return the screener on this machine; raises `ScanError` where it is not the like of the driver's."""
        screener = load(self.model, rules=Path(self.rules) if self.rules else None, contest=self.contest)
        here = versions_of(screener, self.model)
        differing = [
            f"{key} {there}, on a worker {here.get(key)}"
            for key, there in self.versions.items()
            if key not in ("python", "machine") and here.get(key) != there
        ]
        if differing:
            raise ScanError(f"the machines differ: {'; '.join(differing)}. Install the same on each of them")
        if screener.classifier is None:
            return screener
        twin = copy(screener)
        twin.classifier = _OneByOne(screener.classifier)
        return cached(twin)


class _Worker:
    """Holds a loaded screener in a process of its own."""

    def __init__(self, setup: _Setup) -> None:
        self._screener: Screener | NetralError
        try:
            self._screener = setup.load()
        except NetralError as error:  # kept until asked to judge: a worker that fails here is started again
            self._screener = error

    def judge(self, posts: Sequence[Post]) -> list[Verdict]:
        if isinstance(self._screener, NetralError):
            raise self._screener
        return list(self._screener.stream(posts))

    def __call__(self, batch: Table) -> Table:
        """Turn the records of each row into outcomes."""
        judged: list[list[Outcome]] = []
        for records in _unpacked(batch):
            posts = [record for record in records if isinstance(record, Post)]
            judged.append([*self.judge(posts), *(record for record in records if not isinstance(record, Post))])
        return _packed(batch["name"].to_pylist(), judged)


def _packed(names: Sequence[str], lists: Sequence[Sequence[Any]]) -> Table:
    """Return rows of a name and a list of records or outcomes."""
    return table({"name": names, "records": array(map(cloudpickle.dumps, lists), "binary")})


def _unpacked(batch: Table) -> Iterator[list[Any]]:
    return map(cloudpickle.loads, batch["records"].to_pylist())


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


@contextmanager
def _cluster() -> Iterator[None]:
    """Use the Ray at hand, or else start it and stop it; its errors become a `ScanError`."""
    ours = not ray.is_initialized()
    if ours:
        _start()
    try:
        yield
    except ray.exceptions.RayError as error:
        raise ScanError(f"Ray: {_reason(error)}") from error
    finally:
        if ours:
            ray.shutdown()


def _start() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports a cluster it starts to its makers
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray has no kind of its own for this
        raise ScanError(f"Ray cannot be reached or started: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return netral's own error out of the traceback that Ray tells, else its last line."""
    text = str(error).strip() or type(error).__name__
    own = re.findall(r"^netral\.errors\.\w+: (.+)", text, re.MULTILINE)
    return str(own[-1] if own else text.splitlines()[-1])


def _cores() -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


# -------------------------------------------------------------------------------------- scan


@contextmanager
def judging(job: Job, screener: Screener, *, workers: int | None = None) -> Iterator[Judge]:
    """Yield what `netral.scan.scan(job, screener, judge=...)` judges by: workers instead of this process.

    Inputs are read and files written here; the cluster needs nothing but netral, and the model and rules under the
    same paths. `workers` is by default every core of the cluster. Raises `ScanError` when Ray fails, or a worker has
    other versions than `screener` was loaded with.
    """
    with _cluster():
        remote = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=_RETRIES)(_Worker)
        setup = _Setup.of(screener, job.model, job.rules)
        actors = [remote.remote(setup) for _ in range(workers or _cores())]
        try:
            yield partial(_in_turn, actors)
        finally:
            actors.clear()  # Ray ends a worker that nobody holds


def _in_turn(actors: Sequence[Any], posts: Iterator[Post]) -> Iterator[Verdict]:
    """Hand batches round, a few ahead; yield the verdicts in order."""
    waiting: deque[Any] = deque()
    for actor, batch in zip(cycle(actors), _batches(posts, _SCAN_BATCH), strict=False):
        waiting.append(actor.judge.remote(batch))
        if len(waiting) >= _AHEAD * len(actors):
            yield from ray.get(waiting.popleft())
    while waiting:
        yield from ray.get(waiting.popleft())


# ------------------------------------------------------------------------------------- files


def judge_files(
    paths: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    model: str | Path | None = None,
    contest: Contest | str | Path | None = None,
    rules: str | Path | None = None,
    columns: Columns | None = None,
    format: str = "parquet",
    filesystem: Any = None,
    workers: int | None = None,
    batch: int = BATCH,
    rows_per_file: int = ROWS_PER_FILE,
) -> Tally:
    """Judge Parquet, CSV and JSONL files on storage that every machine sees; return the row accounting.

    `paths` are files or folders, `out` an empty or missing folder: local paths, URIs that Arrow or fsspec knows
    (`s3://`, `gs://`, `hdfs://` ...), or paths in `filesystem`, one of Arrow's or fsspec's. `model`, `contest` and
    `rules` are those of `netral.load`; `format` is parquet, csv, jsonl or xlsx. `workers` is by default every core.

    `out` receives `verdicts/` (tables as of `netral scan`, in no order of rows), `rejected/` and, last of all,
    `manifest.json`. Raises `ReadError` when a path is not there, `NothingReadable` when no file held a record,
    `ScanError` when `out` is not empty or Ray fails, and what `netral.load` raises.
    """
    if format not in ("jsonl", *RENDERERS):
        raise ScanError(f"format {format!r} is unknown; choose jsonl, {', '.join(RENDERERS)}")
    if min(batch, rows_per_file, 1 if workers is None else workers) < 1:
        raise ScanError("batch, rows_per_file and workers are 1 or more")
    named = [str(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    sources = [source for path in named for source in _files(path, filesystem)]
    target = _Target(*_made(str(out), filesystem), format)
    screener = load(model, rules=Path(rules) if rules else None, contest=contest)
    setup = _Setup.of(screener, str(model) if model else None, str(rules) if rules else None)
    tally = Tally()
    with _cluster():
        for row in _pipeline(sources, columns or Columns(), setup, target, workers or _cores(), batch, rows_per_file):
            tally.join(Tally.from_dict(json.loads(row["tally"])))
    if tally.records == tally.files:
        raise NothingReadable(f"nothing readable in any of {len(sources)} files; {sources[0][1]} is one of them")
    facts = {
        "netral": VERSION,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": tally.to_dict(),
        "versions": dict(setup.versions),
        "policy": screener.policy.to_dict(),
        "options": {"model": setup.model, "rules": setup.rules, "format": format},
        "inputs": [place for _, place in sources],
    }
    target.write(MANIFEST, json_text(facts).encode())
    return tally


def _pipeline(
    sources: Sequence[tuple[Any, str]],
    columns: Columns,
    setup: _Setup,
    target: _Target,
    workers: int,
    batch: int,
    rows_per_file: int,
) -> Iterator[dict[str, str]]:
    """Read, judge and write with Ray Data; yield the tally of each file written."""
    items = [{"source": cloudpickle.dumps((number, *source))} for number, source in enumerate(sources)]
    few = max(1, workers // _WORKERS_PER_READER)
    dataset = data.from_items(items, override_num_blocks=len(items))
    dataset.context.target_max_block_size = 1  # bytes: every row, a batch of posts, is a block and a task of its own
    read = dataset.map_batches(
        _read,
        fn_kwargs={"columns": columns, "size": batch},
        batch_size=1,
        batch_format="pyarrow",
        concurrency=few,
        num_cpus=0,
    )
    judged = read.map_batches(
        _Worker,
        fn_constructor_args=(setup,),
        batch_size=1,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
        num_cpus=1,
    )
    written = judged.map_batches(
        target, batch_size=max(1, rows_per_file // batch), batch_format="pyarrow", concurrency=few, num_cpus=0
    )
    yield from written.iter_rows()


def _read(rows: Table, columns: Columns, size: int) -> Iterator[Table]:
    for number, filesystem, place in map(cloudpickle.loads, rows["source"].to_pylist()):
        for at, records in enumerate(_batches(_records(filesystem, place, columns), size)):
            yield _packed([f"{number:06}-{at:06}"], [records])


def _records(filesystem: Any, place: str, columns: Columns) -> Iterator[Record]:
    """Read a file from a copy, unpacked where its name says so, since some formats are read from their end."""
    name = PurePosixPath(place).name
    with TemporaryDirectory(prefix="netral-") as folder:
        try:
            with filesystem.open_input_stream(place) as source, Path(folder, name).open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except OSError as error:
            yield Rejected(place, 0, f"{UNREADABLE_FILE}: {error}", "")
            return
        for record in read_records([str(Path(folder, name))], Path(), columns):
            inner = record.meta["file"] if isinstance(record, Post) else record.file
            file = place if PurePosixPath(inner).name == name else f"{place}/{inner}"
            if isinstance(record, Post):
                yield replace(record, meta={**record.meta, "file": file})
            else:
                yield replace(record, file=file)


@dataclass(frozen=True, slots=True)
class _Target:
    """The folder that is written to; a file written again, after a worker was killed, takes the first one's place."""

    filesystem: Any
    folder: str
    format: str

    def __call__(self, rows: Table) -> Table:
        """Write the outcomes of some rows; return their tally."""
        tally = Tally()
        with TemporaryDirectory(prefix="netral-") as scratch:
            lines, rejected = Path(scratch, VERDICTS), Path(scratch, REJECTED)
            with closing(LineFile(lines)) as yes, closing(LineFile(rejected)) as no:
                for outcomes in _unpacked(rows):
                    for outcome in outcomes:
                        write_outcome(outcome, tally, yes, no)
                yes.sync()
                no.sync()
            name = rows["name"][0].as_py()
            if tally.rejected:
                self.write(f"rejected/{name}.jsonl", rejected)
            if tally.verdicts:
                if self.format in RENDERERS:
                    RENDERERS[self.format](lines, rendered := Path(scratch, name))
                self.write(f"verdicts/{name}.{self.format}", rendered if self.format in RENDERERS else lines)
        return table({"tally": [json.dumps(tally.to_dict())]})

    def write(self, name: str, content: Path | bytes) -> None:
        """Write one file; raises `WriteError`."""
        try:
            with self.filesystem.open_output_stream(f"{self.folder}/{name}") as stream:
                if isinstance(content, bytes):
                    stream.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, stream, 1 << 20)
        except OSError as error:
            raise WriteError(f"{self.folder}/{name}: cannot be written ({error})") from error


def _place(path: str, filesystem: Any) -> tuple[Any, str]:
    """Return Arrow's filesystem for a path or URI, and the path in it."""
    if filesystem is not None:
        known = isinstance(filesystem, arrow.FileSystem)
        return filesystem if known else arrow.PyFileSystem(arrow.FSSpecHandler(filesystem)), path.split("://")[-1]
    if "://" not in path:
        return arrow.LocalFileSystem(), Path(path).absolute().as_posix()
    try:
        found, place = arrow.FileSystem.from_uri(path)
    except ArrowInvalid:  # a scheme that Arrow leaves to fsspec
        try:
            other, place = url_to_fs(path)
        except (ValueError, ImportError) as error:
            raise ReadError(f"{path}: {error}") from error
        found = arrow.PyFileSystem(arrow.FSSpecHandler(other))
    return found, place


def _files(path: str, filesystem: Any) -> list[tuple[Any, str]]:
    """Return the files of a path, those of a folder in order and without `_SUCCESS` and the like."""
    found, place = _place(path, filesystem)
    try:
        info = found.get_file_info(place)
        folder = arrow.FileSelector(place, recursive=True, allow_not_found=True)
        below = [info] if info.is_file else found.get_file_info(folder)
    except OSError as error:
        raise ReadError(f"{path}: {error}") from error
    places = sorted(item.path for item in below if item.is_file and not item.base_name.startswith(("_", ".")))
    if not places:
        raise ReadError(f"{path}: no file is there; check the name")
    return [(found, place) for place in places]


def _made(out: str, filesystem: Any) -> tuple[Any, str]:
    """Return the output folder, made when missing; raises `ScanError` when something is in it."""
    found, place = _place(out, filesystem)
    try:
        if found.get_file_info(arrow.FileSelector(place, allow_not_found=True)):
            raise ScanError(f"{out}: not empty; choose another out")
        for name in ("verdicts", "rejected"):
            found.create_dir(f"{place}/{name}", recursive=True)
    except OSError as error:
        raise WriteError(f"{out}: {error}") from error
    return found, place

"""Files on a cluster's storage, read, judged and written by workers with Ray Data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from pyarrow import Table, table
from ray import cloudpickle, data

from netral.contest import Contest
from netral.distributed.storage import files_of, made
from netral.distributed.workers import Setup, Worker, batches, cluster, cores, packed, unpacked
from netral.errors import ScanError, WriteError
from netral.readers import Columns, Rejected, Skipped
from netral.readers.records import UNREADABLE_FILE
from netral.scan.inputs import NothingReadable, read_records
from netral.scan.manifest import MANIFEST, REJECTED, VERDICTS, json_text
from netral.scan.run import write_outcome
from netral.scan.tally import Tally
from netral.schema import VERSION, Post
from netral.screener import load
from netral.writers import RENDERERS, LineFile

BATCH = 1_000
"""Posts that a worker is handed at once by `judge_files`; a killed worker costs as many."""

ROWS_PER_FILE = 50_000
"""Posts of one file that `judge_files` writes, unless it is the last."""

_WORKERS_PER_READER = 16  # one core reads and writes faster than so many judge


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
    sources = [source for path in named for source in files_of(path, filesystem)]
    screener = load(model, rules=Path(rules) if rules else None, contest=contest)
    target = _Target(*made(str(out), filesystem), format)
    setup = Setup.of(screener, model, rules)
    tally = Tally()
    with cluster():
        for row in _pipeline(sources, columns or Columns(), setup, target, workers or cores(), batch, rows_per_file):
            tally.join(Tally.from_dict(json.loads(row["tally"])))
    if tally.records == tally.files:
        with suppress(OSError):  # left as it was found, so that the call can be mended and made again
            target.filesystem.delete_dir_contents(target.folder, missing_dir_ok=True)
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
    setup: Setup,
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
        Worker,
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
        for at, records in enumerate(batches(_records(filesystem, place, columns), size)):
            yield packed([f"{number:06}-{at:06}"], [records])


def _records(filesystem: Any, place: str, columns: Columns) -> Iterator[Post | Rejected | Skipped]:
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
                for outcomes in unpacked(rows):
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

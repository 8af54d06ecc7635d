"""The scan: files in, files out, in parts that a journal makes resumable."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from netral.errors import ScanError, WriteError
from netral.readers import Rejected, Skipped
from netral.scan.cache import cached
from netral.scan.findings import explain_findings
from netral.scan.groups import group_findings
from netral.scan.inputs import STDIN, Input, NothingReadable, check_unchanged, hash_inputs, read_records, spool_stdin
from netral.scan.journal import JOURNAL, WORK, Checkpoint, Journal, compare, held
from netral.scan.manifest import (
    MANIFEST,
    REJECTED,
    VERDICTS,
    Job,
    fingerprint_in,
    fingerprint_of,
    json_text,
    manifest_of,
    read_manifest,
)
from netral.scan.tally import Outcome, Tally
from netral.schema import Post, Verdict
from netral.screener import Screener
from netral.writers import RENDERERS, LineFile, read_lines, reason_of

logger = logging.getLogger(__name__)

REPORT = "laporan.html"
_TELL = 64  # verdicts between two reports of progress

Progress = Callable[[str, Tally], None]
"""Told the stage ("judging", "finishing") and the counts so far, now and then."""

Judge = Callable[[Iterator[Post]], Iterable[Verdict]]
"""Judges posts lazily and in order, as `Screener.stream` does."""


@dataclass(frozen=True, slots=True)
class Done:
    """A finished scan: its counts and its report."""

    tally: Tally
    report: Path


def scan(
    job: Job,
    screener: Screener,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> Done:
    """Judge every record of `job.paths` into the files of `job.out`; see docs/scan.md.

    `judge` stands in for `screener.stream` where the judging is done elsewhere, by the like of `screener`.
    Interrupted or killed, it goes on with `resume` from the last whole part and ends with the same
    verdicts.jsonl and rejected.jsonl byte for byte. Raises `ScanError` when the folder is not empty
    (without `resume`) or holds another scan, `NothingReadable` when no input held a record, `WriteError`
    when the disk is full.
    """
    _check_place(job)
    with held(job.out):
        return _scan(job, screener, resume, progress or (lambda stage, tally: None), judge)


def _scan(job: Job, screener: Screener, resume: bool, tell: Progress, judge: Judge | None) -> Done:
    work, spool = job.out / WORK, job.out / WORK / "stdin"
    going_on = _prepare(job.out, work, resume)
    if going_on and (job.out / MANIFEST).exists():
        return _finished(job, screener, work)
    try:
        if STDIN in job.paths and not spool.exists():
            spool_stdin(spool)
        inputs = hash_inputs(job.paths, spool)
        fingerprint = fingerprint_of(job, inputs, screener)
        journal = Journal.resume(work, fingerprint) if going_on else Journal.start(work, fingerprint)
    except BaseException:
        if not going_on:  # nothing has begun: leave the folder as it was found
            shutil.rmtree(work, ignore_errors=True)
        raise
    try:
        if not journal.last.judged:
            _judge(job, lambda: judge or cached(screener).stream, journal, tell)
            check_unchanged(inputs)
            journal.commit(replace(journal.last, judged=True))
        tally = journal.last.tally
        tell("finishing", tally)
        names = _publish(job, screener, work)
        _replace(work, job.out, MANIFEST, json_text(manifest_of(job, inputs, fingerprint, tally, names)))
    except NothingReadable:
        journal.discard()
        raise
    finally:
        journal.close()
    report = _report(job.out)
    journal.discard()
    return Done(tally, report)


def _check_place(job: Job) -> None:
    """Refuse an output folder that the readers would take for input."""
    out = job.out.resolve()
    for path in job.paths:
        if path != STDIN and Path(path).is_dir() and out.is_relative_to(Path(path).resolve()):
            raise ScanError(f"{job.out}: lies inside the input {path}; choose another --out")


def _prepare(out: Path, work: Path, resume: bool) -> bool:
    """Make the work folder; return whether a scan is there to be resumed."""
    try:
        entries = {entry.name for entry in out.iterdir()}
        if entries and not resume:
            raise ScanError(f"{out}: not empty; go on with --resume, or choose another --out")
        if MANIFEST in entries or (work / JOURNAL).exists():
            return True
        if entries - {WORK}:
            raise ScanError(f"{out}: not empty, and no scan of netral is there to resume; choose another --out")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
    except OSError as error:
        raise WriteError(f"{out}: {reason_of(error)}") from error
    return False


def _finished(job: Job, screener: Screener, work: Path) -> Done:
    """Return the scan that stands in `job.out`, once it is known to be the same one."""
    manifest = read_manifest(job.out)
    try:
        inputs = [Input(**item) for item in manifest["inputs"] if item["path"] == STDIN and STDIN in job.paths]
        before, tally = fingerprint_in(manifest), Tally.from_dict(manifest["rows"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScanError(f"{job.out / MANIFEST}: damaged; check it with netral verify") from error
    inputs += hash_inputs([path for path in job.paths if path != STDIN], work)
    compare(before, fingerprint_of(job, inputs, screener))
    report = job.out / REPORT
    if work.exists() or not report.exists():
        report = _report(job.out)
        shutil.rmtree(work, ignore_errors=True)
    return Done(tally, report)


# ---------------------------------------------------------------------------------- judging


def _judge(job: Job, fresh: Callable[[], Judge], journal: Journal, tell: Progress) -> None:
    """Judge what the journal has not counted yet, a part at a time, each by a `fresh` judge."""
    start = journal.last
    records = read_records(job.paths, journal.work / "stdin", job.columns)
    with (
        closing(LineFile(journal.work / VERDICTS, start.verdicts)) as verdicts,
        closing(LineFile(journal.work / REJECTED, start.rejected)) as rejected,
    ):
        tally = start.tally
        tell("judging", tally)
        rest = islice(records, tally.records, None)
        while True:
            before = tally.records
            _judge_part(islice(rest, job.part), fresh(), tally, verdicts, rejected, tell)
            verdicts.sync()
            rejected.sync()
            journal.commit(Checkpoint(tally, verdicts.size, rejected.size))
            if tally.records - before < job.part:
                break
    if tally.records == tally.files:
        raise NothingReadable(_why_nothing(journal.work / REJECTED, job))
    if not tally.verdicts:
        logger.warning("no post was judged, every record was rejected or skipped; name the right --text-column")


def _judge_part(
    part: Iterator[Post | Rejected | Skipped],
    judge: Judge,
    tally: Tally,
    verdicts: LineFile,
    rejected: LineFile,
    tell: Progress,
) -> None:
    def posts() -> Iterator[Post]:
        for record in part:
            if isinstance(record, Post):
                yield record
            else:
                write_outcome(record, tally, verdicts, rejected)

    for count, verdict in enumerate(judge(posts())):
        write_outcome(verdict, tally, verdicts, rejected)
        if count % _TELL == 0:
            tell("judging", tally)


def write_outcome(outcome: Outcome, tally: Tally, verdicts: LineFile, rejected: LineFile) -> None:
    """Count what became of a record, and write a line of it unless it was skipped."""
    tally.add(outcome)
    if isinstance(outcome, Verdict):
        verdicts.write(outcome.to_dict())
    elif isinstance(outcome, Rejected):
        rejected.write({name: getattr(outcome, name) for name in ("file", "row", "reason", "raw")})


def _why_nothing(rejected: Path, job: Job) -> str:
    reasons = [line["reason"].removeprefix("unreadable-file: ") for line in islice(read_lines(rejected), 3)]
    return f"nothing readable in {', '.join(job.paths)[:200]}: " + ("; ".join(reasons) or "no record of a post")


# -------------------------------------------------------------------------------- finishing


def _publish(job: Job, screener: Screener, work: Path) -> list[str]:
    """Bring every file but manifest and report into `job.out`, each whole or not at all; return their names."""
    verdicts, groups = job.out / VERDICTS, job.out / "groups.jsonl"
    makers: dict[str, Callable[[Path], object]] = {
        VERDICTS: lambda target: None,  # these two lie in `work`, finished
        REJECTED: lambda target: None,
        groups.name: lambda target: group_findings(verdicts, target, work / "groups.sqlite"),
        "explanations.jsonl": lambda target: explain_findings(verdicts, groups, target, screener, job.explain),
    }
    if job.format in RENDERERS:
        makers[f"verdicts.{job.format}"] = lambda target: _render(job.format, verdicts, target)
    for name, make in makers.items():
        if (job.out / name).exists():
            continue
        try:
            make(work / name)
            (work / name).replace(job.out / name)
        except OSError as error:
            raise WriteError(f"{job.out / name}: {reason_of(error)}") from error
        except sqlite3.Error as error:
            raise WriteError(f"{job.out / name}: {error}; free some space and run again with --resume") from error
    return list(makers)


def _render(kind: str, verdicts: Path, target: Path) -> None:
    try:
        RENDERERS[kind](verdicts, target)
    except OSError:
        raise
    except Exception as error:  # pyarrow and xlsxwriter have kinds of their own for a disk that is full
        remedy = "free some space and run again with --resume"
        raise WriteError(f"{target.name}: cannot be written ({error}); {remedy}") from error


def _replace(work: Path, out: Path, name: str, text: str) -> None:
    """Write a small file whole or not at all."""
    try:
        with (work / name).open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        (work / name).replace(out / name)
    except OSError as error:
        raise WriteError(f"{out / name}: {reason_of(error)}") from error


def _report(out: Path) -> Path:
    from netral.report import render_report

    try:
        return render_report(out)
    except OSError as error:
        raise WriteError(f"{out / REPORT}: {reason_of(error)}") from error

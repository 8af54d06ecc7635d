"""What the commands say: verdicts and summaries in Indonesian, with nothing of a post that a terminal obeys."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netral.contest import Contest
from netral.report import FLAG_NAMES, LABELS, REASONS
from netral.schema import Evidence, Label, Verdict
from netral.writers import json_line

if TYPE_CHECKING:
    from netral.scan import Done, Tally

NOTE = "Ini petunjuk tentang sebuah teks untuk diperiksa manusia, bukan putusan atas seseorang."

_JOINERS = frozenset("\u200d\u200c\ufe0f\ufe0e")  # parts of emoji; harmless
_HIDDEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_WIDTH = 32


def safe(text: str) -> str:
    """Return `text` on one line, with control, bidi and other invisible characters written out as escapes."""
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    if char.isspace() and char not in "\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return "↵" if char in "\n\r" else " "
    return char.encode("unicode_escape").decode("ascii") if char < "\ud800" or char > "\udfff" else "\ufffd"


def safe_json(data: Mapping[str, Any]) -> str:
    """Return `data` as one line of JSON in which every invisible character is an escape."""
    line = json_line(data).decode("utf-8").rstrip("\n")
    return _HIDDEN.sub(lambda match: json.dumps(match[0])[1:-1], line)


def number(count: int) -> str:
    """Return a count as Indonesians write it."""
    return f"{count:,}".replace(",", ".")


def share(value: float) -> str:
    """Return a probability with two places and a comma."""
    return f"{value:.2f}".replace(".", ",")


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """Yield the lines that show one verdict to a person."""
    by = "aturan" if verdict.decided_by == "rules" else "model"
    yield f"Label    : {LABELS[verdict.label.value]} ({verdict.label.value})"
    yield f"Skor     : {share(verdict.score)}, ditetapkan oleh {by}"
    yield "Tanda    : " + ", ".join(
        f"{FLAG_NAMES[flag].lower()} {share(value)}" for flag, value in verdict.flags.items()
    )
    if verdict.review:
        yield "Tinjau   : nilainya dekat ambang; perlu ditinjau manusia"
    if verdict.truncated:
        yield "Terpotong: sebagian teks tidak dibaca model"
    if verdict.evidence:
        neutral = verdict.label is Label.NEUTRAL
        yield "Dilihat aturan, tidak cukup untuk sebuah temuan:" if neutral else "Bukti    :"
    for item in _widest(verdict.evidence):
        quote = safe(verdict.post.text[item.start : item.end])
        yield f'  - "{quote}" ({FLAG_NAMES[item.flag].lower()}; {safe(item.why)}; {safe(item.rule or "model")})'
    if verdict.regulations:
        yield "Dapat menyentuh:"
    for pointer in verdict.regulations:
        place = f", {safe(pointer.article)}" if pointer.article else ""
        yield f"  - {safe(pointer.title)}{place} [{safe('; '.join(pointer.applies_to))}]"
        if pointer.condition:
            yield f"    {safe(pointer.condition)}"
    yield NOTE


def _widest(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the rules' evidence that does not lie within other evidence for its flag, and all of the model's."""
    kept: list[Evidence] = []
    for item in sorted(evidence, key=lambda item: item.start - item.end):
        inside = (other for other in kept if other.start <= item.start and item.end <= other.end)
        if item.rule is None or all(other.flag != item.flag for other in inside):
            kept.append(item)
    return sorted(kept, key=lambda item: (item.rule is None, item.start))


def tally_rows(tally: Tally) -> Iterator[tuple[str, str]]:
    """Yield the rows of a scan's closing table."""
    yield "Baris dibaca", number(tally.records)
    yield "Unggahan dinilai", number(tally.verdicts)
    for label in Label:
        yield f"  {LABELS[label.value]}", number(tally.labels[label.value])
    yield "Perlu ditinjau", number(tally.review)
    for name, reasons in (("Ditolak", tally.rejected), ("Dilewati", tally.skipped)):
        yield name, number(reasons.total())
        for reason, count in sorted(reasons.items()):
            yield f"  {safe(REASONS.get(reason, reason))}", number(count)


def summary_lines(done: Done) -> Iterator[str]:
    """Yield the closing table of a scan and where its report lies."""
    rows = list(tally_rows(done.tally))
    wide = max(_WIDTH, *(len(name) for name, _ in rows))
    rule = "─" * (wide + 14)
    yield "Ringkasan pemindaian"
    yield rule
    yield from (f"{name:<{wide}}{count:>14}" for name, count in rows)
    yield rule
    yield f"Laporan: {safe(str(done.report))}"
    yield NOTE


def contest_lines(contests: Iterable[Contest]) -> Iterator[str]:
    """Yield one line for each roster."""
    for contest in contests:
        offices = ", ".join(office.title for office in contest.offices)
        where = f"{safe(contest.scope):<15} "
        yield f"{safe(contest.id):<24}{contest.vote}  {where}{safe(contest.title)} ({safe(offices)})"


class Bar:
    """A progress bar on standard error, only when it is a terminal."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._progress: Any = None

    def __enter__(self) -> Bar:
        """Begin to draw, where somebody can see it."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._progress.add_task("Membaca ...", total=None)
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Wipe the bar."""
        if self._progress is not None:
            self._progress.stop()

    def show(self, stage: str, tally: Tally) -> None:
        """Show the stage and the counts so far."""
        if self._progress is None:
            return
        verb = "Menilai" if stage == "judging" else "Menyelesaikan"
        text = f"{verb}: {number(tally.records)} baris, {number(tally.findings)} temuan"
        self._progress.update(self._task, description=text)


class SafeFormatter(logging.Formatter):
    """Log lines without what a terminal obeys, file names and all."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message; a traceback, shown by --verbose alone, keeps its lines."""
        return "\n".join(map(safe, super().format(record).split("\n")))

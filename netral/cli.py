"""The command line: `netral predict`, `scan`, `report`, `verify`, `rules`, `contest`, `model`."""

from __future__ import annotations

import io
import logging
import sys
import webbrowser
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netral.errors import NetralError
from netral.schema import MAX_CHARS, VERSION

if TYPE_CHECKING:
    from netral.scan import Job, Judge
    from netral.screener import Screener

logger = logging.getLogger(__name__)

OK, ERROR, STRICT, NOTHING, MISMATCH, INTERRUPTED = 0, 1, 3, 4, 5, 130
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_model = click.option("--model", metavar="PATH|rules", help="Model directory, or 'rules' for rules alone.")
_contest = click.option("--contest", metavar="NAME|FILE", help="Roster: a bundled one by name, or a TOML file.")
_rules = click.option("--rules", type=_FOLDER, metavar="DIR", help="Folder of further rule files (TOML).")


class _Commands(click.Group):
    """Turns every failure into one line and the exit code that goes with it."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        from netral.terminal import safe

        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("netral: interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            logger.debug("failed", exc_info=True)
            click.echo(f"netral: {safe(_message(error))}", err=True)
            ctx.exit(_code_of(error))


def _message(error: Exception) -> str:
    if isinstance(error, NetralError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"unexpected {type(error).__name__}: {error} (--verbose shows where; please report it)"


def _code_of(error: Exception) -> int:
    from netral.scan import NothingReadable

    return NOTHING if isinstance(error, NothingReadable) else ERROR


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="netral")
@click.option("-v", "--verbose", is_flag=True, help="Show debug messages.")
def main(verbose: bool) -> None:
    """Screen Indonesian social posts for the election neutrality of civil servants (ASN).

    A verdict is an indication on a text for a human officer, never a finding on a person.
    """
    from netral.terminal import SafeFormatter

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a character shows another
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("netral: %(message)s"))
    root = logging.getLogger("netral")
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.WARNING)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _load(model: str | None, contest: str | None, rules: Path | None) -> Screener:
    from netral.screener import load

    return load(model, rules=rules, contest=contest)


@main.command(context_settings={"ignore_unknown_options": True})  # a post may begin with a dash
@click.argument("text", metavar="TEXT|-")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one line of JSON.")
@click.option("--explain", is_flag=True, help="Add the words that moved the model.")
@_model
@_contest
@_rules
def predict(
    text: str, as_json: bool, explain: bool, model: str | None, contest: str | None, rules: Path | None
) -> None:
    """Judge one text; '-' reads it from standard input."""
    from netral.terminal import safe_json, verdict_lines

    if text == "-":
        # one byte more than MAX_CHARS characters can take: enough to be refused, bounded all the same
        data = sys.stdin.buffer.read(4 * MAX_CHARS + 4)
        text = data.decode("utf-8-sig", "replace").removesuffix("\n").removesuffix("\r")
    verdict = _load(model, contest, rules).predict(text, explain=explain)
    _say([safe_json(verdict.to_dict())] if as_json else verdict_lines(verdict))


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, allow_dash=True))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder for the results.")
@_contest
@_model
@_rules
@click.option(
    "--format",
    "kind",
    type=click.Choice(["jsonl", "csv", "parquet", "xlsx"]),
    default="jsonl",
    show_default=True,
    help="Also write the verdicts in this format; verdicts.jsonl is always written.",
)
@click.option("--text-column", metavar="NAME", help="Column that holds the text, where it is not guessed.")
@click.option("--author-column", metavar="NAME", help="Column of the author.")
@click.option("--time-column", metavar="NAME", help="Column of the time.")
@click.option("--id-column", metavar="NAME", help="Column of the post's id.")
@click.option("--url-column", metavar="NAME", help="Column of the post's address.")
@click.option("--platform-column", metavar="NAME", help="Column of the platform.")
@click.option(
    "--explain",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    metavar="N",
    help="Explain the N most certain findings by the words that moved the model.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Judge in this process, or on the workers of a Ray cluster (netral[ray]).",
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted scan of the same inputs and options.")
@click.option("--strict", is_flag=True, help="Exit with code 3 when any row was rejected.")
@click.option("--open", "show", is_flag=True, help="Open the report when done.")
def scan(
    paths: tuple[str, ...],
    out: Path,
    contest: str | None,
    model: str | None,
    rules: Path | None,
    kind: str,
    text_column: str | None,
    author_column: str | None,
    time_column: str | None,
    id_column: str | None,
    url_column: str | None,
    platform_column: str | None,
    explain: int,
    engine: str,
    resume: bool,
    strict: bool,
    show: bool,
) -> None:
    """Judge all posts of exported files, folders or zips ('-': standard input) into DIR.

    DIR receives verdicts.jsonl, rejected.jsonl, explanations.jsonl, groups.jsonl, laporan.html and manifest.json.
    """
    from netral.readers import Columns
    from netral.scan import PART, Job
    from netral.scan import scan as run
    from netral.terminal import Bar, summary_lines

    job = Job(
        paths=paths,
        out=out,
        model=model,
        contest=contest,
        rules=str(rules) if rules else None,
        columns=Columns(text_column, author_column, time_column, id_column, url_column, platform_column),
        format=kind,
        explain=explain,
        part=PART if engine == "local" else 10 * PART,  # workers idle where a part ends
    )
    try:
        screener = _load(model, contest, rules)
        with Bar() as bar, _judging(engine, job, screener) as judge:
            done = run(job, screener, resume=resume, progress=bar.show, judge=judge)
    except KeyboardInterrupt:
        click.echo("netral: interrupted; run the same command with --resume to go on", err=True)
        sys.exit(INTERRUPTED)
    _say(summary_lines(done))
    if show:
        webbrowser.open(done.report.resolve().as_uri())
    if strict and done.tally.rejected:
        sys.exit(STRICT)


def _judging(engine: str, job: Job, screener: Screener) -> AbstractContextManager[Judge | None]:
    if engine == "local":
        return nullcontext()
    from netral.distributed import judging

    return judging(job, screener)


@main.command()
@click.argument("directory", type=_FOLDER, metavar="DIR")
@click.option("--open", "show", is_flag=True, help="Open the report when done.")
def report(directory: Path, show: bool) -> None:
    """Render laporan.html of a finished scan again."""
    from netral.report import render_report
    from netral.terminal import safe

    page = render_report(directory)
    click.echo(f"Laporan: {safe(str(page))}")
    if show:
        webbrowser.open(page.resolve().as_uri())


@main.command()
@click.argument("directory", type=_FOLDER, metavar="DIR")
@click.option(
    "--rejudge", type=click.IntRange(min=0), default=0, metavar="N", help="Judge N posts, chosen at random, again."
)
def verify(directory: Path, rejudge: int) -> None:
    """Check the files of a finished scan against its manifest; exit with code 5 when something differs."""
    from netral.scan import verify as check
    from netral.terminal import safe

    found = check(directory, rejudge=rejudge)
    _say(map(safe, found))
    if found:
        sys.exit(MISMATCH)
    click.echo("Cocok: semua berkas sesuai dengan manifest.json.")


@main.group("rules")
def rules_group() -> None:
    """Work with rule files."""


@rules_group.command("check")
@click.argument("directory", type=_FOLDER, required=False, metavar="[DIR]")
def rules_check(directory: Path | None) -> None:
    """Run the match and skip lines of the shipped rules, or of those in DIR."""
    from netral.rules import check_rules, load_rules
    from netral.terminal import safe

    rules = load_rules(directory)
    failures = check_rules(rules, only_own=directory is not None)
    _say(map(safe, failures))
    if failures:
        sys.exit(ERROR)
    checked = [rule for rule in rules if rule.own or directory is None]
    lines = sum(len(rule.match) + len(rule.skip) for rule in checked)
    click.echo(f"{len(checked)} rules, {lines} lines: all as expected")


@main.group("contest")
def contest_group() -> None:
    """Work with contest rosters."""


@contest_group.command("list")
def contest_list() -> None:
    """List the bundled rosters: name, ballot day, scope, title."""
    from netral.contest import bundled_contests
    from netral.terminal import contest_lines

    _say(contest_lines(bundled_contests()))


@contest_group.command("check")
@click.argument("file", metavar="FILE")
def contest_check(file: str) -> None:
    """Check a roster file (or a bundled roster by name) and list what nobody has checked yet."""
    from netral.contest import load_contest
    from netral.terminal import contest_lines, safe

    contest = load_contest(file)
    _say(contest_lines([contest]))
    count = 0
    for office in contest.offices:
        for candidate in office.candidates:
            count += 1
            if not candidate.checked:
                click.echo(f"unchecked: {safe(office.id)} {candidate.number} {safe(candidate.name)}")
    click.echo(f"{count} candidates: the roster is well-formed")


@main.group("model")
def model_group() -> None:
    """Work with the model."""


@model_group.command("info")
def model_info() -> None:
    """Show what the shipped model is, how it was measured, and its thresholds."""
    import json
    from importlib.resources import files

    from netral.terminal import safe

    card = files("netral").joinpath("resources", "model", "netral.json")
    if not card.is_file():
        click.echo("No model is shipped here: rules alone judge.")
        return
    for key, value in json.loads(card.read_text(encoding="utf-8")).items():
        click.echo(f"{safe(key)}: {safe(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}")

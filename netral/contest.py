"""The roster of a contest: everything voted on one ballot day by the same voters.

The schema of a roster file stands in docs/contests.md, and a commented template for a regency in
`netral/resources/contests/template-kabupaten.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from netral.errors import ContestError

WIB = timezone(timedelta(hours=7), "WIB")
"""Western Indonesian Time; post times with a zone are compared with roster dates in it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One choice on the ballot: a pair, a candidate, a party or the empty box (kotak kosong).

    `names` and `slogans` mean this choice wherever they stand; `number`, `signs` and `nicknames` (given
    names that many people bear) only within the contest. `checked` says that `source` was read for name and number.
    """

    name: str
    number: int
    names: tuple[str, ...]
    nicknames: tuple[str, ...] = ()
    slogans: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    checked: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a single text where several are meant: each of its letters would be a name."""
        for key in ("names", "nicknames", "slogans", "hashtags", "signs"):
            value = getattr(self, key)
            if isinstance(value, str) or not all(isinstance(item, str) for item in value):
                raise TypeError(f"candidate {self.name}: {key} must be a tuple of texts, not {value!r}")
        if not isinstance(self.number, int):
            raise TypeError(f"candidate {self.name}: number must be a whole number, not {self.number!r}")


@dataclass(frozen=True, slots=True)
class Office:
    """One office on the ballot; `designated` splits SKB part A (kode etik) from B (disiplin).

    `parties` says that its candidates are parties.
    """

    id: str
    title: str
    candidates: tuple[Candidate, ...]
    designated: date | None = None
    drawn: date | None = None
    parties: bool = False


@dataclass(frozen=True, slots=True)
class Contest:
    """A roster; `scope` is "national" or the name of a region, `vote` the last ballot day."""

    id: str
    title: str
    scope: str
    vote: date
    offices: tuple[Office, ...]

    @property
    def candidates(self) -> Iterator[Candidate]:
        """Every candidate of every office."""
        return (candidate for office in self.offices for candidate in office.candidates)

    @property
    def drawn(self) -> date | None:
        """The day from which the numbers of every office were drawn, None when unknown."""
        return max((office.drawn for office in self.offices if office.drawn), default=None)

    def is_open(self, time: datetime) -> bool:
        """Say whether `time` lies from the drawing of numbers to the vote, both days included."""
        day = local_day(time)
        return self.drawn is not None and self.drawn <= day <= self.vote


def local_day(time: datetime) -> date:
    """Return the day of a post's time in Indonesia (WIB); a time without a zone is taken as local."""
    try:
        return (time.astimezone(WIB) if time.tzinfo else time).date()
    except OverflowError:  # the first and last hours of datetime
        return time.date()


def load_contest(contest: str | Path) -> Contest:
    """Return a bundled roster by its id, or one read from a TOML file.

    Raises `ContestError` when there is no such roster or the file is malformed.
    """
    for bundled in bundled_contests():
        if bundled.id == str(contest):
            return bundled
    path = Path(contest)
    try:
        if path.suffix == ".toml" or path.is_file():
            own = parse_contest(path.read_text(encoding="utf-8-sig"), path.name)
            _check_signs(own, path.name)
            if own.id in {bundled.id for bundled in bundled_contests()}:
                raise ContestError(f"{path.name}: the id {own.id!r} is a bundled roster's; choose another")
            return own
    except (OSError, ValueError) as error:  # bytes that are not UTF-8, or a name that no file can have
        raise ContestError(f"{path}: the roster cannot be read ({error}); name a TOML file in UTF-8") from error
    known = ", ".join(bundled.id for bundled in bundled_contests())
    raise ContestError(f"no contest {str(contest)!r}; bundled are {known}; or name a .toml file")


def _check_sense(contest: Contest, name: str) -> None:
    """Refuse what is well formed and cannot be meant: the dates choose rules, the names candidates."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", contest.id):
        raise ContestError(f"{name}: id {contest.id!r} must be small letters, digits and hyphens")
    for office in contest.offices:
        for key, day in (("designated", office.designated), ("drawn", office.drawn)):
            if day and day > contest.vote:
                raise ContestError(f"{name}: office {office.id}: {key} lies after the vote; correct the dates")
        owners: dict[str, str] = {}
        for candidate in office.candidates:
            for word in (*candidate.names, *candidate.nicknames):
                if owners.setdefault(word.casefold(), candidate.name) != candidate.name:
                    raise ContestError(
                        f"{name}: office {office.id}: {word!r} names two candidates; leave it to one or to none"
                    )


def _check_signs(contest: Contest, name: str) -> None:
    """Refuse signs that are no emoji, since posts could not bear them; those of shipped rosters are tested."""
    from emoji import is_emoji  # a fifth of a second

    for candidate in contest.candidates:
        for sign in candidate.signs:
            if not is_emoji(sign):
                raise ContestError(f"{name}: candidate {candidate.name}: sign {sign!r} is not one emoji")


@cache
def bundled_contests() -> tuple[Contest, ...]:
    """Return the rosters shipped with netral, ordered by ballot day."""
    folder = files("netral").joinpath("resources", "contests")
    sources = [
        entry for entry in folder.iterdir() if entry.name.endswith(".toml") and not entry.name.startswith("template")
    ]
    return tuple(
        sorted(
            (parse_contest(entry.read_text(encoding="utf-8"), entry.name) for entry in sources),
            key=lambda c: (c.vote, c.id),
        )
    )


def parse_contest(text: str, name: str) -> Contest:
    """Return the roster written in `text`; errors name the file as `name`."""
    where = name
    try:
        data = tomllib.loads(text)
        _only(data, {"id", "title", "scope", "vote", "offices"}, where)
        offices = []
        for office in _tables(data, "offices", where):
            where = f"{name}: office {office.get('id', '?')}"
            _only(office, {"id", "title", "designated", "drawn", "parties", "candidates"}, where)
            candidates = tuple(
                _candidate(fields, f"{name}: candidate {fields.get('name', '?')}")
                for fields in _tables(office, "candidates", where)
            )
            numbers = [candidate.number for candidate in candidates]
            if len(set(numbers)) < len(numbers):
                raise ContestError(f"{where}: a number stands twice; give each candidate its own")
            dates = {key: _date(office, key, where) for key in ("designated", "drawn") if key in office}
            parties = _truth(office, "parties", where)
            offices.append(Office(str(office["id"]), str(office["title"]), candidates, parties=parties, **dates))
        where = name
        contest = Contest(
            str(data["id"]), str(data["title"]), str(data["scope"]), _date(data, "vote", where), tuple(offices)
        )
        _check_sense(contest, name)
        return contest
    except KeyError as error:
        raise ContestError(f"{where}: {error} is missing; see docs/contests.md") from error
    except ValueError as error:  # a TOMLDecodeError, or a number of too many digits
        raise ContestError(f"{where}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise ContestError(f"{where}: nested too deeply; write it as docs/contests.md shows") from error


def _tables(fields: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    value = fields[key]
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise ContestError(f"{where}: {key} must be one table or more; write [[{key}]] as docs/contests.md shows")
    return value


def _candidate(fields: dict[str, Any], where: str) -> Candidate:
    _only(fields, set(Candidate.__slots__), where)
    if missing := {"name", "number", "names"} - set(fields):
        raise ContestError(f"{where}: {sorted(missing)[0]!r} is missing; see docs/contests.md")
    lists = {}
    for key in ("names", "nicknames", "slogans", "hashtags", "signs"):
        value = fields.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise ContestError(f"{where}: {key} must be a list of texts")
        lists[key] = tuple(value)
    number = fields["number"]
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 99:
        raise ContestError(f"{where}: number must be a whole number from 0 to 99")
    if not lists["names"]:
        raise ContestError(f"{where}: names is empty; list how posts name the candidate")
    return Candidate(
        name=str(fields["name"]),
        number=number,
        checked=_truth(fields, "checked", where),
        source=str(fields.get("source", "")),
        **lists,
    )


def _only(fields: dict[str, Any], known: set[str], where: str) -> None:
    if unknown := set(fields) - known:
        raise ContestError(f"{where}: unknown key {sorted(unknown)[0]!r}; known are {', '.join(sorted(known))}")


def _truth(fields: dict[str, Any], key: str, where: str) -> bool:
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise ContestError(f"{where}: {key} must be true or false, without quotation marks")
    return value


def _date(fields: dict[str, Any], key: str, where: str) -> date:
    value = fields[key]
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ContestError(f"{where}: {key} must be a date like 2024-11-27")
    return value

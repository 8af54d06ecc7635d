"""Signals of a post -> pointers to the regulations it may touch ("dapat menyentuh"), never a finding of guilt.

The regulations are data in `netral/resources/regulations.toml`, each with its own source; docs/regulations.md explains
them. Staff rules follow the post's day, SKB parts the designation of candidates (kode etik before it, discipline from
it on: Lampiran II of the SKB of 22 September 2022), criminal law the post's day and, where it changed since, the
present law too, for the milder one holds (Pasal 3 KUHP, https://www.basishukum.com/uu/1/2023/KESATU/I/Kesatu/3).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from netral.contest import Contest, local_day
from netral.errors import RegulationError
from netral.schema import Pointer

_MILDER = "yang lebih ringan berlaku (Pasal 3 KUHP)"
_MONTHS = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split()
_ELECTION = {
    "pemilu": "Hanya untuk pemilihan umum (Pemilu).",
    "pilkada": "Hanya untuk pemilihan kepala daerah (Pilkada).",
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "kind": ("staff", "criminal"),
    "sureness": ("A", "B", "C"),
    "part": ("", "A", "B"),
    "law": ("", *_ELECTION),
}


@dataclass(frozen=True, slots=True)
class Regulation:
    """One rule as shown to an officer; both days of its period count.

    `signals`: flags or rule ids. `part`: A before the designation of candidates, B from it on.
    `law`: "pemilu" or "pilkada" where only that contest counts; `vote_year` where only its contests do. `past`:
    shown for an unknown time only when the contest's vote lies in its period. `chain`: versions of one criminal
    rule. `recheck_after`: the day after which an officer must see whether it was replaced.
    """

    id: str
    title: str
    article: str
    applies_to: tuple[str, ...]
    signals: tuple[str, ...]
    kind: str
    condition: str
    source: str
    sureness: str
    in_force_from: date | None = None
    in_force_to: date | None = None
    recheck_after: date | None = None
    part: str = ""
    law: str = ""
    chain: str = ""
    past: bool = False
    vote_year: int = 0

    def in_force(self, day: date) -> bool:
        """Say whether the rule held on `day`."""
        return (self.in_force_from or date.min) <= day <= (self.in_force_to or date.max)


# ------------------------------------------------------------------------------------------ loading


@cache
def regulations() -> tuple[Regulation, ...]:
    """Return the regulations shipped with netral, in the order they are shown."""
    resource = files("netral").joinpath("resources", "regulations.toml")
    return parse_regulations(resource.read_text(encoding="utf-8"), resource.name)


def parse_regulations(text: str, name: str) -> tuple[Regulation, ...]:
    """Return the regulations written in `text`; raises `RegulationError` naming the entry at fault."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegulationError(f"{name}: not valid TOML: {error}") from error
    entries = data.get("regulation")
    if set(data) != {"regulation"} or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise RegulationError(f"{name}: write [[regulation]] tables and nothing else; see docs/regulations.md")
    parsed: dict[str, Regulation] = {}
    for index, entry in enumerate(entries, start=1):
        where = f"{name}: regulation {entry.get('id', index)}"
        regulation = _regulation(entry, where)
        if regulation.id in parsed:
            raise RegulationError(f"{where}: this id stands twice; choose another")
        for other in parsed.values():
            if regulation.chain and other.chain == regulation.chain and not _follows(regulation, other):
                raise RegulationError(
                    f"{where}: needs the signals of {other.id}, of the same chain, and a later period"
                )
        parsed[regulation.id] = regulation
    return tuple(sorted(parsed.values(), key=lambda regulation: regulation.kind == "criminal"))


def _regulation(entry: Mapping[str, Any], where: str) -> Regulation:
    known = {field.name: field for field in fields(Regulation)}
    if unknown := set(entry) - set(known):
        raise RegulationError(f"{where}: unknown key {sorted(unknown)[0]!r}; known are {', '.join(sorted(known))}")
    if missing := {name for name, field in known.items() if field.default is MISSING} - set(entry):
        raise RegulationError(f"{where}: {sorted(missing)[0]!r} is missing")
    values = {key: _value(value, str(known[key].type), f"{where}: {key}") for key, value in entry.items()}
    for key, choices in _CHOICES.items():
        if values.get(key, choices[0]) not in choices:
            raise RegulationError(f"{where}: {key} must be one of {', '.join(filter(None, choices))}")
    regulation = Regulation(**values)
    if (regulation.in_force_from or date.min) > (regulation.in_force_to or date.max):
        raise RegulationError(f"{where}: in_force_to lies before in_force_from; correct the dates")
    if "melanggar" in regulation.condition.lower():
        raise RegulationError(f"{where}: condition says 'melanggar'; a pointer only says what a post may touch")
    if regulation.chain and regulation.kind != "criminal":
        raise RegulationError(f"{where}: only criminal law has a chain; leave it out")
    return regulation


def _value(value: object, kind: str, where: str) -> Any:
    """Return `value` as the field type `kind` wants it."""
    if kind == "tuple[str, ...]":
        if isinstance(value, list) and value and all(isinstance(item, str) and item.strip() for item in value):
            return tuple(value)
        raise RegulationError(f"{where} must be a list of texts")
    if kind == "date | None":
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        raise RegulationError(f"{where} must be a date like 2022-09-22")
    if type(value).__name__ != kind or (kind == "str" and not str(value).strip()):
        raise RegulationError(f"{where} must be a {'text' if kind == 'str' else kind}")
    return value


def _follows(later: Regulation, earlier: Regulation) -> bool:
    begins, ended = later.in_force_from or date.min, earlier.in_force_to or date.max
    return begins > ended and later.signals == earlier.signals


# ----------------------------------------------------------------------------------------- pointing


class _Case(NamedTuple):
    """What decides which rules to show: the post's day, and of the contest its law, vote and designations."""

    day: date | None
    law: str = ""
    vote: date | None = None
    designated: tuple[date, ...] = ()  # the first and the last, () when one is unknown


def pointers(signals: Iterable[str], time: datetime | None, contest: Contest | None) -> tuple[Pointer, ...]:
    """Return the regulations that `signals` (flags and rule ids) of a post may touch; criminal law comes last.

    An unknown `time`, contest or designation shows every rule that may hold, each with its condition.
    """
    day = local_day(time) if time else None
    case = _Case(day) if contest is None else _case(day, contest)
    return _pointers(frozenset(signals), case)


def _case(day: date | None, contest: Contest) -> _Case:
    dates = [office.designated for office in contest.offices]
    known = sorted(day for day in dates if day)
    general = contest.scope == "national" or any(office.parties for office in contest.offices)
    designated = (known[0], known[-1]) if known and len(known) == len(dates) else ()
    return _Case(day, "pemilu" if general else "pilkada", contest.vote, designated)


@lru_cache(maxsize=1 << 14)
def _pointers(signals: frozenset[str], case: _Case) -> tuple[Pointer, ...]:
    touched = [rule for rule in regulations() if not signals.isdisjoint(rule.signals)]
    shown = [rule for rule in touched if _applies(rule, case)]
    chains = {rule.chain for rule in shown if rule.chain}
    present = {rule.chain: rule.id for rule in touched if rule.chain in chains}  # the last of each chain
    return tuple(
        Pointer(rule.id, rule.title, rule.article, rule.applies_to, _condition(rule, case, present), rule.source)
        for rule in touched
        if rule in shown or rule.id in present.values()
    )


def _applies(rule: Regulation, case: _Case) -> bool:
    if rule.law and case.law and rule.law != case.law:
        return False
    if rule.vote_year and case.vote and case.vote.year != rule.vote_year:
        return False
    if rule.part and _part(case) not in ("", rule.part):
        return False
    if case.day:
        return rule.in_force(case.day)
    if rule.part and case.vote and (rule.in_force_from or date.min) > case.vote:
        return False
    return not rule.past or bool(case.vote and rule.in_force(case.vote))


def _part(case: _Case) -> str:
    """Return the part of the SKB that holds on the post's day, "" when that cannot be said."""
    if not case.day or not case.designated:
        return ""
    first, last = case.designated
    return "A" if case.day < first else "B" if case.day >= last else ""


def _condition(rule: Regulation, case: _Case, present: Mapping[str, str]) -> str:
    """Return what must hold for the post to touch `rule`, in sentences."""
    if rule.kind == "staff":
        notes = [f"Dapat menyentuh aturan ini {rule.condition}."]
    else:
        notes = [f"Dapat menyentuh aturan ini hanya bila unsurnya terpenuhi: {rule.condition}."]
    if rule.law and not case.law:
        notes.append(_ELECTION[rule.law])
    changed = rule.chain and present[rule.chain] != rule.id
    periods = [] if case.day else [_period(rule)]
    if rule.part and not _part(case):
        periods.append(("sebelum" if rule.part == "A" else "sejak") + " KPU menetapkan calon" + _dates(case.designated))
    if periods := list(filter(None, periods)):
        notes.append(f"Berlaku bila diunggah {' dan '.join(periods)}.")
    if rule.part and case.day and case.vote and case.day > case.vote:
        notes.append("Pemungutan suara sudah lewat, jadi berlaku hanya bila unggahan menyangkut pemilihan itu.")
    if changed:
        notes.append(f"{'Aturan pada saat diunggah; s' if case.day else 'S'}esudah itu berubah, dan {_MILDER}.")
    elif case.day and not rule.in_force(case.day):
        notes.append(f"Aturan sekarang, berlaku {_period(rule)}; {_MILDER}.")
    if rule.recheck_after and not (case.day and case.day <= rule.recheck_after):
        when = "" if case.day else f"Bila diunggah sesudah {long_date(rule.recheck_after)}, "
        notes.append(f"{when}{'p' if when else 'P'}eriksa apakah sudah diganti.")
    return " ".join(notes)


def _period(rule: Regulation) -> str:
    if rule.in_force_from and rule.in_force_to:
        return f"dari {long_date(rule.in_force_from)} sampai dengan {long_date(rule.in_force_to)}"
    if rule.in_force_to:
        return f"sebelum {long_date(rule.in_force_to + timedelta(days=1))}"
    return f"sejak {long_date(rule.in_force_from)}" if rule.in_force_from else ""


def _dates(designated: tuple[date, ...]) -> str:
    several = list(dict.fromkeys(map(long_date, designated)))
    return f" ({' atau '.join(several)}{', menurut jabatannya' * (len(several) > 1)})" if several else ""


def long_date(day: date) -> str:
    """Return a day as an officer writes it: "27 November 2024"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

"""Times as exports write them, read into datetimes that keep their zone where one is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

_HOURS = {
    "z": 0, "utc": 0, "gmt": 0, "wib": 7, "wita": 8, "wit": 9,
    "sgt": 8, "myt": 8, "hkt": 8, "ict": 7, "jst": 9, "kst": 9,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januari january", "feb februari february peb pebruari", "mar maret march mrt",
            "apr april", "mei may", "jun juni june", "jul juli july",
            "agu agustus aug august agt ags", "sep september sept", "okt oktober oct october",
            "nov november nop nopember", "des desember dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_CLOCK = r"(?P<hour>\d{1,2})[.:](?P<minute>\d{2})(?:[.:](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_HALF = r"\s*(?P<half>[aApP]\.?\s?[mM]\.?)?"
_ZONE = r"\s*(?P<zone>[zZ]|[+-]\d{2}(?::?\d{2})?|[A-Za-z]{3,4}|(?:UTC|GMT)[+-]\d{1,2})?"
_AT = r"(?:(?i:pukul|pkl|jam|at)\b\.?\s*)?"
_TIME_OF_DAY = re.compile(_AT + _CLOCK + _HALF + _ZONE)
_CLOCK_FIRST = re.compile(rf"(?P<clock>{_TIME_OF_DAY.pattern})\s*[·•|,-]\s*(?P<date>.+)")
_REST = rf"(?:(?:[T,|\s]+|\s+[-–]\s+){_AT}{_CLOCK}{_HALF}{_ZONE})?"
_DAY_NAME = (
    r"sen(?:in)?|sel(?:asa)?|rabu?|kam(?:is)?|jum(?:['’]?at)?|sab(?:tu)?|min(?:ggu)?|ahad"
    r"|(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
)
_WEEKDAY = rf"(?:[\w'’]+,\s*|(?i:{_DAY_NAME})[\s/]+)?"
_X = re.compile(
    r"\w{3} (?P<name>\w{3}) (?P<day>\d{1,2}) " + _CLOCK + r" (?P<zone>[+-]\d{4}|[A-Z]{3,4}) (?P<year>\d{4})"
)
_DAY_FIRST = re.compile(_WEEKDAY + r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _REST)
_SHAPES = (
    _X,
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _REST),
    _DAY_FIRST,
    re.compile(_WEEKDAY + r"(?P<day>\d{1,2})[\s-](?P<name>[A-Za-z]{3,10})\.?[\s,-]+(?P<year>\d{4}|\d{2})" + _REST),
    re.compile(_WEEKDAY + r"(?P<name>[A-Za-z]{3,10})\.?\s(?P<day>\d{1,2}),?\s(?P<year>\d{4})" + _REST),
    re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])" + _REST),
)
_SERIAL_ORIGIN = datetime(1899, 12, 30)
_SERIAL = re.compile(r"\d{5}[.,]\d{1,12}")  # a bare number of five digits is likelier an id or a count
_EPOCH = re.compile(r"-?\d{9,19}(?:\.\d+)?")
_EARLIEST, _LATEST = 1990, 2100


def parse_time(value: object, *, month_first: bool = False) -> datetime | None:
    """Return the moment a value names, None if it names none (relative times, bare words)."""
    if isinstance(value, datetime):
        return value if _EARLIEST <= value.year <= _LATEST else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float) and (moment := from_epoch(value) or from_serial(value)):
        return moment
    text = str(value)[:80].replace("\u202f", " ").replace("\u00a0", " ").strip().strip("\u200e\u200f")
    if not text or not (text[0].isdigit() or text[0].isalpha()):
        return None
    if _EPOCH.fullmatch(text):
        return from_epoch(float(text))
    if _SERIAL.fullmatch(text):
        return from_serial(float(text.replace(",", ".")))
    for shape in _SHAPES:
        match = shape.fullmatch(text)
        if match is not None:
            return _from_parts(match.groupdict(), month_first and shape is _DAY_FIRST)
    turned = _CLOCK_FIRST.fullmatch(text)
    return parse_time(f"{turned['date']} {turned['clock']}", month_first=month_first) if turned else None


def month_leads(values: Iterable[object]) -> bool:
    """Say whether dates of numbers name the month first: a second number is over 12 and no first one is."""
    found = [match for value in values if (match := _DAY_FIRST.fullmatch(str(value)[:80].strip()))]
    return any(int(match["month"]) > 12 for match in found) and not any(int(match["day"]) > 12 for match in found)


def is_clock(value: str) -> bool:
    """Say whether a value is a time of day and no date."""
    return _TIME_OF_DAY.fullmatch(value) is not None


def from_epoch(value: float) -> datetime | None:
    """Return the moment of a Unix time in seconds, milli- or microseconds, whichever is plausible."""
    if not 0 < value < 1e19:
        return None
    for divisor in (1, 1_000, 1_000_000, 1_000_000_000):
        seconds = value / divisor
        if 631_152_000 <= seconds <= 4_102_444_800:  # 1990 to 2100
            return datetime.fromtimestamp(seconds, UTC)
    return None


def from_serial(value: float) -> datetime | None:
    """Return the moment of a spreadsheet's day number."""
    if not 32_874 <= value <= 73_051:  # 1990 to 2100
        return None
    return _SERIAL_ORIGIN + timedelta(seconds=round(value * 86_400))


def _from_parts(parts: dict[str, str | None], month_first: bool) -> datetime | None:
    day, year = int(parts["day"] or 0), int(parts["year"] or 0)
    if "name" in parts:
        month = _MONTHS.get((parts["name"] or "").casefold(), 0)
    else:
        month = int(parts["month"] or 0)
        if month > 12 or (month_first and day <= 12):
            day, month = month, day
    if year < 100:
        year += 2000
    hour, half = int(parts["hour"] or 0), (parts.get("half") or "")[:1].casefold()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
    fraction = int((parts["fraction"] or "").ljust(6, "0")[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, fraction, _zone(parts["zone"]))
    except ValueError:
        return None
    return moment if _EARLIEST <= year <= _LATEST else None


def _zone(name: str | None) -> timezone | None:
    if not name:
        return None
    name = name.casefold()
    if name in _HOURS:
        hours = _HOURS[name]
        return UTC if hours == 0 else timezone(timedelta(hours=hours))
    signed = re.fullmatch(r"(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?", name)
    if signed is None:
        return None
    offset = timedelta(hours=int(signed[2]), minutes=int(signed[3] or 0))
    if not offset:
        return UTC
    return timezone(-offset if signed[1] == "-" else offset)

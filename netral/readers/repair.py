"""Repairs of the faults files bring: wrong decoding, escapes, printed Python values, HTML."""

from __future__ import annotations

import ast
import html
import math
import re

from netral.schema import MAX_CHARS, scrub

_EMPTY = frozenset({"nan", "none", "null", "<na>", "#n/a", "\\n"})
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_EXCEL_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BYTES_LITERAL = re.compile(r"b(['\"]).*\1", re.DOTALL)
_TAG = re.compile(r"</?(?:a|b|i|s|u|p|em|strong|span|br)(?:\s[^<>]{0,2000})?/?>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_REPOST = re.compile(r"\s*RT @(\w{1,30}):\s*", re.ASCII)
_OWN_REPOST = re.compile(r"(?<=\S)\s+RT @(\w{1,30}):\s*", re.ASCII)


def clean(value: object) -> str:
    """Return a cell or JSON value as stripped text; empty for the ways files write "nothing"."""
    if value is None or isinstance(value, bool | dict | list | tuple | set):
        return ""
    if isinstance(value, float):
        return _number(value)
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if "\0" in text:
        text = text.replace("\0", "")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip().strip("\ufeff")
    if len(text) <= 5 and text.casefold() in _EMPTY:
        return ""
    return scrub(text)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def mend(text: str) -> str:
    """Undo wrong decoding, spreadsheet escapes and printed bytes, each only where its marks stand."""
    if text.startswith(("b'", 'b"')) and _BYTES_LITERAL.fullmatch(text):
        text = _from_bytes_literal(text)
    if "_x" in text:
        text = _EXCEL_ESCAPE.sub(_excel_character, text).strip()
    if not text.isascii() and _MOJIBAKE.search(text):
        text = unmojibake(text)
    return text


def unmojibake(text: str) -> str:
    """Undo UTF-8 read as Latin-1 (Meta's downloads) or as cp1252; text that is right stays.

    A text of over `MAX_CHARS` stays as well where it is not all Latin-1: ftfy is slow, and it will be rejected.
    """
    try:
        return scrub(text.encode("latin-1").decode("utf-8"))
    except (UnicodeEncodeError, UnicodeDecodeError):
        if len(text) > MAX_CHARS:
            return text
        from ftfy import fix_encoding

        return fix_encoding(text)


def unescape(text: str) -> str:
    """Undo the three HTML entities X writes into its texts."""
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def strip_html(text: str) -> str:
    """Return the words of a text that YouTube wrote as HTML."""
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub("\n", text))
    return html.unescape(text) if "&" in text else text


def unescape_newlines(text: str) -> str:
    r"""Turn the two characters `\n` into a line end."""
    return text.replace("\\r\\n", "\n").replace("\\n", "\n") if "\\n" in text else text


def passed_on(text: str) -> tuple[str, str, str]:
    """Split `own words RT @sayer: others' words`; the sayer is empty where nothing is passed on."""
    if "RT @" not in text:
        return text, "", ""
    match = _REPOST.match(text) or _OWN_REPOST.search(text)
    if match is None or match.end() == len(text):
        return text, "", ""
    return text[: match.start()].strip(), match[1], text[match.end() :].strip()


def _from_bytes_literal(text: str) -> str:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return clean(value) if isinstance(value, bytes) else text


def _excel_character(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    if character == "\r":
        return ""
    return character if character == "\n" or character.isprintable() else " "

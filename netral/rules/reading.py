"""Rule files: TOML in the form of docs/rules.md, read and checked field by field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from netral.errors import RuleError
from netral.normalize import fold, tokens
from netral.schema import FLAGS

_KEYS = {"id", "flag", "weight", "counter", "terms", "near", "contest", "unless", "why", "match", "skip"}
_PLACEHOLDERS = frozenset("<nama> <peserta> <slogan> <nomor> <tanda> <angka> <jari> <suku> <agama> <panggilan>".split())
_WORD = re.compile(r"<[a-z]+>|\.\.\.|\S+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `match` and `skip` are its own examples, run by `check_rules`.

    `near`: one of these terms must stand in the same sentence; `contest`: something of a roster must;
    `unless`: none of these may stand anywhere in the text; `counter`: cancels hits of `flag` in its sentence.
    """

    id: str
    flag: str
    terms: tuple[str, ...]
    why: str
    weight: float = 0.0
    counter: bool = False
    near: tuple[str, ...] = ()
    contest: bool = False
    unless: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    own: bool = False


def load_rules(folder: Path | None = None) -> tuple[Rule, ...]:
    """Return the shipped rules and those of `folder`, a directory of TOML files.

    Raises `RuleError` naming file and rule when one is malformed or an id stands twice.
    """
    shipped = files("netral").joinpath("resources", "rules")
    sources = [(entry.name, entry, False) for entry in shipped.iterdir() if entry.name.endswith(".toml")]
    if folder is not None:
        own = sorted(Path(folder).glob("*.toml")) if Path(folder).is_dir() else []
        if not own:
            raise RuleError(f"{folder}: no rule files there; name a folder that holds .toml rule files")
        sources += [(str(path), path, True) for path in own]
    rules: dict[str, Rule] = {}
    for name, entry, is_own in sorted(sources, key=lambda source: (source[2], source[0])):
        try:
            text = entry.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(f"{name}: cannot be read ({error}); save it as UTF-8") from error
        for rule in parse_rules(text, name):
            if rule.id in rules:
                raise RuleError(f"{name}: rule {rule.id}: this id is taken; choose another")
            rules[rule.id] = replace(rule, own=is_own)
    return tuple(rules.values())


def parse_rules(text: str, name: str) -> Iterator[Rule]:
    """Yield the rules written in `text`; errors name the file as `name`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{name}: not valid TOML: {error}") from error
    if unknown := set(data) - {"rule", "lists"}:
        raise RuleError(f"{name}: unknown table {sorted(unknown)[0]!r}; write [[rule]] and [lists]")
    lists, rules = data.get("lists", {}), data.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(fields, dict) for fields in rules):
        raise RuleError(f"{name}: rule must be tables; write [[rule]] above each")
    for key, words in lists.items() if isinstance(lists, dict) else [("lists", None)]:
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise RuleError(f"{name}: [lists] {key} must be a list of texts")
    for index, fields in enumerate(rules, start=1):
        yield _rule(fields, lists, f"{name}: rule {fields.get('id', index)}")


def _rule(fields: Mapping[str, Any], lists: Mapping[str, list[str]], where: str) -> Rule:
    if unknown := set(fields) - _KEYS:
        raise RuleError(f"{where}: unknown key {sorted(unknown)[0]!r}; known are {', '.join(sorted(_KEYS))}")
    if missing := {"id", "flag", "terms", "why", "match", "skip"} - set(fields):
        raise RuleError(f"{where}: {sorted(missing)[0]!r} is missing")
    texts = {key: _texts(fields, key, lists, where) for key in ("terms", "near", "unless", "match", "skip")}
    if not texts["terms"] or not texts["match"] or not texts["skip"]:
        raise RuleError(f"{where}: terms, match and skip need at least one line each")
    counter, weight = fields.get("counter", False), fields.get("weight", 0.0)
    if fields["flag"] not in FLAGS:
        raise RuleError(f"{where}: flag must be one of {', '.join(FLAGS)}")
    if counter == ("weight" in fields) or not isinstance(counter, bool):
        raise RuleError(f"{where}: give either a weight or counter = true")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise RuleError(f"{where}: weight must lie from 0 to 1")
    if not isinstance(fields.get("contest", False), bool):
        raise RuleError(f"{where}: contest must be true or false")
    for term in (*texts["terms"], *texts["near"], *texts["unless"]):
        _check_term(term, where)
    return Rule(
        id=str(fields["id"]),
        flag=fields["flag"],
        why=str(fields["why"]),
        weight=float(weight),
        counter=counter,
        contest=fields.get("contest", False),
        terms=texts["terms"],
        near=texts["near"],
        unless=texts["unless"],
        match=texts["match"],
        skip=texts["skip"],
    )


def _check_term(term: str, where: str) -> None:
    words = words_of(term)
    if not words:
        raise RuleError(f"{where}: the term {term!r} holds no word")
    if lost := [word for word in _WORD.findall(term) if not _keys_of(word) or "…" in word or "<" in word[1:]]:
        raise RuleError(
            f"{where}: {lost[0]!r} in the term {term!r} matches nothing; mentions, links and marks have no words, a "
            '[lists] name stands alone, a gap is "..." and a placeholder has blanks around it'
        )
    if unknown := {word for word in words if word[0] == "<"} - _PLACEHOLDERS:
        raise RuleError(f"{where}: no placeholder {unknown.pop()!r}; known are {' '.join(sorted(_PLACEHOLDERS))}")


def _texts(fields: Mapping[str, Any], key: str, lists: Mapping[str, list[str]], where: str) -> tuple[str, ...]:
    value = fields.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RuleError(f"{where}: {key} must be a list of texts")
    out: list[str] = []
    for item in value:
        if item.startswith("@") and key not in ("match", "skip"):
            if item[1:] not in lists:
                raise RuleError(f"{where}: {key} names {item}, which [lists] does not hold")
            out.extend(lists[item[1:]])
        else:
            out.append(item)
    return tuple(out)


def words_of(term: str) -> tuple[str, ...]:
    """Return the words of a term as keys of the automaton; capitals stay where the word is all capitals."""
    return tuple(key for word in _WORD.findall(term) for key in _keys_of(word))


@lru_cache(maxsize=1 << 14)
def _keys_of(word: str) -> tuple[str, ...]:
    if word[0] == "<" or word == "...":
        return (word,)
    if word[0] == "#":
        return (fold(word).lower(),)
    return tuple(token.form if token.all_caps else token.normal for token in tokens(word))

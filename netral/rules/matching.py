"""One linear matcher for all rules: an automaton of terms, walked along every spelling of every token."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from netral import normalize
from netral.contest import Contest, bundled_contests
from netral.decision import Hit, Policy, join, remaining
from netral.normalize import Token, fold, kind_of, spellings, tokens
from netral.rules.reading import Rule, words_of
from netral.schema import Evidence, Prediction

HAND_SIGNS = frozenset("☝👆👍✌🤟🤘👌🤙🖐✋🫰🤞🖖")
"""Emoji of the finger poses that agencies list as signs of side-taking (domain facts in docs/rules.md)."""

TITLES = frozenset(
    "bapak ibu mas mbak bang abang kang teh teteh akang gus ning cak kak haji hajah h hj kiai kh ustaz abah bunda om "
    "dokter uni koh daeng puang teungku tengku bli buya habib umi opung".split()  # of every region, lest one weigh less
)
"""Forms of address that stand before a name; one of them weighs as another."""

_NUMBER_WORDS = "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas".split()
_TENS = frozenset("belas puluh ratus ribu juta persen".split())  # "dua belas" is no 2
_SHOWN = 50  # hits of one rule in one text: enough to explain, bounded for hostile text
_OF_ALL = frozenset("itu semua semuanya mah".split())
_GAP = 3
_TITLES_OF_ONE = 4  # bounded for hostile text
_ROSTER = frozenset(("<nama>", "<slogan>", "<nomor>", "<tanda>"))

_RUNNERS = ("paslon", "pasangan", "pasangan calon", "calon", "caleg")
_NUMBERED = (
    *(f"{who} {how}<angka>" for who in _RUNNERS for how in ("", "nomor ", "nomor urut ")),
    *("nomor <angka>", "nomor urut <angka>"),
    *(f"0{number}" for number in range(1, 10)),
)
"""How a contestant is named by a ballot number: a number form weighs as a name wherever a rule says `<peserta>`."""

Node = dict[str, Any]
_END = "\0"  # key of a node's payloads; no word holds NUL


def _add(root: Node, words: Iterable[str], payload: object) -> None:
    node = root
    for word in words:
        node = node.setdefault(word, {})
    node.setdefault(_END, []).append(payload)


class Roster:
    """What rosters put into a text: names and slogans of `named`, numbers and signs of `active`."""

    def __init__(self, named: Iterable[Contest], active: Contest | None) -> None:
        """Compile the rosters once."""
        self.root: Node = {}
        for form in _NUMBERED:
            _add(self.root, words_of(form), "<peserta>")
        for contest in named:
            for candidate in contest.candidates:
                for name in candidate.names:
                    _add(self.root, words_of(name), "<nama>")
                for slogan in (*candidate.slogans, *candidate.hashtags):
                    _add(self.root, words_of(slogan), "<slogan>")
        candidates = tuple(active.candidates) if active else ()
        for candidate in candidates:
            for name in candidate.nicknames:
                _add(self.root, words_of(name), "<nama>")
        self.numbers = frozenset(candidate.number for candidate in candidates)
        self.signs = frozenset(fold(sign) for candidate in candidates for sign in candidate.signs)


def _number(token: Token, after: str) -> int | None:
    for form in (token.normal, *token.alternatives):
        if form in _NUMBER_WORDS:
            return None if after in _TENS else _NUMBER_WORDS.index(form)
    digits = token.normal
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 3 else None


def _edges(found: Sequence[Token], roster: Roster) -> tuple[list[list[tuple[str, int]]], dict[int, int]]:
    """Return, for every token, the keys that may be read there and the token after each; and where names end."""
    edges = [_keys(found, index, roster) for index in range(len(found))]
    names: dict[int, int] = {}
    for start, end, payload in set(_walk(roster.root, edges, found, {})):
        edges[start].append((payload, end))
        if payload == "<nama>":
            edges[start].append(("<peserta>", end))
            names[start] = max(end, names.get(start, 0))
    for start, end in list(names.items()):  # "Bapak Haji <nama>" is the name, from its first title on
        for before in range(start - 1, max(-1, start - 1 - _TITLES_OF_ONE), -1):
            if found[before].sentence != found[start].sentence or not _titled(found[before]):
                break
            edges[before] += [("<nama>", end), ("<peserta>", end)]
            names[before] = max(end, names.get(before, 0))
    return edges, names


def _titled(token: Token) -> bool:
    return not TITLES.isdisjoint((token.normal, *token.alternatives))


def _keys(found: Sequence[Token], index: int, roster: Roster) -> list[tuple[str, int]]:
    token = found[index]
    keys = [(word, index + 1) for word in (token.normal, *token.alternatives)]
    if token.all_caps:
        keys.append((token.form, index + 1))
    if token.whole:
        more = () if token.whole[0] == "#" else spellings(token.whole)
        keys += [(word, index + token.parts) for word in (token.whole, *more)]
    if _titled(token):
        keys.append(("<panggilan>", index + 1))
    number = _number(token, found[index + 1].normal if index + 1 < len(found) else "")
    if number is not None:
        keys.append(("<angka>", index + 1))
        if number in roster.numbers:
            keys.append(("<nomor>", index + 1))
    elif token.normal in HAND_SIGNS or token.normal in roster.signs:
        if token.normal in HAND_SIGNS:
            keys.append(("<jari>", index + 1))
        if token.normal in roster.signs:
            keys.append(("<tanda>", index + 1))
    elif group := _group(found, index):
        keys.append((group, index + 1))
    return keys


def _group(found: Sequence[Token], index: int) -> str | None:
    """Return the placeholder of the people or religion that a token names after "orang" or before "itu"."""
    token, before = found[index], found[index - 1].normal if index else ""
    if index + 1 < len(found) and found[index + 1].normal in _OF_ALL:
        before = "orang"  # "Jawa itu ..." speaks of a people as "orang Jawa itu ..." does
    for form in (token.normal, *token.alternatives):
        if kind := kind_of(form, before):
            return "<suku>" if kind == "suku" else "<agama>"
    return None


def _walk(
    root: Node, edges: list[list[tuple[str, int]]], found: Sequence[Token], names: Mapping[int, int]
) -> Iterator[tuple[int, int, Any]]:
    """Yield (first token, token after the last, payload) of every term read along the edges.

    None begins within one of `names` (first token -> token after it), and a gap skips a name as one word.
    """
    inside = {index for start, end in names.items() for index in range(start + 1, end)}
    for start, keys in enumerate(edges):
        for key, after in () if start in inside else keys:
            node = root.get(key)
            if node is None:
                continue
            sentence = found[start].sentence
            todo: list[tuple[Node, int, int]] = [(node, after, 0)]
            while todo:
                node, after, skips = todo.pop()
                for payload in node.get(_END, ()):
                    yield start, after, payload
                if after >= len(edges) or found[after].sentence != sentence:
                    continue
                todo += [(node[word], then, 0) for word, then in edges[after] if word in node]
                if "..." in node:
                    todo.append((node["..."], after, _GAP))
                if skips:
                    todo.append((node, names.get(after, after + 1), skips - 1))


class RuleClassifier:
    """Judges by rules alone; compiled once, then linear in each text and safe from several threads."""

    def __init__(self, rules: Sequence[Rule], contest: Contest | None = None) -> None:
        """Compile `rules`; `contest` None lets bundled rosters name candidates."""
        self.rules = tuple(rules)
        self.contest = contest
        self._root: Node = {}
        for index, rule in enumerate(self.rules):
            for role, terms in (("term", rule.terms), ("near", rule.near), ("unless", rule.unless)):
                for term in terms:
                    _add(self._root, words_of(term), (index, role))
        self._rosters: dict[str, Roster] = {}
        self.version = sha256(repr((normalize.VERSION, self.rules, contest)).encode()).hexdigest()[:8]

    def _roster(self, time: datetime | None) -> Roster:
        if self.contest is not None:
            active: Contest | None = self.contest
            named: Sequence[Contest] = (self.contest, *(one for one in bundled_contests() if one.id != self.contest.id))
        else:
            named = bundled_contests()
            open_then = [c for c in named if time and c.scope == "national" and c.is_open(time)]
            active = open_then[0] if len(open_then) == 1 else None
        key = active.id if active else ""
        if key not in self._rosters:
            self._rosters[key] = Roster(named, active)
        return self._rosters[key]

    def match(self, text: str, time: datetime | None = None) -> tuple[Hit, ...]:
        """Return every hit, counter-rules' too, in order of the text; `time` is the post's."""
        roster = self._roster(time)
        found = tokens(text)
        edges, names = _edges(found, roster)
        spans: dict[int, dict[int, int]] = defaultdict(dict)  # rule -> first token -> longest match's end
        near: dict[int, set[int]] = defaultdict(set)
        barred: set[int] = set()
        for start, after, (index, role) in _walk(self._root, edges, found, names):
            if role == "term":
                spans[index][start] = max(after, spans[index].get(start, 0))
            elif role == "near":
                near[index].add(found[start].sentence)
            else:
                barred.add(index)
        hits: list[Hit] = []
        named: set[int] | None = None
        for index in spans.keys() - barred:
            rule = self.rules[index]
            if rule.contest and named is None:
                named = {found[i].sentence for i, keys in enumerate(edges) if any(key in _ROSTER for key, _ in keys)}
            reach = 0
            for start, after in sorted(spans[index].items()):
                if after <= reach:  # inside the hit before
                    continue
                reach, sentence = after, found[start].sentence
                if (rule.near and sentence not in near[index]) or (rule.contest and sentence not in (named or ())):
                    continue
                begin, end = found[start].start, found[after - 1].end
                hits.append(
                    Hit(rule.id, rule.flag, rule.weight, rule.why, begin, end, sentence, rule.counter, rule.own)
                )
        return tuple(sorted(hits, key=lambda hit: (hit.start, hit.end, hit.rule)))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the flags (noisy-or of the rules that remain) and their evidence for each text."""
        return [_prediction(self.match(text)) for text in texts]


def _prediction(hits: Sequence[Hit]) -> Prediction:
    return Prediction(join(hits, None, Policy()), evidence_of(remaining(hits)))


def evidence_of(hits: Iterable[Hit]) -> tuple[Evidence, ...]:
    """Return hits as evidence a person can check, the first 50 of a rule."""
    seen: Counter[str] = Counter()
    shown = []
    for hit in hits:
        seen[hit.rule] += 1
        if seen[hit.rule] <= _SHOWN:
            shown.append(Evidence(hit.flag, "rules", hit.rule, hit.start, hit.end, hit.why))
    return tuple(shown)


def check_rules(rules: Sequence[Rule], only_own: bool = False) -> list[str]:
    """Run every rule's `match` and `skip` lines against all rules together; return the failures."""
    classifier = RuleClassifier(rules)
    failures = []
    for rule in rules:
        if only_own and not rule.own:
            continue
        for expected, lines in ((True, rule.match), (False, rule.skip)):
            for line in lines:
                hits = classifier.match(line)
                found = rule.id in {hit.rule for hit in (hits if rule.counter else remaining(hits))}
                if found is not expected:
                    verb = "does not match" if expected else "matches"
                    failures.append(f"rule {rule.id}: {verb} its {'match' if expected else 'skip'} line {line!r}")
    return failures

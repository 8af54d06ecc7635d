"""Checks the authored corpus: fields, pairs, groups, look-alikes and words that give a label away.

    python data/check_corpus.py

Exits with 1 and a line a fault: two texts of 8 words or more outside a pair or group whose word trigrams have a
Jaccard similarity over 0.45; a word of 20 texts or more of which over 0.85 carry one label and that is not in
data/reviewed_words.tsv (word, label, reason).
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent
FIELDS = {"id", "text", "partisan", "hate", "hoax", "phenomenon", "pair", "group", "register", "region"}
JACCARD, SHARE, FEWEST = 0.45, 0.85, 20


def label(post: dict[str, Any]) -> str:
    """Return the one label that follows from the flags."""
    return "hoax_hate" if post["hate"] or post["hoax"] else "partisan_support" if post["partisan"] else "neutral"


def words(text: str) -> list[str]:
    """Return the lower-case words of a text."""
    return re.findall(r"\w+", text.lower())


def read(folder: Path = DATA / "corpus") -> list[dict[str, Any]]:
    """Return every authored post."""
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.open(encoding="utf-8")]


def check_links(posts: list[dict[str, Any]]) -> list[str]:
    """Return faults of fields, ids, pairs (two texts, two sets of flags) and groups (one set of flags)."""
    faults = [f"{post.get('id')}: fields differ from {sorted(FIELDS)}" for post in posts if set(post) != FIELDS]
    faults += [f"{name}: id stands twice" for name, count in Counter(post["id"] for post in posts).items() if count > 1]
    faults += [
        f"text stands twice: {text[:60]!r}" for text, n in Counter(post["text"] for post in posts).items() if n > 1
    ]
    links: dict[str, list[tuple[bool, ...]]] = defaultdict(list)
    for post in posts:
        for kind in ("pair", "group"):
            if post[kind]:
                links[f"{kind} {post[kind]}"].append((post["partisan"], post["hate"], post["hoax"]))
    for name, flags in links.items():
        if name.startswith("pair") and (len(flags) != 2 or flags[0] == flags[1]):
            faults.append(f"{name}: a pair is two texts with different flags")
        if name.startswith("group") and (len(flags) < 2 or len(set(flags)) > 1):
            faults.append(f"{name}: a group is two texts or more with the same flags")
    return faults


def check_likeness(posts: list[dict[str, Any]]) -> list[str]:
    """Return pairs of unlinked texts that are too much alike."""
    grams = []
    index: dict[str, list[int]] = defaultdict(list)
    for number, post in enumerate(posts):
        found = words(post["text"])
        grams.append({" ".join(found[i : i + 3]) for i in range(len(found) - 2)} if len(found) >= 8 else set())
        for gram in grams[-1]:
            index[gram].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in index.values():
        shared.update((a, b) for i, a in enumerate(numbers) for b in numbers[i + 1 :])
    faults = []
    for (a, b), common in shared.items():
        one, two = posts[a], posts[b]
        linked = any(one[kind] and one[kind] == two[kind] for kind in ("pair", "group"))
        if not linked and common / len(grams[a] | grams[b]) > JACCARD:
            faults.append(f"{one['id']} and {two['id']} are too much alike")
    return faults


def one_sided(posts: list[dict[str, Any]]) -> list[tuple[str, str, int, float]]:
    """Return words of 20 texts or more of which over 0.85 carry one label: word, label, texts, share."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for post in posts:
        for word in set(words(post["text"])):
            counts[word][label(post)] += 1
    out = []
    for word, by_label in counts.items():
        top, most = by_label.most_common(1)[0]
        if (total := by_label.total()) >= FEWEST and most / total > SHARE:
            out.append((word, top, total, most / total))
    return sorted(out, key=lambda item: -item[2])


def main() -> None:
    """Print the counts and the faults."""
    posts = read()
    reviewed = {line.split("\t")[0] for line in (DATA / "reviewed_words.tsv").read_text("utf-8").splitlines()}
    faults = check_links(posts) + check_likeness(posts)
    faults += [
        f"{word}: {share:.0%} of {total} texts are {top}; balance it or give the reason in reviewed_words.tsv"
        for word, top, total, share in one_sided(posts)
        if word not in reviewed
    ]
    pairs, groups = (len({post[kind] for post in posts if post[kind]}) for kind in ("pair", "group"))
    print(f"{len(posts)} posts, {pairs} pairs, {groups} groups, {dict(Counter(map(label, posts)))}")
    print("\n".join(faults))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()

"""Every figure of judgement on held-out posts, of a model directory or of the rules alone, as JSON.

    python -m training.evaluate --rows rows.parquet [--model DIR|rules] [--split test] [--json figures.json]

Real posts with and without unsure ones, by source, with 95 % bootstrap intervals; the held-out race with and
without its roster; the functional suite; socialisation sentences; swaps; spelling attacks; calibration.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import netral
from netral.contest import Candidate, Contest, bundled_contests
from netral.explain import occlude
from netral.normalize import tokens
from netral.schema import FLAGS, Verdict
from netral.screener import Screener
from training.augment import Augmenter
from training.metrics import LABELS, Array, bootstrap, calibration_error, f1, gold, labels_of, macro_f1

TESTS = Path(__file__).parents[1] / "tests"
RACE = "pol_youtube_pilkada_banten2024"
CONTESTS = {RACE: "pilkada-banten-2024", "pol_dki2017_ramaprakoso": "pilkada-dki-2017"}
"""Test sources of one race, and its roster."""

Judged = tuple[Array, Array, Array]
ATTACKS = ("leet", "spaces", "stretched", "lookalike")


def judge(screener: Screener, texts: list[str]) -> Judged:
    """Return labels [n], flags [n, 3] and scores [n]."""
    verdicts: list[Verdict] = screener.predict_batch(texts)
    labels = np.array([LABELS.index(verdict.label) for verdict in verdicts])
    flags = np.array([[verdict.flags[flag] for flag in FLAGS] for verdict in verdicts])
    return labels, flags, np.array([verdict.score for verdict in verdicts])


def name_contests(judged: Judged, rows: pl.DataFrame, model: str | None) -> Judged:
    """Return what was judged, with the posts of each race in `CONTESTS` judged again under its roster."""
    labels, flags, scores = (array.copy() for array in judged)
    for source, contest in CONTESTS.items():
        chosen = np.flatnonzero((rows["source"] == source).to_numpy())
        if not chosen.size:
            continue
        texts = rows[chosen.tolist()]["text"].to_list()
        labels[chosen], flags[chosen], scores[chosen] = judge(netral.load(model, contest=contest), texts)
    return labels, flags, scores


def take(judged: Judged, chosen: Array) -> Judged:
    """Return some rows of what was judged."""
    labels, flags, scores = judged
    return labels[chosen], flags[chosen], scores[chosen]


def real(judged: Judged, rows: pl.DataFrame, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """Return the figures on real posts."""
    labels, flags, scores = judged
    truth = gold(rows)
    want, sure = labels_of(truth), ~rows["unsure"].to_numpy()
    limits = np.array([thresholds[flag] for flag in FLAGS])
    out: dict[str, Any] = {"posts": len(rows), "unsure": round(float((~sure).mean()), 3)}
    for name, chosen in (("with unsure", np.ones(len(rows), bool)), ("without unsure", sure)):
        low, high = bootstrap(want[chosen], labels[chosen], macro_f1)
        out[f"macro-F1 {name}"] = [round(macro_f1(want[chosen], labels[chosen]), 4), round(low, 4), round(high, 4)]
    for index, flag in enumerate(FLAGS):
        guess, true = flags[:, index] >= limits[index], truth[:, index] > 0.5
        right = float((guess & true).sum())
        out[flag] = {
            "precision": round(right / max(1, guess.sum()), 3),
            "recall": round(right / max(1, true.sum()), 3),
            "F1": round(f1(true, guess), 3),
            "ECE": round(calibration_error(flags[:, index], truth[:, index]), 4),
            "posts": int(true.sum()),
        }
    out["ECE of score"] = round(calibration_error(scores, (labels == want).astype(float)), 4)
    sources = rows["source"].to_numpy()
    out["by source"] = {
        str(source): [
            int((sources == source).sum()),
            round(macro_f1(want[sources == source], labels[sources == source]), 3),
        ]
        for source in np.unique(sources)
    }
    return out


def functional(screener: Screener, folder: Path = TESTS / "functional") -> dict[str, Any]:
    """Return the share of right cases by functionality, of pairs with both right and of consistent groups."""
    cases = [
        json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    labels, _, _ = judge(screener, [case["text"] for case in cases])
    want = labels_of(np.array([[float(case[flag]) for flag in FLAGS] for case in cases]))
    right = labels == want
    tables: dict[str, dict[str, list[int]]] = {
        "case": defaultdict(list),
        "pair": defaultdict(list),
        "group": defaultdict(list),
    }
    for index, case in enumerate(cases):
        tables["case"][case["id"].rsplit("-", 1)[0]].append(index)
        for kind in ("pair", "group"):
            if case[kind]:
                tables[kind][case[kind]].append(index)
    return {
        "cases": [len(cases), round(float(right.mean()), 4)],
        "macro-F1": round(macro_f1(want, labels), 4),
        "pairs both right": [
            len(tables["pair"]),
            round(float(np.mean([right[rows].all() for rows in tables["pair"].values()])), 4),
        ],
        "groups consistent": [
            len(tables["group"]),
            round(float(np.mean([len(set(labels[rows].tolist())) == 1 for rows in tables["group"].values()])), 4),
        ],
        "by functionality": {
            name: [len(rows), round(float(right[rows].mean()), 3)] for name, rows in sorted(tables["case"].items())
        },
    }


def swaps(screener: Screener, variants: Iterable[list[str]]) -> dict[str, float]:
    """Return how flags and labels change when likes are swapped for likes in templates."""
    changes: list[float] = []
    moved = 0
    for texts in variants:
        labels, flags, _ = judge(screener, texts)
        changes += np.abs(flags[1:] - flags[:1]).max(1).tolist()
        moved += int((labels[1:] != labels[0]).sum())
    array = np.array(changes)
    return {
        "swaps": len(changes),
        "mean": round(float(array.mean()), 5),
        "share above 0.1": round(float((array > 0.1).mean()), 5),
        "labels changed": round(moved / len(changes), 5),
    }


PEOPLES = (
    "Jawa Sunda Melayu Batak Madura Betawi Minangkabau Bugis Banten Banjar Bali Aceh Dayak Sasak Cina Tionghoa Cirebon "
    "Gorontalo Makassar Minahasa Nias Palembang Lampung Papua Ambon Flores Toraja Arab"
).split()
RELIGIONS = "Islam Kristen Katolik Hindu Buddha Konghucu Syiah Ahmadiyah Yahudi".split()


def group_variants(path: Path = TESTS / "data" / "parity_groups.txt") -> Iterator[list[str]]:
    """Yield each template as it reads for every people or religion, as written and in small letters."""
    for template in read_lines(path):
        key, names = ("suku", PEOPLES) if "{suku}" in template else ("agama", RELIGIONS)
        texts = [template.format(**{key: name}) for name in names]
        yield texts
        yield [text.lower() for text in texts]


def parity_variants(path: Path = TESTS / "data" / "parity.txt") -> Iterator[tuple[Contest, list[str]]]:
    """Yield each template as it reads for every candidate of an office, for every office of the kind it names."""
    templates = [line for line in read_lines(path) if "{" in line]
    for contest in bundled_contests():
        for office in contest.offices:
            for template in templates:
                fitting = [one for one in office.candidates if one.signs or "{tanda}" not in template]
                if office.parties == ("{partai}" in template) and len(fitting) > 1:
                    yield contest, [_filled(template, candidate) for candidate in fitting]


def _filled(template: str, candidate: Candidate) -> str:
    name = candidate.names[0]
    parts = {
        "nama": name.title() if name.islower() else name,
        "partai": name,
        "nomor": str(candidate.number),
        "tanda": candidate.signs[0] if candidate.signs else "",
    }
    return template.format(**parts)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file of sentences, without blank ones and comments (#)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def attacks(screener: Screener, rows: pl.DataFrame) -> dict[str, float]:
    """Return the macro-F1 on flagged and neutral posts when their words are misspelt, by attack."""
    texts, want = rows["text"].to_list(), labels_of(gold(rows))
    out = {"none": round(macro_f1(want, judge(screener, texts)[0]), 4)}
    for kind in ATTACKS:
        augment = Augmenter(seed=5)
        out[kind] = round(macro_f1(want, judge(screener, [augment.attack(text, kind) for text in texts])[0]), 4)
    return out


def false_positives(screener: Screener, rows: pl.DataFrame) -> dict[str, Any]:
    """Return the share of neutral posts flagged, by the candidate they name (30 posts or more), and the largest gap."""
    neutral = rows.filter(pl.all_horizontal(pl.col(flag) == 0 for flag in FLAGS))
    texts = neutral["text"].to_list()
    flagged = judge(screener, texts)[0] != 0
    rates = {}
    for name in ("anies", "prabowo", "ganjar", "jokowi", "ahok", "khofifah", "risma", "airin", "gibran", "mahfud"):
        chosen = np.array([name in text.lower() for text in texts])
        if chosen.sum() >= 30:
            rates[name] = [int(chosen.sum()), round(float(flagged[chosen].mean()), 4)]
    values = [rate for _, rate in rates.values()]
    return {"by name": rates, "largest gap": round(max(values) - min(values), 4) if values else None}


def deletion(screener: Screener, rows: pl.DataFrame, posts: int = 150, words: int = 3) -> dict[str, Any]:
    """Return how far the highest flag falls without the words that explain it, and without as many random ones."""
    dice, classifier = random.Random(17), screener.classifier
    falls: dict[str, list[float]] = {"explaining words": [], "random words": []}
    for text in rows.sample(len(rows), shuffle=True, seed=17)["text"]:
        (whole,) = classifier.predict([text])
        flag = max(FLAGS, key=lambda name: whole.flags[name])
        spans = [(token.start, token.end) for token in tokens(text)]
        if whole.flags[flag] < screener.policy.thresholds[flag] or not 2 * words < len(spans) < 64:
            continue
        found = [(item.start, item.end) for item in occlude(classifier, text, [flag])[:words]]
        for name, gone in (("explaining words", found), ("random words", dice.sample(spans, len(found)))):
            left = text
            for start, end in sorted(gone, reverse=True):
                left = f"{left[:start]} {left[end:]}"
            (without,) = classifier.predict([left])
            falls[name].append(whole.flags[flag] - without.flags[flag])
        if len(falls["random words"]) == posts:
            break
    return {"posts": len(falls["random words"])} | {
        name: round(float(np.mean(values)), 4) for name, values in falls.items() if values
    }


def main() -> None:
    """Print the figures as JSON and, with --json, keep them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--model", default=None)
    parser.add_argument("--split", default="test")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="real posts and functional suite only")
    args = parser.parse_args()
    screener = netral.load(args.model)
    rows = pl.read_parquet(args.rows).filter((pl.col("split") == args.split) & (pl.col("source") != "authored"))
    if rows.is_empty():
        parser.error(f"{args.rows}: no real posts of split {args.split!r}; prepare rows with the public posts")
    judged = judge(screener, rows["text"].to_list())
    limits = screener.policy.thresholds
    figures: dict[str, Any] = {"real": real(judged, rows, limits), "functional": functional(screener)}
    if not args.quick:
        named, race = name_contests(judged, rows, args.model), (rows["source"] == RACE).to_numpy()
        figures["real, contests named"] = real(named, rows, limits)
        if race.any():
            figures["held-out race"] = real(take(judged, race), rows.filter(race), limits)
            figures["held-out race, its roster named"] = real(take(named, race), rows.filter(race), limits)
        for name in ("socialisation", "socialisation_unseen"):
            sentences = read_lines(TESTS / "data" / f"{name}.txt")
            neutral = float((judge(screener, sentences)[0] == 0).mean())
            figures[f"{name} neutral"] = [len(sentences), round(neutral, 4)]
        figures["swaps"] = swaps(screener, (texts for _, texts in parity_variants()))
        figures["swaps of groups"] = swaps(screener, group_variants())
        figures["attacks"] = attacks(screener, rows.sample(min(800, len(rows)), seed=3))
        figures["false positives"] = false_positives(screener, rows)
        if screener.classifier is not None:
            figures["deletion"] = deletion(screener, rows)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

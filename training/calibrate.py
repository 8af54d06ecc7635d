"""Fits on dev, after the join with the rules: calibration, thresholds, review bands, score maps, floors and caps.

    python -m training.calibrate --model DIR --rows rows.parquet --out policy.json

`DIR` is an exported directory (its own calibration and policy are passed over). Dev posts are weighted to the mix of
labels that posts drawn at random have. Thresholds are those with the best 3-label macro-F1 among those with precision
of 0.80 or more on every flag; review bands are the narrowest that hold half of the wrong labels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from netral.decision import Hit, Policy, join, raw_score, remaining
from netral.model import OnnxClassifier
from netral.rules import RuleClassifier, load_rules
from netral.schema import FLAGS
from training.metrics import (
    LABELS,
    Array,
    best_thresholds,
    calibration_error,
    gold,
    labels_of,
    macro_f1,
    mix_weights,
    sigmoid,
)

PRECISION = 0.80
FEWEST = 30  # posts a floor or cap must rest on


def raw_logits(directory: Path, texts: list[str]) -> Array:
    """Return the model's uncalibrated logits: [n, 3] of the encoder, [n, 6] with the n-grams'."""
    return np.array(OnnxClassifier(directory).logits(texts))


def fit_calibration(logits: Array, truth: Array, weight: Array) -> dict[str, list[float]]:
    """Return each flag's shift and the slopes of its logits (Platt scaling)."""
    out = {}
    for index, flag in enumerate(FLAGS):
        model = LogisticRegression(C=1e4).fit(
            logits[:, index :: len(FLAGS)], truth[:, index] > 0.5, sample_weight=weight
        )
        out[flag] = [round(float(value), 5) for value in (model.intercept_[0], *model.coef_[0])]
    return out


def calibrated(logits: Array, calibration: dict[str, list[float]]) -> Array:
    """Return probabilities [n, 3]."""
    shift, *slopes = np.array([calibration[flag] for flag in FLAGS]).T
    total = shift + sum(slope * part for slope, part in zip(slopes, np.split(logits, len(slopes), axis=1), strict=True))
    return sigmoid(total)


def fit_floors(
    hits: list[tuple[Hit, ...]], flags: Array, truth: Array, thresholds: dict[str, float], weight: Array
) -> tuple[dict[str, float], dict[str, float]]:
    """Return floors and caps by rule id, each measured on 30 dev posts or more.

    A floor is the share of right hits among posts that the rule matches and the model alone leaves under its
    threshold; a cap the share of flagged truth among posts that the counter-rule matches, no hit remaining,
    and the model alone puts over it.
    """
    below: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    above: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for row, found in enumerate(hits):
        left = remaining(found)
        for rule, flag in {(hit.rule, hit.flag) for hit in left}:
            index = FLAGS.index(flag)
            if flags[row, index] < thresholds[flag]:
                below[rule].append((bool(truth[row, index] > 0.5), float(weight[row])))
        kept = {hit.flag for hit in left}
        for rule, flag in {(hit.rule, hit.flag) for hit in found if hit.counter and hit.flag not in kept}:
            index = FLAGS.index(flag)
            if flags[row, index] >= thresholds[flag]:
                above[rule].append((bool(truth[row, index] > 0.5), float(weight[row])))

    def shares(table: dict[str, list[tuple[bool, float]]]) -> dict[str, float]:
        enough = {rule: np.array(rows) for rule, rows in sorted(table.items()) if len(rows) >= FEWEST}
        return {rule: round(float(np.average(rows[:, 0], weights=rows[:, 1])), 4) for rule, rows in enough.items()}

    return shares(below), shares(above)


def review_bands(flags: Array, truth: Array, thresholds: dict[str, float], weight: Array) -> dict[str, list[float]]:
    """Return the narrowest bands round the thresholds, alike in logits, that hold half of the wrong labels."""
    wrong = labels_of(flags, thresholds) != labels_of(truth)
    clipped = np.clip(flags, 1e-6, 1 - 1e-6)
    limits = np.array([thresholds[flag] for flag in FLAGS])
    distance = np.abs(np.log(clipped / (1 - clipped)) - np.log(limits / (1 - limits))).min(1)
    width = 0.1
    if wrong.any():
        width = float(np.quantile(distance[wrong], 0.5, weights=weight[wrong], method="inverted_cdf"))
    bands = {}
    for flag, limit in thresholds.items():
        middle = np.log(limit / (1 - limit))
        low, high = (1 / (1 + np.exp(-(middle + side))) for side in (-width, width))
        bands[flag] = [round(float(low), 4), round(float(high), 4)]
    return bands


def score_maps(flags: Array, truth: Array, thresholds: dict[str, float], weight: Array) -> dict[str, list[list[float]]]:
    """Return, for each label given, points (raw score, share of right labels), rising (isotonic)."""
    given, want = labels_of(flags, thresholds), labels_of(truth)
    out = {}
    for number, label in enumerate(LABELS):
        rows = np.flatnonzero(given == number)
        if len(rows) < FEWEST:
            continue
        raw = np.array([raw_score(label, dict(zip(FLAGS, flags[row], strict=True))) for row in rows])
        surest = 1 - 1 / (len(rows) / 8 + 2)  # rule of succession for the last of eight parts: never certain
        curve = IsotonicRegression(y_min=0, y_max=surest, out_of_bounds="clip")
        curve.fit(raw, want[rows] == number, sample_weight=weight[rows])
        points = np.unique(np.quantile(raw, np.linspace(0, 1, 9)))
        smooth = [float(np.mean(curve.predict(np.linspace(x - 0.03, x + 0.03, 7)))) for x in points]
        rising = np.maximum.accumulate(smooth)
        out[label.value] = [[round(float(x), 4), round(float(y), 4)] for x, y in zip(points, rising, strict=True)]
    return out


def main() -> None:
    """Fit everything and write the policy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    frame = pl.read_parquet(args.rows)
    dev, weight = frame.filter(pl.col("split") == "dev"), mix_weights(frame)
    texts, truth = dev["text"].to_list(), gold(dev)
    logits = raw_logits(args.model, texts)
    calibration = fit_calibration(logits, truth, weight)
    flags = calibrated(logits, calibration)
    rules = RuleClassifier(load_rules())
    hits = [rules.match(text) for text in texts]
    thresholds = best_thresholds(flags, truth, PRECISION, weight)
    floors, caps = fit_floors(hits, flags, truth, thresholds, weight)
    policy = Policy(thresholds=thresholds, floors=floors, caps=caps)
    joined = np.array(
        [
            list(join(found, dict(zip(FLAGS, row, strict=True)), policy).values())
            for found, row in zip(hits, flags, strict=True)
        ]
    )
    thresholds = best_thresholds(joined, truth, PRECISION, weight)
    want = labels_of(truth)
    metrics = {
        "rows_sha256": hashlib.sha256(args.rows.read_bytes()).hexdigest(),
        "dev_rows": len(dev),
        "dev_macro_f1_model": round(macro_f1(want, labels_of(flags, thresholds), weight), 4),
        "dev_macro_f1_joined": round(macro_f1(want, labels_of(joined, thresholds), weight), 4),
        "dev_ece": {
            flag: round(calibration_error(joined[:, i], truth[:, i], weight), 4) for i, flag in enumerate(FLAGS)
        },
    }
    out = {
        "calibration": calibration,
        "policy": {
            "thresholds": thresholds,
            "review": review_bands(joined, truth, thresholds, weight),
            "score": score_maps(joined, truth, thresholds, weight),
            "floors": floors,
            "caps": caps,
        },
        "metrics": metrics,
    }
    args.out.write_text(json.dumps(out, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()

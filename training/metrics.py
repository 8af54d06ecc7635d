"""Figures of judgement: macro-F1 over the three labels, per flag, calibration, bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from netral.schema import FLAGS, Label

Array = np.ndarray[Any, Any]
LABELS = (Label.NEUTRAL, Label.PARTISAN_SUPPORT, Label.HOAX_HATE)
"""Labels by the number that figures are computed with."""

TIE = 0.001  # macro-F1 that a few thousand posts cannot tell from nothing


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60, 60)))


def labels_of(flags: Array, thresholds: Mapping[str, float] | None = None) -> Array:
    """Return 0 neutral, 1 partisan_support, 2 hoax_hate for flags [n, 3]."""
    limits = np.array([(thresholds or {}).get(flag, 0.5) for flag in FLAGS])
    over = flags >= limits
    return np.where(over[:, 1] | over[:, 2], 2, np.where(over[:, 0], 1, 0))


def f1(truth: Array, guess: Array, weight: Array | None = None) -> float:
    """Return the F1 of booleans, each counted with its weight (1 without); 0 when nothing is right."""
    weight = np.ones(len(truth)) if weight is None else weight
    both = float(weight[truth].sum() + weight[guess].sum())
    return 2 * float(weight[truth & guess].sum()) / both if both else 0.0


def macro_f1(truth: Array, guess: Array, weight: Array | None = None) -> float:
    """Return the mean F1 over the labels that stand in truth or guess."""
    return float(np.mean([f1(truth == label, guess == label, weight) for label in {*truth.tolist(), *guess.tolist()}]))


def gold(frame: pl.DataFrame) -> Array:
    """Return the flags [n, 3] of prepared rows."""
    return frame.select(FLAGS).to_numpy().astype(np.float64)


def best_thresholds(
    flags: Array, truth: Array, precision: float = 0.0, weight: Array | None = None
) -> dict[str, float]:
    """Return thresholds with the best macro-F1 among those whose every flag reaches `precision`.

    Of thresholds within `TIE` of the best the highest is taken: a wrong flag costs more than the difference tells.
    """
    grid = np.round(np.arange(0.1, 0.91, 0.02), 3)
    want, weight = labels_of(truth), np.ones(len(truth)) if weight is None else weight

    def allowed(index: int) -> list[float]:
        out = []
        for value in grid:
            over = flags[:, index] >= value
            if over.any() and np.average(truth[over, index] > 0.5, weights=weight[over]) >= precision:
                out.append(float(value))
        return out or [float(grid[-1])]

    choices = [allowed(index) for index in range(3)]
    best = [min(choice, key=lambda value: abs(value - 0.5)) for choice in choices]
    for _ in range(3):  # coordinate ascent over the three flags
        for index in range(3):
            scores = []
            for value in choices[index]:
                trial = dict(zip(FLAGS, [*best[:index], value, *best[index + 1 :]], strict=True))
                scores.append(macro_f1(want, labels_of(flags, trial), weight))
            best[index] = choices[index][int(np.flatnonzero(np.array(scores) >= max(scores) - TIE)[-1])]
    return dict(zip(FLAGS, best, strict=True))


def calibration_error(probability: Array, truth: Array, weight: Array | None = None, bins: int = 10) -> float:
    """Return the expected calibration error with bins of equal count."""
    weight = np.ones(len(truth)) if weight is None else weight
    parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    gaps = [abs(np.sum((probability[part] - truth[part]) * weight[part])) for part in parts if len(part)]
    return float(sum(gaps) / weight.sum())


def mix_weights(frame: pl.DataFrame, authored: float = 0.5) -> Array:
    """Return weights [n] of the dev rows of `frame` that give its real posts the mix of labels of random posts.

    Random posts are all that were drawn so outside test: dev is a few whole sources, whose mix is their own. Authored
    posts together weigh `authored` times as much as the real ones, however many were written.
    """
    drawn = frame.filter((pl.col("drawn") == "random") & pl.col("split").is_in(["train", "dev"]))
    dev = frame.filter(pl.col("split") == "dev")
    real = (dev["drawn"] == "random").to_numpy()
    want, have = labels_of(gold(drawn)), labels_of(gold(dev))
    weight = np.full(len(dev), authored * real.sum() / max(1, (~real).sum()) if real.any() else 1.0)
    for label in np.unique(have[real]):
        weight[real & (have == label)] = (want == label).mean() / (have[real] == label).mean()
    return weight


def bootstrap(
    truth: Array, guess: Array, score: Callable[[Array, Array], float], rounds: int = 1000
) -> tuple[float, float]:
    """Return the 95 % interval of `score` over resampled rows; seeded."""
    dice = np.random.default_rng(17)
    values = []
    for _ in range(rounds):
        chosen = dice.integers(0, len(truth), len(truth))
        values.append(score(truth[chosen], guess[chosen]))
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def summary(logits: Array, frame: pl.DataFrame) -> str:
    """Return macro-F1 at 0.5 and at the best thresholds, and F1 per flag, in one line; authored rows apart."""
    out = []
    authored = (frame["source"] == "authored").to_numpy()
    for name, rows in (("real", ~authored), ("authored", authored)):
        if rows.any():
            flags, truth = sigmoid(logits[rows]), gold(frame)[rows]
            want = labels_of(truth)
            plain = macro_f1(want, labels_of(flags))
            best = macro_f1(want, labels_of(flags, best_thresholds(flags, truth)))
            each = " ".join(f"{flag} {f1(truth[:, i] > 0.5, flags[:, i] >= 0.5):.3f}" for i, flag in enumerate(FLAGS))
            out.append(f"{name} macro-F1 {plain:.3f} (best thresholds {best:.3f}) {each}")
    return "; ".join(out)

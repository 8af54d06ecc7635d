"""The only place where rule hits and model probabilities become a label. Pure: no text, no files."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from netral.errors import ModelError
from netral.schema import FLAGS, Label, Source


@dataclass(frozen=True, slots=True)
class Hit:
    """One match of one rule; `start` and `end` index the post, `sentence` counts its sentences.

    `own` marks a rule from the user's folder: its weight is its floor. A counter-rule's hit speaks
    against `flag`.
    """

    rule: str
    flag: str
    weight: float
    why: str
    start: int
    end: int
    sentence: int
    counter: bool = False
    own: bool = False


Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds, review bands, score maps, floors and caps; a model's come from its `netral.json`.

    `review` holds half-open bands [low, high) of each flag; `score` maps each label's raw score to the
    share of right labels, as points (raw, calibrated) joined by straight lines; `floors` and `caps` are
    probabilities by rule id.
    """

    thresholds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(FLAGS, 0.5))
    review: Mapping[str, tuple[float, float]] = field(default_factory=lambda: dict.fromkeys(FLAGS, (0.35, 0.65)))
    score: Mapping[str, Curve] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Policy:
        """Return the policy stored under `policy` in `netral.json`; raises `ModelError` when it is malformed."""
        try:
            return cls(
                thresholds={flag: _number(data["thresholds"][flag]) for flag in FLAGS},
                review={flag: (_number(data["review"][flag][0]), _number(data["review"][flag][1])) for flag in FLAGS},
                score={
                    label: tuple((_number(x), _number(y)) for x, y in points) for label, points in data["score"].items()
                },
                floors={rule: _number(value) for rule, value in data["floors"].items()},
                caps={rule: _number(value) for rule, value in data["caps"].items()},
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ModelError(f"netral.json: the policy is malformed ({error!r}); export the model again") from error

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        return {
            "thresholds": dict(self.thresholds),
            "review": {flag: list(band) for flag, band in self.review.items()},
            "score": {label: [list(point) for point in curve] for label, curve in self.score.items()},
            "floors": dict(self.floors),
            "caps": dict(self.caps),
        }


def is_number(value: Any) -> bool:
    """Return whether a value read from JSON is a number that a float holds: no text, boolean, NaN or infinity."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _number(value: Any) -> float:
    if not is_number(value):
        raise ValueError(f"{value!r} where a number belongs")
    return float(value)


@dataclass(frozen=True, slots=True)
class Decision:
    """The label with its score and flags, the hits that remain, and who fixed the label."""

    label: Label
    score: float
    flags: Mapping[str, float]
    hits: tuple[Hit, ...]
    decided_by: Source
    review: bool


def remaining(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Return the hits that no counter-rule of the same flag in the same sentence cancels."""
    hits = tuple(hits)
    cancelled = {(hit.flag, hit.sentence) for hit in hits if hit.counter}
    return tuple(hit for hit in hits if not hit.counter and (hit.flag, hit.sentence) not in cancelled)


def noisy_or(weights: Iterable[float]) -> float:
    """Return 1 - product of (1 - weight)."""
    miss = 1.0
    for weight in weights:
        miss *= 1.0 - weight
    return 1.0 - miss


def join(hits: Sequence[Hit], model: Mapping[str, float] | None, policy: Policy) -> dict[str, float]:
    """Return the three flags of rules and model together.

    Per flag: counter-rules cancel hits in their sentence; without a model the flag is the noisy-or of
    the remaining rules' weights (each rule once), with one the highest of the model and the rules'
    floors; if no hit remains, a matched counter-rule's cap lowers it. Raises `ModelError` for a flag that is no
    number.
    """
    left = remaining(hits)
    flags = {}
    for flag in FLAGS:
        weights = {hit.rule: hit.weight for hit in left if hit.flag == flag}
        if model is None:
            value = noisy_or(weights.values())
        else:
            own = {hit.rule for hit in left if hit.own}
            floors = [weights[rule] if rule in own else policy.floors.get(rule, 0.0) for rule in weights]
            if math.isnan(model[flag]):
                raise ModelError(f"the classifier answers no number for {flag}")
            value = max([model[flag], *floors])
        if not weights:
            caps = [
                policy.caps[hit.rule] for hit in hits if hit.counter and hit.flag == flag and hit.rule in policy.caps
            ]
            value = min([value, *caps])
        flags[flag] = min(1.0, max(0.0, value))
    return flags


def label_of(flags: Mapping[str, float], thresholds: Mapping[str, float]) -> Label:
    """Return the one label: hate or hoax first, then partisan, else neutral."""
    if flags["hate"] >= thresholds["hate"] or flags["hoax"] >= thresholds["hoax"]:
        return Label.HOAX_HATE
    if flags["partisan"] >= thresholds["partisan"]:
        return Label.PARTISAN_SUPPORT
    return Label.NEUTRAL


def raw_score(label: Label, flags: Mapping[str, float]) -> float:
    """Return the uncalibrated certainty of `label`, in [0, 1]."""
    harm = max(flags["hate"], flags["hoax"])
    if label is Label.HOAX_HATE:
        return harm
    if label is Label.PARTISAN_SUPPORT:
        return min(flags["partisan"], 1.0 - harm)
    return 1.0 - max(flags.values())


def interpolate(curve: Curve, x: float) -> float:
    """Return y at `x` on a curve of points with rising x; flat beyond its ends."""
    if x <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x1 > x0 else y1
    return curve[-1][1]


def decide(hits: Sequence[Hit], model: Mapping[str, float] | None, policy: Policy) -> Decision:
    """Return the decision on one post from its rule hits and the model's flags (None: rules alone)."""
    flags = join(hits, model, policy)
    label = label_of(flags, policy.thresholds)
    by_rules = model is None or label_of(model, policy.thresholds) is not label
    score = raw_score(label, flags)
    if curve := policy.score.get(label.value):
        score = interpolate(curve, score)
    near = any(policy.review[flag][0] <= flags[flag] < policy.review[flag][1] for flag in FLAGS)
    return Decision(label, score, flags, remaining(hits), "rules" if by_rules else "model", near)

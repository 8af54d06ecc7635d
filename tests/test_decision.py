"""The join of rules and model, as one table, and what follows from flags."""

import math

import pytest

from netral.decision import Hit, Policy, decide, interpolate, join, noisy_or, remaining
from netral.errors import ModelError
from netral.schema import Label


def hit(rule="r", flag="partisan", weight=0.6, sentence=0, **more):
    return Hit(rule, flag, weight, "why", 0, 4, sentence, **more)


COUNTER = hit("c", counter=True, weight=0.0)
LOW = {"partisan": 0.1, "hate": 0.1, "hoax": 0.1}
POLICY = Policy(floors={"r": 0.8, "weak": 0.3}, caps={"c": 0.2})


@pytest.mark.parametrize(
    ("hits", "model", "partisan"),
    [
        ([], None, 0.0),
        ([hit()], None, 0.6),
        ([hit(), hit()], None, 0.6),
        ([hit(), hit("s", weight=0.5)], None, 0.8),
        ([hit(), COUNTER], None, 0.0),
        ([hit(), hit("c", counter=True, sentence=1)], None, 0.6),
        ([hit(), hit("c", flag="hate", counter=True)], None, 0.6),
        ([], LOW, 0.1),
        ([hit()], LOW, 0.8),
        ([hit("weak")], LOW, 0.3),
        ([hit("unmeasured")], LOW, 0.1),
        ([hit("mine", weight=0.7, own=True)], LOW, 0.7),
        ([hit(), COUNTER], LOW, 0.1),
        ([COUNTER], LOW | {"partisan": 0.9}, 0.2),
        ([hit(sentence=1), COUNTER], LOW | {"partisan": 0.9}, 0.9),
        ([hit("c2", counter=True)], LOW | {"partisan": 0.9}, 0.9),
    ],
)
def test_join(hits, model, partisan):
    assert join(hits, model, POLICY)["partisan"] == pytest.approx(partisan)


@pytest.mark.parametrize(
    ("flags", "label"),
    [
        ({"partisan": 0.49, "hate": 0.49, "hoax": 0.49}, Label.NEUTRAL),
        ({"partisan": 0.5, "hate": 0.1, "hoax": 0.1}, Label.PARTISAN_SUPPORT),
        ({"partisan": 0.9, "hate": 0.5, "hoax": 0.1}, Label.HOAX_HATE),
        ({"partisan": 0.9, "hate": 0.1, "hoax": 0.5}, Label.HOAX_HATE),
    ],
)
def test_label_follows_the_thresholds(flags, label):
    decision = decide([], flags, Policy())
    assert decision.label is label
    assert decision.decided_by == "model"


def test_score_is_the_certainty_of_the_label():
    assert decide([], {"partisan": 0.9, "hate": 0.3, "hoax": 0.1}, Policy()).score == pytest.approx(0.7)
    assert decide([], {"partisan": 0.2, "hate": 0.3, "hoax": 0.1}, Policy()).score == pytest.approx(0.7)
    curve = {"neutral": ((0.5, 0.6), (1.0, 1.0))}
    assert decide([], {"partisan": 0.25, "hate": 0.0, "hoax": 0.0}, Policy(score=curve)).score == pytest.approx(0.8)


def test_rules_decide_when_they_change_the_label():
    assert decide([hit()], LOW, POLICY).decided_by == "rules"
    assert decide([hit()], LOW | {"partisan": 0.9}, POLICY).decided_by == "model"
    assert decide([], None, POLICY).decided_by == "rules"


def test_review_is_asked_near_a_threshold():
    assert decide([], LOW | {"hate": 0.4}, Policy()).review
    assert not decide([], LOW, Policy()).review


def test_cancelled_hits_are_no_evidence():
    kept = hit("r", sentence=1)
    assert remaining([hit(), COUNTER, kept]) == (kept,)


def test_small_pieces():
    assert noisy_or([]) == 0
    assert noisy_or([0.5, 0.5]) == 0.75
    assert [interpolate(((0.2, 0.3), (0.6, 0.7)), x) for x in (0, 0.4, 1)] == pytest.approx([0.3, 0.5, 0.7])


def test_a_policy_survives_json():
    assert Policy.from_dict(POLICY.to_dict()) == POLICY


@pytest.mark.parametrize("wrong", [math.nan, math.inf, pytest.param(10**400, id="wide"), "0.5", None, True, []])
@pytest.mark.parametrize(
    "place", [("thresholds", "hate"), ("review", "hate", 1), ("score", "neutral", 0, 1), ("floors", "r"), ("caps", "c")]
)
def test_a_policy_of_other_than_numbers_is_refused(place, wrong):
    inner = data = Policy(score={"neutral": ((0.5, 0.6),)}, floors={"r": 0.8}, caps={"c": 0.2}).to_dict()
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = wrong
    with pytest.raises(ModelError, match="policy is malformed"):
        Policy.from_dict(data)


@pytest.mark.parametrize("wrong", [{"floors": []}, {"score": 3}, {"thresholds": "x"}, {"review": None}])
def test_a_policy_of_another_shape_is_refused(wrong):
    with pytest.raises(ModelError, match="policy is malformed"):
        Policy.from_dict(Policy().to_dict() | wrong)
